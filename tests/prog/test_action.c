/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What becomes of a connection after an action: silence that lasts, a RST at
 * both ends, and TLS in whose middle anything may stand.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"

#define HELLO "\x16\x03\x01\x02\x01\x01"
#define HELLO_LEN 6u
#define SSH "SSH-2.0-x\r\n"

static struct fixture fixture;

static void open_fixture(void)
{
	fixture_open(&fixture);
}

static void close_fixture(void)
{
	fixture_close(&fixture);
}

TestSuite(action, .init = open_fixture, .fini = close_fixture, .timeout = FIXTURE_TIMEOUT);

static void end(int server)
{
	if (server >= 0)
		close(server);
}

static void set_actions(const struct way *way, __u8 action, __u8 other)
{
	struct edge426_service service = fixture_service(client_handshake(way));

	service.action = action;
	service.other = other;
	fixture_set_service(&fixture, &service);
}

/* One packet of a client whose first data was dropped. */
static const struct {
	const char *name;
	const char *flags;
	__u32 seq; /* from the first octet */
	const char *payload;
	int tells_server; /* its half may not have got the first RST */
} later[] = {
	{"the same again", "PA", 0, GET, 1},
	{"more of it", "PA", GET_LEN, "more", 1},
	{"a bare ACK", "A", GET_LEN, NULL, 0},
	{"a keep-alive probe", "A", -1u, NULL, 0},
	{"FIN", "FA", GET_LEN, NULL, 0},
	{"RST", "R", GET_LEN, NULL, 0},
	{"TLS", "PA", 0, HELLO, 1},
};

static void stay_silent(const struct way *way, struct packet packet, size_t row)
{
	int told = later[row].tells_server && way->shaken != SHAKEN_BY_EDGE;
	struct outcome outcome;

	packet.flags = later[row].flags;
	packet.seq += later[row].seq;
	packet.payload = later[row].payload;
	outcome = fixture_run(&fixture, &packet);
	cr_assert_eq(outcome.reason, BECAUSE(absorbed), "%s, %s: reason %d", later[row].name,
		     way->name, outcome.reason);
	cr_assert_eq(outcome.verdict, told ? XDP_PASS : XDP_DROP, "%s, %s: verdict %u",
		     later[row].name, way->name, outcome.verdict);
	cr_assert_eq(outcome.has_meta, told, "%s, %s", later[row].name, way->name);
	if (told)
		cr_assert_eq(outcome.meta.kind, EDGE426_TC_RESET);
}

/* A SYN from the same port is a new connection. */
static void begin_anew(const struct way *way, struct packet packet)
{
	int at_edge = way->shaken == SHAKEN_BY_EDGE;
	struct edge426_flow flow;
	struct outcome outcome;

	packet.flags = "S";
	packet.payload = NULL;
	packet.seq += 99999;
	outcome = fixture_run(&fixture, &packet);
	cr_assert_eq(outcome.verdict, at_edge ? XDP_TX : XDP_PASS, "%s: SYN", way->name);
	cr_assert_not(fixture_find_flow(&fixture, &packet, &flow), "%s: SYN", way->name);
}

Test(action, drop_is_silent_for_all_of_its_connection_and_no_other)
{
	size_t way, row;

	for (way = 0; way < CLIENT_WAYS; way++) {
		struct packet packet = {}, beside = {};
		int server = client_connect(&fixture, &client_ways[way], &packet);
		int other = client_connect(&fixture, &client_ways[way], &beside);

		set_actions(&client_ways[way], EDGE426_ACTION_DROP, EDGE426_ACTION_DROP);
		packet.payload = GET;
		client_expect(&fixture, &client_ways[way], &packet, DROPPED, BECAUSE(dropped_http),
			      "drop");
		for (row = 0; row < ROWS(later); row++)
			stay_silent(&client_ways[way], packet, row);
		beside.payload = HELLO;
		client_expect(&fixture, &client_ways[way], &beside, PASSED, BECAUSE(tls),
			      "beside it");
		if (client_ways[way].shaken != SHAKEN_BY_KERNEL) /* else the kernel has a socket */
			begin_anew(&client_ways[way], packet);
		end(server);
		end(other);
	}
}

