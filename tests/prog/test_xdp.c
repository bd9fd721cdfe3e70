/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The XDP program in the kernel, packet by packet: what it passes without a
 * proof, what it takes over with one, how it drives a plaintext flow.
 */
#include <criterion/criterion.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture.h"

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define HELLO "\x16\x03\x01\x02\x00\x01"
#define CLIENT_SEQ 1000u

static struct fixture fixture;

static void open_fixture(void)
{
	fixture_open(&fixture);
}

static void close_fixture(void)
{
	fixture_close(&fixture);
}

TestSuite(xdp, .init = open_fixture, .fini = close_fixture, .timeout = FIXTURE_TIMEOUT);

static void assert_outcome(struct outcome outcome, __u32 verdict, enum edge426_reason reason,
			   const char *name)
{
	cr_assert_eq(outcome.reason, (int)reason, "%s: reason %d, expected %d", name,
		     outcome.reason, (int)reason);
	cr_assert_eq(outcome.verdict, verdict, "%s: verdict %u", name, outcome.verdict);
}

static const struct {
	const char *name;
	struct packet packet;
	enum edge426_reason reason;
} passed[] = {
	{"UDP", {.protocol = 17, .payload = GET}, EDGE426_REASON_not_tcp},
	{"a later fragment", {.fragment_offset = 8, .payload = GET}, EDGE426_REASON_not_tcp},
	{"a first fragment", {.more_fragments = 1, .payload = GET}, EDGE426_REASON_not_tcp},
	{"three VLAN tags", {.vlans = 3, .payload = GET}, EDGE426_REASON_not_tcp},
	{"another port", {.server_port = 444, .payload = GET}, EDGE426_REASON_not_protected},
	{"a SYN", {.flags = "S"}, EDGE426_REASON_no_data},
	{"a bare ACK", {.flags = "A"}, EDGE426_REASON_no_data},
	{"a FIN", {.flags = "FA"}, EDGE426_REASON_no_data},
	{"a RST", {.flags = "R"}, EDGE426_REASON_no_data},
	{"data on a SYN", {.flags = "S", .payload = GET}, EDGE426_REASON_no_data},
	{"a TLS ClientHello", {.payload = HELLO, .payload_len = 6}, EDGE426_REASON_tls},
	{"SSH", {.payload = "SSH-2.0-x\r\n"}, EDGE426_REASON_other},
	{"HTTP of no connection", {.payload = GET}, EDGE426_REASON_no_socket},
	{"HTTP of no IPv6 connection", {.ipv6 = 1, .payload = GET}, EDGE426_REASON_no_socket},
	{"HTTP behind IPv4 options", {.ip_options = 40, .payload = GET}, EDGE426_REASON_no_socket},
	{"HTTP behind IPv6 extensions",
	 {.ipv6 = 1, .extensions = 3, .payload = GET},
	 EDGE426_REASON_no_socket},
	{"HTTP behind two VLAN tags", {.vlans = 2, .payload = GET}, EDGE426_REASON_no_socket},
	{"too little to tell, of no connection", {.payload = "G"}, EDGE426_REASON_no_socket},
};

Test(xdp, passes_what_is_not_proven_untouched)
{
	size_t i;

	for (i = 0; i < sizeof(passed) / sizeof(passed[0]); i++) {
		__u8 frame[PACKET_MAX];
		size_t len = packet_build(&passed[i].packet, frame);
		struct outcome outcome = fixture_run_octets(&fixture, frame, len);

		assert_outcome(outcome, XDP_PASS, passed[i].reason, passed[i].name);
		cr_assert_not(outcome.has_meta, "%s: metadata", passed[i].name);
		cr_assert_eq(outcome.len, len, "%s: length", passed[i].name);
		cr_assert_arr_eq(outcome.frame, frame, len, "%s: octets", passed[i].name);
	}
}

Test(xdp, passes_every_truncation)
{
	size_t i, cut;

	for (i = 0; i < sizeof(passed) / sizeof(passed[0]); i++) {
		__u8 frame[PACKET_MAX];
		size_t len = packet_build(&passed[i].packet, frame);

		for (cut = ETH_HLEN; cut < len; cut++)
			cr_assert_eq(fixture_run_octets(&fixture, frame, cut).verdict, XDP_PASS,
				     "%s cut to %zu", passed[i].name, cut);
	}
}

