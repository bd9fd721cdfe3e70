/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The handshake at the edge, packet by packet: the SYN-ACK, the cookie that
 * comes back, plaintext that no server hears of, and the connection that the
 * kernel takes over as if it had done the handshake itself.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture.h"

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define GET_LEN ((__u32)sizeof(GET) - 1)
#define HELLO "\x16\x03\x01\x02\x01\x01"
#define HELLO_LEN 6
#define CLIENT_ISN 1000u
#define SYN_OPTIONS "\x02\x04\x05\xb4\x04\x02\x01\x01\x01\x03\x03\x07" /* MSS, SACK, scale 7 */
#define SYN_OPTIONS_LEN 12

static struct fixture fixture;

static void open_fixture(void)
{
	fixture_open(&fixture);
	fixture_set_handshake(&fixture, EDGE426_HANDSHAKE_EDGE, 0);
}

static void close_fixture(void)
{
	fixture_close(&fixture);
}

TestSuite(edge, .init = open_fixture, .fini = close_fixture, .timeout = FIXTURE_TIMEOUT);

static void assert_outcome(struct outcome outcome, __u32 verdict, enum edge426_reason reason,
			   const char *name)
{
	cr_assert_eq(outcome.reason, (int)reason, "%s: reason %d, expected %d", name,
		     outcome.reason, (int)reason);
	cr_assert_eq(outcome.verdict, verdict, "%s: verdict %u", name, outcome.verdict);
}

static struct packet make_syn(const struct packet *like)
{
	struct packet syn = *like;

	syn.flags = "S";
	syn.seq = CLIENT_ISN;
	syn.ack = 0;
	syn.payload = NULL;
	syn.payload_len = 0;
	if (!syn.tcp_options) {
		syn.tcp_options = SYN_OPTIONS;
		syn.tcp_options_len = SYN_OPTIONS_LEN;
	}
	return syn;
}

static struct tcphdr read_tcp(const struct outcome *outcome)
{
	size_t offset = packet_tcp_offset(outcome->frame, outcome->len);
	struct tcphdr tcp;

	cr_assert_gt(offset, 0);
	memcpy(&tcp, outcome->frame + offset, sizeof(tcp));
	return tcp;
}

/* Does the handshake at the edge; `packet` then is at the client's first octet. */
static void shake(struct packet *packet, __u16 port)
{
	struct packet syn;
	struct outcome outcome;
	struct tcphdr tcp;

	packet->client_port = port;
	syn = make_syn(packet);
	outcome = fixture_run(&fixture, &syn);
	assert_outcome(outcome, 3 /* XDP_TX */, EDGE426_REASON_syn_answered, "SYN");
	tcp = read_tcp(&outcome);
	packet->seq = CLIENT_ISN + 1;
	packet->ack = ntohl(tcp.seq) + 1;
	if (packet->timestamps) {
		size_t at = packet_tcp_offset(outcome.frame, outcome.len) + sizeof(tcp) + 8;

		memcpy(&packet->tsecr, outcome.frame + at, sizeof(packet->tsecr));
		packet->tsecr = ntohl(packet->tsecr);
	}
}

