/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The directory in which one interface's maps and programs are pinned: lock,
 * look, remove. A lock here is a flock on a directory, since bpffs lets no
 * other file be opened; it goes with its holder, however that ends.
 */
#ifndef EDGE426_PINS_H
#define EDGE426_PINS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "failure.h"

#define PINS_ROOT "/sys/fs/bpf/edge426" /* pins of an interface: PINS_ROOT/IF */
#define PINS_DIR_LEN 256		/* room for a directory's name with its NUL */
#define PINS_PATH_LEN 320		/* for the name of a pin in it */

/* Names of subdirectories: they can be made, locked and listed like files elsewhere. */
#define PINS_RESPONDER "responder" /* locked by the process that serves */
#define PINS_CLSACT "clsact"	   /* exists when edge426 made the interface's clsact qdisc */

void pins_path(const char *dir, const char *name, char path[PINS_PATH_LEN]);

/* 0 when `dir`, or what exists of its path, is on a bpffs. */
int pins_check_bpffs(const char *dir, struct failure *failure);

/*
 * Waits for the lock on `dir`, which makes a change of pins or policy one
 * step. Returns a descriptor; close it to unlock. `create` makes the
 * directory; without it -ENOENT when there is none.
 */
int pins_lock(const char *dir, bool create, struct failure *failure);

/* Removes every pin and mark of ours; with the lock held. pins_remove then removes the directory.
 */
void pins_clear(const char *dir);
void pins_remove(const char *dir);

/* Whether maps of ours are pinned in it. */
bool pins_hold_maps(const char *dir);

bool pins_marked(const char *dir, const char *mark);
int pins_mark(const char *dir, const char *mark);
void pins_unmark(const char *dir, const char *mark);

/* Id of the program pinned under `name`; 0 when none is. */
__u32 pins_program_id(const char *dir, const char *name);

void pins_remove_program(const char *dir, const char *name);

/* Pins the program in place of one that has the name already. 0 or -errno. */
int pins_replace_program(const char *dir, const char *name, int prog_fd);

/*
 * The responder's lock: held as long as the responder lives, so that nobody
 * has to trust a process id. Claiming returns a descriptor to keep, or -EBUSY.
 */
int pins_claim_responder(const char *dir);
bool pins_has_responder(const char *dir);

/* Whether the lock claimed is still the one in `dir`. */
bool pins_is_responder(const char *dir, int claimed);

#endif
