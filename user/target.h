/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which interfaces a verb is about: --interface and --pin-dir, or everything
 * pinned in the usual place. Opens no map.
 */
#ifndef EDGE426_TARGET_H
#define EDGE426_TARGET_H

#include <argp.h>
#include <net/if.h>
#include <stddef.h>

#include "failure.h"
#include "pins.h"

#define TARGET_INTERFACES_MAX 64

struct target {
	char interface[IF_NAMESIZE]; /* empty: --pin-dir alone was given */
	char dir[PINS_DIR_LEN];
};

struct targets {
	const char *interfaces[TARGET_INTERFACES_MAX]; /* as given, borrowed from argv */
	size_t interfaces_len;
	const char *pin_dir; /* as given, or NULL */
	struct target *list;
	size_t len;
};

/* --interface and --pin-dir, a child of a verb's options; its input is a struct targets. */
extern const struct argp target_argp;

/*
 * From options to `list`. With --pin-dir: DIR/IF for several interfaces, and for
 * one when pins are there, else DIR; without an interface DIR, or when it holds no
 * pins what lies below it and does. Else PINS_ROOT/IF; without any option what
 * PINS_ROOT holds, which may be nothing.
 */
int targets_resolve(struct targets *targets, struct failure *failure);

/* The same, but -ENOENT when there is nothing. */
int targets_require(struct targets *targets, struct failure *failure);

/*
 * What output calls it: the interface's name, by index when only the
 * directory is known; the directory's last component when there is none here.
 */
void target_label(const struct target *target, __u32 ifindex, char label[PINS_DIR_LEN]);

void targets_free(struct targets *targets); /* takes a zeroed struct */

#endif
