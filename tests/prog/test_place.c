/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which policy a packet meets: by VLAN, address and port, in the half that
 * counts now; and what is left of a policy that has gone.
 */
#include <criterion/criterion.h>
#include <linux/bpf.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../bpf/classify.h"
#include "client.h"

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define GET_LEN ((__u32)sizeof(GET) - 1)
#define HELLO "\x16\x03\x01\x02\x01\x01"
#define SSH "SSH-2.0-x\r\n"
#define ROWS(table) (sizeof(table) / sizeof((table)[0]))
#define BECAUSE(reason) EDGE426_REASON_##reason
#define BY_VLAN EDGE426_PORT_BY_VLAN
#define BY_ADDRESS EDGE426_PORT_BY_ADDRESS
#define HAD_SERVICE EDGE426_PORT_HAD_SERVICE
#define HAD_EDGE EDGE426_PORT_HAD_EDGE
#define PLACE 443
#define OTHER_HALF_PLACE (EDGE426_PORTS + PLACE)

static struct fixture fixture;

static void open_fixture(void)
{
	fixture_open(&fixture);
}

static void close_fixture(void)
{
	fixture_close(&fixture);
}

TestSuite(place, .init = open_fixture, .fini = close_fixture, .timeout = 120);

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

/* Four services that a SYN tells apart: 1 answers it, 2 refuses it, 3 would, 4 leaves it. */
static const enum edge426_reason tells[] = {BECAUSE(not_protected), BECAUSE(syn_answered),
					    BECAUSE(reset_syn), BECAUSE(would_reset),
					    BECAUSE(no_data)};

static void set_services(void)
{
	struct edge426_service service = fixture_service(EDGE426_HANDSHAKE_EDGE);

	fixture_put_service(&fixture, 0, &service);
	service.action = EDGE426_ACTION_RESET_SYN;
	fixture_put_service(&fixture, 1, &service);
	service.mode = EDGE426_MODE_MONITOR;
	fixture_put_service(&fixture, 2, &service);
	service = fixture_service(EDGE426_HANDSHAKE_BACKEND);
	fixture_put_service(&fixture, 3, &service);
}

static void set_addresses(void)
{
	fixture_put_address(&fixture, 0, 0, 0, "10.9.0.0/16", 2);
	fixture_put_address(&fixture, 0, 0, 0, "10.9.0.1/32", 3);
	fixture_put_address(&fixture, 0, 0, 0, "fd00::/64", 2);
	fixture_put_address(&fixture, 0, 0, 0, "fd00::1/128", 3);
	fixture_put_address(&fixture, 0, 0, 100, "0.0.0.0/0", 4);
	fixture_put_address(&fixture, 0, 0, 100, "::/0", 4);
	fixture_put_address(&fixture, 0, 0, 200, "10.9.0.0/24", 2);
	fixture_put_address(&fixture, 0, 0, 200, "10.9.0.0/31", 4);
	fixture_put_address(&fixture, 0, 0, 300, "192.0.2.0/24", 2);
	fixture_put_address(&fixture, 0, 7, 0, "10.9.0.0/24", 2);
	fixture_put_address(&fixture, 0, 7, 100, "10.9.0.1/32", 3);
	fixture_put_address(&fixture, 1, 0, 0, "10.9.0.1/32", 2);
}

