/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Policies into the kernel's maps and back: what each half holds afterwards,
 * which of them counts, and how a change that nobody confirms goes back. The
 * maps are those of the XDP program's object, which is never attached here.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "edge_xdp.skel.h"
#include "inner.h"
#include "store.h"

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))
#define HERE "eth0"
#define LATE_US 1200000 /* a second to confirm in, and some more */

#define WEB "services: [{name: web, port: 443}]\n"
#define EDGE "services: [{name: edge, port: 8443, handshake: edge}]\n"
#define NONE "services: []\n"

static struct edge_xdp *object;
static struct store store;

/* The maps of a program of our own, as they are when nobody has written to them. */
static void open_maps(void)
{
	struct failure failure = {0};
	int fd[LAYOUT_MAPS];

	object = edge_xdp__open_and_load();
	cr_assert_not_null(object, "load the XDP program: %s", strerror(errno));
	for (int map = 0; map < LAYOUT_MAPS; map++)
		fd[map] = bpf_object__find_map_fd_by_name(object->obj, layout_name(map));
	cr_assert_eq(store_adopt(fd, &store, &failure), 0, "%s", failure.text);
}

static void close_maps(void)
{
	store_close(&store);
	edge_xdp__destroy(object);
}

TestSuite(publish, .init = open_maps, .fini = close_maps, .timeout = 60);

static struct policy parse(const char *text)
{
	struct failure failure = {0};
	struct policy policy = {0};

	cr_assert_eq(policy_read_text("p", text, strlen(text), NULL, &policy, &failure), 0, "%s",
		     failure.text);
	return policy;
}

static int try_publish(const char *text, const struct publish_options *options,
		       struct failure *failure)
{
	struct policy policy = parse(text);
	int err = store_publish_policy(&store, &policy, options, failure);

	policy_free(&policy);
	return err;
}

static void publish_for(unsigned int confirm_seconds, const char *text)
{
	struct publish_options options = {.interface = HERE, .confirm_seconds = confirm_seconds};
	struct failure failure = {0};

	cr_assert_eq(try_publish(text, &options, &failure), 0, "%s", failure.text);
}

static void publish(const char *text)
{
	publish_for(0, text);
}

/* Of the half that counts. */
static const struct edge426_port *port_of(unsigned int port)
{
	return &store.ports[store_half(&store) * EDGE426_PORTS + port];
}

static const struct edge426_service *slot_of(unsigned int slot)
{
	return &store.services[store_half(&store) * EDGE426_SERVICE_SLOTS + slot];
}

/* -1 for no map there. */
static long count_entries(enum layout_map map, __u32 half)
{
	struct list list = {0};
	long len;
	__u32 id;

	if (bpf_map_lookup_elem(store.fd[map], &half, &id))
		return -1;
	cr_assert_eq(inner_read(store.fd[map], half, &list), 0);
	len = (long)list.len;
	list_free(&list);
	return len;
}

static void expect_running(const char *text, const char *name)
{
	struct policy wanted = parse(text), read = {0};
	struct failure failure = {0};
	char *texts[2] = {NULL, NULL};
	size_t len;

	cr_assert_eq(store_read_policy(&store, &read, &failure), 0, "%s: %s", name, failure.text);
	cr_assert_eq(policy_print_text(&wanted, &texts[0], &len, &failure), 0);
	cr_assert_eq(policy_print_text(&read, &texts[1], &len, &failure), 0);
	cr_expect_str_eq(texts[1], texts[0], "%s", name);
	cr_expect_eq(store.state->services, wanted.services_len, "%s", name);
	free(texts[0]);
	free(texts[1]);
	policy_free(&wanted);
	policy_free(&read);
}

/* ---------------------------------------------------------------- there and back */

