/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The maps that lie in other maps, one for each half of the policy: made,
 * filled and put in place as a whole, and read back as a whole.
 */
#ifndef EDGE426_INNER_H
#define EDGE426_INNER_H

#include <stddef.h>

#include "layout.h"
#include "lists.h"

/*
 * Puts a new map with these entries into the place of `half`, or nothing when
 * there are none. `fd` is the map `map`, an array of maps. 0 or -errno.
 */
int inner_write(enum layout_map map, int fd, __u32 half, const struct list *list);

/*
 * The entries that lie there, in any order, to be given to list_free. 0 or
 * -errno; -EPERM without CAP_SYS_ADMIN, unless there are none.
 */
int inner_read(int fd, __u32 half, struct list *list);

#endif
