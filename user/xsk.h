/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One AF_XDP socket with its UMEM and four rings, bound to one queue of one
 * interface. Knows nothing of TCP. Not for use by two threads at once.
 */
#ifndef EDGE426_XSK_H
#define EDGE426_XSK_H

#include <linux/types.h>
#include <stdbool.h>

#include "failure.h"

#define XSK_FRAME_SIZE 2048 /* octets of a UMEM chunk, 256 of them the kernel's headroom */
#define XSK_BATCH 64	    /* frames received in one go at most */

struct xsk;

/*
 * Received frame. One that is longer than a chunk goes on in others, which
 * are gone when it is handed out: of them only length and sum are left.
 */
struct xsk_frame {
	__u8 *data;
	__u32 len;	/* in the first chunk */
	__u32 rest_len; /* past it */
	__u32 rest_sum; /* partial one's complement sum of these octets, see checksum.h */
	__u32 room;	/* octets from `data` to the chunk's end */
	__u32 before;	/* octets of the chunk before `data`: XDP's metadata lies there */
	__u64 addr;	/* for xsk_send and xsk_release */
};

/*
 * Takes all memory, binds with XDP_USE_NEED_WAKEUP in zero-copy mode where
 * the driver has it, else in copy mode; `generic` forces copy mode and an skb
 * attach mode of the interface. Does not touch any XSKMAP.
 */
int xsk_open(const char *interface, __u32 queue, bool generic, struct xsk **xsk,
	     struct failure *failure);
void xsk_close(struct xsk *xsk); /* takes NULL */

int xsk_fd(const struct xsk *xsk);
bool xsk_zero_copy(const struct xsk *xsk);

/* Up to XSK_BATCH frames; each is owned by the caller until sent or released. */
__u32 xsk_receive(struct xsk *xsk, struct xsk_frame frames[XSK_BATCH]);

/* Puts the frame on the transmit ring; false when it is full (the caller still owns the frame). */
bool xsk_send(struct xsk *xsk, const struct xsk_frame *frame, __u32 len);
void xsk_release(struct xsk *xsk, const struct xsk_frame *frame);

/*
 * Submits, wakes the kernel until it has taken all, a bounded number of
 * times, and moves completed and released frames to the fill ring. The number
 * of transmit calls that the kernel refused is added to *refused; "again" is
 * no refusal. False when frames are left that only another call will move.
 */
bool xsk_flush(struct xsk *xsk, __u64 *refused);

/* Frames the kernel dropped for lack of room or ring space since the socket was opened. */
__u64 xsk_dropped(const struct xsk *xsk);

#endif
