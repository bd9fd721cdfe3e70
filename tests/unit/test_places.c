/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the places of services to the port table and the entries of `addresses`.
 * What a packet meets is looked up here as edge426/abi.h says it is in the
 * kernel, entry by entry, so that the rows say which service a packet has.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "places.h"
#include "text.h"

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))
#define SERVICES 8 /* of one row */
#define HERE "eth0"

/* A service by its place; all else is zero. */
struct place_row {
	unsigned int port, port_end;
	const char *address; /* NULL: any */
	const char *interface;
	unsigned int vlan;
};

#define RANGE(first, last, ...)                                                                    \
	{                                                                                          \
		.port = first, .port_end = last, __VA_ARGS__                                       \
	}
#define PORT(number, ...) RANGE(number, number, __VA_ARGS__)

static void add_service(struct policy *policy, const struct place_row *row)
{
	struct service *service = &policy->services[policy->services_len++];

	*service = (struct service){.port = (__u16)row->port,
				    .port_end = (__u16)row->port_end,
				    .vlan = (__u16)row->vlan};
	snprintf(service->name, sizeof(service->name), "s%zu", policy->services_len);
	if (row->interface)
		snprintf(service->interface, sizeof(service->interface), "%s", row->interface);
	if (row->address)
		cr_assert_eq(text_parse_prefix(row->address, &service->address), 0);
}

static bool matches(const struct edge426_address_key *key, const struct edge426_address_key *wanted)
{
	unsigned int bits = key->prefix_len - EDGE426_ADDRESS_BITS;
	unsigned int rest = bits % 8, octets = bits / 8;

	return key->set == wanted->set && key->vlan == wanted->vlan &&
	       key->family == wanted->family && !memcmp(key->address, wanted->address, octets) &&
	       (!rest || !((key->address[octets] ^ wanted->address[octets]) >> (8 - rest)));
}

/* As the trie does it: the longest prefix; 0 for none. */
static __u32 ask(const struct places *places, const struct edge426_address_key *wanted)
{
	__u32 found = 0, longest = 0;

	for (size_t i = 0; i < places->len; i++) {
		const struct edge426_address_key *key = &places->keys[i];

		if (key->prefix_len < EDGE426_ADDRESS_BITS || key->prefix_len < longest ||
		    !matches(key, wanted))
			continue;
		longest = key->prefix_len;
		found = places->slots[i];
	}
	return found;
}

/* 1 + slot of the packet's service; 0 for none. */
static __u32 look_up(const struct places *places, unsigned int port, const char *address,
		     unsigned int vlan)
{
	const struct edge426_port *entry = &places->ports[port];
	struct edge426_address_key wanted = {.set = entry->set};
	struct prefix prefix;
	__u32 found = 0;

	cr_assert_eq(text_parse_prefix(address, &prefix), 0);
	wanted.family = prefix.family;
	memcpy(wanted.address, prefix.address, sizeof(wanted.address));
	wanted.vlan = (__u16)vlan;
	if (entry->flags & EDGE426_PORT_BY_VLAN && vlan)
		found = ask(places, &wanted);
	wanted.vlan = 0;
	if (!found && entry->flags & EDGE426_PORT_BY_ADDRESS)
		found = ask(places, &wanted);
	return found ? found : entry->service;
}