/* The row's packet as the first data of a connection, in both states of the server. */
static const struct {
	const char *name;
	struct packet packet;
	enum edge426_reason reason;
	__u8 flags;
} first_data[] = {
	{"GET", {.payload = GET}, EDGE426_REASON_answered, 0},
	{"GET over IPv6", {.ipv6 = 1, .payload = GET}, EDGE426_REASON_answered, 0},
	{"HEAD", {.payload = "HEAD / HTTP/1.1\r\n\r\n"}, EDGE426_REASON_answered, 2},
	{"QUERY", {.payload = "QUERY /q HTTP/1.1\r\n\r\n"}, EDGE426_REASON_answered, 0},
	{"GET with FIN", {.flags = "FPA", .payload = GET}, EDGE426_REASON_answered, 0},
	{"GET behind IP options", {.ip_options = 8, .payload = GET}, EDGE426_REASON_answered, 0},
	{"GET behind extensions",
	 {.ipv6 = 1, .extensions = 6, .payload = GET},
	 EDGE426_REASON_answered,
	 0},
	{"GET behind VLAN tags", {.vlans = 2, .payload = GET}, EDGE426_REASON_answered, 0},
	{"GET with timestamps", {.timestamps = 1, .payload = GET}, EDGE426_REASON_answered, 0},
	{"GET with a closed window",
	 {.zero_window = 1, .payload = GET},
	 EDGE426_REASON_zero_window,
	 0},
	{"TLS", {.payload = HELLO, .payload_len = 6}, EDGE426_REASON_tls, 0},
	{"SMTP", {.payload = "EHLO a\r\n"}, EDGE426_REASON_other, 0},
	{"one letter", {.payload = "G"}, EDGE426_REASON_held, 0},
	{"one letter and FIN", {.flags = "FA", .payload = "G"}, EDGE426_REASON_let_go, 0},
};

static void check_first_data(size_t row, struct packet *packet)
{
	__u32 len = (__u32)(packet->payload_len ? packet->payload_len : strlen(packet->payload));
	__u32 fin = packet->flags && strchr(packet->flags, 'F') != NULL;
	struct outcome outcome = fixture_run(&fixture, packet);
	const char *name = first_data[row].name;
	enum edge426_reason reason = first_data[row].reason;

	if (reason != EDGE426_REASON_answered) {
		assert_outcome(
			outcome,
			(reason == EDGE426_REASON_held || reason == EDGE426_REASON_zero_window)
				? XDP_DROP
				: XDP_PASS,
			reason, name);
		return;
	}
	assert_outcome(outcome, XDP_REDIRECT, reason, name);
	cr_assert(outcome.has_meta, "%s: no metadata", name);
	cr_assert_eq(outcome.meta.magic, EDGE426_MAGIC);
	cr_assert_eq(outcome.meta.kind, EDGE426_SEND_ANSWER, "%s: kind", name);
	cr_assert_eq(outcome.meta.flags, first_data[row].flags, "%s: flags", name);
	cr_assert_eq(outcome.meta.seq, packet->ack, "%s: seq", name);
	cr_assert_eq(outcome.meta.ack, CLIENT_SEQ + len + fin, "%s: ack", name);
}

Test(xdp, takes_over_proven_first_data_while_the_server_is_in_syn_recv)
{
	size_t i;

	for (i = 0; i < sizeof(first_data) / sizeof(first_data[0]); i++) {
		struct packet packet = first_data[i].packet;

		packet.client_port = (__u16)(41000 + i);
		packet.seq = CLIENT_SEQ;
		struct packet plain = {
			.ipv6 = packet.ipv6, .client_port = packet.client_port, .seq = packet.seq};
		fixture_half_open(&fixture, &plain);
		packet.ack = plain.ack;
		check_first_data(i, &packet);
	}
}

Test(xdp, takes_over_proven_first_data_of_an_established_connection)
{
	size_t i;

	for (i = 0; i < sizeof(first_data) / sizeof(first_data[0]); i++) {
		struct packet packet = first_data[i].packet;

		packet.client_port = (__u16)(42000 + i);
		packet.seq = CLIENT_SEQ;
		struct packet plain = {
			.ipv6 = packet.ipv6, .client_port = packet.client_port, .seq = packet.seq};
		int server = fixture_connect(&fixture, &plain);

		packet.ack = plain.ack;
		check_first_data(i, &packet);
		close(server);
	}
}

/* A connection whose client now stands at `packet`; the accepted socket. */
static int connect_at(struct packet *packet, __u16 port)
{
	*packet = (struct packet){.client_port = port, .seq = CLIENT_SEQ};
	return fixture_connect(&fixture, packet);
}

