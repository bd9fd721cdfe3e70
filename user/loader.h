/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs and hooks of one interface: load, pin, attach, detach, and undo
 * whatever was done when a later step fails. Attaches plainly over netlink, so
 * that the programs outlive the process and bpftool can do the same.
 */
#ifndef EDGE426_LOADER_H
#define EDGE426_LOADER_H

#include <edge426/abi.h>
#include <linux/types.h>
#include <stdbool.h>

#include "failure.h"

enum loader_mode { LOADER_AUTO, LOADER_NATIVE, LOADER_GENERIC };

struct loader_request {
	const char *interface;
	const char *dir;       /* where to pin */
	enum loader_mode mode; /* auto: as it is, else native, else generic */
	bool attached;	       /* XDP was loaded, pinned and attached by another loader */
	__u32 owner;	       /* EDGE426_OWNER_RUN or _ATTACH */
};

/* 0, or the failure that says there is no such interface here. */
int loader_find(const char *interface, struct failure *failure);

/* What hung at the interface before, to be put back when we fail. */
struct loader_before {
	int xdp_fd; /* -1: nothing */
	int tc_fd;  /* -1: nothing of ours */
	__u32 mode;
	bool made_qdisc; /* the pins say so */
	bool pinned;	 /* these programs were pinned in the directory */
	__u32 owner;
	__u32 owner_pid;
};

/*
 * What a responder has in hand of an interface. It is enough to let go of it
 * when the pins are gone or the interface has another name.
 */
struct loader_hold {
	int ifindex;
	int responder; /* lock of the directory; -1 when nothing is held */
	int lease;     /* lock of the interface, see lease.h */
	__u32 xdp_id;  /* of our program; 0: another loader's is on the hook */
	__u32 owner;
	bool fresh;	 /* the pins are of our making */
	bool tc_added;	 /* the filter was not there before */
	bool made_qdisc; /* nor the qdisc */
	struct loader_before before;
};

/*
 * After it the maps are pinned in `dir`, both programs are attached and
 * edge426_state says so. Leftovers of a dead edge426 are taken over: their maps
 * are kept when their layout is ours. On failure nothing of ours is left that was not
 * there before. Named failures: unknown interface, no bpffs, no privilege, a kernel
 * without a feature, another XDP program on the hook (its name and id).
 *
 * With `hold` the caller will serve, and lets go with loader_release or
 * loader_undo, then loader_close; -EBUSY when somebody serves the interface,
 * from whatever directory. An interface that `attach` prepared stays in its
 * ownership.
 */
int loader_attach(const struct loader_request *request, struct loader_hold *hold,
		  struct failure *failure);

/*
 * The responder's last step but closing its sockets and its locks: takes off what
 * ends with it. That is everything, nothing when `attach` owns the interface,
 * or the TC program alone when another loader attached XDP. `state` is the map
 * as the responder has it, pinned still or not. Goes on without pins.
 */
int loader_release(const struct loader_request *request, const struct loader_hold *hold,
		   struct edge426_state *state, struct failure *failure);

/* Instead of it when the responder never served: puts back what was there before. */
void loader_undo(const struct loader_request *request, const struct loader_hold *hold);

/* The responder serves: what was there before is not needed any more. */
void loader_forget_before(struct loader_hold *hold);

void loader_close(struct loader_hold *hold); /* the locks */

/*
 * Takes XDP, then TC, off the interface and removes the pins. Only programs
 * that are edge426's. Works for what a killed process left. -ENOENT when there
 * was nothing, -EBUSY when a responder lives.
 */
int loader_detach(const char *interface, const char *dir, struct failure *failure);

#endif