static const struct {
	const char *name;
	struct packet packet;
	__u16 service, flags, set;
	int found; /* as in `tells` */
} places[] = {
	{"no service", {0}, 0, 0, 0, 0},
	{"the port's", {0}, 1, 0, 0, 1},
	{"the port's, whatever the address", {.vlans = 1}, 1, 0, 0, 1},
	{"the port's, another set", {0}, 1, BY_ADDRESS, 3, 1},
	{"by address", {0}, 1, BY_ADDRESS, 0, 3},
	{"by address over IPv6", {.ipv6 = 1}, 1, BY_ADDRESS, 0, 3},
	{"by address, set 7", {0}, 1, BY_ADDRESS, 7, 2},
	{"by a shorter prefix", {.server = "10.9.0.77"}, 4, BY_ADDRESS, 0, 2},
	{"by no prefix", {.server = "10.8.0.77"}, 4, BY_ADDRESS, 0, 4},
	{"by no prefix over IPv6", {.ipv6 = 1, .server = "fd01::1"}, 4, BY_ADDRESS, 0, 4},
	{"by no prefix, no service", {.server = "10.8.0.7"}, 0, BY_ADDRESS, 0, 0},
	{"by VLAN before address", {.vlans = 1}, 1, BY_VLAN | BY_ADDRESS, 0, 4},
	{"by VLAN over IPv6", {.vlans = 1, .ipv6 = 1}, 1, BY_VLAN | BY_ADDRESS, 0, 4},
	{"by VLAN alone", {.vlans = 1}, 1, BY_VLAN, 0, 4},
	{"by VLAN, set 7", {.vlans = 1}, 1, BY_VLAN, 7, 3},
	{"by VLAN, set 7, another address",
	 {.vlans = 1, .server = "10.8.0.1"},
	 1,
	 BY_VLAN | BY_ADDRESS,
	 7,
	 1},
	{"not by VLAN, though there are entries", {.vlans = 1}, 1, BY_ADDRESS, 0, 3},
	{"by VLAN, untagged", {0}, 1, BY_VLAN, 0, 1},
	{"by VLAN, untagged, by address", {0}, 1, BY_VLAN | BY_ADDRESS, 0, 3},
	{"in a priority tag", {.vlans = 1, .priority_tag = 1}, 1, BY_VLAN | BY_ADDRESS, 0, 3},
	{"in another VLAN", {.vlans = 1, .vlan = 101}, 1, BY_VLAN, 0, 1},
	{"in another VLAN, by address", {.vlans = 1, .vlan = 101}, 1, BY_VLAN | BY_ADDRESS, 0, 3},
	{"in a VLAN without the address", {.vlans = 1, .vlan = 300}, 1, BY_VLAN, 0, 1},
	{"by VLAN, the longest prefix", {.vlans = 1, .vlan = 200}, 1, BY_VLAN, 0, 4},
	{"by VLAN, the shorter prefix",
	 {.vlans = 1, .vlan = 200, .server = "10.9.0.9"},
	 4,
	 BY_VLAN,
	 0,
	 2},
	{"by the outer tag", {.vlans = 2}, 1, BY_VLAN, 0, 4},
	{"not by the inner tag", {.vlans = 2, .vlan = 99}, 1, BY_VLAN, 0, 1},
	{"by the last VLAN id", {.vlans = 1, .vlan = 4094}, 1, BY_VLAN, 0, 1},
};

static void set_tag(__u32 tag)
{
	struct edge426_state state;

	fixture_read_state(&fixture, &state);
	state.tags[0] = tag;
	fixture_write_state(&fixture, &state);
}

static void find_places(const char *when)
{
	size_t row;

	for (row = 0; row < ROWS(places); row++) {
		struct packet syn = places[row].packet;
		struct outcome outcome;

		syn.flags = "S";
		set_port(places[row].service, places[row].flags, places[row].set);
		outcome = fixture_run(&fixture, &syn);
		cr_assert_eq(outcome.reason, (int)tells[places[row].found], "%s, %s: reason %d",
			     places[row].name, when, outcome.reason);
	}
}

Test(place, is_found_by_vlan_then_address_then_port)
{
	set_services();
	set_addresses();
	find_places("nothing remembered");
}

/* What is remembered is of one policy. */
Test(place, is_remembered_for_its_policy_alone)
{
	struct packet syn = {.flags = "S"};
	__u32 tag;
	int i;

	set_services();
	set_addresses();
	set_port(1, BY_ADDRESS, 0);
	for (tag = 5; tag < 8; tag++) {
		set_tag(tag);
		fixture_put_address(&fixture, 0, 0, 0, "10.9.0.1/32", 1 + tag % 3);
		for (i = 0; i < 3; i++)
			cr_assert_eq(fixture_run(&fixture, &syn).reason, tells[1 + tag % 3],
				     "tag %u", tag);
	}
}

