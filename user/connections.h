/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a capture shows of its connections, in place of the kernel's socket
 * table: whether a packet brings the first octets of a connection, and which
 * side sends it. Octets count as received only when the packet program let
 * them pass. Pure.
 */
#ifndef EDGE426_CONNECTIONS_H
#define EDGE426_CONNECTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "../bpf/segment.h"

struct connection {
	struct edge426_flow_key key;
	bool used;
	bool begun;    /* its SYN is in the capture */
	bool received; /* octets of the client have got to the server */
	__u32 first;   /* sequence number of the client's first octet, when begun */
};

/* Owns its memory; a zeroed struct is an empty one. */
struct connections {
	struct connection *slots;
	size_t size; /* a power of two; 0 for none */
	size_t len;
};

enum connections_side {
	CONNECTIONS_CLIENT,
	CONNECTIONS_SERVER,
	CONNECTIONS_UNKNOWN, /* no packet of the connection has told yet: connections_add does */
};

/*
 * Takes note of a SYN, of whatever side. *connection is the one the packet is
 * of; NULL when it is unknown. -ENOMEM.
 */
int connections_meet(struct connections *connections, const struct segment *segment,
		     enum connections_side *side, struct connection **connection);

/* The sender turned out to be the client of a connection whose SYN is not in the capture. */
int connections_add(struct connections *connections, const struct segment *segment,
		    struct connection **connection);

/* EDGE426_EXPLAIN_FIRST or _LATER: what the kernel's socket would say to the packet. */
__u32 connection_proof(const struct connection *connection, const struct segment *segment);

void connections_free(struct connections *connections);

#endif
