/* SPDX-License-Identifier: GPL-2.0-only */
/* Packets of a file that tcpdump or wireshark wrote, one after the other. Judges none of them. */
#ifndef EDGE426_CAPTURE_H
#define EDGE426_CAPTURE_H

#include <linux/types.h>
#include <stddef.h>

#include "failure.h"

struct capture {
	const char *path; /* borrowed */
	void *pcap;	  /* libpcap's; NULL: not open */
};

/* Borrowed from the capture until the next one. */
struct captured {
	const __u8 *frame; /* from the Ethernet header on */
	size_t len;	   /* octets that the file has */
	size_t wire_len;   /* octets that were on the wire */
};

/* pcap or pcapng with Ethernet frames; "-" is standard input. -errno, -EPROTO for other files. */
int capture_open(const char *path, struct capture *capture, struct failure *failure);

/* 1: here is one; 0: that was all; -EPROTO when the file breaks off or is damaged. */
int capture_next(struct capture *capture, struct captured *captured, struct failure *failure);

void capture_close(struct capture *capture); /* takes a zeroed struct */

#endif