static void assert_server_reset(int server, const char *name)
{
	struct pollfd socket = {.fd = server, .events = POLLIN};
	char octet;

	cr_assert_eq(poll(&socket, 1, 1000), 1, "%s: the server was told nothing", name);
	cr_assert_eq(recv(server, &octet, 1, 0), -1, "%s: the server can read", name);
	cr_assert_eq(errno, ECONNRESET, "%s: %s", name, strerror(errno));
}

/* The kernel answers data of a connection that it does not have with RST. */
static void assert_no_socket(const struct packet *like, const char *name)
{
	struct packet data = *like;
	__u8 frame[PACKET_MAX];

	data.flags = "A";
	data.padding = 0;
	fixture_send(&fixture, &data);
	cr_assert_gt(fixture_receive(&fixture, "R", frame), 0, "%s: a socket is left", name);
}

static void assert_client_reset(const struct packet *packet, __u32 len, const char *name)
{
	struct outcome outcome = {};
	__u32 fin = packet->flags && strchr(packet->flags, 'F') != NULL;

	outcome.len = (__u32)fixture_receive(&fixture, "R", outcome.frame);
	cr_assert_gt(outcome.len, 0, "%s: no RST", name);
	client_assert_rst(&outcome, packet, packet->ack, packet->seq + len + fin, name);
}

static const struct {
	const char *name;
	struct packet packet;
} ends[] = {
	{"GET", {.payload = GET}},
	{"GET over IPv6", {.ipv6 = 1, .payload = GET}},
	{"GET and FIN", {.flags = "FPA", .payload = GET}},
	{"GET of odd length", {.payload = "GET / HTTP/1.0\r\n\r\n1"}},
	{"with timestamps", {.timestamps = 1, .tsval = 7, .tsecr = 9, .payload = GET}},
	{"with timestamps over IPv6",
	 {.ipv6 = 1, .timestamps = 1, .tsval = 7, .tsecr = 9, .payload = GET}},
	{"behind IPv4 options", {.ip_options = 8, .payload = GET}},
	{"behind extensions", {.ipv6 = 1, .extensions = 1, .payload = GET}},
	{"in a padded frame", {.padding = 6, .payload = "GET / HTTP/1.1\r\n"}},
};

/* Live, with the server in either state: established, or with the handshake's end to come. */
static void end_by(__u8 action, size_t row, int established)
{
	const struct way *way = &client_ways[ends[row].packet.ipv6];
	struct packet packet = ends[row].packet;
	struct packet plain = {.ipv6 = packet.ipv6,
			       .client_port = (__u16)(30000 + 100 * action + row),
			       .seq = established ? 5000 : 9000};
	__u8 frame[PACKET_MAX];
	int server = -1;

	if (!established)
		plain.client_port += 50;
	if (established)
		server = fixture_connect(&fixture, &plain);
	else
		fixture_half_open(&fixture, &plain);
	packet.client_port = plain.client_port;
	packet.seq = plain.seq;
	packet.ack = plain.ack;
	set_actions(way, action, EDGE426_ACTION_PASS);
	fixture_deliver(&fixture, &packet);
	if (action == EDGE426_ACTION_RESET)
		assert_client_reset(&packet, (__u32)strlen(packet.payload), ends[row].name);
	else
		cr_assert_eq(fixture_receive(&fixture, "", frame), 0, "%s: not silent",
			     ends[row].name);
	if (established) {
		assert_server_reset(server, ends[row].name);
		close(server);
	}
	assert_no_socket(&packet, ends[row].name);
}

Test(action, reset_reaches_the_client_and_the_server)
{
	size_t row;

	for (row = 0; row < ROWS(ends); row++) {
		end_by(EDGE426_ACTION_RESET, row, 1);
		end_by(EDGE426_ACTION_RESET, row, 0);
	}
	cr_assert_eq(fixture_count(&fixture, BECAUSE(tc_failed)), 0);
	cr_assert_eq(fixture_count(&fixture, BECAUSE(tc_reset_both)), 2 * ROWS(ends));
}