/* Which service (from 1) has a packet to this port and address, under this VLAN. */
static const struct {
	const char *name;
	struct place_row services[SERVICES]; /* until one without a port */
	unsigned int port;
	const char *address;
	unsigned int vlan;
	__u32 service;
} packets[] = {
	{"no service", {PORT(0)}, 443, "10.0.0.1", 0, 0},
	{"a port", {PORT(443)}, 443, "10.0.0.1", 0, 1},
	{"a port over IPv6", {PORT(443)}, 443, "fd00::1", 0, 1},
	{"a port, tagged", {PORT(443)}, 443, "10.0.0.1", 7, 1},
	{"another port", {PORT(443)}, 444, "10.0.0.1", 0, 0},
	{"the lowest port", {PORT(1)}, 1, "10.0.0.1", 0, 1},
	{"the highest port", {PORT(65535)}, 65535, "10.0.0.1", 0, 1},
	{"all ports: the first", {RANGE(1, 65535)}, 1, "10.0.0.1", 0, 1},
	{"all ports: the last", {RANGE(1, 65535)}, 65535, "10.0.0.1", 0, 1},
	{"port 0 is nobody's", {RANGE(1, 65535)}, 0, "10.0.0.1", 0, 0},
	{"the first of a range", {RANGE(8000, 8099)}, 8000, "10.0.0.1", 0, 1},
	{"the last of a range", {RANGE(8000, 8099)}, 8099, "10.0.0.1", 0, 1},
	{"before a range", {RANGE(8000, 8099)}, 7999, "10.0.0.1", 0, 0},
	{"behind a range", {RANGE(8000, 8099)}, 8100, "10.0.0.1", 0, 0},
	{"a port within a range", {RANGE(8000, 8099), PORT(8050)}, 8050, "10.0.0.1", 0, 2},
	{"the same, in another order", {PORT(8050), RANGE(8000, 8099)}, 8050, "10.0.0.1", 0, 1},
	{"a range behind a port within", {RANGE(8000, 8099), PORT(8050)}, 8051, "10.0.0.1", 0, 1},
	{"a range within a range", {RANGE(1, 65535), RANGE(8000, 8099)}, 8099, "10.0.0.1", 0, 2},
	{"ranges that touch", {RANGE(1, 99), RANGE(100, 200)}, 100, "10.0.0.1", 0, 2},
	{"a range that ends where all do",
	 {RANGE(1, 65535), RANGE(65000, 65535)},
	 65535,
	 "10.0.0.1",
	 0,
	 2},
	{"its address", {PORT(443, .address = "10.0.0.1")}, 443, "10.0.0.1", 0, 1},
	{"another address", {PORT(443, .address = "10.0.0.1")}, 443, "10.0.0.2", 0, 0},
	{"its prefix", {PORT(443, .address = "10.0.0.0/9")}, 443, "10.127.0.2", 0, 1},
	{"beyond its prefix", {PORT(443, .address = "10.0.0.0/9")}, 443, "10.128.0.2", 0, 0},
	{"its IPv6 prefix", {PORT(443, .address = "fd00::/8")}, 443, "fdff::1", 0, 1},
	{"the longest prefix",
	 {PORT(443, .address = "10.0.0.0/8"), PORT(443, .address = "10.1.0.0/16")},
	 443,
	 "10.1.2.3",
	 0,
	 2},
	{"the longest prefix, in a range of more ports",
	 {PORT(443, .address = "10.0.0.0/8"), RANGE(1, 65535, .address = "10.1.0.0/16")},
	 443,
	 "10.1.2.3",
	 0,
	 2},
	{"an address before any",
	 {PORT(443), PORT(443, .address = "10.0.0.1")},
	 443,
	 "10.0.0.1",
	 0,
	 2},
	{"an address of many ports before any of one",
	 {PORT(443), RANGE(1, 65535, .address = "10.0.0.1")},
	 443,
	 "10.0.0.1",
	 0,
	 2},
	{"any beside an address",
	 {PORT(443), PORT(443, .address = "10.0.0.1")},
	 443,
	 "10.0.0.2",
	 0,
	 1},
	{"any beside an address of the other family",
	 {PORT(443), PORT(443, .address = "10.0.0.1")},
	 443,
	 "fd00::1",
	 0,
	 1},
	{"an address at the next port", {PORT(443, .address = "10.0.0.1")}, 444, "10.0.0.1", 0, 0},
	{"an address, tagged", {PORT(443, .address = "10.0.0.1")}, 443, "10.0.0.1", 7, 1},
	{"an address: fewer ports",
	 {RANGE(1, 65535, .address = "10.0.0.1"), PORT(443, .address = "10.0.0.1")},
	 443,
	 "10.0.0.1",
	 0,
	 2},
	{"an address: around the fewer ports",
	 {RANGE(1, 65535, .address = "10.0.0.1"), PORT(443, .address = "10.0.0.1")},
	 444,
	 "10.0.0.1",
	 0,
	 1},
	{"its VLAN", {PORT(443, .vlan = 7)}, 443, "10.0.0.1", 7, 1},
	{"its VLAN, IPv6", {PORT(443, .vlan = 7)}, 443, "fd00::1", 7, 1},
	{"another VLAN", {PORT(443, .vlan = 7)}, 443, "10.0.0.1", 8, 0},
	{"a VLAN, untagged", {PORT(443, .vlan = 7)}, 443, "10.0.0.1", 0, 0},
	{"a VLAN before any", {PORT(443), PORT(443, .vlan = 7)}, 443, "10.0.0.1", 7, 2},
	{"any beside a VLAN", {PORT(443), PORT(443, .vlan = 7)}, 443, "10.0.0.1", 8, 1},
	{"a VLAN before an address",
	 {PORT(443, .address = "10.0.0.1"), PORT(443, .vlan = 7)},
	 443,
	 "10.0.0.1",
	 7,
	 2},
	{"an address, of another VLAN",
	 {PORT(443, .address = "10.0.0.1"), PORT(443, .vlan = 7)},
	 443,
	 "10.0.0.1",
	 8,
	 1},
	{"a VLAN's longest prefix",
	 {PORT(443, .vlan = 7), PORT(443, .address = "10.0.0.0/8", .vlan = 7)},
	 443,
	 "10.0.0.1",
	 7,
	 2},
	{"a VLAN's address, at another address",
	 {PORT(443), PORT(443, .address = "10.0.0.1", .vlan = 7)},
	 443,
	 "10.0.0.2",
	 7,
	 1},
	{"this interface", {PORT(443, .interface = HERE)}, 443, "10.0.0.1", 0, 1},
	{"another interface", {PORT(443, .interface = "eth1")}, 443, "10.0.0.1", 0, 0},
	{"an interface whose name begins the same",
	 {PORT(443, .interface = "eth")},
	 443,
	 "10.0.0.1",
	 0,
	 0},
	{"this interface before all",
	 {PORT(443), PORT(443, .interface = HERE)},
	 443,
	 "10.0.0.1",
	 0,
	 2},
	{"this interface before fewer ports",
	 {PORT(443), RANGE(1, 65535, .interface = HERE)},
	 443,
	 "10.0.0.1",
	 0,
	 2},
	{"another interface beside all",
	 {PORT(443), PORT(443, .interface = "eth1")},
	 443,
	 "10.0.0.1",
	 0,
	 1},
	{"an address before this interface",
	 {PORT(443, .interface = HERE), PORT(443, .address = "10.0.0.1")},
	 443,
	 "10.0.0.1",
	 0,
	 2},
	{"this interface's address before all interfaces' address",
	 {PORT(443, .address = "10.0.0.1"), PORT(443, .address = "10.0.0.1", .interface = HERE)},
	 443,
	 "10.0.0.1",
	 0,
	 2},
	{"the slot counts services of other interfaces, too",
	 {PORT(443, .interface = "eth1"), PORT(444, .interface = "eth2"), PORT(443)},
	 443,
	 "10.0.0.1",
	 0,
	 3},
};

