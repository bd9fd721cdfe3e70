/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sources in the allow list: first data and SYNs of theirs pass, whatever the
 * policy wants, by the longest prefix and until its time is over. Each list is
 * tried as a trie and as a hash.
 */
#include <criterion/criterion.h>
#include <limits.h>
#include <linux/bpf.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client.h"

#define HELLO "\x16\x03\x01\x02\x01\x01"
#define SSH "SSH-2.0-x\r\n"
#define RESPOND EDGE426_ACTION_RESPOND
#define DROP EDGE426_ACTION_DROP
#define RST EDGE426_ACTION_RESET
#define RST_SYN EDGE426_ACTION_RESET_SYN
#define MONITOR EDGE426_MODE_MONITOR
#define BYPASS EDGE426_MODE_BYPASS

static struct fixture fixture;

static void open_fixture(void)
{
	fixture_open(&fixture);
}

static void close_fixture(void)
{
	fixture_close(&fixture);
}

TestSuite(allow, .init = open_fixture, .fini = close_fixture, .timeout = FIXTURE_TIMEOUT);

static void end(int server)
{
	if (server >= 0)
		close(server);
}

struct rule {
	__u8 action, other, mode;
};

static void set_rule(const struct rule *rule, __u32 handshake)
{
	struct edge426_service service = fixture_service(handshake);

	service.action = rule->action;
	service.other = rule->other ? rule->other : EDGE426_ACTION_PASS;
	service.mode = rule->mode;
	fixture_set_service(&fixture, &service);
}

#define HOUR 3600u

#define NOW INT_MIN

static __u64 until(int seconds)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return seconds ? (__u64)(now.tv_sec + (seconds == NOW ? 0 : seconds)) : 0;
}

/* As the responder's process notes it each second. */
static void set_wall_offset(void)
{
	struct timespec wall, boot;
	struct edge426_state state;

	clock_gettime(CLOCK_REALTIME, &wall);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	fixture_read_state(&fixture, &state);
	state.wall_offset =
		(__s64)(wall.tv_sec - boot.tv_sec) * 1000000000 + (wall.tv_nsec - boot.tv_nsec);
	fixture_write_state(&fixture, &state);
}

/* Prefixes with the seconds from now until which they count; 0: for good. */
struct entry {
	const char *prefix;
	int seconds;
};

static const struct {
	const char *name;
	struct entry entries[4];
	int allowed;
} lists[] = {
	{"no entry of its kind", {{"192.0.2.0/24", 0}}, 0},
	{"the very address", {{"10.9.0.2/32", 0}, {"fd00::2/128", 0}}, 1},
	{"the address beside it", {{"10.9.0.3/32", 0}, {"fd00::3/128", 0}}, 0},
	{"its network", {{"10.9.0.0/24", 0}, {"fd00::/64", 0}}, 1},
	{"half of its network", {{"10.9.0.128/25", 0}, {"fd00:0:0:0:8000::/65", 0}}, 0},
	{"all addresses", {{"0.0.0.0/0", 0}, {"::/0", 0}}, 1},
	{"for an hour yet", {{"10.9.0.2/32", HOUR}, {"fd00::2/128", HOUR}}, 1},
	{"until an hour ago", {{"10.9.0.2/32", -(int)HOUR}, {"fd00::2/128", -(int)HOUR}}, 0},
	{"until a second ago", {{"10.9.0.2/32", -1}, {"fd00::2/128", -1}}, 0},
	{"until this second", {{"10.9.0.2/32", NOW}, {"fd00::2/128", NOW}}, 0},
	{"the longest prefix, which is over",
	 {{"10.9.0.0/24", 0}, {"10.9.0.2/32", -1}, {"fd00::2/128", -1}},
	 0},
	{"the longest prefix, which counts",
	 {{"10.9.0.0/24", -1}, {"10.9.0.2/32", HOUR}, {"fd00::2/128", HOUR}},
	 1},
	{"the longest prefix of four lengths",
	 {{"0.0.0.0/0", 0}, {"10.0.0.0/8", 0}, {"10.9.0.0/30", -1}, {"fd00::/127", 0}},
	 0},
};

/* Where user space puts a list: one of few lengths into the hash. */
enum storage { IN_TRIE, IN_HASH, STORAGE_END };

static void drop_list(void)
{
	if (fixture.lists[FIXTURE_ALLOW][0])
		fixture_drop_list(&fixture, FIXTURE_ALLOW, 0);
	if (fixture.lists[FIXTURE_ALLOW_EXACT][0])
		fixture_drop_list(&fixture, FIXTURE_ALLOW_EXACT, 0);
}