Test(xdp, does_not_take_data_that_is_not_the_first)
{
	struct packet packet;
	int server = connect_at(&packet, 43000);

	packet.payload = HELLO;
	packet.payload_len = 6;
	fixture_send(&fixture, &packet);
	packet.seq += 6;
	packet.payload = GET;
	packet.payload_len = 0;
	while (recv(server, (char[6]){0}, 6, 0) != 6)
		;
	assert_outcome(fixture_run(&fixture, &packet), XDP_PASS, EDGE426_REASON_not_first,
		       "after TLS");
	packet.seq = CLIENT_SEQ + 1;
	assert_outcome(fixture_run(&fixture, &packet), XDP_PASS, EDGE426_REASON_not_first,
		       "wrong sequence number");
	close(server);
}

Test(xdp, passes_plaintext_when_nobody_responds)
{
	struct edge426_flow flow;
	struct packet packet;
	int server = connect_at(&packet, 43001);

	fixture_stop_responder(&fixture);
	packet.payload = GET;
	assert_outcome(fixture_run(&fixture, &packet), XDP_PASS, EDGE426_REASON_no_responder,
		       "no responder");
	cr_assert_not(fixture_find_flow(&fixture, &packet, &flow));
	close(server);
}

Test(xdp, forgets_the_flow_when_the_responder_goes_before_the_answer_arrives)
{
	struct edge426_flow flow;
	struct packet packet;
	int server = connect_at(&packet, 43002);

	packet.payload = GET;
	assert_outcome(fixture_run(&fixture, &packet), XDP_REDIRECT, EDGE426_REASON_answered,
		       "first");
	fixture_stop_responder(&fixture);
	assert_outcome(fixture_run(&fixture, &packet), XDP_PASS, EDGE426_REASON_no_responder,
		       "again");
	cr_assert_not(fixture_find_flow(&fixture, &packet, &flow));
	close(server);
}

/* One step of a client whose request was answered. Sequence numbers count from its first octet. */
struct step {
	const char *name;
	const char *flags;
	__u32 seq;   /* from CLIENT_SEQ */
	__u32 acked; /* octets of ours that the client has */
	const char *payload;
	int zero_window;
	__u32 verdict;
	enum edge426_reason reason;
	__u8 kind;
	__u32 ack; /* from CLIENT_SEQ: what we acknowledge */
};

#define GET_LEN ((__u32)sizeof(GET) - 1)

static void walk(const struct step *steps, size_t len, __u16 port)
{
	struct packet packet;
	int server = connect_at(&packet, port);
	__u32 ours = packet.ack;
	size_t i;

	for (i = 0; i < len; i++) {
		struct packet now = packet;
		struct outcome outcome;

		now.flags = steps[i].flags;
		now.seq = CLIENT_SEQ + steps[i].seq;
		now.ack = ours + steps[i].acked;
		now.payload = steps[i].payload;
		now.zero_window = steps[i].zero_window;
		outcome = fixture_run(&fixture, &now);
		assert_outcome(outcome, steps[i].verdict, steps[i].reason, steps[i].name);
		cr_assert_eq(outcome.has_meta, steps[i].kind != 0, "%s: metadata", steps[i].name);
		if (!steps[i].kind)
			continue;
		cr_assert_eq(outcome.meta.kind, steps[i].kind, "%s: kind", steps[i].name);
		cr_assert_eq(outcome.meta.ack, CLIENT_SEQ + steps[i].ack, "%s: ack", steps[i].name);
		if (steps[i].kind == EDGE426_TC_RESET || steps[i].kind == EDGE426_TC_ACK_RESET)
			cr_assert_eq(outcome.meta.server_seq, CLIENT_SEQ, "%s", steps[i].name);
		if (steps[i].kind == EDGE426_SEND_ANSWER)
			cr_assert_eq(outcome.meta.seq, ours, "%s: seq", steps[i].name);
		else
			cr_assert_eq(outcome.meta.seq, ours + steps[i].acked, "%s", steps[i].name);
	}
	close(server);
}

#define ANSWER_STEP                                                                                \
	{                                                                                          \
		"request", "PA", 0, 0, GET, 0, XDP_REDIRECT, EDGE426_REASON_answered,              \
			EDGE426_SEND_ANSWER, GET_LEN                                               \
	}