static const struct {
	const char *name;
	const char *text;
	long addresses, allow, paths, hosts; /* entries; -1: no map */
} policies[] = {
	{"no service", NONE, -1, -1, -1, -1},
	{"a port", WEB, -1, -1, -1, -1},
	{"an address", "services: [{name: a, port: 443, address: 10.0.0.1}]\n", 1, -1, -1, -1},
	{"a VLAN", "services: [{name: a, port: 443, vlan: 5}]\n", 2, -1, -1, -1},
	{"another interface's", "services: [{name: a, port: 1, vlan: 5, interface: eth1}]\n", -1,
	 -1, -1, -1},
	{"a range within a range",
	 "services:\n  - {name: a, port: 1-65535, address: fd00::/8}\n"
	 "  - {name: b, port: 443, address: fd00::/8}\n",
	 2, -1, -1, -1},
	{"an allow list", NONE "allow: [10.0.0.0/8, fd00::1, 10.0.0.1, 0.0.0.0/0]\n", -1, 4, -1,
	 -1},
	{"allowed for a time", NONE "allow: [{address: 10.0.0.1, until: 2040-01-01T00:00:00Z}]\n",
	 -1, 1, -1, -1},
	{"exempt paths", "services: [{name: a, port: 80, exempt_paths: [/a, acme, /a/b]}]\n", -1,
	 -1, 3, -1},
	{"a path that its preset has, too",
	 "services: [{name: a, port: 80, exempt_paths: [/healthz, k8s-probe]}]\n", -1, -1, 3, -1},
	{"exempt hosts", "services: [{name: a, port: 80, exempt_hosts: [a.example, b.example]}]\n",
	 -1, -1, -1, 2},
	{"everything",
	 "services:\n"
	 "  - {name: a, port: 443, address: 10.0.0.0/8, vlan: 9, interface: eth0, handshake: "
	 "auto}\n"
	 "  - {name: b, port: 80, backend: none, action: drop, other: drop, mode: monitor}\n"
	 "  - {name: c, port: 8000-8999, percent: 5, limit: {rate: 7, burst: 9},\n"
	 "     exempt_paths: [acme], exempt_hosts: [a.example]}\n"
	 "allow: [fd00::/8]\n"
	 "answers: {default: {body: Use https:// please.}}\n",
	 1, 1, 1, 1},
};

static void expect_entries(size_t row)
{
	__u32 half = store_half(&store);
	const char *name = policies[row].name;

	cr_expect_eq(count_entries(LAYOUT_ADDRESSES, half), policies[row].addresses, "%s", name);
	cr_expect_eq(count_entries(LAYOUT_ALLOW, half), policies[row].allow, "%s", name);
	cr_expect_eq(count_entries(LAYOUT_ALLOW_EXACT, half), -1, "%s", name);
	cr_expect_eq(count_entries(LAYOUT_PATHS, half), policies[row].paths, "%s", name);
	cr_expect_eq(count_entries(LAYOUT_HOSTS, half), policies[row].hosts, "%s", name);
}

/* Each half gets each policy, so that nothing of the ones before may stay. */
Test(publish, gives_back_what_it_was_given)
{
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
			publish(policies[i].text);
			expect_running(policies[i].text, policies[i].name);
			expect_entries(i);
		}
		publish(NONE);
	}
}

Test(publish, leaves_the_half_that_counted_alone)
{
	__u32 half;

	publish("services: [{name: a, port: 443, address: 10.0.0.1}]\nallow: [10.0.0.0/8]\n");
	half = store_half(&store);
	publish(NONE);
	cr_expect_eq(store_half(&store), !half);
	cr_expect_eq(count_entries(LAYOUT_ADDRESSES, half), 1);
	cr_expect_eq(count_entries(LAYOUT_ALLOW, half), 1);
}

