/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A buffer that ends at an unreadable page: one octet read past the end is a
 * crash, not luck. For tests only; it exits when memory cannot be had.
 */
#ifndef EDGE426_GUARD_H
#define EDGE426_GUARD_H

#include <stddef.h>

#define GUARD_SIZE 4096 /* octets at most */

/* The same page at each call: a copy of `len` octets flush to the unreadable page. */
unsigned char *guard_copy(const void *data, size_t len);

#endif
