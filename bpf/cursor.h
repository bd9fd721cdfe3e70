/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A position in octets that end somewhere: take what is there, or get NULL.
 * The one way to read a packet. Pure.
 */
#ifndef EDGE426_CURSOR_H
#define EDGE426_CURSOR_H

#include <linux/types.h>

struct cursor {
	void *pos;
	void *end; /* first octet that must not be read */
};

/* The next `len` octets, passed over; NULL when they are not all there. */
static inline __attribute__((always_inline)) void *cursor_take(struct cursor *cursor, __u32 len)
{
	__u8 *taken = cursor->pos;

	if (taken + len > (__u8 *)cursor->end)
		return 0;
	cursor->pos = taken + len;
	return taken;
}

/* The next `len` octets, not passed over; NULL when they are not all there. */
static inline __attribute__((always_inline)) void *cursor_peek(const struct cursor *cursor,
							       __u32 len)
{
	return (__u8 *)cursor->pos + len > (__u8 *)cursor->end ? 0 : cursor->pos;
}

#endif