Test(action, drop_reaches_the_server_alone)
{
	end_by(EDGE426_ACTION_DROP, 0, 1);
	end_by(EDGE426_ACTION_DROP, 1, 1);
	end_by(EDGE426_ACTION_DROP, 4, 0);
	end_by(EDGE426_ACTION_DROP, 5, 0);
	cr_assert_eq(fixture_count(&fixture, BECAUSE(tc_failed)), 0);
	cr_assert_eq(fixture_count(&fixture, BECAUSE(tc_reset)), 4);
}

/* How far edge426 has followed a TLS connection when its later segments come. */
enum knowledge { SAW_ITS_BEGINNING, CAME_LATER, FORGOT_IT, KNOWLEDGE_END };

static void forget_owned(void)
{
	static const struct edge426_owned nothing;

	fixture_write_first(&fixture, "owned", &nothing, sizeof(nothing));
}

static int knows_one(void)
{
	static struct edge426_owned owned;
	__u32 slot, known = 0;

	fixture_read_first(&fixture, "owned", &owned, sizeof(owned));
	for (slot = 0; slot < EDGE426_OWNED_SLOTS; slot++)
		known += owned.tag[slot] != 0;
	return known == 1;
}

/* The server has read the ClientHello; `packet` is at what follows. */
static int begin_tls(const struct way *way, enum knowledge knowledge, struct packet *packet)
{
	int server = client_connect(&fixture, way, packet);
	char octets[16];

	packet->payload = HELLO;
	packet->payload_len = HELLO_LEN;
	if (knowledge == CAME_LATER && server >= 0)
		fixture_send(&fixture, packet);
	else
		fixture_deliver(&fixture, packet);
	if (server < 0) {
		cr_assert_eq(
			poll(&(struct pollfd){.fd = fixture.listener, .events = POLLIN}, 1, 1000),
			1, "%s: not handed over", way->name);
		server = accept(fixture.listener, NULL, NULL);
	}
	cr_assert_eq(poll(&(struct pollfd){.fd = server, .events = POLLIN}, 1, 1000), 1);
	cr_assert_eq(recv(server, octets, sizeof(octets), 0), HELLO_LEN);
	packet->seq += HELLO_LEN;
	return server;
}

static void follow_tls(const struct way *way, enum knowledge knowledge, __u8 other)
{
	struct packet packet = {};
	int server = begin_tls(way, knowledge, &packet), octet;

	set_actions(way, EDGE426_ACTION_DROP, other);
	for (octet = 0; octet < 256; octet++) {
		__u8 record[5] = {(__u8)octet, 'E', 'T', ' ', '/'}, frame[PACKET_MAX];
		struct outcome outcome;
		size_t len;

		packet.payload = (const char *)record;
		packet.payload_len = sizeof(record);
		if (knowledge == FORGOT_IT)
			forget_owned();
		len = packet_build(&packet, frame);
		outcome = fixture_run_octets(&fixture, frame, len);
		cr_assert_eq(outcome.verdict, XDP_PASS, "%s, octet %#x: reason %d", way->name,
			     octet, outcome.reason);
		cr_assert_not(outcome.has_meta, "%s, octet %#x", way->name, octet);
		cr_assert_arr_eq(outcome.frame, frame, len, "%s, octet %#x", way->name, octet);
		packet.seq += 1000; /* segments that were lost in between make no difference */
	}
	cr_assert(knows_one(), "%s: the connection is not noted as the kernel's", way->name);
	forget_owned();
	close(server);
}

Test(action, never_touches_what_follows_a_client_hello)
{
	enum knowledge knowledge;
	size_t way;

	for (way = 0; way < CLIENT_WAYS; way++)
		for (knowledge = SAW_ITS_BEGINNING; knowledge < KNOWLEDGE_END; knowledge++)
			follow_tls(&client_ways[way], knowledge,
				   way & 1 ? EDGE426_ACTION_RESET : EDGE426_ACTION_DROP);
}