Test(xdp, drives_a_flow_to_its_end)
{
	static const struct step steps[] = {
		ANSWER_STEP,
		{"request again", "PA", 0, 0, GET, 0, XDP_REDIRECT, EDGE426_REASON_answered_again,
		 EDGE426_SEND_ANSWER, GET_LEN},
		{"more of it", "PA", GET_LEN, 0, "more", 0, XDP_REDIRECT,
		 EDGE426_REASON_answered_again, EDGE426_SEND_ANSWER, GET_LEN + 4},
		{"ahead of a gap", "PA", GET_LEN + 5, 0, "x", 0, XDP_DROP,
		 EDGE426_REASON_out_of_order, 0, 0},
		{"from before the first", "PA", -2u, 0, "x", 0, XDP_DROP, EDGE426_REASON_absorbed,
		 0, 0},
		{"an early ACK", "A", GET_LEN + 4, 0, NULL, 0, XDP_PASS, EDGE426_REASON_early_ack,
		 0, 0},
		{"window closed", "PA", GET_LEN + 4, 0, "y", 1, XDP_DROP,
		 EDGE426_REASON_zero_window, 0, 0},
		{"answer acknowledged", "A", GET_LEN + 5, 300, NULL, 0, XDP_PASS,
		 EDGE426_REASON_reset_server, EDGE426_TC_RESET, GET_LEN + 5},
		{"again", "A", GET_LEN + 5, 300, NULL, 0, XDP_DROP, EDGE426_REASON_absorbed, 0, 0},
		{"late data", "PA", GET_LEN + 5, 300, "late", 0, XDP_REDIRECT, EDGE426_REASON_acked,
		 EDGE426_SEND_ACK, GET_LEN + 9},
		{"keep-alive probe", "A", GET_LEN + 8, 300, NULL, 0, XDP_REDIRECT,
		 EDGE426_REASON_keepalive, EDGE426_SEND_ACK, GET_LEN + 9},
		{"FIN", "FA", GET_LEN + 9, 300, NULL, 0, XDP_REDIRECT, EDGE426_REASON_acked,
		 EDGE426_SEND_ACK, GET_LEN + 10},
		{"FIN again", "FA", GET_LEN + 9, 300, NULL, 0, XDP_REDIRECT, EDGE426_REASON_acked,
		 EDGE426_SEND_ACK, GET_LEN + 10},
		{"a RST that does not fit", "R", GET_LEN + 900, 300, NULL, 0, XDP_DROP,
		 EDGE426_REASON_absorbed, 0, 0},
		{"a RST that fits", "R", GET_LEN + 10, 300, NULL, 0, XDP_DROP,
		 EDGE426_REASON_absorbed, 0, 0},
		{"after the flow", "A", GET_LEN + 10, 300, NULL, 0, XDP_PASS,
		 EDGE426_REASON_no_data, 0, 0},
	};

	walk(steps, sizeof(steps) / sizeof(steps[0]), 44000);
}

Test(xdp, answers_and_resets_with_one_packet_that_is_fin_and_ack)
{
	static const struct step steps[] = {
		ANSWER_STEP,
		{"FIN and ACK", "FA", GET_LEN, 300, NULL, 0, XDP_PASS, EDGE426_REASON_reset_server,
		 EDGE426_TC_ACK_RESET, GET_LEN + 1},
		{"FIN again", "FA", GET_LEN, 300, NULL, 0, XDP_REDIRECT, EDGE426_REASON_acked,
		 EDGE426_SEND_ACK, GET_LEN + 1},
	};

	walk(steps, sizeof(steps) / sizeof(steps[0]), 44001);
}

Test(xdp, ends_a_flow_by_the_clients_rst)
{
	static const struct step steps[] = {
		ANSWER_STEP,
		{"a RST that does not fit", "R", 1, 0, NULL, 0, XDP_PASS, EDGE426_REASON_stray_rst,
		 0, 0},
		{"a RST that fits", "R", GET_LEN, 0, NULL, 0, XDP_PASS, EDGE426_REASON_reset_server,
		 EDGE426_TC_RESET, GET_LEN},
		{"after it", "A", GET_LEN, 0, NULL, 0, XDP_PASS, EDGE426_REASON_no_data, 0, 0},
	};

	walk(steps, sizeof(steps) / sizeof(steps[0]), 44002);
}

Test(xdp, ends_a_flow_by_a_new_connection)
{
	static const struct step steps[] = {
		ANSWER_STEP,
		{"a SYN", "S", 5000, 0, NULL, 0, XDP_PASS, EDGE426_REASON_new_connection, 0, 0},
		{"after it", "A", GET_LEN, 0, NULL, 0, XDP_PASS, EDGE426_REASON_no_data, 0, 0},
	};

	walk(steps, sizeof(steps) / sizeof(steps[0]), 44003);
}