static const struct {
	const char *name;
	struct packet packet;
	const char *options; /* of the SYN-ACK */
	size_t options_len;
} syns[] = {
	{"as Linux sends it, without timestamps",
	 {0},
	 "\x02\x04\x05\xb4\x01\x01\x04\x02\x01\x03\x03\x0a",
	 12},
	{"over IPv6", {.ipv6 = 1}, "\x02\x04\x05\xa0\x01\x01\x04\x02\x01\x03\x03\x0a", 12},
	{"MSS alone",
	 {.tcp_options = "\x02\x04\x05\xb4", .tcp_options_len = 4},
	 "\x02\x04\x05\xb4",
	 4},
	{"scale too large",
	 {.tcp_options = "\x02\x04\x05\xb4\x01\x03\x03\x0f", .tcp_options_len = 8},
	 "\x02\x04\x05\xb4\x01\x03\x03\x0a",
	 8},
	{"no options", {.tcp_options = "", .tcp_options_len = 0}, "\x02\x04\x05\xb4", 4},
	{"behind two VLAN tags",
	 {.vlans = 2},
	 "\x02\x04\x05\xb4\x01\x01\x04\x02\x01\x03\x03\x0a",
	 12},
	{"behind IPv4 options",
	 {.ip_options = 12},
	 "\x02\x04\x05\xb4\x01\x01\x04\x02\x01\x03\x03\x0a",
	 12},
	{"in a padded frame",
	 {.padding = 6},
	 "\x02\x04\x05\xb4\x01\x01\x04\x02\x01\x03\x03\x0a",
	 12},
};

Test(edge, answers_a_syn_as_the_kernel_would)
{
	size_t i;

	for (i = 0; i < sizeof(syns) / sizeof(syns[0]); i++) {
		const char *name = syns[i].name;
		struct packet syn = make_syn(&syns[i].packet);
		struct outcome outcome = fixture_run(&fixture, &syn);
		struct tcphdr tcp;
		size_t offset;

		assert_outcome(outcome, 3, EDGE426_REASON_syn_answered, name);
		tcp = read_tcp(&outcome);
		offset = packet_tcp_offset(outcome.frame, outcome.len);
		cr_assert_eq(packet_tcp_checksum(outcome.frame, outcome.len), 0, "%s", name);
		cr_assert_eq(packet_ip_checksum(outcome.frame, outcome.len), 0, "%s", name);
		cr_assert_eq(packet_ip_end(outcome.frame, outcome.len), outcome.len, "%s", name);
		cr_assert(tcp.syn && tcp.ack && !tcp.ece && !tcp.rst, "%s: flags", name);
		cr_assert_eq(ntohl(tcp.ack_seq), CLIENT_ISN + 1, "%s: ack", name);
		cr_assert_eq(tcp.source, htons(443), "%s", name);
		cr_assert_eq(tcp.dest, htons(40000), "%s", name);
		cr_assert_eq(tcp.doff * 4, 20 + syns[i].options_len, "%s: options", name);
		cr_assert_arr_eq(outcome.frame + offset + 20, syns[i].options, syns[i].options_len,
				 "%s: options", name);
		cr_assert_arr_eq(outcome.frame, "\x02\0\0\0\0\x02\x02\0\0\0\0\x01", 12, "%s", name);
	}
}

Test(edge, echoes_timestamps_and_ecn_only_if_offered)
{
	struct packet syn = make_syn(&(struct packet){.timestamps = 1, .tsval = 77});
	struct edge426_edge edge;
	struct outcome outcome;
	__u8 frame[PACKET_MAX];
	struct tcphdr tcp;
	size_t len, at;

	outcome = fixture_run(&fixture, &syn);
	at = packet_tcp_offset(outcome.frame, outcome.len) + sizeof(tcp);
	cr_assert_arr_eq(outcome.frame + at, "\x02\x04\x05\xb4\x04\x02\x08\x0a", 8);
	cr_assert_arr_eq(outcome.frame + at + 12, "\0\0\0\x4d", 4, "the client's TSval");
	cr_assert_arr_eq(outcome.frame + at + 10, "\x05\xb4", 2, "the MSS rides in our TSval");
	len = packet_build(&syn, frame);
	frame[packet_tcp_offset(frame, len) + 13] |= 0xc0; /* ECE and CWR */
	outcome = fixture_run_octets(&fixture, frame, len);
	tcp = read_tcp(&outcome);
	cr_assert(tcp.ece && !tcp.cwr);
	fixture_read_edge(&fixture, &edge);
	edge.flags = 0;
	fixture_write_edge(&fixture, &edge);
	outcome = fixture_run_octets(&fixture, frame, len);
	tcp = read_tcp(&outcome);
	cr_assert_eq(tcp.doff, 6, "sysctls off: MSS alone");
	cr_assert_not(tcp.ece);
}

