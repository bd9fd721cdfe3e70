/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frames of a client that nobody is: Ethernet, a VLAN tag if wanted, IPv4 or
 * IPv6, TCP, with right lengths and checksums. Pure; nothing is sent.
 */
#ifndef EDGE426_EXPLAIN_FRAME_H
#define EDGE426_EXPLAIN_FRAME_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "endpoint.h"

#define EXPLAIN_DATA_MAX 1428  /* octets of data: 1500 less IPv6, TCP and room for its options */
#define EXPLAIN_FRAME_MAX 1536 /* octets of a frame */

/* Both ends are of one family. */
struct explain_ends {
	struct endpoint client;
	struct endpoint server;
	__u16 vlan; /* 0: no tag */
};

/* A SYN offers what clients offer: MSS, SACK, a window scale. All others are ACKs. */
struct explain_segment {
	bool syn;
	__u32 seq;
	__u32 ack;
	const __u8 *data; /* PSH is set when there is some */
	size_t len;	  /* up to EXPLAIN_DATA_MAX */
};

/* Returns the frame's length; 0 when the data are too long. */
size_t explain_frame_build(const struct explain_ends *ends, const struct explain_segment *segment,
			   __u8 frame[EXPLAIN_FRAME_MAX]);

/* Whether a frame is a SYN-ACK, and if so its sequence number. */
bool explain_frame_is_syn_ack(const __u8 *frame, size_t len, __u32 *seq);

#endif
