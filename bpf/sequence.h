/* SPDX-License-Identifier: GPL-2.0-only */
/* Comparing TCP sequence numbers, which wrap (RFC 9293 3.4). Pure. */
#ifndef EDGE426_SEQUENCE_H
#define EDGE426_SEQUENCE_H

#include <linux/types.h>

static inline int sequence_before(__u32 a, __u32 b)
{
	return (__s32)(a - b) < 0;
}

static inline int sequence_after(__u32 a, __u32 b)
{
	return sequence_before(b, a);
}

#endif
