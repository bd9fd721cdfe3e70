/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the program tests stand on: a network namespace of the process's own,
 * the packet programs loaded into the kernel, a real listener, and a wire on
 * which the test is the client, octet by octet.
 *
 *     test (AF_PACKET) == wire --- veth --- server (10.9.0.1, fd00::1) == kernel, listener
 *
 * Packets reach the programs by BPF_PROG_TEST_RUN or, in fixture_deliver,
 * as live frames of the interface `server`. Any failure to set this up ends
 * the test with a message: a missing privilege is not a pass.
 */
#ifndef EDGE426_FIXTURE_H
#define EDGE426_FIXTURE_H

#include <edge426/abi.h>
#include <edge426/reasons.h>
#include <stdbool.h>

#include "packet.h"

#define FIXTURE_TIMEOUT 60 /* seconds, of every suite: Criterion leaks memory when they differ */

enum fixture_list {
	FIXTURE_ADDRESSES,
	FIXTURE_ALLOW,
	FIXTURE_ALLOW_EXACT,
	FIXTURE_PATHS,
	FIXTURE_HOSTS,
	FIXTURE_LISTS
};

struct fixture {
	struct edge_xdp *xdp;
	struct edge_tc *tc;
	int wire;     /* AF_PACKET socket on the client's end */
	int listener; /* port 443, IPv6 and IPv4 */
	int xsk;      /* in the XSKMAP for queue 0; -1 after fixture_stop_responder */
	unsigned int server_ifindex;
	int lists[FIXTURE_LISTS][2]; /* inner maps of each half; 0: not made */
};

/* Loads, protects port 443, puts a socket in the XSKMAP, attaches the TC program to `server`. */
void fixture_open(struct fixture *fixture);
void fixture_close(struct fixture *fixture);
/* The XDP program anew, with maps that nobody has written to. */
void fixture_reload(struct fixture *fixture, __u32 explaining);
void fixture_stop_responder(struct fixture *fixture);

/* The service's handshake, EDGE426_HANDSHAKE_* and EDGE426_SERVICE_*; backend is the default. */
void fixture_set_handshake(struct fixture *fixture, __u32 handshake, __u32 flags);

/* The same with everything that a service can say. */
void fixture_set_service(struct fixture *fixture, const struct edge426_service *service);

/* What a service is unless a test says otherwise: it enforces for all sources, other passes. */
struct edge426_service fixture_service(__u32 handshake);

/* The policy of either half, piece by piece; `index` as in the maps. Port 443 is slot 0's. */
void fixture_put_service(struct fixture *fixture, __u32 index,
			 const struct edge426_service *service);
void fixture_put_port(struct fixture *fixture, __u32 index, const struct edge426_port *port);
void fixture_put_address(struct fixture *fixture, __u32 half, __u16 set, __u16 vlan,
			 const char *prefix, __u32 service);
void fixture_put_allow(struct fixture *fixture, __u32 half, const char *prefix, __u64 counts_until);
void fixture_put_allow_exact(struct fixture *fixture, __u32 half, const char *prefix,
			     __u64 counts_until);
void fixture_put_path(struct fixture *fixture, __u32 half, __u32 slot, const char *path);
void fixture_put_host(struct fixture *fixture, __u32 half, __u32 slot, const char *name);

/* All entries of one kind, and their map, go. */
void fixture_drop_list(struct fixture *fixture, enum fixture_list list, __u32 half);

/* Which half counts, bypass, the clock: read, change, write. */
void fixture_read_state(const struct fixture *fixture, struct edge426_state *state);
void fixture_write_state(struct fixture *fixture, const struct edge426_state *state);

/* Changes what the edge knows of the host and its secrets: read, change, write. */
void fixture_read_edge(const struct fixture *fixture, struct edge426_edge *edge);
void fixture_write_edge(struct fixture *fixture, const struct edge426_edge *edge);
void fixture_read_load(const struct fixture *fixture, struct edge426_load *load);

/* Any other map, by its name: all of its entry 0. */
void fixture_read_first(const struct fixture *fixture, const char *map, void *value, size_t len);
void fixture_write_first(struct fixture *fixture, const char *map, const void *value, size_t len);

/* What became of one packet. */
struct outcome {
	__u32 verdict; /* XDP_* */
	int reason;    /* the one that was counted; -1 when it was not exactly one */
	bool has_meta;
	struct edge426_verdict meta;
	__u32 len; /* of the frame after it */
	__u8 frame[PACKET_MAX];
};

/* Runs the XDP program once over the packet, or over octets. */
struct outcome fixture_run(struct fixture *fixture, const struct packet *packet);
struct outcome fixture_run_octets(struct fixture *fixture, const __u8 *frame, size_t len);

/* The same as a live frame of `server`: what passes goes on to TC and the kernel's TCP. */
void fixture_deliver(struct fixture *fixture, const struct packet *packet);

__u64 fixture_count(const struct fixture *fixture, enum edge426_reason reason);
bool fixture_find_flow(const struct fixture *fixture, const struct packet *packet,
		       struct edge426_flow *flow);

/*
 * A connection of the client on the wire: fills seq, ack (what the next
 * segment of the client has) from the packet's addresses and ports. After
 * half_open the server is in NEW_SYN_RECV, after connect it is established.
 */
void fixture_half_open(struct fixture *fixture, struct packet *packet);
int fixture_connect(struct fixture *fixture, struct packet *packet); /* the accepted socket */

/* The same with the edge, which must be the one that answers: by the XDP program alone. */
void fixture_shake(struct fixture *fixture, struct packet *packet);

/* Sends the packet on the wire, past the programs. */
void fixture_send(struct fixture *fixture, const struct packet *packet);

/*
 * The next frame from the server with all the TCP flags in `flags` ("SA"),
 * within a second; its length, or 0 when none came.
 */
size_t fixture_receive(struct fixture *fixture, const char *flags, __u8 frame[PACKET_MAX]);

#endif