Test(xdp, holds_until_the_octets_tell)
{
	static const struct step steps[] = {
		{"G", "PA", 0, 0, "G", 0, XDP_DROP, EDGE426_REASON_held, 0, 0},
		{"E, which is ahead", "PA", 1, 0, "E", 0, XDP_DROP, EDGE426_REASON_held, 0, 0},
		{"an ACK meanwhile", "A", 1, 0, NULL, 0, XDP_PASS, EDGE426_REASON_early_ack, 0, 0},
		{"GE, sent again", "PA", 0, 0, "GE", 0, XDP_DROP, EDGE426_REASON_held, 0, 0},
		{"all of it", "PA", 0, 0, GET, 0, XDP_REDIRECT, EDGE426_REASON_answered,
		 EDGE426_SEND_ANSWER, GET_LEN},
	};

	walk(steps, sizeof(steps) / sizeof(steps[0]), 44004);
}

Test(xdp, lets_go_what_turns_out_not_to_be_http)
{
	static const struct step steps[] = {
		{"S", "PA", 0, 0, "S", 0, XDP_DROP, EDGE426_REASON_held, 0, 0},
		{"SSH", "PA", 0, 0, "SSH-2.0-x\r\n", 0, XDP_PASS, EDGE426_REASON_other_in_flow, 0,
		 0},
		{"again", "PA", 0, 0, "SSH-2.0-x\r\n", 0, XDP_PASS, EDGE426_REASON_other, 0, 0},
	};

	walk(steps, sizeof(steps) / sizeof(steps[0]), 44005);
}

Test(xdp, classifies_the_first_segment_again_when_it_is_sent_again)
{
	static const struct step steps[] = {
		ANSWER_STEP,
		{"it was TLS", "PA", 0, 0, "\x16\x03\x01", 0, XDP_PASS,
		 EDGE426_REASON_other_in_flow, 0, 0},
		{"and is", "PA", 0, 0, "\x16\x03\x01", 0, XDP_PASS, EDGE426_REASON_tls, 0, 0},
	};

	walk(steps, sizeof(steps) / sizeof(steps[0]), 44006);
}

Test(xdp, lets_go_what_is_held_too_long)
{
	struct packet packet;
	int server = connect_at(&packet, 44007), i;

	packet.payload = "G";
	for (i = 0; i < EDGE426_HELD_MAX / EDGE426_HELD_AGAIN; i++)
		assert_outcome(fixture_run(&fixture, &packet), XDP_DROP, EDGE426_REASON_held,
			       "held");
	assert_outcome(fixture_run(&fixture, &packet), XDP_PASS, EDGE426_REASON_let_go, "let go");
	close(server);
}

Test(xdp, bounds_what_a_client_sends_after_its_answer)
{
	struct packet packet;
	int server = connect_at(&packet, 44008);
	__u32 sent = 0;
	struct outcome outcome;

	packet.payload = GET;
	assert_outcome(fixture_run(&fixture, &packet), XDP_REDIRECT, EDGE426_REASON_answered, "");
	packet.seq += GET_LEN;
	packet.ack += 300;
	packet.payload = NULL;
	packet.flags = "A";
	fixture_run(&fixture, &packet);
	packet.payload_len = 1400;
	for (; sent + 1400 <= EDGE426_DISCARD_MAX; sent += 1400, packet.seq += 1400)
		assert_outcome(fixture_run(&fixture, &packet), XDP_REDIRECT, EDGE426_REASON_acked,
			       "within the bound");
	outcome = fixture_run(&fixture, &packet);
	assert_outcome(outcome, XDP_REDIRECT, EDGE426_REASON_reset_client, "past the bound");
	cr_assert_eq(outcome.meta.kind, EDGE426_SEND_RESET);
	assert_outcome(fixture_run(&fixture, &packet), XDP_PASS, EDGE426_REASON_other,
		       "flow forgotten");
	close(server);
}

Test(xdp, hands_over_frames_of_several_buffers_whole)
{
	static const size_t payloads[] = {1600, 3000, 4001, 8900};
	size_t i;

	for (i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
		struct packet packet = {.client_port = (__u16)(45000 + i), .seq = CLIENT_SEQ};
		static char request[PACKET_MAX];
		__u8 frame[PACKET_MAX];
		struct outcome outcome;
		int server = fixture_connect(&fixture, &packet);
		size_t len;

		memset(request, 'a' + (int)i, sizeof(request));
		memcpy(request, "GET /", 5);
		packet.payload = request;
		packet.payload_len = payloads[i];
		len = packet_build(&packet, frame);
		outcome = fixture_run_octets(&fixture, frame, len);
		assert_outcome(outcome, XDP_REDIRECT, EDGE426_REASON_answered, "large");
		cr_assert_eq(outcome.len, len);
		cr_assert_arr_eq(outcome.frame, frame, len);
		cr_assert_eq(outcome.meta.ack, CLIENT_SEQ + payloads[i]);
		close(server);
	}
}
