/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which policy a packet meets: by VLAN, address and port, in the half that
 * counts now.
 */
#include <criterion/criterion.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../bpf/classify.h"
#include "client.h"

#define SSH "SSH-2.0-x\r\n"
#define BY_VLAN EDGE426_PORT_BY_VLAN
#define BY_ADDRESS EDGE426_PORT_BY_ADDRESS
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

TestSuite(place, .init = open_fixture, .fini = close_fixture, .timeout = FIXTURE_TIMEOUT);

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

/* Side by side, as a server's addresses are: they must not drive each other out. */
Test(place, is_remembered_beside_its_neighbours)
{
	struct packet syn = {.flags = "S"};
	__u32 before, host;
	char server[32];

	set_services();
	set_addresses();
	set_port(1, BY_ADDRESS, 0);
	set_tag(3);
	syn.server = server;
	for (syn.ipv6 = 0; syn.ipv6 < 2; syn.ipv6++) {
		before = fixture_count_places(&fixture);
		for (host = 1; host <= 64; host++) {
			snprintf(server, sizeof(server), syn.ipv6 ? "fd00::%x" : "10.9.0.%u", host);
			fixture_run(&fixture, &syn);
		}
		/* Of 1,024 places: 62 on average. */
		cr_assert_gt(fixture_count_places(&fixture) - before, 48, "IPv%d",
			     syn.ipv6 ? 6 : 4);
	}
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
