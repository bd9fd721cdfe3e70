/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Request frame and verdict in, answer frame out: the responder as a pure
 * function. No state, no allocation, no clock; every length is checked again
 * whatever the packet program said.
 */
#ifndef EDGE426_FRAME_H
#define EDGE426_FRAME_H

#include <edge426/abi.h>

struct answer;

enum frame_result {
	FRAME_OK,
	FRAME_BAD,	    /* headers, lengths or verdict cannot be right */
	FRAME_BAD_CHECKSUM, /* the request's TCP checksum is wrong */
	FRAME_NO_ROOM,	    /* the answer does not fit in `size` */
};

/*
 * Reads the request of `len` octets at `frame` (Ethernet, up to two VLAN
 * tags, IPv4 with options or IPv6 with extension headers, TCP) and writes the
 * answer over it: addresses and ports swapped, no IP options, TCP timestamps
 * echoed, full checksums. `size` is the room at `frame`. `answer` is used for
 * EDGE426_SEND_ANSWER only. On FRAME_OK *out_len is the answer's length;
 * otherwise neither the frame nor *out_len is touched.
 */
enum frame_result frame_answer(__u8 *frame, __u32 len, __u32 size,
			       const struct edge426_verdict *verdict, const struct answer *answer,
			       __u32 *out_len);

#endif