/* Before the kernel has had the first octets, others must not stand in for them. */
static const struct {
	const char *name;
	__u32 seq;
	const char *payload;
} decoys[] = {
	{"ahead of a gap", 1000, "\x01\x02"},
	{"TLS ahead of a gap", 1000, HELLO},
	{"a keep-alive probe with an octet", -1u, "\x01"},
	{"TLS that the kernel does not take", 0, HELLO},
};

Test(action, judges_first_data_after_other_segments_of_its_connection)
{
	size_t way, row;

	for (row = 0; row < ROWS(decoys); row++)
		for (way = 0; way < CLIENT_WAYS; way++) {
			struct packet packet = {}, decoy;
			int server = client_connect(&fixture, &client_ways[way], &packet);

			set_actions(&client_ways[way], EDGE426_ACTION_RESPOND,
				    EDGE426_ACTION_RESET);
			decoy = packet;
			decoy.seq += decoys[row].seq;
			decoy.payload = decoys[row].payload;
			fixture_run(&fixture, &decoy);
			packet.payload = SSH;
			client_expect(&fixture, &client_ways[way], &packet, RESET,
				      BECAUSE(reset_other), decoys[row].name);
			end(server);
		}
}

/* The kernel may have dropped the first one: a full accept queue, a wrong checksum. */
Test(action, hands_over_first_data_that_is_sent_again)
{
	size_t way;
	int i;

	for (way = 4; way < CLIENT_WAYS; way++) {
		struct packet packet = {}, second;

		client_connect(&fixture, &client_ways[way], &packet);
		packet.payload = HELLO;
		for (i = 0; i < 3; i++)
			client_expect(&fixture, &client_ways[way], &packet, PASSED, BECAUSE(tls),
				      "again");
		second = packet;
		second.seq += HELLO_LEN;
		second.payload = "\x01\x02";
		cr_assert_eq(fixture_run(&fixture, &second).verdict, XDP_PASS);
		second.payload = GET;
		cr_assert_eq(fixture_run(&fixture, &second).verdict, XDP_PASS);
	}
}

/* Held at the edge: nothing may reach the kernel, which would reset what it does not know. */
Test(action, keeps_a_held_handshake_of_the_edge_from_the_kernel)
{
	static const struct {
		const char *name, *flags;
		__u32 seq;
	} rows[] = {{"a bare ACK", "A", 1}, {"again", "A", 0}, {"a probe", "A", -1u}};
	struct packet packet = {};
	size_t way, row;

	for (way = 4; way < CLIENT_WAYS; way++) {
		packet = (struct packet){};
		client_connect(&fixture, &client_ways[way], &packet);
		packet.payload = "G";
		client_expect(&fixture, &client_ways[way], &packet, HELD, BECAUSE(held), "G");
		for (row = 0; row < ROWS(rows); row++) {
			struct packet bare = packet;

			bare.payload = NULL;
			bare.flags = rows[row].flags;
			bare.seq += rows[row].seq;
			cr_assert_neq(fixture_run(&fixture, &bare).verdict, XDP_PASS, "%s",
				      rows[row].name);
		}
		packet.payload = GET;
		client_expect(&fixture, &client_ways[way], &packet, ANSWERED, BECAUSE(answered),
			      "GET");
	}
}

/* A spoofed SYN opens a connection half; only who got the SYN-ACK can acknowledge it. */
Test(action, answers_no_half_open_connection_without_its_acknowledgement)
{
	static const __u32 wrong[] = {1, -1u, 0x80000000u, 0x12345678u};
	size_t way, i;

	for (way = 0; way < 2; way++)
		for (i = 0; i < ROWS(wrong); i++) {
			struct packet packet = {.ipv6 = (int)way,
						.client_port = (__u16)(36000 + 10 * way + i),
						.seq = 5000};

			fixture_half_open(&fixture, &packet);
			packet.payload = GET;
			packet.ack += wrong[i];
			cr_assert_eq(fixture_run(&fixture, &packet).verdict, XDP_PASS);
			packet.ack -= wrong[i];
			cr_assert_eq(fixture_run(&fixture, &packet).reason, BECAUSE(answered));
		}
}

