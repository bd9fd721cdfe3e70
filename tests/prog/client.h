/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A client that has done its handshake with whoever did it, and what becomes
 * of its first data: the tests of the policy say a rule once and try it over
 * every way in which a connection can come to be.
 */
#ifndef EDGE426_CLIENT_H
#define EDGE426_CLIENT_H

#include "fixture.h"

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define GET_LEN ((__u32)sizeof(GET) - 1)
#define ROWS(table) (sizeof(table) / sizeof((table)[0]))
#define BECAUSE(reason) EDGE426_REASON_##reason

/* Who did the handshake. */
enum shaken {
	SHAKEN_BY_BACKEND, /* the kernel; the service's handshakes are its own */
	SHAKEN_BY_KERNEL,  /* the kernel; the service's handshakes are the edge's now */
	SHAKEN_BY_EDGE,	   /* the edge: a cookie, and no server knows of it */
};

struct way {
	const char *name;
	enum shaken shaken;
	int ipv6;
};

#define CLIENT_WAYS 6
extern const struct way client_ways[CLIENT_WAYS];

/* The handshake that a service of this way has. */
__u32 client_handshake(const struct way *way);

/*
 * A new connection from a port of its own: fills `packet` to stand at the
 * client's first octet. The service is left as plain as the way needs it. The
 * server's socket, or -1 when there is none.
 */
int client_connect(struct fixture *fixture, const struct way *way, struct packet *packet);

/* What the client, and the server, get. */
enum fate {
	PASSED,	  /* to the server, as it came */
	ANSWERED, /* 426 */
	RESET,	  /* both halves */
	DROPPED,  /* nothing to the client, RST to the server; from now on too */
	HELD,	  /* nothing, for now */
	LIMITED,  /* nothing, this time */
};

/*
 * Runs the packet, which is first data, and asserts everything that goes with
 * its fate: verdict, metadata, octets, flow. `tls` and `other` become
 * `handed_over` where the edge did the handshake.
 */
struct outcome client_expect(struct fixture *fixture, const struct way *way,
			     const struct packet *packet, enum fate fate,
			     enum edge426_reason reason, const char *name);

/* The RST that the XDP program made of the client's packet: right in every number. */
void client_assert_rst(const struct outcome *outcome, const struct packet *packet, __u32 seq,
		       __u32 ack, const char *name);

#endif