static void build(struct policy *policy, struct places *places)
{
	struct failure failure = {0};

	cr_assert_eq(places_build(policy, HERE, places, &failure), 0, "%s", failure.text);
}

Test(places, give_a_packet_its_service)
{
	for (size_t i = 0; i < ARRAY_LEN(packets); i++) {
		struct service services[SERVICES];
		struct policy policy = {.services = services};
		struct places places = {0};
		__u32 found;

		for (size_t j = 0; j < SERVICES && packets[i].services[j].port; j++)
			add_service(&policy, &packets[i].services[j]);
		build(&policy, &places);
		found = look_up(&places, packets[i].port, packets[i].address, packets[i].vlan);
		cr_expect_eq(found, packets[i].service, "%s: %u", packets[i].name, found);
		places_free(&places);
	}
}

/* What a row costs: sets and entries, and what the packet program is told to ask. */
static const struct {
	const char *name;
	struct place_row services[SERVICES];
	unsigned int port;
	unsigned int flags;
	size_t entries;
	unsigned int last_port; /* has the same set as `port`, when not 0 */
} costs[] = {
	{"a port asks nothing", {PORT(443)}, 443, 0, 0, 0},
	{"a range asks nothing", {RANGE(1, 65535), PORT(443)}, 443, 0, 0, 0},
	{"an address is one entry",
	 {PORT(443, .address = "10.0.0.1")},
	 443,
	 EDGE426_PORT_BY_ADDRESS,
	 1,
	 0},
	{"of any number of ports",
	 {RANGE(1, 65535, .address = "10.0.0.1")},
	 443,
	 EDGE426_PORT_BY_ADDRESS,
	 1,
	 65535},
	{"a VLAN is one of each family", {PORT(443, .vlan = 7)}, 443, EDGE426_PORT_BY_VLAN, 2, 0},
	{"both",
	 {PORT(443, .address = "10.0.0.1"), PORT(443, .address = "fd00::1", .vlan = 7)},
	 443,
	 EDGE426_PORT_BY_ADDRESS | EDGE426_PORT_BY_VLAN,
	 2,
	 0},
	{"another interface costs nothing",
	 {PORT(443, .address = "10.0.0.1", .interface = "eth1")},
	 443,
	 0,
	 0,
	 0},
	{"one that never wins costs nothing",
	 {RANGE(1, 65535, .address = "10.0.0.1", .interface = HERE),
	  PORT(443, .address = "10.0.0.1")},
	 443,
	 EDGE426_PORT_BY_ADDRESS,
	 1,
	 65535},
	{"any within an address's range is no new set",
	 {RANGE(1, 65535, .address = "10.0.0.1"), PORT(443)},
	 443,
	 EDGE426_PORT_BY_ADDRESS,
	 1,
	 65535},
	{"a set is found again behind another",
	 {RANGE(1, 65535, .address = "10.0.0.1"), PORT(443, .address = "10.0.0.1")},
	 442,
	 EDGE426_PORT_BY_ADDRESS,
	 2,
	 444},
	{"each port its own address",
	 {PORT(443, .address = "10.0.0.1"), PORT(444, .address = "10.0.0.1")},
	 443,
	 EDGE426_PORT_BY_ADDRESS,
	 2,
	 0},
};