/* Destinations that differ in one thing only are two, whichever comes first. */
Test(place, is_remembered_for_its_destination_alone)
{
	static const struct packet alike[] = {
		{.flags = "S"},
		{.flags = "S", .server = "10.9.0.77"},
		{.flags = "S", .server = "10.8.0.77"},
		{.flags = "S", .vlans = 1},
		{.flags = "S", .vlans = 1, .vlan = 200},
		{.flags = "S", .ipv6 = 1},
		{.flags = "S", .ipv6 = 1, .server = "::ffff:10.9.0.1"},
		{.flags = "S", .ipv6 = 1, .server = "fd00::77"},
	};
	int plain[ROWS(alike)], round;
	size_t i;

	set_services();
	set_addresses();
	set_port(4, BY_VLAN | BY_ADDRESS, 0);
	for (i = 0; i < ROWS(alike); i++)
		plain[i] = fixture_run(&fixture, &alike[i]).reason;
	cr_assert_neq(plain[0], plain[6], "the rows must differ");
	set_tag(9);
	for (round = 0; round < 3; round++)
		for (i = ROWS(alike); i-- > 0;)
			cr_assert_eq(fixture_run(&fixture, &alike[i]).reason, plain[i],
				     "row %zu in round %d", i, round);
}

Test(place, without_a_map_of_addresses_is_the_ports)
{
	struct packet syn = {.flags = "S", .vlans = 1};

	set_services();
	set_port(1, BY_VLAN | BY_ADDRESS, 0);
	cr_assert_eq(fixture_run(&fixture, &syn).reason, BECAUSE(syn_answered));
}

static __u64 boot_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (__u64)now.tv_sec * 1000000000 + (__u64)now.tv_nsec;
}

static void set_active(__u64 active)
{
	struct edge426_state state;

	fixture_read_state(&fixture, &state);
	state.active = active;
	fixture_write_state(&fixture, &state);
}

/* Half 0 answers, half 1 refuses. */
static void set_halves(void)
{
	struct edge426_service service = fixture_service(EDGE426_HANDSHAKE_EDGE);

	fixture_put_service(&fixture, 0, &service);
	fixture_put_port(&fixture, PLACE, &(struct edge426_port){.service = 1});
	service.action = EDGE426_ACTION_RESET_SYN;
	fixture_put_service(&fixture, EDGE426_SERVICE_SLOTS, &service);
	fixture_put_port(&fixture, OTHER_HALF_PLACE, &(struct edge426_port){.service = 1});
}

static void assert_half(int half, const char *name)
{
	struct outcome outcome = fixture_run(&fixture, &(struct packet){.flags = "S"});

	cr_assert_eq(outcome.reason, half ? BECAUSE(reset_syn) : BECAUSE(syn_answered),
		     "%s: reason %d", name, outcome.reason);
}

#define SOON 400000000u /* ns */

Test(place, is_of_the_half_that_counts_by_the_clock)
{
	__u64 past = (boot_ns() - SOON) & ~EDGE426_ACTIVE_HALF, soon;

	set_halves();
	set_active(0);
	assert_half(0, "half 0 for good");
	set_active(1);
	assert_half(1, "half 1 for good");
	set_active(past);
	assert_half(1, "half 0 not confirmed");
	set_active(past | 1);
	assert_half(0, "half 1 not confirmed");
	soon = (boot_ns() + SOON) & ~EDGE426_ACTIVE_HALF;
	set_active(soon | 1);
	assert_half(1, "half 1 until soon");
	usleep(SOON / 1000 + 50000);
	assert_half(0, "half 1, and it is over");
	set_active(1);
	assert_half(1, "half 1 confirmed late");
}

