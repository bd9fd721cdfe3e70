/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Nanoseconds per packet of the XDP program by BPF_PROG_TEST_RUN, each packet
 * under handshake: backend and handshake: edge, and under a small policy and a
 * large one: the median of many rounds, all of these taking turns so that a
 * noisy moment hits them all. It measures the program alone; the kernel's own
 * copy of the packet is not in it. The small policy is one service, the large
 * one 1,000 services and 100,000 allow entries; half of the services are other
 * addresses' on the port that is measured.
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
#include "store.h"

#define ROUNDS 31
#define REPEAT 20000 /* runs of the program in a round */
#define SINGLES 1000 /* the same, for a packet that is run singly */
#define HANDSHAKES 2 /* backend, edge */
#define POLICIES 2   /* small, large */
#define SERVICES 1000
#define ALLOW 100000
#define SYNACK_SEQ 4 /* offset in a TCP header */

#define GET "GET / HTTP/1.1\r\nHost: example.org\r\nUser-Agent: x\r\nAccept: */*\r\n\r\n"

/* What there is of the packet's connection. */
enum before {
	NOTHING,
	CONNECTION, /* which has carried nothing yet */
	TALKED,	    /* the server's kernel has had its first octets */
	COOKIE,
};

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
	__s32 ns[POLICIES][HANDSHAKES][ROUNDS];
	__s32 more[ROUNDS];		  /* edge less backend, in the same round */
	__s32 growth[HANDSHAKES][ROUNDS]; /* large by small, the same, in percent */
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
	 TALKED,
	 REPEATED,
	 BOTH(no_data)},
	{"TLS data", {.client_port = 50003, .seq = 1000, TLS}, TALKED, REPEATED, BOTH(tls)},
	{"TLS data, IPv6",
	 {.ipv6 = 1, .client_port = 50004, .seq = 1000, TLS},
	 TALKED,
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
	{"TLS data, singly", {.client_port = 50003, .seq = 1000, TLS}, TALKED, SINGLY, BOTH(tls)},
	{"TLS data, not in the cache, singly",
	 {.client_port = 50003, .seq = 1000, TLS},
	 TALKED,
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
static struct store store;

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

/* One policy lies in each half; the service that is measured is the first of both. */
static void set_policy(int policy, int handshake)
{
	store.services[policy * EDGE426_SERVICE_SLOTS].handshake = (__u32)handshake;
	store.state->active = (__u64)policy;
}

static __s32 measure(struct fixture *fixture, const struct row *row, int policy, int handshake)
{
	enum edge426_reason reason = handshake == EDGE426_HANDSHAKE_EDGE ? row->edge : row->backend;
	__u64 count = row->how == REPEATED ? REPEAT : SINGLES, before;
	__u8 frame[PACKET_MAX];
	size_t len = packet_build(&row->packet, frame);
	__u32 ns;

	set_policy(policy, handshake);
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

	set_policy(0, EDGE426_HANDSHAKE_EDGE);
	outcome = fixture_run(fixture, &syn);
	if (outcome.reason != EDGE426_REASON_syn_answered)
		fail("a cookie", "the SYN was not answered");
	memcpy(&seq, outcome.frame + packet_tcp_offset(outcome.frame, outcome.len) + SYNACK_SEQ,
	       sizeof(seq));
	packet->ack = ntohl(seq) + 1;
}

/* A connection that another row has made already is used again. */
static bool share_connection(struct row *row)
{
	for (size_t i = 0; &rows[i] != row; i++) {
		if (rows[i].packet.client_port != row->packet.client_port)
			continue;
		row->packet.seq = rows[i].packet.seq;
		row->packet.ack = rows[i].packet.ack;
		return true;
	}
	return false;
}

/* The first octets go past the program, straight to the server's kernel. */
static void talk(struct fixture *fixture, struct packet *packet)
{
	struct packet first = *packet;

	first.flags = "PA";
	first.payload = tls;
	first.payload_len = sizeof(tls);
	fixture_send(fixture, &first);
	packet->seq += sizeof(tls);
}

static void make_connection(struct fixture *fixture, struct row *row)
{
	if (share_connection(row))
		return;
	fixture_connect(fixture, &row->packet);
	if (row->before == TALKED)
		talk(fixture, &row->packet);
}

/* Makes what the packet needs: its connection, its cookie, its flow if it is a request. */
static void prepare(struct fixture *fixture, struct row *row)
{
	if (row->before == CONNECTION || row->before == TALKED)
		make_connection(fixture, row);
	if (row->before == COOKIE)
		get_cookie(fixture, &row->packet);
	set_policy(0, EDGE426_HANDSHAKE_BACKEND);
	fixture_run(fixture, &row->packet);
}

static FILE *begin_text(char **text, size_t *len)
{
	FILE *out = open_memstream(text, len);

	if (!out)
		fail("a policy", "out of memory");
	fputs("services:\n- {name: measured, port: 443}\n", out);
	return out;
}

/* Neighbours of the client and of the server, so that the tries are walked to their depths. */
static void write_large(FILE *out)
{
	int i;

	for (i = 1; i < SERVICES; i++)
		if (i % 2)
			fprintf(out, "- {name: s%d, port: 443, address: 10.9.%d.%d}\n", i, i >> 7,
				2 * i & 255);
		else
			fprintf(out, "- {name: s%d, port: %d}\n", i, 10000 + i);
	fputs("allow:\n", out);
	fputs("- 11.0.0.0/24\n- 12.0.0.0/23\n- 13.0.0.0/22\n- 14.0.0.0/20\n- 15.0.0.0/19\n"
	      "- 2001:db8::/32\n- 2001:db9::/48\n- 2001:dba::/56\n- 2001:dbb::/64\n- "
	      "2001:dbc::/60\n",
	      out);
	for (i = 0; i < ALLOW / 2; i++)
		fprintf(out, "- 10.%d.%d.%d\n- fd00::%x:%x:3\n", 8 + (i >> 15), i >> 7 & 255,
			(2 * i & 255) + 1, i >> 8, i & 255);
}

static void publish(char *text, size_t len)
{
	struct publish_options options = {0};
	struct failure failure = {0};
	struct policy policy = {0};

	if (policy_read_text("policy", text, len, NULL, &policy, &failure) ||
	    store_publish_policy(&store, &policy, &options, &failure))
		fail("a policy", failure.text);
	policy_free(&policy);
	free(text);
}

static void publish_small(void)
{
	char *text = NULL;
	size_t len = 0;

	fclose(begin_text(&text, &len));
	publish(text, len);
}

static void publish_large(void)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = begin_text(&text, &len);

	write_large(out);
	fclose(out);
	publish(text, len);
}

/* The small one ends up in half 0, the large one in half 1; both have had one before them. */
static void publish_both(const struct fixture *fixture)
{
	struct failure failure = {0};
	int fd[LAYOUT_MAPS];

	for (int map = 0; map < LAYOUT_MAPS; map++)
		fd[map] = bpf_object__find_map_fd_by_name(fixture->xdp->obj,
							  layout_name((enum layout_map)map));
	if (store_adopt(fd, &store, &failure))
		fail("the maps", failure.text);
	store.ports[443] = (struct edge426_port){0}; /* the fixture's, of no policy */
	publish_large();
	publish_small();
	publish_large();
}

static __s32 median(__s32 values[ROUNDS])
{
	qsort(values, ROUNDS, sizeof(values[0]), compare);
	return values[ROUNDS / 2];
}

static void print(const char *name, struct result *result)
{
	__s32 *backend = result->ns[0][EDGE426_HANDSHAKE_BACKEND],
	      *edge = result->ns[0][EDGE426_HANDSHAKE_EDGE];

	for (int i = 0; i < ROUNDS; i++)
		result->more[i] = edge[i] - backend[i];
	for (int handshake = 0; handshake < HANDSHAKES; handshake++)
		for (int i = 0; i < ROUNDS; i++)
			result->growth[handshake][i] =
				100 * result->ns[1][handshake][i] /
				(result->ns[0][handshake][i] + !result->ns[0][handshake][i]);
	printf("%-36s %4d %4d %6d %4d %8d %10d%% %7d%%\n", name, median(backend), backend[0],
	       median(edge), edge[0], median(result->more), median(result->growth[0]) - 100,
	       median(result->growth[1]) - 100);
}

int main(void)
{
	static struct fixture fixture;
	int round, policy, handshake;
	size_t i;

	fixture_open(&fixture);
	publish_both(&fixture);
	for (i = 0; i < ROWS; i++)
		prepare(&fixture, &rows[i]);
	for (round = 0; round < ROUNDS; round++)
		for (i = 0; i < ROWS; i++)
			for (handshake = 0; handshake < HANDSHAKES; handshake++)
				for (policy = 0; policy < POLICIES; policy++)
					results[i].ns[policy][handshake][round] =
						measure(&fixture, &rows[i], policy, handshake);
	printf("%-36s %9s %11s %8s %11s %8s\n", "ns per packet: median, least", "backend", "edge",
	       "paired", "large", "policy");
	for (i = 0; i < ROWS; i++)
		print(rows[i].name, &results[i]);
	store_close(&store);
	fixture_close(&fixture);
	return 0;
}