Test(places, cost_no_more_than_they_need)
{
	for (size_t i = 0; i < ARRAY_LEN(costs); i++) {
		struct service services[SERVICES];
		struct policy policy = {.services = services};
		struct places places = {0};
		const struct edge426_port *port;

		for (size_t j = 0; j < SERVICES && costs[i].services[j].port; j++)
			add_service(&policy, &costs[i].services[j]);
		build(&policy, &places);
		port = &places.ports[costs[i].port];
		cr_expect_eq(port->flags, costs[i].flags, "%s: flags %x", costs[i].name,
			     port->flags);
		cr_expect_eq(places.len, costs[i].entries, "%s: %zu entries", costs[i].name,
			     places.len);
		cr_expect_eq(port->set != 0, costs[i].flags != 0, "%s: set %u", costs[i].name,
			     port->set);
		if (costs[i].last_port)
			cr_expect_eq(port->set, places.ports[costs[i].last_port].set, "%s",
				     costs[i].name);
		places_free(&places);
	}
}

Test(places, want_to_know_the_interface)
{
	struct service services[SERVICES];
	struct policy policy = {.services = services};
	struct places places = {0};
	struct failure failure = {0};

	add_service(&policy, &(struct place_row)PORT(443));
	cr_expect_eq(places_build(&policy, NULL, &places, &failure), 0);
	places_free(&places);
	add_service(&policy, &(struct place_row)PORT(444, .interface = "eth7"));
	cr_expect_eq(places_build(&policy, NULL, &places, &failure), -EINVAL);
	cr_expect_not_null(strstr(failure.text, "'s2' is for interface 'eth7'"), "%s",
			   failure.text);
	cr_expect_null(places.ports);
	cr_expect_eq(places_build(&policy, "", &places, &failure), 0);
	cr_expect_eq(places.ports[444].service, 0);
	places_free(&places);
}

