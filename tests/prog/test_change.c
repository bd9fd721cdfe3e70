/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A policy that changes under connections: flows are driven to their end,
 * cookies handed over, and what is left of a service that has gone passes.
 */
#include <criterion/criterion.h>
#include <linux/bpf.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../bpf/classify.h"
#include "client.h"

#define HELLO "\x16\x03\x01\x02\x01\x01"
#define SSH "SSH-2.0-x\r\n"
#define HAD_SERVICE EDGE426_PORT_HAD_SERVICE
#define HAD_EDGE EDGE426_PORT_HAD_EDGE
#define PLACE 443

static struct fixture fixture;

static void open_fixture(void)
{
	fixture_open(&fixture);
}

static void close_fixture(void)
{
	fixture_close(&fixture);
}

TestSuite(change, .init = open_fixture, .fini = close_fixture, .timeout = FIXTURE_TIMEOUT);

static void end(int server)
{
	if (server >= 0)
		close(server);
}

static void set_port(__u16 service, __u16 flags, __u16 set)
{
	struct edge426_port port = {.service = service, .flags = flags, .set = set};

	fixture_put_port(&fixture, PLACE, &port);
}

/* The slot of places that had a service, as user space writes it. */
static void end_service(__u16 flags)
{
	struct edge426_service ended = fixture_service(EDGE426_HANDSHAKE_EDGE);

	ended.mode = EDGE426_MODE_BYPASS;
	fixture_put_service(&fixture, EDGE426_SERVICE_ENDED, &ended);
	fixture_put_service(&fixture, 0, &(struct edge426_service){});
	set_port(0, flags, 0);
}

static void set_bypass(void)
{
	struct edge426_state state;

	fixture_read_state(&fixture, &state);
	state.bypass = 1;
	fixture_write_state(&fixture, &state);
}

static void set_action(const struct way *way, __u8 action)
{
	struct edge426_service service = fixture_service(client_handshake(way));

	service.action = action;
	fixture_set_service(&fixture, &service);
}

/* What may happen to a policy while a flow lives. */
enum change { BYPASS_ON, RESETS, PASSES, MONITORS, ENDS, GIVES_TO_BACKEND, CHANGE_END };

static void change(enum change change, const struct way *way)
{
	struct edge426_service service = fixture_service(client_handshake(way));

	if (change == BYPASS_ON)
		set_bypass();
	else if (change == RESETS)
		set_action(way, EDGE426_ACTION_RESET);
	else if (change == PASSES)
		set_action(way, EDGE426_ACTION_PASS);
	else if (change == ENDS)
		end_service(HAD_SERVICE | HAD_EDGE);
	else if (change == MONITORS) {
		service.mode = EDGE426_MODE_MONITOR;
		fixture_set_service(&fixture, &service);
	} else {
		fixture_set_handshake(&fixture, EDGE426_HANDSHAKE_BACKEND, 0);
		set_port(1, HAD_EDGE, 0);
	}
}

static void change_back(void)
{
	struct edge426_state state;

	fixture_read_state(&fixture, &state);
	state.bypass = 0;
	fixture_write_state(&fixture, &state);
	set_port(1, 0, 0);
}

/* To the flow's end: the data again, the answer acknowledged, FIN, and FIN again. */
static void drive_to_the_end(const struct way *way, struct packet packet)
{
	int at_edge = way->shaken == SHAKEN_BY_EDGE;
	struct outcome outcome;

	client_expect(&fixture, way, &packet, ANSWERED, BECAUSE(answered_again), "again");
	packet.seq += GET_LEN;
	packet.ack += 300;
	packet.payload = NULL;
	packet.flags = "A";
	outcome = fixture_run(&fixture, &packet);
	cr_assert_eq(outcome.reason, at_edge ? BECAUSE(absorbed) : BECAUSE(reset_server));
	cr_assert_eq(outcome.verdict, at_edge ? XDP_DROP : XDP_PASS);
	packet.flags = "FA";
	outcome = fixture_run(&fixture, &packet);
	cr_assert_eq(outcome.reason, at_edge ? BECAUSE(acked_back) : BECAUSE(acked));
	packet.flags = "R";
	packet.seq++;
	cr_assert_eq(fixture_run(&fixture, &packet).reason, BECAUSE(absorbed));
}