static const struct {
	const char *name;
	struct packet packet;
	enum edge426_reason reason;
} unanswered[] = {
	{"from a multicast address", {.client = "224.0.0.1"}, EDGE426_REASON_syn_unfit},
	{"from broadcast", {.client = "255.255.255.255"}, EDGE426_REASON_syn_unfit},
	{"from 0.0.0.0", {.client = "0.0.0.0"}, EDGE426_REASON_syn_unfit},
	{"from loopback", {.client = "127.0.0.1"}, EDGE426_REASON_syn_unfit},
	{"from the server itself", {.client = "10.9.0.1"}, EDGE426_REASON_syn_unfit},
	{"to multicast", {.server = "224.0.0.1"}, EDGE426_REASON_syn_unfit},
	{"from IPv6 multicast", {.ipv6 = 1, .client = "ff02::1"}, EDGE426_REASON_syn_unfit},
	{"from ::", {.ipv6 = 1, .client = "::"}, EDGE426_REASON_syn_unfit},
	{"with MD5",
	 {.tcp_options = "\x02\x04\x05\xb4\x13\x12................\x01\x01", .tcp_options_len = 24},
	 EDGE426_REASON_syn_unfit},
	{"with a tiny MSS",
	 {.tcp_options = "\x02\x04\x00\x64", .tcp_options_len = 4},
	 EDGE426_REASON_syn_unfit},
};

Test(edge, passes_syns_that_only_the_kernel_may_judge)
{
	size_t i;

	for (i = 0; i < sizeof(unanswered) / sizeof(unanswered[0]); i++) {
		struct packet syn = make_syn(&unanswered[i].packet);

		assert_outcome(fixture_run(&fixture, &syn), 2, unanswered[i].reason,
			       unanswered[i].name);
	}
}

Test(edge, passes_a_syn_of_a_connection_that_the_kernel_has)
{
	struct packet packet = {.client_port = 41000, .seq = CLIENT_ISN + 1};
	int server = fixture_connect(&fixture, &packet);
	struct packet syn = make_syn(&packet);

	assert_outcome(fixture_run(&fixture, &syn), 2, EDGE426_REASON_syn_of_kernel, "SYN");
	close(server);
}

Test(edge, passes_a_syn_when_nobody_responds_or_the_host_cannot)
{
	struct packet syn = make_syn(&(struct packet){0});
	struct edge426_edge edge;
	struct edge426_load load;

	fixture_read_edge(&fixture, &edge);
	edge.unable = EDGE426_UNABLE_SYNCOOKIES;
	fixture_write_edge(&fixture, &edge);
	assert_outcome(fixture_run(&fixture, &syn), 2, EDGE426_REASON_fallback_host, "unable");
	fixture_read_load(&fixture, &load);
	cr_assert_eq(load.fallback, EDGE426_FALLBACK_HOST);
	edge.unable = 0;
	fixture_write_edge(&fixture, &edge);
	assert_outcome(fixture_run(&fixture, &syn), 3, EDGE426_REASON_syn_answered, "able");
	fixture_read_load(&fixture, &load);
	cr_assert_eq(load.fallback, EDGE426_FALLBACK_NONE);
	fixture_stop_responder(&fixture);
	assert_outcome(fixture_run(&fixture, &syn), 2, EDGE426_REASON_fallback_host, "alone");
}

Test(edge, passes_a_syn_for_an_mptcp_listener)
{
	struct packet syn = make_syn(&(struct packet){0});
	struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(443)};
	int fd = socket(AF_INET6, SOCK_STREAM, IPPROTO_MPTCP);

	cr_assert_geq(fd, 0, "MPTCP: %s", strerror(errno));
	close(fixture.listener);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(listen(fd, 8), 0);
	assert_outcome(fixture_run(&fixture, &syn), 2, EDGE426_REASON_fallback_mptcp, "MPTCP");
	fixture.listener = fd;
}