/* A policy of so many services, to be freed by hand. */
static struct policy many(void)
{
	struct policy policy = {.services = calloc(EDGE426_SERVICES_MAX, sizeof(struct service))};

	cr_assert_not_null(policy.services);
	return policy;
}

/* Addresses 10.0.0.1, 10.0.0.2, … */
static void add_many(struct policy *policy, size_t count, unsigned int port, unsigned int port_end,
		     const char *interface)
{
	for (size_t i = 0; i < count; i++) {
		char address[32];

		snprintf(address, sizeof(address), "10.0.%zu.%zu", i / 256, i % 256);
		add_service(policy, &(struct place_row)RANGE(port, port_end, .address = address,
							     .interface = interface));
	}
}

static double milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1000 + (double)now.tv_nsec / 1000000;
}

/* Sanitized, and on a slow machine: it is the growth with the square that must not be. */
#define MANY_MILLISECONDS 500

static void expect_many(struct policy *policy, const char *name, size_t entries)
{
	struct places places = {0};
	double start = milliseconds();

	build(policy, &places);
	cr_expect_lt(milliseconds() - start, MANY_MILLISECONDS, "%s: %.0f ms", name,
		     milliseconds() - start);
	cr_expect_eq(places.len, entries, "%s: %zu entries", name, places.len);
	places_free(&places);
	free(policy->services);
}

Test(places, of_4095_services_are_quickly_found)
{
	struct policy ports = many(), one = many(), wide = many(), losing = many();

	for (unsigned int i = 0; i < EDGE426_SERVICES_MAX; i++)
		add_service(&ports, &(struct place_row)PORT(1000 + i));
	expect_many(&ports, "each a port", 0);
	for (unsigned int i = 0; i < EDGE426_SERVICES_MAX; i++)
		add_service(&one, &(struct place_row)PORT(1000 + i, .address = "10.0.0.1"));
	expect_many(&one, "each a port of one address", EDGE426_SERVICES_MAX);
	add_many(&wide, EDGE426_SERVICES_MAX, 1, 65535, NULL);
	expect_many(&wide, "each an address of all ports", EDGE426_SERVICES_MAX);
	add_many(&losing, 2000, 1, 65535, HERE);
	for (unsigned int i = 0; i < 2000; i++)
		add_service(&losing, &(struct place_row)PORT(1000 + 2 * i, .address = "10.0.0.1"));
	expect_many(&losing, "many boundaries within wide ranges", 2000);
}

Test(places, that_are_too_many_entries_are_refused)
{
	struct policy policy = many();
	struct places places = {0};
	struct failure failure = {0};

	add_many(&policy, 1024, 1, 65535, NULL);
	for (unsigned int i = 0; i < 63; i++)
		add_service(&policy, &(struct place_row)PORT(1000 + 2 * i, .address = "10.0.0.0"));
	build(&policy, &places);
	cr_expect_eq(places.len, EDGE426_ADDRESSES_MAX);
	places_free(&places);
	add_service(&policy, &(struct place_row)PORT(3000, .address = "10.0.0.0"));
	cr_expect_eq(places_build(&policy, HERE, &places, &failure), -ENOSPC);
	cr_expect_not_null(strstr(failure.text, "fewer of their ranges of ports overlap"), "%s",
			   failure.text);
	cr_expect_null(places.ports);
	free(policy.services);
}

#define HAD_BOTH (EDGE426_PORT_HAD_SERVICE | EDGE426_PORT_HAD_EDGE)