Test(publish, tells_the_packet_program_what_a_service_does)
{
	const struct edge426_service *slot;

	publish("services:\n"
		"  - {name: a, port: 1, handshake: edge, action: reset-syn, mode: monitor}\n"
		"  - {name: b, port: 2, limit: {rate: 3, burst: 5}}\n"
		"  - {name: c, port: 3, limit: {rate: 1000000, burst: 1}, exempt_paths: [/a]}\n"
		"  - {name: d, port: 4, exempt_hosts: [a.example], percent: 7}\n"
		"  - {name: e, port: 5, backend: none}\n");
	slot = slot_of(0);
	cr_expect(slot->action == EDGE426_ACTION_RESET_SYN && slot->other == EDGE426_ACTION_PASS &&
		  slot->mode == EDGE426_MODE_MONITOR && !slot->limit_every);
	slot = slot_of(1);
	cr_expect_eq(slot->limit_every, 333333333);
	cr_expect_eq(slot->limit_burst, 4 * 333333333ULL);
	cr_expect(slot->flags == 0 && slot->percent == 100 && slot->mode == EDGE426_MODE_ENFORCE);
	slot = slot_of(2);
	cr_expect(slot->limit_every == 1000 && slot->limit_burst == 0);
	cr_expect_eq(slot->flags, EDGE426_SERVICE_PATHS);
	cr_expect_eq(slot_of(3)->percent, 7);
	cr_expect_eq(slot_of(3)->flags, EDGE426_SERVICE_HOSTS);
	cr_expect_eq(slot_of(4)->flags, EDGE426_SERVICE_NO_BACKEND);
	cr_expect_eq(slot_of(4)->other, EDGE426_ACTION_RESET);
}

Test(publish, refuses_an_interface_that_it_cannot_compare)
{
	struct publish_options options = {0};
	struct failure failure = {0};

	cr_expect_eq(try_publish("services: [{name: a, port: 1, interface: eth1}]\n", &options,
				 &failure),
		     -EINVAL);
	cr_expect_eq(store.state->generation, 0);
	cr_expect_eq(try_publish(WEB, &options, &failure), 0, "%s", failure.text);
}

/* ---------------------------------------------------------------- what was there before */

static void expect_ended_slot(__u32 half)
{
	const struct edge426_service *slot =
		&store.services[half * EDGE426_SERVICE_SLOTS + EDGE426_SERVICE_ENDED];

	cr_expect(slot->handshake == EDGE426_HANDSHAKE_EDGE && slot->mode == EDGE426_MODE_BYPASS &&
		  slot->action == EDGE426_ACTION_PASS && slot->other == EDGE426_ACTION_PASS);
}

Test(publish, remembers_where_services_were)
{
	publish(WEB);
	cr_expect_eq(port_of(443)->flags, 0);
	publish(EDGE);
	cr_expect_eq(port_of(443)->flags, EDGE426_PORT_HAD_SERVICE);
	cr_expect_eq(port_of(8443)->flags, 0);
	expect_ended_slot(store_half(&store));
	publish(NONE);
	cr_expect_eq(port_of(443)->flags, EDGE426_PORT_HAD_SERVICE);
	cr_expect_eq(port_of(8443)->flags, EDGE426_PORT_HAD_SERVICE | EDGE426_PORT_HAD_EDGE);
	expect_ended_slot(store_half(&store));
}

/* Time alone may make it the one behind the new policy: nobody writes to it then. */
Test(publish, prepares_the_half_that_may_count_again)
{
	publish(WEB);
	publish_for(1, EDGE);
	usleep(LATE_US);
	cr_expect_eq(port_of(443)->service, 1);
	cr_expect_eq(port_of(8443)->service, 0);
	cr_expect_eq(port_of(8443)->flags, EDGE426_PORT_HAD_SERVICE | EDGE426_PORT_HAD_EDGE);
}

Test(publish, prepares_even_a_half_that_never_had_a_policy)
{
	publish_for(1, EDGE);
	usleep(LATE_US);
	cr_expect_eq(port_of(8443)->service, 0);
	cr_expect_eq(port_of(8443)->flags, EDGE426_PORT_HAD_SERVICE | EDGE426_PORT_HAD_EDGE);
	expect_ended_slot(store_half(&store));
}