Test(change, drives_a_flow_to_its_end_whatever_the_policy_becomes)
{
	enum change what;
	size_t way;

	for (what = BYPASS_ON; what < CHANGE_END; what++)
		for (way = 0; way < CLIENT_WAYS; way++) {
			struct packet packet = {};
			int server = client_connect(&fixture, &client_ways[way], &packet);
			struct edge426_flow flow;

			packet.payload = GET;
			client_expect(&fixture, &client_ways[way], &packet, ANSWERED,
				      BECAUSE(answered), "before");
			change(what, &client_ways[way]);
			drive_to_the_end(&client_ways[way], packet);
			cr_assert_not(fixture_find_flow(&fixture, &packet, &flow));
			change_back();
			end(server);
		}
}

/* What a held client becomes is judged by what the policy is then. */
Test(change, judges_a_held_flow_by_the_policy_of_its_end)
{
	static const struct {
		enum change change;
		enum fate fate;
		enum edge426_reason reason, at_edge;
	} rows[] = {
		{BYPASS_ON, PASSED, BECAUSE(bypassed), BECAUSE(bypassed)},
		{RESETS, RESET, BECAUSE(reset_http), BECAUSE(reset_http)},
		{PASSES, PASSED, BECAUSE(action_pass), BECAUSE(action_pass)},
		{MONITORS, PASSED, BECAUSE(would_answer), BECAUSE(would_answer)},
		{ENDS, PASSED, BECAUSE(not_protected), BECAUSE(bypassed)},
		{GIVES_TO_BACKEND, ANSWERED, BECAUSE(answered), BECAUSE(answered)},
	};
	size_t row, way;

	for (row = 0; row < ROWS(rows); row++)
		for (way = 0; way < CLIENT_WAYS; way++) {
			int at_edge = client_ways[way].shaken == SHAKEN_BY_EDGE;
			struct packet packet = {};
			int server = client_connect(&fixture, &client_ways[way], &packet);

			packet.payload = "GE";
			client_expect(&fixture, &client_ways[way], &packet, HELD, BECAUSE(held),
				      "held");
			change(rows[row].change, &client_ways[way]);
			packet.payload = GET;
			client_expect(&fixture, &client_ways[way], &packet, rows[row].fate,
				      at_edge ? rows[row].at_edge : rows[row].reason, "told");
			change_back();
			end(server);
		}
}

/* A dropped client stays so: its server's half is gone. */
Test(change, keeps_silent_about_what_it_dropped)
{
	enum change what;
	size_t way;

	for (what = BYPASS_ON; what < CHANGE_END; what++)
		for (way = 0; way < CLIENT_WAYS; way++) {
			struct packet packet = {};
			int server = client_connect(&fixture, &client_ways[way], &packet);

			set_action(&client_ways[way], EDGE426_ACTION_DROP);
			packet.payload = GET;
			client_expect(&fixture, &client_ways[way], &packet, DROPPED,
				      BECAUSE(dropped_http), "before");
			change(what, &client_ways[way]);
			client_expect(&fixture, &client_ways[way], &packet, DROPPED,
				      BECAUSE(absorbed), "after");
			change_back();
			end(server);
		}
}

/* A new connection is the kernel's by now. */
static void assert_syn_passes(int ipv6)
{
	struct packet syn = {.ipv6 = ipv6, .flags = "S", .client_port = 59999};

	cr_assert_eq(fixture_run(&fixture, &syn).verdict, XDP_PASS, "SYN");
}

/* Handshakes of the edge that are on their way when the edge is no longer asked. */
Test(change, hands_over_cookies_from_before)
{
	static const struct {
		enum change change;
		const char *payload;
		enum fate fate;
		enum edge426_reason reason;
	} rows[] = {
		{BYPASS_ON, HELLO, PASSED, BECAUSE(tls)},
		{BYPASS_ON, GET, PASSED, BECAUSE(bypassed)},
		{BYPASS_ON, SSH, PASSED, BECAUSE(other)},
		{MONITORS, HELLO, PASSED, BECAUSE(tls)},
		{MONITORS, GET, PASSED, BECAUSE(would_answer)},
		{ENDS, HELLO, PASSED, BECAUSE(tls)},
		{ENDS, GET, PASSED, BECAUSE(bypassed)},
		{ENDS, "G", PASSED, BECAUSE(bypassed)},
		{ENDS, SSH, PASSED, BECAUSE(other)},
		{GIVES_TO_BACKEND, HELLO, PASSED, BECAUSE(tls)},
		{GIVES_TO_BACKEND, SSH, PASSED, BECAUSE(other)},
		{GIVES_TO_BACKEND, GET, ANSWERED, BECAUSE(answered)},
		{GIVES_TO_BACKEND, "G", HELD, BECAUSE(held)},
	};
	size_t row, way;

	for (row = 0; row < ROWS(rows); row++)
		for (way = 4; way < CLIENT_WAYS; way++) {
			struct packet packet = {};

			client_connect(&fixture, &client_ways[way], &packet);
			change(rows[row].change, &client_ways[way]);
			assert_syn_passes(packet.ipv6);
			cr_assert_eq(fixture_run(&fixture, &packet).reason,
				     BECAUSE(handshake_ended));
			packet.payload = rows[row].payload;
			client_expect(&fixture, &client_ways[way], &packet, rows[row].fate,
				      rows[row].reason, "first data");
			change_back();
		}
}