/* What a port hands on to the next policy: its entry, under services of the handshakes given. */
static const struct {
	const char *name;
	struct edge426_port port;
	__u32 handshake;
	bool is_known; /* the policy could be read */
	__u16 flags;
} heirs[] = {
	{"nothing", {.service = 0}, EDGE426_HANDSHAKE_EDGE, true, 0},
	{"nothing, of a policy that is not known",
	 {.service = 0},
	 EDGE426_HANDSHAKE_EDGE,
	 false,
	 0},
	{"a service", {.service = 1}, EDGE426_HANDSHAKE_BACKEND, true, EDGE426_PORT_HAD_SERVICE},
	{"a service at the edge", {.service = 1}, EDGE426_HANDSHAKE_EDGE, true, HAD_BOTH},
	{"a service at the edge at times", {.service = 1}, EDGE426_HANDSHAKE_AUTO, true, HAD_BOTH},
	{"a service not known", {.service = 1}, EDGE426_HANDSHAKE_BACKEND, false, HAD_BOTH},
	{"a service that is none",
	 {.service = 9},
	 EDGE426_HANDSHAKE_EDGE,
	 true,
	 EDGE426_PORT_HAD_SERVICE},
	{"by address",
	 {.flags = EDGE426_PORT_BY_ADDRESS},
	 EDGE426_HANDSHAKE_BACKEND,
	 true,
	 EDGE426_PORT_HAD_SERVICE},
	{"by address, at the edge",
	 {.flags = EDGE426_PORT_BY_ADDRESS},
	 EDGE426_HANDSHAKE_EDGE,
	 true,
	 HAD_BOTH},
	{"by VLAN, at the edge",
	 {.flags = EDGE426_PORT_BY_VLAN},
	 EDGE426_HANDSHAKE_AUTO,
	 true,
	 HAD_BOTH},
	{"by VLAN, not known",
	 {.flags = EDGE426_PORT_BY_VLAN},
	 EDGE426_HANDSHAKE_BACKEND,
	 false,
	 HAD_BOTH},
	{"what it has inherited",
	 {.flags = EDGE426_PORT_HAD_SERVICE},
	 EDGE426_HANDSHAKE_EDGE,
	 true,
	 EDGE426_PORT_HAD_SERVICE},
	{"both that it has inherited",
	 {.flags = HAD_BOTH},
	 EDGE426_HANDSHAKE_BACKEND,
	 true,
	 HAD_BOTH},
};

Test(places, hand_on_what_was_there)
{
	static struct edge426_port before[EDGE426_PORTS], after[EDGE426_PORTS];

	for (size_t i = 0; i < ARRAY_LEN(heirs); i++) {
		struct service service = {
			.port = 443, .port_end = 450, .handshake = heirs[i].handshake};
		struct policy policy = {.services = &service, .services_len = 1};

		memset(after, 0, sizeof(after));
		before[450] = heirs[i].port;
		after[450] = (struct edge426_port){.service = 3, .set = 2};
		places_inherit(after, before, heirs[i].is_known ? &policy : NULL);
		cr_expect_eq(after[450].flags, heirs[i].flags, "%s: %x", heirs[i].name,
			     after[450].flags);
		cr_expect(after[450].service == 3 && after[450].set == 2, "%s", heirs[i].name);
		cr_expect_eq(after[449].flags, 0, "%s: the port before", heirs[i].name);
	}
}

/* A service at the edge counts at its own ports only. */
Test(places, hand_on_the_edge_where_it_was)
{
	static struct edge426_port before[EDGE426_PORTS], after[EDGE426_PORTS];
	struct service services[] = {
		{.port = 100, .port_end = 199, .handshake = EDGE426_HANDSHAKE_EDGE},
		{.port = 1, .port_end = 65535, .handshake = EDGE426_HANDSHAKE_BACKEND},
		{.port = 150, .port_end = 65535, .handshake = EDGE426_HANDSHAKE_AUTO},
		{.port = 1, .port_end = 1, .handshake = EDGE426_HANDSHAKE_AUTO},
	};
	struct policy policy = {.services = services, .services_len = ARRAY_LEN(services)};

	for (size_t port = 0; port < EDGE426_PORTS; port++)
		before[port].flags = EDGE426_PORT_BY_ADDRESS;
	places_inherit(after, before, &policy);
	for (size_t port = 0; port < EDGE426_PORTS; port++) {
		bool wanted = port == 1 || port >= 100;

		cr_assert_eq(after[port].flags, wanted ? HAD_BOTH : EDGE426_PORT_HAD_SERVICE,
			     "port %zu: %x", port, after[port].flags);
	}
}
