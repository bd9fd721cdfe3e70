/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Nanoseconds per packet of the XDP program by BPF_PROG_TEST_RUN, each packet
 * under handshake: backend and handshake: edge: the median of many rounds, the
 * rows taking turns so that a noisy moment hits them all. It measures the
 * program alone; the kernel's own copy of the packet is not in it.
 *
 * With `repeat` the kernel runs the program over what the run before has left:
 * neither the frame nor its beginning is put back. So a packet that the program
 * writes to, moves or gives metadata, and one that is another case the second
 * time, is run singly, again and again. Such a run has the reading of the
 * clock and cold caches in it: compare it with "UDP" run singly only. That
 * every run took the way that the row names is seen by the counters.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge_xdp.skel.h"
#include "fixture.h"

#define ROUNDS 31
#define REPEAT 20000 /* runs of the program in a round */
#define SINGLES 1000 /* the same, for a packet that is run singly */
#define HANDSHAKES 2 /* backend, edge */
#define SYNACK_SEQ 4 /* offset in a TCP header */

#define GET "GET / HTTP/1.1\r\nHost: example.org\r\nUser-Agent: x\r\nAccept: */*\r\n\r\n"

/* What there is of the packet's connection. */
enum before { NOTHING, CONNECTION, COOKIE };

enum how {
	REPEATED,
	SINGLY,
	SINGLY_UNOWNED, /* with a cache that does not know the connection */
};

struct row {
	const char *name;
	struct packet packet;
	enum before before;
	enum how how;
	enum edge426_reason backend, edge; /* what every run must count */
};

struct result {
	__s32 ns[HANDSHAKES][ROUNDS];
	__s32 more[ROUNDS]; /* edge less backend, in the same round */
};

#define BOTH(reason) EDGE426_REASON_##reason, EDGE426_REASON_##reason
#define EACH(backend, edge) EDGE426_REASON_##backend, EDGE426_REASON_##edge
#define TLS .payload = tls, .payload_len = sizeof(tls)
#define SYN_OPTIONS .tcp_options = syn_options, .tcp_options_len = sizeof(syn_options) - 1

static const char tls[1400] = "\x17\x03\x03\x05\x73"; /* application data */

/* As Linux offers: MSS, SACK, timestamps, window scale. */
static const char syn_options[] = "\x02\x04\x05\xb4\x04\x02\x08\x0a"
				  "\x00\x00\x00\x01\x00\x00\x00\x00"
				  "\x01\x03\x03\x07";

static struct row rows[] = {
	{"UDP", {.protocol = 17, .payload = GET}, NOTHING, REPEATED, BOTH(not_tcp)},
	{"unprotected port",
	 {.server_port = 80, .payload = GET},
	 NOTHING,
	 REPEATED,
	 BOTH(not_protected)},
	{"bare ACK",
	 {.client_port = 50002, .seq = 1000, .flags = "A"},
	 CONNECTION,
	 REPEATED,
	 BOTH(no_data)},
	{"TLS data", {.client_port = 50003, .seq = 1000, TLS}, CONNECTION, REPEATED, BOTH(tls)},
	{"TLS data, IPv6",
	 {.ipv6 = 1, .client_port = 50004, .seq = 1000, TLS},
	 CONNECTION,
	 REPEATED,
	 BOTH(tls)},
	{"plaintext first data, to its proof",
	 {.client_port = 50000, .seq = 1000, .zero_window = 1, .payload = GET},
	 CONNECTION,
	 REPEATED,
	 BOTH(zero_window)},
	{"the same by cookie",
	 {.client_port = 50005, .seq = 1000, .zero_window = 1, .payload = GET},
	 COOKIE,
	 REPEATED,
	 EACH(no_socket, zero_window)},
	{"bare ACK of a handshake",
	 {.client_port = 50006, .seq = 1000, .flags = "A"},
	 COOKIE,
	 REPEATED,
	 EACH(no_data, handshake_ended)},
	{"bare ACK, forged",
	 {.client_port = 50007, .seq = 1000, .ack = 1, .flags = "A"},
	 NOTHING,
	 REPEATED,
	 EACH(no_data, no_socket)},
	{"UDP, singly", {.protocol = 17, .payload = GET}, NOTHING, SINGLY, BOTH(not_tcp)},
	{"TLS data, singly",
	 {.client_port = 50003, .seq = 1000, TLS},
	 CONNECTION,
	 SINGLY,
	 BOTH(tls)},
	{"TLS data, not in the cache, singly",
	 {.client_port = 50003, .seq = 1000, TLS},
	 CONNECTION,
	 SINGLY_UNOWNED,
	 BOTH(tls)},
	{"SYN, singly",
	 {.client_port = 50008, .seq = 999, .flags = "S", SYN_OPTIONS},
	 NOTHING,
	 SINGLY,
	 EACH(no_data, syn_answered)},
	{"plaintext answered again, singly",
	 {.client_port = 50001, .seq = 1000, .payload = GET},
	 CONNECTION,
	 SINGLY,
	 BOTH(answered_again)},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static struct result results[ROWS];

static void fail(const char *name, const char *what)
{
	fprintf(stderr, "%s: %s\n", name, what);
	exit(1);
}

static int compare(const void *a, const void *b)
{
	return *(const __s32 *)a < *(const __s32 *)b ? -1 : *(const __s32 *)a > *(const __s32 *)b;
}

static __u32 run(const struct fixture *fixture, const __u8 *frame, size_t len, int repeat)
{
	struct xdp_md ctx = {.data_end = (__u32)len, .ingress_ifindex = fixture->server_ifindex};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = (__u32)len,
		    .ctx_in = &ctx, .ctx_size_in = sizeof(ctx), .repeat = repeat);