Test(publish, carries_the_load_with_the_name)
{
	publish("services: [{name: a, port: 1}, {name: b, port: 2}, {name: c, port: 3}]\n");
	for (__u32 slot = 0; slot < 3; slot++)
		store.loads[store_half(&store) * EDGE426_SERVICE_SLOTS + slot].to_edge = slot + 10;
	publish("services: [{name: new, port: 1}, {name: c, port: 4}, {name: a, port: 2}]\n");
	for (__u32 slot = 0; slot < 4; slot++) {
		static const __u32 wanted[] = {0, 12, 10, 0};
		__u32 at = store_half(&store) * EDGE426_SERVICE_SLOTS + slot;

		cr_expect_eq(store.loads[at].to_edge, wanted[slot], "slot %u: %u", slot,
			     store.loads[at].to_edge);
	}
}

/* ---------------------------------------------------------------- confirmed or not */

Test(publish, counts_at_once_and_waits)
{
	publish(WEB);
	publish_for(60, EDGE);
	expect_running(EDGE, "waiting");
	cr_expect_eq(store_waits(&store), 60);
	cr_expect_not(store_settle(&store));
	cr_expect_eq(store.state->generation, 2);
}

Test(publish, stays_when_confirmed)
{
	struct failure failure = {0};

	publish(WEB);
	publish_for(1, EDGE);
	cr_assert_eq(store_confirm(&store, &failure), 0, "%s", failure.text);
	cr_expect_eq(store_waits(&store), 0);
	usleep(LATE_US);
	cr_expect_not(store_settle(&store));
	expect_running(EDGE, "confirmed");
	cr_expect_eq(store.state->generation, 2);
	cr_expect_eq(store_confirm(&store, &failure), -ENOENT);
	cr_expect_eq(store_roll_back(&store, &failure), -ENOENT);
}

Test(publish, goes_back_when_told_to)
{
	struct failure failure = {0};

	publish(WEB);
	publish_for(60, EDGE);
	cr_assert_eq(store_roll_back(&store, &failure), 0, "%s", failure.text);
	expect_running(WEB, "rolled back");
	cr_expect_eq(store.state->generation, 3);
	cr_expect_eq(store_waits(&store), 0);
	cr_expect_eq(store_roll_back(&store, &failure), -ENOENT);
}

Test(publish, goes_back_by_itself)
{
	struct failure failure = {0};
	__u32 half;

	publish(WEB);
	half = store_half(&store);
	publish_for(1, EDGE);
	usleep(LATE_US);
	cr_expect_eq(store_half(&store), half); /* without anybody having done a thing */
	cr_expect(store_is_overdue(&store));
	cr_expect_eq(store.state->generation, 2);
	cr_expect(store_settle(&store));
	cr_expect_not(store_settle(&store));
	cr_expect_not(store_is_overdue(&store));
	cr_expect_eq(store.state->generation, 3);
	cr_expect_eq(store.state->active, half);
	expect_running(WEB, "gone back");
	cr_expect_eq(store_confirm(&store, &failure), -ENOENT);
}

Test(publish, goes_back_to_no_policy)
{
	struct failure failure = {0};
	struct policy policy = {0};

	publish_for(60, WEB);
	cr_expect(store_has_policy(&store));
	cr_assert_eq(store_roll_back(&store, &failure), 0, "%s", failure.text);
	cr_expect_not(store_has_policy(&store));
	cr_expect_eq(store.state->services, 0);
	cr_expect_eq(store_read_policy(&store, &policy, &failure), -ENOENT);
	publish(EDGE);
	expect_running(EDGE, "after no policy");
}

Test(publish, is_refused_while_a_change_waits)
{
	struct publish_options options = {.interface = HERE};
	struct failure failure = {0};

	publish(WEB);
	publish_for(60, EDGE);
	cr_expect_eq(try_publish(NONE, &options, &failure), -EBUSY);
	cr_expect_not_null(strstr(failure.text, "edge426 policy confirm"), "%s", failure.text);
	expect_running(EDGE, "still waiting");
	cr_expect_gt(store_waits(&store), 55);
}