/* The frame of the client's FIN, sent back as its acknowledgement. */
static void assert_acknowledged(struct outcome outcome, const struct packet *fin)
{
	struct tcphdr tcp = read_tcp(&outcome);
	size_t options = packet_tcp_offset(outcome.frame, outcome.len) + sizeof(tcp);

	assert_outcome(outcome, 3, EDGE426_REASON_acked_back, "FIN");
	cr_assert_not(outcome.has_meta);
	cr_assert_eq(packet_tcp_checksum(outcome.frame, outcome.len), 0);
	cr_assert_eq(packet_ip_checksum(outcome.frame, outcome.len), 0);
	cr_assert_eq(packet_ip_end(outcome.frame, outcome.len), outcome.len);
	cr_assert(tcp.ack && !tcp.syn && !tcp.fin && !tcp.rst);
	cr_assert_eq(ntohl(tcp.seq), fin->ack);
	cr_assert_eq(ntohl(tcp.ack_seq), fin->seq + 1);
	cr_assert_eq(tcp.dest, htons(fin->client_port));
	cr_assert_eq(tcp.doff, fin->timestamps ? 8 : 5);
	if (fin->timestamps)
		cr_assert_arr_eq(outcome.frame + options, "\x01\x01\x08\x0a\0\0\0\x5a\0\0\0\x46",
				 12);
}

Test(edge, absorbs_the_handshake_and_answers_plaintext_without_the_server)
{
	int ipv6;

	for (ipv6 = 0; ipv6 < 2; ipv6++) {
		struct packet packet = {.ipv6 = ipv6};
		struct outcome outcome;
		struct edge426_flow flow;

		shake(&packet, (__u16)(42000 + ipv6));
		assert_outcome(fixture_run(&fixture, &packet), 1, EDGE426_REASON_handshake_ended,
			       "ACK");
		packet.seq--;
		outcome = fixture_run(&fixture, &packet);
		assert_outcome(outcome, 4, EDGE426_REASON_keepalive, "probe");
		cr_assert_eq(outcome.meta.ack, CLIENT_ISN + 1);
		packet.seq++;
		packet.payload = GET;
		outcome = fixture_run(&fixture, &packet);
		assert_outcome(outcome, 4, EDGE426_REASON_answered, "GET");
		cr_assert_eq(outcome.meta.seq, packet.ack);
		cr_assert_eq(outcome.meta.ack, packet.seq + GET_LEN);
		cr_assert(fixture_find_flow(&fixture, &packet, &flow));
		cr_assert(flow.flags & EDGE426_FLOW_SERVER_RESET);
		packet.seq += GET_LEN;
		packet.ack += 300;
		packet.payload = NULL;
		packet.flags = "FA";
		packet.timestamps = ipv6;
		packet.tsval = 70;
		packet.tsecr = 90;
		assert_acknowledged(fixture_run(&fixture, &packet), &packet);
		assert_acknowledged(fixture_run(&fixture, &packet), &packet);
	}
}

Test(edge, holds_too_few_octets_and_then_tells)
{
	struct packet packet = {0};
	struct outcome outcome;

	shake(&packet, 42100);
	packet.payload = "S";
	assert_outcome(fixture_run(&fixture, &packet), 1, EDGE426_REASON_held, "S");
	packet.payload = "SSH-2.0-x\r\n";
	outcome = fixture_run(&fixture, &packet);
	assert_outcome(outcome, 2, EDGE426_REASON_handed_over, "SSH");
	cr_assert_eq(outcome.meta.kind, EDGE426_TC_HAND_OVER);
	shake(&packet, 42101);
	packet.payload = "G";
	packet.flags = NULL;
	assert_outcome(fixture_run(&fixture, &packet), 1, EDGE426_REASON_held, "G");
	packet.payload = GET;
	assert_outcome(fixture_run(&fixture, &packet), 4, EDGE426_REASON_answered, "GET");
}

