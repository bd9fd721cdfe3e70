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
struct store_port {
	struct edge426_port value;
	__u32 gap;
};

_Static_assert(sizeof(struct edge426_service) % 8 == 0, "services without gaps");
_Static_assert(sizeof(struct edge426_load) % 8 == 0, "loads without gaps");

struct store {
	char dir[PINS_DIR_LEN];
	int fd[LAYOUT_MAPS]; /* -1: not open */
	void *memory[LAYOUT_MAPS];
	/* the same memory, typed; see abi.h */
	struct edge426_state *state;
	struct store_port *ports;
	struct edge426_service *services;
	struct edge426_answer *answers;
	struct edge426_policy_text *policy_text;
	struct edge426_worker *workers;
	struct edge426_load *loads;
	struct edge426_edge *edge;
};

/*
 * Opens every pin in `dir`. -ENOENT when nothing is pinned there, -EPROTO
 * when the maps are of another version (sizes or ABI version differ).
 */
int store_open(const char *dir, struct store *store, struct failure *failure);
void store_close(struct store *store); /* takes a zeroed or closed store */

/*
 * Writes the policy to the half that does not count, flips, and waits until
 * no packet program reads the old half. A service that stays under its name
 * keeps its load, so that `auto` stays where it is. The caller holds
 * store_lock. All or nothing.
 */
int store_publish_policy(struct store *store, const struct policy *policy, struct failure *failure);

/* What of that depends on the policy alone: with 0 only a map can refuse it. */
int store_check_policy(const struct policy *policy, struct failure *failure);

/* The running policy; -ENOENT when none was ever applied. The caller holds store_lock. */
int store_read_policy(struct store *store, struct policy *policy, struct failure *failure);

/* The lock that makes read, change, publish one step: a descriptor, close it to unlock. */
int store_lock(const struct store *store, struct failure *failure);

/* Sums over CPUs. */
int store_read_reasons(const struct store *store, __u64 count[EDGE426_REASON_COUNT],
		       struct failure *failure);
void store_read_workers(const struct store *store, __u64 count[EDGE426_WORKER_COUNT]);

/* A responder lives and has all its sockets in place. */
bool store_is_served(const struct store *store);

#endif