/* A flow goes on; what it is answered comes from the half that counts. */
Test(place, may_change_its_half_under_a_flow)
{
	struct packet packet = {};
	struct outcome outcome;

	client_connect(&fixture, &client_ways[4], &packet);
	set_halves();
	packet.payload = GET;
	outcome = client_expect(&fixture, &client_ways[4], &packet, ANSWERED, BECAUSE(answered),
				"half 0");
	cr_assert_eq(outcome.meta.answer, 0);
	set_active(1);
	outcome = client_expect(&fixture, &client_ways[4], &packet, ANSWERED,
				BECAUSE(answered_again), "half 1");
	cr_assert_eq(outcome.meta.answer, 1);
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

Test(place, drives_a_flow_to_its_end_whatever_the_policy_becomes)
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
Test(place, judges_a_held_flow_by_the_policy_of_its_end)
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
Test(place, keeps_silent_about_what_it_dropped)
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

/* Handshakes of the edge that are on their way when the edge is no longer asked. */
Test(place, hands_over_cookies_from_before)
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

Test(place, that_had_a_service_is_not_protected)
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

/* Maps that nobody has written to, and a port whose service nobody has. */
Test(place, of_no_policy_passes_everything)
{
	size_t row;

	fixture_reload(&fixture, 0);
	for (row = 0; row < ROWS(strangers); row++)
		assert_stranger(&strangers[row].packet, BECAUSE(not_protected),
				strangers[row].name);
	set_port(1, 0, 0);
	for (row = 0; row < ROWS(strangers); row++)
		cr_assert_eq(fixture_run(&fixture, &strangers[row].packet).verdict, XDP_PASS, "%s",
			     strangers[row].name);
}

Test(place, of_an_empty_service_passes_first_data)
{
	static const char *const payloads[] = {GET, "G", SSH, HELLO};
	size_t i;

	for (i = 0; i < ROWS(payloads); i++) {
		struct packet packet = {};
		int server = client_connect(&fixture, &client_ways[0], &packet);

		fixture_put_service(&fixture, 0, &(struct edge426_service){});
		packet.payload = payloads[i];
		cr_assert_eq(fixture_run(&fixture, &packet).verdict, XDP_PASS, "%s", payloads[i]);
		end(server);
	}
}

/* Keys of zeros are what a map holds that nobody wrote to: anybody could make cookies. */
Test(place, takes_no_cookie_when_no_secret_was_made)
{
	struct edge426_edge edge, zero = {};
	struct packet packet = {};

	fixture_read_edge(&fixture, &edge);
	memset(edge.key, 0, sizeof(edge.key));
	fixture_write_edge(&fixture, &edge);
	client_connect(&fixture, &client_ways[4], &packet);
	packet.payload = GET;
	fixture_write_edge(&fixture, &zero);
	cr_assert_eq(fixture_run(&fixture, &packet).reason, BECAUSE(no_socket));
	fixture_write_edge(&fixture, &edge);
	cr_assert_eq(fixture_run(&fixture, &packet).reason, BECAUSE(answered), "with a seed");
}

/* The copy of the program that asks nobody, but is told. */
static const struct {
	const char *name;
	struct packet packet;
	__u32 handshake;
	__u8 action, mode, percent;
	__u32 proof;
	enum edge426_reason reason;
	__u32 class, monitored;
} explained[] = {
	{"first",
	 {.payload = GET},
	 0,
	 0,
	 0,
	 100,
	 EDGE426_EXPLAIN_FIRST,
	 BECAUSE(answered),
	 1 + PAYLOAD_HTTP,
	 0},
	{"later",
	 {.payload = GET},
	 0,
	 0,
	 0,
	 100,
	 EDGE426_EXPLAIN_LATER,
	 BECAUSE(not_first),
	 1 + PAYLOAD_HTTP,
	 0},
	{"none",
	 {.payload = GET},
	 0,
	 0,
	 0,
	 100,
	 EDGE426_EXPLAIN_NONE,
	 BECAUSE(no_socket),
	 1 + PAYLOAD_HTTP,
	 0},
	{"first over IPv6",
	 {.ipv6 = 1, .payload = GET},
	 0,
	 0,
	 0,
	 100,
	 EDGE426_EXPLAIN_FIRST,
	 BECAUSE(answered),
	 1 + PAYLOAD_HTTP,
	 0},
	{"first, HEAD",
	 {.payload = "HEAD / HTTP/1.1"},
	 0,
	 0,
	 0,
	 100,
	 EDGE426_EXPLAIN_FIRST,
	 BECAUSE(answered),
	 1 + PAYLOAD_HTTP_HEAD,
	 0},
	{"first, one letter",
	 {.payload = "G"},
	 0,
	 0,
	 0,
	 100,
	 EDGE426_EXPLAIN_FIRST,
	 BECAUSE(held),
	 1 + PAYLOAD_NEED_MORE,
	 0},
	{"TLS",
	 {.payload = HELLO},
	 0,
	 0,
	 0,
	 100,
	 EDGE426_EXPLAIN_FIRST,
	 BECAUSE(tls),
	 1 + PAYLOAD_TLS,
	 0},
	{"SSH",
	 {.payload = SSH},
	 0,
	 0,
	 0,
	 100,
	 EDGE426_EXPLAIN_FIRST,
	 BECAUSE(other),
	 1 + PAYLOAD_OTHER,
	 0},
	{"reset",
	 {.payload = GET},
	 0,
	 EDGE426_ACTION_RESET,
	 0,
	 100,
	 EDGE426_EXPLAIN_FIRST,
	 BECAUSE(reset_http),
	 1 + PAYLOAD_HTTP,
	 0},
	{"monitor",
	 {.payload = GET},
	 0,
	 0,
	 EDGE426_MODE_MONITOR,
	 100,
	 EDGE426_EXPLAIN_FIRST,
	 BECAUSE(would_answer),
	 1 + PAYLOAD_HTTP,
	 1},
	{"nobody",
	 {.payload = GET},
	 0,
	 0,
	 0,
	 0,
	 EDGE426_EXPLAIN_FIRST,
	 BECAUSE(would_answer),
	 1 + PAYLOAD_HTTP,
	 1},
	{"monitor, TLS",
	 {.payload = HELLO},
	 0,
	 0,
	 EDGE426_MODE_MONITOR,
	 100,
	 EDGE426_EXPLAIN_FIRST,
	 BECAUSE(tls),
	 1 + PAYLOAD_TLS,
	 0},
	{"SYN", {.flags = "S"}, 0, 0, 0, 100, EDGE426_EXPLAIN_NONE, BECAUSE(no_data), 0, 0},
	{"edge: SYN",
	 {.flags = "S"},
	 EDGE426_HANDSHAKE_EDGE,
	 0,
	 0,
	 100,
	 EDGE426_EXPLAIN_NONE,
	 BECAUSE(syn_answered),
	 0,
	 0},
	{"edge: SYN to an address of elsewhere",
	 {.flags = "S", .server = "192.0.2.1"},
	 EDGE426_HANDSHAKE_EDGE,
	 0,
	 0,
	 100,
	 EDGE426_EXPLAIN_NONE,
	 BECAUSE(syn_answered),
	 0,
	 0},
	{"edge: SYN refused",
	 {.flags = "S", .server = "192.0.2.1"},
	 EDGE426_HANDSHAKE_EDGE,
	 EDGE426_ACTION_RESET_SYN,
	 0,
	 100,
	 EDGE426_EXPLAIN_NONE,
	 BECAUSE(reset_syn),
	 0,
	 0},
	{"edge: SYN monitored",
	 {.flags = "S"},
	 EDGE426_HANDSHAKE_EDGE,
	 0,
	 EDGE426_MODE_MONITOR,
	 100,
	 EDGE426_EXPLAIN_NONE,
	 BECAUSE(syn_to_backend),
	 0,
	 1},
	{"edge: first",
	 {.payload = GET},
	 EDGE426_HANDSHAKE_EDGE,
	 0,
	 0,
	 100,
	 EDGE426_EXPLAIN_FIRST,
	 BECAUSE(answered),
	 1 + PAYLOAD_HTTP,
	 0},
	{"edge: later",
	 {.payload = GET},
	 EDGE426_HANDSHAKE_EDGE,
	 0,
	 0,
	 100,
	 EDGE426_EXPLAIN_LATER,
	 BECAUSE(not_first),
	 1 + PAYLOAD_HTTP,
	 0},
	{"another port",
	 {.payload = GET, .server_port = 444},
	 0,
	 0,
	 0,
	 100,
	 EDGE426_EXPLAIN_FIRST,
	 BECAUSE(not_protected),
	 0,
	 0},
};

Test(place, explains_by_what_it_is_told)
{
	size_t row;

	for (row = 0; row < ROWS(explained); row++) {
		struct edge426_service service = fixture_service(explained[row].handshake);
		struct edge426_explain explain = {.proof = explained[row].proof};
		struct outcome outcome;

		fixture_reload(&fixture, 1);
		service.action = explained[row].action;
		service.mode = explained[row].mode;
		service.percent = explained[row].percent;
		fixture_put_service(&fixture, 8, &service);
		set_port(9, 0, 0);
		fixture_write_first(&fixture, "explain", &explain, sizeof(explain));
		outcome = fixture_run(&fixture, &explained[row].packet);
		fixture_read_first(&fixture, "explain", &explain, sizeof(explain));
		cr_assert_eq(outcome.reason, (int)explained[row].reason, "%s: reason %d",
			     explained[row].name, outcome.reason);
		cr_assert_eq(explain.class, explained[row].class, "%s: class", explained[row].name);
		cr_assert_eq(explain.monitored, explained[row].monitored, "%s: monitored",
			     explained[row].name);
		cr_assert_eq(explain.service, explained[row].packet.server_port ? 0 : 9,
			     "%s: service", explained[row].name);
	}
}