	if (bpf_prog_test_run_opts(bpf_program__fd(fixture->xdp->progs.edge426_xdp), &options))
		fail("BPF_PROG_TEST_RUN", strerror(errno));
	return options.duration;
}

/* Another seed puts every connection at another place in the cache: all it held is lost. */
static void lose_cache(struct fixture *fixture)
{
	struct edge426_edge edge;

	fixture_read_edge(fixture, &edge);
	edge.seed += 0x9e3779b97f4a7c15ULL;
	fixture_write_edge(fixture, &edge);
}

static __u32 run_singly(struct fixture *fixture, const struct row *row, const __u8 *frame,
			size_t len)
{
	__u64 sum = 0;
	int i;

	for (i = 0; i < SINGLES; i++) {
		if (row->how == SINGLY_UNOWNED)
			lose_cache(fixture);
		sum += run(fixture, frame, len, 1);
	}
	return (__u32)(sum / SINGLES);
}

static __s32 measure(struct fixture *fixture, const struct row *row, int handshake)
{
	enum edge426_reason reason = handshake == EDGE426_HANDSHAKE_EDGE ? row->edge : row->backend;
	__u64 count = row->how == REPEATED ? REPEAT : SINGLES, before;
	__u8 frame[PACKET_MAX];
	size_t len = packet_build(&row->packet, frame);
	__u32 ns;

	fixture_set_handshake(fixture, (__u32)handshake, 0);
	run(fixture, frame, len, 1); /* the cache knows it, if it is to know it */
	before = fixture_count(fixture, reason);
	ns = row->how == REPEATED ? run(fixture, frame, len, REPEAT)
				  : run_singly(fixture, row, frame, len);
	if (fixture_count(fixture, reason) - before != count)
		fail(row->name, "not every run took the way that is measured");
	return (__s32)ns;
}

/* The packet acknowledges the SYN-ACK that the edge gives its connection. */
static void get_cookie(struct fixture *fixture, struct packet *packet)
{
	struct packet syn = {.client_port = packet->client_port,
			     .seq = packet->seq - 1,
			     .flags = "S",
			     SYN_OPTIONS};
	struct outcome outcome;
	__be32 seq;

	fixture_set_handshake(fixture, EDGE426_HANDSHAKE_EDGE, 0);
	outcome = fixture_run(fixture, &syn);
	if (outcome.reason != EDGE426_REASON_syn_answered)
		fail("a cookie", "the SYN was not answered");
	memcpy(&seq, outcome.frame + packet_tcp_offset(outcome.frame, outcome.len) + SYNACK_SEQ,
	       sizeof(seq));
	packet->ack = ntohl(seq) + 1;
}

/* Makes what the packet needs: its connection, its cookie, its flow if it is a request. */
static void prepare(struct fixture *fixture, struct row *row)
{
	size_t i;

	for (i = 0; &rows[i] != row; i++)
		if (rows[i].packet.client_port == row->packet.client_port &&
		    row->before == CONNECTION) {
			row->packet = rows[i].packet; /* its connection is there already */
			return;
		}
	if (row->before == CONNECTION)
		fixture_connect(fixture, &row->packet);
	if (row->before == COOKIE)
		get_cookie(fixture, &row->packet);
	fixture_set_handshake(fixture, EDGE426_HANDSHAKE_BACKEND, 0);
	fixture_run(fixture, &row->packet);
}

static void print(const char *name, struct result *result)
{
	__s32 *backend = result->ns[EDGE426_HANDSHAKE_BACKEND],
	      *edge = result->ns[EDGE426_HANDSHAKE_EDGE];

	for (int i = 0; i < ROUNDS; i++)
		result->more[i] = edge[i] - backend[i];
	qsort(backend, ROUNDS, sizeof(*backend), compare);
	qsort(edge, ROUNDS, sizeof(*edge), compare);
	qsort(result->more, ROUNDS, sizeof(result->more[0]), compare);
	printf("%-36s %4d %4d %6d %4d %8d\n", name, backend[ROUNDS / 2], backend[0],
	       edge[ROUNDS / 2], edge[0], result->more[ROUNDS / 2]);
}

int main(void)
{
	static struct fixture fixture;
	int round, handshake;
	size_t i;

	fixture_open(&fixture);
	for (i = 0; i < ROWS; i++)
		prepare(&fixture, &rows[i]);
	for (round = 0; round < ROUNDS; round++)
		for (i = 0; i < ROWS; i++)
			for (handshake = 0; handshake < HANDSHAKES; handshake++)
				results[i].ns[handshake][round] =
					measure(&fixture, &rows[i], handshake);
	printf("%-36s %9s %11s %8s\n", "ns per packet: median, least", "backend", "edge", "paired");
	for (i = 0; i < ROWS; i++)
		print(rows[i].name, &results[i]);
	fixture_close(&fixture);
	return 0;
}