/* Without a backend TLS is like all that is not HTTP, and so is the end without any data. */
static const struct {
	const char *name, *payload, *flags;
	__u8 other, mode;
	enum fate fate;
	enum edge426_reason reason;
} alone[] = {
	{"GET", GET, NULL, EDGE426_ACTION_RESET, 0, ANSWERED, BECAUSE(answered)},
	{"TLS", HELLO, NULL, EDGE426_ACTION_RESET, 0, RESET, BECAUSE(reset_other)},
	{"TLS, drop", HELLO, NULL, EDGE426_ACTION_DROP, 0, DROPPED, BECAUSE(dropped_other)},
	{"SSH", SSH, NULL, EDGE426_ACTION_RESET, 0, RESET, BECAUSE(reset_other)},
	{"FIN", NULL, "FA", EDGE426_ACTION_RESET, 0, RESET, BECAUSE(reset_other)},
	{"FIN, drop", NULL, "FA", EDGE426_ACTION_DROP, 0, DROPPED, BECAUSE(dropped_other)},
	{"one letter", "G", NULL, EDGE426_ACTION_RESET, 0, HELD, BECAUSE(held)},
	{"TLS, monitor", HELLO, NULL, EDGE426_ACTION_RESET, EDGE426_MODE_MONITOR, PASSED,
	 BECAUSE(would_reset)},
	{"TLS, bypass", HELLO, NULL, EDGE426_ACTION_RESET, EDGE426_MODE_BYPASS, PASSED,
	 BECAUSE(bypassed)},
};

Test(action, of_other_is_of_tls_too_without_a_backend)
{
	size_t way, row;

	for (row = 0; row < ROWS(alone); row++)
		for (way = 4; way < CLIENT_WAYS; way++) {
			struct edge426_service service = fixture_service(EDGE426_HANDSHAKE_EDGE);
			struct packet packet = {};

			client_connect(&fixture, &client_ways[way], &packet);
			service.flags = EDGE426_SERVICE_NO_BACKEND;
			service.other = alone[row].other;
			service.mode = alone[row].mode;
			fixture_set_service(&fixture, &service);
			packet.payload = alone[row].payload;
			packet.flags = alone[row].flags;
			if (alone[row].fate == PASSED)
				packet.flags = "AP"; /* a hand-over sets PSH */
			client_expect(&fixture, &client_ways[way], &packet, alone[row].fate,
				      alone[row].reason, alone[row].name);
		}
}

/* XDP does not rewrite a frame of several buffers: the responder makes the RST. */
Test(action, resets_a_client_at_the_edge_whatever_its_frame)
{
	static char request[8000];
	size_t way;

	memset(request, 'a', sizeof(request) - 1);
	memcpy(request, "GET /", 5);
	for (way = 4; way < CLIENT_WAYS; way++) {
		struct packet packet = {};
		struct outcome outcome;
		struct edge426_flow flow;

		client_connect(&fixture, &client_ways[way], &packet);
		set_actions(&client_ways[way], EDGE426_ACTION_RESET, EDGE426_ACTION_PASS);
		packet.payload = request;
		outcome = fixture_run(&fixture, &packet);
		cr_assert_eq(outcome.reason, BECAUSE(reset_http), "reason %d", outcome.reason);
		cr_assert_eq(outcome.verdict, XDP_REDIRECT);
		cr_assert_eq(outcome.meta.kind, EDGE426_SEND_RESET);
		cr_assert_eq(outcome.meta.seq, packet.ack);
		cr_assert_eq(outcome.meta.ack, packet.seq + (__u32)sizeof(request) - 1);
		cr_assert_not(fixture_find_flow(&fixture, &packet, &flow));
	}
}
