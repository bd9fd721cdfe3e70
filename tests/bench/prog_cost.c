/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Nanoseconds per packet of the XDP program by BPF_PROG_TEST_RUN: the median of
 * many rounds, the rows taking turns so that a noisy moment hits them all. It
 * measures the program alone; the kernel's own copy of the packet is not in it.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge_xdp.skel.h"
#include "fixture.h"

#define ROUNDS 31
#define REPEAT 20000 /* runs of the program in a round */

#define GET "GET / HTTP/1.1\r\nHost: example.org\r\nUser-Agent: x\r\nAccept: */*\r\n\r\n"

struct row {
	const char *name;
	struct packet packet;
	int connect; /* the first packet of a real connection */
	enum edge426_reason reason;
	__u32 ns[ROUNDS];
};

static const char tls[1400] = "\x17\x03\x03\x05\x73"; /* application data */

static struct row rows[] = {
	{"UDP", {.protocol = 17, .payload = GET}, 0, EDGE426_REASON_not_tcp, {0}},
	{"unprotected port",
	 {.server_port = 80, .payload = GET},
	 0,
	 EDGE426_REASON_not_protected,
	 {0}},
	{"protected port, bare ACK", {.flags = "A"}, 0, EDGE426_REASON_no_data, {0}},
	{"protected port, TLS data",
	 {.payload = tls, .payload_len = sizeof(tls)},
	 0,
	 EDGE426_REASON_tls,
	 {0}},
	{"protected port, TLS data, IPv6",
	 {.ipv6 = 1, .payload = tls, .payload_len = sizeof(tls)},
	 0,
	 EDGE426_REASON_tls,
	 {0}},
	{"plaintext first data, to its proof",
	 {.client_port = 50000, .seq = 1000, .zero_window = 1, .payload = GET},
	 1,
	 EDGE426_REASON_zero_window,
	 {0}},
	{"plaintext of a flow, answered again",
	 {.client_port = 50001, .seq = 1000, .payload = GET},
	 1,
	 EDGE426_REASON_answered_again,
	 {0}},
};

static int compare(const void *a, const void *b)
{
	return *(const __u32 *)a < *(const __u32 *)b ? -1 : *(const __u32 *)a > *(const __u32 *)b;
}

static __u32 run(const struct fixture *fixture, const __u8 *frame, size_t len)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = (__u32)len,
		    .repeat = REPEAT);

	if (bpf_prog_test_run_opts(bpf_program__fd(fixture->xdp->progs.edge426_xdp), &options)) {
		perror("BPF_PROG_TEST_RUN");
		exit(1);
	}
	return options.duration;
}

/* What the row measures must be what its name says. */
static void prepare(struct fixture *fixture, struct row *row)
{
	int reason;

	if (row->connect)
		fixture_connect(fixture, &row->packet);
	reason = fixture_run(fixture, &row->packet).reason;
	if (row->connect)
		reason = fixture_run(fixture, &row->packet).reason;
	if (reason == (int)row->reason)
		return;
	fprintf(stderr, "%s: reason %d in place of %d\n", row->name, reason, (int)row->reason);
	exit(1);
}

int main(void)
{
	const size_t len = sizeof(rows) / sizeof(rows[0]);
	static struct fixture fixture;
	__u8 frame[PACKET_MAX];
	size_t i, round;

	fixture_open(&fixture);
	for (i = 0; i < len; i++)
		prepare(&fixture, &rows[i]);
	for (round = 0; round < ROUNDS; round++)
		for (i = 0; i < len; i++)
			rows[i].ns[round] =
				run(&fixture, frame, packet_build(&rows[i].packet, frame));
	printf("%-36s %8s %8s\n", "packet", "median", "least");
	for (i = 0; i < len; i++) {
		qsort(rows[i].ns, ROUNDS, sizeof(rows[i].ns[0]), compare);
		printf("%-36s %5u ns %5u ns\n", rows[i].name, rows[i].ns[ROUNDS / 2],
		       rows[i].ns[0]);
	}
	fixture_close(&fixture);
	return 0;
}