/* Nothing forged is taken for ours: wrong connection, ISN, agreement, hash; expired keys. */
Test(edge, takes_no_other_segment_for_its_own)
{
	struct packet packet = {0}, forged;
	struct edge426_edge edge;
	struct edge426_flow flow;
	int bit;

	shake(&packet, 42200);
	packet.payload = GET;
	for (bit = 0; bit < 32; bit++) {
		forged = packet;
		forged.ack = ((forged.ack - 1) ^ 1U << bit) + 1;
		cr_assert_neq(fixture_run(&fixture, &forged).reason, EDGE426_REASON_answered,
			      "bit %d of the cookie", bit);
		forged = packet;
		forged.seq ^= 1U << bit;
		cr_assert_neq(fixture_run(&fixture, &forged).reason, EDGE426_REASON_answered,
			      "bit %d of the sequence number", bit);
	}
	forged = packet;
	forged.client_port++;
	assert_outcome(fixture_run(&fixture, &forged), 2, EDGE426_REASON_no_socket, "port");
	forged = packet;
	forged.client = "10.9.0.3";
	assert_outcome(fixture_run(&fixture, &forged), 2, EDGE426_REASON_no_socket, "address");
	cr_assert_not(fixture_find_flow(&fixture, &packet, &flow));
	fixture_read_edge(&fixture, &edge);
	edge.current = 2; /* the key that made it is two rotations old */
	fixture_write_edge(&fixture, &edge);
	assert_outcome(fixture_run(&fixture, &packet), 2, EDGE426_REASON_no_socket, "expired");
	edge.current = 1;
	fixture_write_edge(&fixture, &edge);
	assert_outcome(fixture_run(&fixture, &packet), 4, EDGE426_REASON_answered, "previous key");
}