/* A place that is not protected any more, and one that never was, count the same. */
static const struct {
	const char *name;
	struct packet packet;
} strangers[] = {
	{"a SYN", {.flags = "S"}},
	{"a SYN over IPv6", {.flags = "S", .ipv6 = 1}},
	{"a bare ACK", {.flags = "A"}},
	{"a FIN", {.flags = "FA"}},
	{"a RST", {.flags = "R"}},
	{"TLS", {.payload = HELLO}},
	{"SSH", {.payload = SSH}},
	{"GET", {.payload = GET}},
	{"GET over IPv6", {.payload = GET, .ipv6 = 1}},
	{"one letter", {.payload = "G"}},
};

static void assert_stranger(const struct packet *packet, enum edge426_reason reason,
			    const char *name)
{
	__u8 frame[PACKET_MAX];
	size_t len = packet_build(packet, frame);
	struct outcome outcome = fixture_run_octets(&fixture, frame, len);

	cr_assert_eq(outcome.reason, (int)reason, "%s: reason %d", name, outcome.reason);
	cr_assert_eq(outcome.verdict, XDP_PASS, "%s", name);
	cr_assert_not(outcome.has_meta, "%s", name);
	cr_assert_eq(outcome.len, len, "%s", name);
	cr_assert_arr_eq(outcome.frame, frame, len, "%s", name);
}

Test(change, that_had_a_service_is_not_protected)
{
	static const __u16 flags[] = {0, HAD_SERVICE, HAD_SERVICE | HAD_EDGE, HAD_EDGE};
	size_t i, row, way;

	for (i = 0; i < ROWS(flags); i++) {
		end_service(flags[i]);
		for (row = 0; row < ROWS(strangers); row++)
			assert_stranger(&strangers[row].packet, BECAUSE(not_protected),
					strangers[row].name);
		for (way = 0; way < 4; way++) {
			struct packet packet = {};
			int server;

			set_port(1, 0, 0);
			server = client_connect(&fixture, &client_ways[way], &packet);
			end_service(flags[i]);
			for (row = 4; row < ROWS(strangers); row++) {
				packet.payload = strangers[row].packet.payload;
				assert_stranger(&packet, BECAUSE(not_protected),
						strangers[row].name);
			}
			end(server);
		}
	}
}

/* Where no handshake of the edge's can be on its way to a source, its cookie is not asked. */
static void begin_strangers(int row)
{
	struct edge426_service service = fixture_service(EDGE426_HANDSHAKE_BACKEND);

	if (row == 0) {
		service.other = EDGE426_ACTION_RESET;
		fixture_set_service(&fixture, &service);
	} else if (row == 1) {
		end_service(HAD_SERVICE);
	} else {
		service.handshake = EDGE426_HANDSHAKE_EDGE;
		fixture_set_service(&fixture, &service);
		fixture_put_allow(&fixture, 0, "10.9.0.0/16", 0);
	}
}

/*
 * Half a cookie is 12 bits under two keys: of 20,000 packets without a socket,
 * a router's say, about ten have it by chance. None of them may be dropped.
 */
Test(change, drops_nothing_for_half_a_cookie_by_chance)
{
	static const char *const names[] = {"other: reset", "a service that has ended",
					    "a source in the allow list"};

	for (int row = 0; row < (int)ROWS(names); row++) {
		begin_strangers(row);
		for (__u32 i = 0; i < 20000; i++) {
			struct packet packet = {.client_port = 30000,
						.seq = 1000,
						.ack = i * 2654435761U,
						.payload = HELLO,
						.payload_len = 6};
			struct outcome outcome = fixture_run(&fixture, &packet);

			cr_assert_eq(outcome.verdict, XDP_PASS, "%s: ack %u, reason %d", names[row],
				     packet.ack, outcome.reason);
		}
	}
}