/* Then the one before the waiting change is what the new one follows. */
Test(publish, may_replace_a_change_that_waits)
{
	struct publish_options options = {.interface = HERE, .replaces_waiting = true};
	struct failure failure = {0};
	__u32 half;

	publish(WEB);
	half = store_half(&store);
	publish_for(60, EDGE);
	cr_assert_eq(try_publish(NONE, &options, &failure), 0, "%s", failure.text);
	cr_expect_eq(store_half(&store), !half);
	cr_expect_eq(store_waits(&store), 0);
	expect_running(NONE, "replaced");
	cr_expect_eq(port_of(8443)->flags, EDGE426_PORT_HAD_SERVICE | EDGE426_PORT_HAD_EDGE);
}

/* What time has already decided needs no confirmation, and no settling by hand. */
Test(publish, follows_the_policy_that_has_come_back)
{
	publish(WEB);
	publish_for(1, EDGE);
	usleep(LATE_US);
	publish(NONE);
	expect_running(NONE, "after one that went back");
	cr_expect_eq(store.state->generation, 4);
	cr_expect_eq(port_of(443)->flags, EDGE426_PORT_HAD_SERVICE);
}

Test(publish, keeps_the_distance_of_the_clocks)
{
	struct timespec real, boot;
	__s64 offset;

	store_settle(&store);
	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	offset = (real.tv_sec - boot.tv_sec) * 1000000000LL + real.tv_nsec - boot.tv_nsec;
	cr_expect_lt(llabs(offset - store.state->wall_offset), 1000000000LL);
}

/* ---------------------------------------------------------------- many */

#define MANY 100000

/* 4.0.0.0, 4.0.0.3, 4.0.0.6, … */
static struct policy many_allowed(void)
{
	struct policy policy = parse(WEB);
	struct allow *entries = calloc(MANY, sizeof(*entries));
	struct failure failure = {0};

	cr_assert_not_null(entries);
	for (__u32 i = 0; i < MANY; i++) {
		__u32 address = __builtin_bswap32(0x04000000 + 3 * i);

		entries[i].prefix = (struct prefix){.family = 4, .bits = 32};
		memcpy(entries[i].prefix.address, &address, sizeof(address));
		entries[i].until = i;
	}
	cr_assert_eq(policy_set_allow(&policy, entries, MANY, &failure), 0, "%s", failure.text);
	return policy;
}

Test(publish, takes_an_allow_list_of_100000)
{
	struct publish_options options = {.interface = HERE};
	struct policy policy = many_allowed(), read = {0};
	struct failure failure = {0};

	cr_assert_eq(store_publish_policy(&store, &policy, &options, &failure), 0, "%s",
		     failure.text);
	cr_assert_eq(store_read_policy(&store, &read, &failure), 0, "%s", failure.text);
	cr_assert_eq(read.allow_len, MANY);
	cr_expect(!memcmp(read.allow, policy.allow, MANY * sizeof(*policy.allow)));
	cr_expect_gt(count_entries(LAYOUT_ALLOW_EXACT, store_half(&store)), MANY / 2);
	policy_free(&read);
	cr_assert_eq(store_read_services(&store, &read, &failure), 0, "%s", failure.text);
	cr_expect_eq(read.allow_len, 0);
	policy_free(&read);
	policy_free(&policy);
	publish(NONE);
	publish(NONE);
	for (__u32 half = 0; half < 2; half++) {
		cr_expect_eq(count_entries(LAYOUT_ALLOW_EXACT, half), -1);
		cr_expect_eq(count_entries(LAYOUT_ALLOW, half), -1);
		cr_expect_eq(store.allow_lengths[2 * half].count, 0);
	}
}
