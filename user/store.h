/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pinned maps of one interface, as one handle: publish a policy, read it
 * back, counters, state. All verbs that change or show a running edge426 go
 * through here; programs and interfaces are loader.h's.
 */
#ifndef EDGE426_STORE_H
#define EDGE426_STORE_H

#include <edge426/abi.h>
#include <edge426/reasons.h>
#include <stdbool.h>

#include "failure.h"
#include "layout.h"
#include "pins.h"
#include "policy.h"

/* Elements of an array map lie a multiple of 8 octets apart, whatever their size. */
_Static_assert(sizeof(struct edge426_port) % 8 == 0, "ports without gaps");
_Static_assert(sizeof(struct edge426_service) % 8 == 0, "services without gaps");
_Static_assert(sizeof(struct edge426_load) % 8 == 0, "loads without gaps");

struct store {
	char dir[PINS_DIR_LEN]; /* or what messages call maps that are pinned nowhere */
	bool adopted;
	int fd[LAYOUT_MAPS]; /* -1: not open */
	void *memory[LAYOUT_MAPS];
	/* the same memory, typed; see abi.h */
	struct edge426_state *state;
	struct edge426_port *ports;
	struct edge426_service *services;
	struct edge426_answer *answers;
	struct edge426_policy_text *policy_text;
	struct edge426_worker *workers;
	struct edge426_load *loads;
	struct edge426_edge *edge;
	struct edge426_allow_lengths *allow_lengths;
};

/*
 * Opens every pin in `dir`. -ENOENT when nothing is pinned there, -EPROTO
 * when the maps are of another version (sizes or ABI version differ).
 */
int store_open(const char *dir, struct store *store, struct failure *failure);
void store_close(struct store *store); /* takes a zeroed or closed store */

/*
 * The maps of a program of our own, which are pinned nowhere: `fd` are copied
 * and stay the caller's. store_close lets go of the memory alone.
 */
int store_adopt(const int fd[LAYOUT_MAPS], struct store *store, struct failure *failure);

/* Which half of the policy maps counts now, a change that was not confirmed in time included. */
__u32 store_half(const struct store *store);

/* How a policy is published. */
struct publish_options {
	const char *interface;	      /* services for others do not count; NULL: not known here */
	unsigned int confirm_seconds; /* goes back unless confirmed within these; 0: for good */
	bool replaces_waiting;	      /* even while a change waits to be confirmed */
};

/*
 * Writes the policy to the half that does not count, flips, and waits until
 * no packet program reads the old half. A service that stays under its name
 * keeps its load, so that `auto` stays where it is; flows and handshakes of
 * places that have a service no more are led to their end. The caller holds
 * store_lock. All or nothing. -EBUSY while a change waits to be confirmed.
 */
int store_publish_policy(struct store *store, const struct policy *policy,
			 const struct publish_options *options, struct failure *failure);

/* What of that depends on the policy alone: with 0 only a map can refuse it. */
int store_check_policy(const struct policy *policy, struct failure *failure);

/* Whether there is a policy; generations are counted without one, too, after it was taken back. */
bool store_has_policy(const struct store *store);

/* The running policy; -ENOENT when there is none. The caller holds store_lock. */
int store_read_policy(struct store *store, struct policy *policy, struct failure *failure);

/* The same with an empty allow list, which may be the largest part by far. */
int store_read_services(struct store *store, struct policy *policy, struct failure *failure);

/* Seconds until the change that waits goes back by itself; 0 when none waits. */
unsigned int store_waits(const struct store *store);

/*
 * Ends the waiting: the change stays, or is taken back now. The caller holds
 * store_lock. -ENOENT when none waits.
 */
int store_confirm(struct store *store, struct failure *failure);
int store_roll_back(struct store *store, struct failure *failure);

/* Whether a change was not confirmed in time, and store_settle has yet to write that down. */
bool store_is_overdue(const struct store *store);

/*
 * Writes down what time has decided: a change that was not confirmed has gone
 * back; where the clock stands. Called each second by the responder and before
 * each change. Returns true when a change has just been found to have gone back.
 * When store_is_overdue, the caller holds store_lock.
 */
bool store_settle(struct store *store);

void store_set_bypass(struct store *store, bool on);

/* The lock that makes read, change, publish one step: a descriptor, close it to unlock. */
int store_lock(const struct store *store, struct failure *failure);

/* Sums over CPUs. */
int store_read_reasons(const struct store *store, __u64 count[EDGE426_REASON_COUNT],
		       struct failure *failure);
void store_read_workers(const struct store *store, __u64 count[EDGE426_WORKER_COUNT]);

/* A responder lives and has all its sockets in place. */
bool store_is_served(const struct store *store);

#endif
