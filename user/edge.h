/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the handshake at the edge needs from user space: secrets that change,
 * and how this host does TCP, so that the edge answers as the kernel would.
 */
#ifndef EDGE426_EDGE_H
#define EDGE426_EDGE_H

#include <edge426/abi.h>
#include <stddef.h>
#include <time.h>

#include "failure.h"

struct edge {
	struct edge426_edge *settings; /* borrowed: the mapped map */
	const char *interface;	       /* borrowed */
	time_t rotated;		       /* CLOCK_MONOTONIC, when the current key was made */
};

/*
 * Makes a new key, so that cookies of an earlier process end in time and are
 * good until then, fills the settings and lets the edge answer. Must be
 * called in the interface's network namespace. -errno of getrandom.
 */
int edge_start(struct edge *edge, struct edge426_edge *settings, const char *interface,
	       struct failure *failure);

/*
 * To be called each second: looks at the host again and makes a new key every
 * EDGE426_KEY_SECONDS. What changed in `unable` is for the caller to compare.
 */
void edge_refresh(struct edge *edge);

/* From now on every SYN passes. Takes an edge that was not started. */
void edge_stop(struct edge *edge);

/* "net.ipv4.tcp_syncookies is 0, …" for EDGE426_UNABLE_* bits; the empty text for none. */
#define EDGE_UNABLE_LEN 192
void edge_print_unable(__u32 unable, char text[EDGE_UNABLE_LEN]);

/* The scale of tcp_select_initial_window() for a receive buffer that may grow to `space`. */
__u32 edge_window_scale(unsigned long space);

#endif
