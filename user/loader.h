/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs and hooks of one interface: load, pin, attach, detach, and undo
 * whatever was done when a later step fails. Attaches plainly over netlink, so
 * that the programs outlive the process and bpftool can do the same.
 */
#ifndef EDGE426_LOADER_H
#define EDGE426_LOADER_H

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

/*
 * After it the maps are pinned in `dir`, both programs are attached and
 * edge426_state says so. Leftovers of a dead edge426 are taken over: their maps
 * are kept when their layout is ours. On failure nothing of ours is left that was not
 * there before. Named failures: unknown interface, no bpffs, no privilege, a kernel
 * without a feature, another XDP program on the hook (its name and id).
 *
 * With `responder` the caller will serve: *responder is the responder's lock, a
 * descriptor to keep until after loader_release; -EBUSY when somebody has it.
 * An interface that `attach` prepared stays in its ownership.
 */
int loader_attach(const struct loader_request *request, int *responder, struct failure *failure);

/*
 * The responder's last step but closing its sockets and its lock: takes off what
 * ends with it. That is everything, nothing when `attach` owns the interface,
 * or the TC program alone when another loader attached XDP.
 */
int loader_release(const struct loader_request *request, struct failure *failure);

/*
 * Takes XDP, then TC, off the interface and removes the pins. Only programs
 * that are edge426's. Works for what a killed process left. -ENOENT when there
 * was nothing, -EBUSY when a responder lives.
 */
int loader_detach(const char *interface, const char *dir, struct failure *failure);

#endif