static void assert_info(int server, const struct packet *packet, const char *name)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	cr_assert_eq(getsockopt(server, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	cr_assert_eq(info.tcpi_options & TCPI_OPT_WSCALE, TCPI_OPT_WSCALE, "%s", name);
	cr_assert_eq(info.tcpi_snd_wscale, 7, "%s: scale of the client", name);
	cr_assert_eq(info.tcpi_rcv_wscale, 10, "%s: scale of the server", name);
	cr_assert_eq(info.tcpi_options & TCPI_OPT_SACK, TCPI_OPT_SACK, "%s", name);
	cr_assert_eq((info.tcpi_options & TCPI_OPT_TIMESTAMPS) != 0, packet->timestamps, "%s",
		     name);
	cr_assert_eq(info.tcpi_snd_mss,
		     (packet->ipv6 ? 1440u : 1460u) - (packet->timestamps ? 12 : 0), "%s: MSS %u",
		     name, info.tcpi_snd_mss);
}

/* The server's side of a connection that was handed over, after its first data. */
static int accept_handed_over(const char *name)
{
	struct pollfd ready = {.fd = fixture.listener, .events = POLLIN};
	int fd;

	cr_assert_eq(poll(&ready, 1, 1000), 1, "%s: the server got no connection", name);
	fd = accept(fixture.listener, NULL, NULL);
	cr_assert_geq(fd, 0);
	return fd;
}

static const struct {
	const char *name;
	struct packet packet;
} handed[] = {
	{"IPv4", {0}},
	{"IPv6",
	 {.ipv6 = 1,
	  .tcp_options = "\x02\x04\x05\xa0\x04\x02\x01\x01\x01\x03\x03\x07",
	  .tcp_options_len = 12}},
	{"IPv4 with timestamps", {.timestamps = 1, .tsval = 5}},
	{"IPv6 with timestamps",
	 {.ipv6 = 1,
	  .timestamps = 1,
	  .tsval = 5,
	  .tcp_options = "\x02\x04\x05\xa0\x04\x02\x01\x01\x01\x03\x03\x07",
	  .tcp_options_len = 12}},
};

Test(edge, hands_tls_over_with_all_that_was_agreed_on)
{
	size_t i;

	for (i = 0; i < sizeof(handed) / sizeof(handed[0]); i++) {
		struct packet packet = handed[i].packet;
		char octets[64];
		int server;

		shake(&packet, (__u16)(43000 + i));
		packet.tcp_options_len = 0;
		packet.payload = HELLO;
		packet.payload_len = HELLO_LEN;
		fixture_deliver(&fixture, &packet);
		server = accept_handed_over(handed[i].name);
		cr_assert_eq(recv(server, octets, sizeof(octets), 0), HELLO_LEN);
		cr_assert_arr_eq(octets, HELLO, HELLO_LEN);
		assert_info(server, &packet, handed[i].name);
		packet.seq += HELLO_LEN;
		fixture_deliver(&fixture, &packet);
		cr_assert_eq(poll(&(struct pollfd){.fd = server, .events = POLLIN}, 1, 1000), 1);
		cr_assert_eq(recv(server, octets, sizeof(octets), 0), HELLO_LEN, "%s",
			     handed[i].name);
		close(server);
	}
	cr_assert_eq(fixture_count(&fixture, EDGE426_REASON_tc_refused), 0);
	cr_assert_eq(fixture_count(&fixture, EDGE426_REASON_tc_handed_over), i);
}

Test(edge, neither_drops_nor_misjudges_the_second_segment_of_a_first_flight)
{
	struct packet first = {0}, second;

	shake(&first, 43100);
	first.payload = HELLO;
	first.payload_len = HELLO_LEN;
	second = first;
	second.seq += HELLO_LEN;
	second.payload = GET; /* whatever it looks like */
	second.payload_len = GET_LEN;
	assert_outcome(fixture_run(&fixture, &second), 1, EDGE426_REASON_ahead, "overtaking");
	second.payload = "\x01\x02\x03";
	second.payload_len = 3;
	assert_outcome(fixture_run(&fixture, &second), 1, EDGE426_REASON_ahead, "overtaking");
	assert_outcome(fixture_run(&fixture, &first), 2, EDGE426_REASON_handed_over, "first");
	assert_outcome(fixture_run(&fixture, &second), 2, EDGE426_REASON_other, "second");
}

/* So that GRO does not let the second segment of the ClientHello overtake it. */
Test(edge, hands_the_first_data_over_with_psh)
{
	static const char *const flags[] = {"A", "AP"};
	size_t i;

	for (i = 0; i < 4; i++) {
		struct packet packet = {.ipv6 = i & 1, .flags = flags[i >> 1]};
		struct outcome outcome;

		shake(&packet, 43250 + i);
		packet.payload = HELLO;
		packet.payload_len = HELLO_LEN;
		outcome = fixture_run(&fixture, &packet);
		assert_outcome(outcome, 2, EDGE426_REASON_handed_over, flags[i >> 1]);
		cr_assert(read_tcp(&outcome).psh, "%s", flags[i >> 1]);
		cr_assert_eq(packet_tcp_checksum(outcome.frame, outcome.len), 0, "%s",
			     flags[i >> 1]);
	}
}

Test(edge, hands_a_fin_over_that_comes_before_any_data)
{
	struct packet packet = {0};
	char octet;
	int server;

	shake(&packet, 43200);
	packet.flags = "FA";
	fixture_deliver(&fixture, &packet);
	server = accept_handed_over("FIN");
	cr_assert_eq(recv(server, &octet, 1, 0), 0, "the server sees the end");
	close(server);
}

Test(edge, hands_plaintext_over_when_the_responder_is_gone)
{
	struct packet packet = {0};
	struct outcome outcome;

	shake(&packet, 43300);
	packet.payload = GET;
	fixture_stop_responder(&fixture);
	outcome = fixture_run(&fixture, &packet);
	assert_outcome(outcome, XDP_PASS, EDGE426_REASON_no_responder, "GET");
	cr_assert_eq(outcome.meta.kind, EDGE426_TC_HAND_OVER);
}

Test(edge, serves_a_port_without_any_backend)
{
	struct packet packet = {0};
	struct packet syn = make_syn(&packet);
	struct outcome outcome;
	struct tcphdr tcp;

	close(fixture.listener);
	fixture.listener = -1;
	assert_outcome(fixture_run(&fixture, &syn), 2, EDGE426_REASON_syn_of_kernel, "none");
	fixture_set_handshake(&fixture, EDGE426_HANDSHAKE_EDGE, EDGE426_SERVICE_NO_BACKEND);
	shake(&packet, 43400);
	packet.payload = GET;
	assert_outcome(fixture_run(&fixture, &packet), 4, EDGE426_REASON_answered, "GET");
	packet.payload = NULL;
	shake(&packet, 43401);
	packet.payload = HELLO;
	packet.payload_len = HELLO_LEN;
	outcome = fixture_run(&fixture, &packet);
	assert_outcome(outcome, XDP_TX, EDGE426_REASON_reset_other, "TLS");
	memcpy(&tcp, outcome.frame + packet_tcp_offset(outcome.frame, outcome.len), sizeof(tcp));
	cr_assert(tcp.rst && tcp.ack && !tcp.syn && !tcp.fin);
	cr_assert_eq(ntohl(tcp.seq), packet.ack);
	cr_assert_eq(ntohl(tcp.ack_seq), packet.seq + HELLO_LEN);
}

Test(edge, keeps_the_kernels_connections_untouched)
{
	struct packet packet = {.client_port = 43500, .seq = CLIENT_ISN + 1};
	int server = fixture_connect(&fixture, &packet), i;

	packet.payload = HELLO;
	packet.payload_len = HELLO_LEN;
	for (i = 0; i < 3; i++)
		assert_outcome(fixture_run(&fixture, &packet), 2, EDGE426_REASON_tls, "TLS");
	packet.payload = GET;
	packet.payload_len = GET_LEN;
	assert_outcome(fixture_run(&fixture, &packet), 4, EDGE426_REASON_answered,
		       "its first data, if plaintext, is proven by its socket");
	close(server);
}

Test(edge, takes_over_under_a_flood_and_gives_back_when_calm)
{
	struct packet syn = make_syn(&(struct packet){0});
	struct edge426_load load;
	__u16 port;

	fixture_set_handshake(&fixture, EDGE426_HANDSHAKE_AUTO, 0); /* 4 waiting, 2 s */
	assert_outcome(fixture_run(&fixture, &syn), 2, EDGE426_REASON_syn_to_backend, "peace");
	for (port = 44000; port < 44004; port++) {
		struct packet half_open = {.client_port = port, .seq = CLIENT_ISN + 1};

		fixture_half_open(&fixture, &half_open);
	}
	assert_outcome(fixture_run(&fixture, &syn), 3, EDGE426_REASON_syn_answered, "flood");
	fixture_read_load(&fixture, &load);
	cr_assert_eq(load.to_edge, 1);
	for (port = 0; port < 5; port++)
		assert_outcome(fixture_run(&fixture, &syn), 3, EDGE426_REASON_syn_answered,
			       "goes on");
	for (port = 44000; port < 44004; port++) {
		struct packet end = {.client_port = port, .seq = CLIENT_ISN + 1, .flags = "R"};

		fixture_send(&fixture, &end);
	}
	usleep(3300 * 1000); /* the second of the flood, and two calm ones of which nobody tells */
	assert_outcome(fixture_run(&fixture, &syn), 2, EDGE426_REASON_syn_to_backend, "calm");
	fixture_read_load(&fixture, &load);
	cr_assert_eq(load.to_backend, 1);
}