static void set_list(size_t row, enum storage storage)
{
	size_t i;

	drop_list();
	for (i = 0; i < ROWS(lists[row].entries) && lists[row].entries[i].prefix; i++) {
		const struct entry *entry = &lists[row].entries[i];

		if (storage == IN_TRIE)
			fixture_put_allow(&fixture, 0, entry->prefix, until(entry->seconds));
		else
			fixture_put_allow_exact(&fixture, 0, entry->prefix, until(entry->seconds));
	}
}

static const struct {
	const char *payload;
	struct rule rule;
	enum fate fate;
	enum edge426_reason reason, allowed;
} asked[] = {
	{GET, {.action = RESPOND}, ANSWERED, BECAUSE(answered), BECAUSE(allowed)},
	{GET, {.action = RST}, RESET, BECAUSE(reset_http), BECAUSE(allowed)},
	{GET, {.action = DROP}, DROPPED, BECAUSE(dropped_http), BECAUSE(allowed)},
	{"G", {.action = RESPOND}, HELD, BECAUSE(held), BECAUSE(allowed)},
	{SSH, {.other = RST}, RESET, BECAUSE(reset_other), BECAUSE(allowed)},
	{SSH, {.action = RST}, PASSED, BECAUSE(other), BECAUSE(other)},
	{HELLO, {.action = RST}, PASSED, BECAUSE(tls), BECAUSE(tls)},
	{GET, {.mode = MONITOR}, PASSED, BECAUSE(would_answer), BECAUSE(allowed)},
	{GET, {.mode = BYPASS}, PASSED, BECAUSE(bypassed), BECAUSE(allowed)},
};

static void ask_list(size_t row, enum storage storage, const struct way *way, size_t i)
{
	int allowed = lists[row].allowed, server;
	struct packet packet = {};

	drop_list();
	server = client_connect(&fixture, way, &packet);
	set_list(row, storage);
	set_rule(&asked[i].rule, client_handshake(way));
	packet.payload = asked[i].payload;
	client_expect(&fixture, way, &packet, allowed ? PASSED : asked[i].fate,
		      allowed ? asked[i].allowed : asked[i].reason, lists[row].name);
	end(server);
}

Test(allow, passes_first_data_of_sources_in_the_allow_list)
{
	enum storage storage;
	size_t row, way, i;

	set_wall_offset();
	for (storage = IN_TRIE; storage < STORAGE_END; storage++)
		for (row = 0; row < ROWS(lists); row++)
			for (way = 0; way < CLIENT_WAYS; way++)
				for (i = 0; i < ROWS(asked); i++)
					ask_list(row, storage, &client_ways[way], i);
}

Test(allow, passes_syns_of_sources_in_the_allow_list_at_the_edge)
{
	static const struct rule rules[] = {{.action = RESPOND},
					    {.action = RST_SYN},
					    {.action = RST_SYN, .mode = MONITOR},
					    {.action = RESPOND, .mode = BYPASS}};
	struct packet syn = {.flags = "S", .seq = 7};
	size_t row, i;

	set_wall_offset();
	for (row = 0; row < ROWS(lists) * STORAGE_END; row++)
		for (i = 0; i < ROWS(rules); i++) {
			const char *name = lists[row / STORAGE_END].name;
			struct outcome outcome;

			set_list(row / STORAGE_END, row % STORAGE_END);
			set_rule(&rules[i], EDGE426_HANDSHAKE_EDGE);
			syn.ipv6 = !syn.ipv6;
			outcome = fixture_run(&fixture, &syn);
			cr_assert_eq(outcome.reason == BECAUSE(allowed),
				     lists[row / STORAGE_END].allowed, "%s", name);
		}
}

/* The list says who is let in, not who gets to the end of what has begun. */
Test(allow, asks_no_list_about_flows_that_it_has)
{
	size_t way;

	for (way = 0; way < CLIENT_WAYS; way++) {
		struct packet packet = {};
		int server = client_connect(&fixture, &client_ways[way], &packet);

		packet.payload = GET;
		cr_assert_eq(fixture_run(&fixture, &packet).reason, BECAUSE(answered));
		fixture_put_allow(&fixture, 0, "0.0.0.0/0", 0);
		fixture_put_allow(&fixture, 0, "::/0", 0);
		cr_assert_eq(fixture_run(&fixture, &packet).reason, BECAUSE(answered_again));
		fixture_drop_list(&fixture, FIXTURE_ALLOW, 0);
		end(server);
	}
}

/* Half 1 has a list, half 0 counts. */
Test(allow, asks_the_list_of_its_own_half)
{
	struct packet packet = {};
	int server = client_connect(&fixture, &client_ways[0], &packet);

	fixture_put_allow(&fixture, 1, "0.0.0.0/0", 0);
	packet.payload = GET;
	client_expect(&fixture, &client_ways[0], &packet, ANSWERED, BECAUSE(answered), "half 1");
	end(server);
}
