/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the policy does with first data and with SYNs, over every way in which
 * a connection can come to be: actions, `other`, modes, percent, bypass.
 */
#include <criterion/criterion.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../bpf/source.h"
#include "client.h"

#define HELLO "\x16\x03\x01\x02\x01\x01"
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

TestSuite(policy, .init = open_fixture, .fini = close_fixture, .timeout = FIXTURE_TIMEOUT);

static void end(int server)
{
	if (server >= 0)
		close(server);
}

static void set_bypass(__u32 bypass)
{
	struct edge426_state state;

	fixture_read_state(&fixture, &state);
	state.bypass = bypass;
	fixture_write_state(&fixture, &state);
}

struct rule {
	__u8 action, other, mode;
	__u8 share; /* percent less 100, so that no word means all */
	__u8 bypass;
};

static void set_rule(const struct rule *rule, __u32 handshake)
{
	struct edge426_service service = fixture_service(handshake);

	service.action = rule->action;
	service.other = rule->other ? rule->other : EDGE426_ACTION_PASS;
	service.mode = rule->mode;
	service.percent = (__u8)(100 + rule->share);
	fixture_set_service(&fixture, &service);
	set_bypass(rule->bypass);
}

#define NOBODY ((__u8)-100) /* of all sources: percent 0 */
#define RESPOND EDGE426_ACTION_RESPOND
#define DROP EDGE426_ACTION_DROP
#define PASS EDGE426_ACTION_PASS
#define RST EDGE426_ACTION_RESET
#define RST_SYN EDGE426_ACTION_RESET_SYN
#define MONITOR EDGE426_MODE_MONITOR
#define BYPASS EDGE426_MODE_BYPASS

static const struct {
	const char *name;
	const char *payload;
	struct rule rule;
	enum fate fate;
	enum edge426_reason reason;
	const char *flags;
} judged[] = {
	{"respond: GET", GET, {.action = RESPOND}, ANSWERED, BECAUSE(answered), NULL},
	{"respond: GET and FIN", GET, {.action = RESPOND}, ANSWERED, BECAUSE(answered), "FPA"},
	{"respond: TLS", HELLO, {.action = RESPOND}, PASSED, BECAUSE(tls), NULL},
	{"respond: SSH", SSH, {.action = RESPOND}, PASSED, BECAUSE(other), NULL},
	{"respond: one letter", "G", {.action = RESPOND}, HELD, BECAUSE(held), NULL},
	{"respond: one letter and FIN", "G", {.action = RESPOND}, PASSED, BECAUSE(let_go), "FPA"},
	{"reset: GET", GET, {.action = RST}, RESET, BECAUSE(reset_http), NULL},
	{"reset: HEAD", "HEAD / HTTP/1.1\r\n", {.action = RST}, RESET, BECAUSE(reset_http), NULL},
	{"reset: GET and FIN", GET, {.action = RST}, RESET, BECAUSE(reset_http), "FPA"},
	{"reset: TLS", HELLO, {.action = RST}, PASSED, BECAUSE(tls), NULL},
	{"reset: SSH", SSH, {.action = RST}, PASSED, BECAUSE(other), NULL},
	{"reset: one letter", "G", {.action = RST}, HELD, BECAUSE(held), NULL},
	{"reset-syn: GET of a connection from before",
	 GET,
	 {.action = RST_SYN},
	 RESET,
	 BECAUSE(reset_http),
	 NULL},
	{"drop: GET", GET, {.action = DROP}, DROPPED, BECAUSE(dropped_http), NULL},
	{"drop: GET and FIN", GET, {.action = DROP}, DROPPED, BECAUSE(dropped_http), "FPA"},
	{"drop: TLS", HELLO, {.action = DROP}, PASSED, BECAUSE(tls), NULL},
	{"drop: SSH", SSH, {.action = DROP}, PASSED, BECAUSE(other), NULL},
	{"drop: one letter", "G", {.action = DROP}, HELD, BECAUSE(held), NULL},
	{"pass: GET", GET, {.action = PASS}, PASSED, BECAUSE(action_pass), NULL},
	{"pass: TLS", HELLO, {.action = PASS}, PASSED, BECAUSE(tls), NULL},
	{"pass: one letter, whatever it becomes",
	 "G",
	 {.action = PASS},
	 PASSED,
	 BECAUSE(action_pass),
	 NULL},
	{"pass, other reset: GET",
	 GET,
	 {.action = PASS, .other = RST},
	 PASSED,
	 BECAUSE(action_pass),
	 NULL},
	{"pass, other reset: SSH",
	 SSH,
	 {.action = PASS, .other = RST},
	 RESET,
	 BECAUSE(reset_other),
	 NULL},
	{"pass, other reset: one letter",
	 "S",
	 {.action = PASS, .other = RST},
	 HELD,
	 BECAUSE(held),
	 NULL},
	{"other reset: GET", GET, {.other = RST}, ANSWERED, BECAUSE(answered), NULL},
	{"other reset: TLS", HELLO, {.other = RST}, PASSED, BECAUSE(tls), NULL},
	{"other reset: SSH", SSH, {.other = RST}, RESET, BECAUSE(reset_other), NULL},
	{"other reset: a letter", "S", {.other = RST}, HELD, BECAUSE(held), NULL},
	{"other reset: a letter, FIN", "S", {.other = RST}, RESET, BECAUSE(reset_other), "FPA"},
	{"other drop: TLS", HELLO, {.other = DROP}, PASSED, BECAUSE(tls), NULL},
	{"other drop: SSH", SSH, {.other = DROP}, DROPPED, BECAUSE(dropped_other), NULL},
	{"other drop: a letter, FIN", "S", {.other = DROP}, DROPPED, BECAUSE(dropped_other), "FPA"},
	{"other drop, reset: GET",
	 GET,
	 {.action = RST, .other = DROP},
	 RESET,
	 BECAUSE(reset_http),
	 NULL},
	{"monitor, respond: GET", GET, {.mode = MONITOR}, PASSED, BECAUSE(would_answer), NULL},
	{"monitor, respond: TLS", HELLO, {.mode = MONITOR}, PASSED, BECAUSE(tls), NULL},
	{"monitor, respond: SSH", SSH, {.mode = MONITOR}, PASSED, BECAUSE(other), NULL},
	{"monitor, respond: G", "G", {.mode = MONITOR}, PASSED, BECAUSE(would_hold), NULL},
	{"monitor, reset: GET",
	 GET,
	 {.action = RST, .mode = MONITOR},
	 PASSED,
	 BECAUSE(would_reset),
	 NULL},
	{"monitor, reset-syn: GET",
	 GET,
	 {.action = RST_SYN, .mode = MONITOR},
	 PASSED,
	 BECAUSE(would_reset),
	 NULL},
	{"monitor, drop: GET",
	 GET,
	 {.action = DROP, .mode = MONITOR},
	 PASSED,
	 BECAUSE(would_drop),
	 NULL},
	{"monitor, pass: GET",
	 GET,
	 {.action = PASS, .mode = MONITOR},
	 PASSED,
	 BECAUSE(action_pass),
	 NULL},
	{"monitor, other reset: SSH",
	 SSH,
	 {.other = RST, .mode = MONITOR},
	 PASSED,
	 BECAUSE(would_reset),
	 NULL},
	{"monitor, other drop: SSH",
	 SSH,
	 {.other = DROP, .mode = MONITOR},
	 PASSED,
	 BECAUSE(would_drop),
	 NULL},
	{"monitor, other drop: TLS",
	 HELLO,
	 {.other = DROP, .mode = MONITOR},
	 PASSED,
	 BECAUSE(tls),
	 NULL},
	{"for nobody: GET", GET, {.share = NOBODY}, PASSED, BECAUSE(would_answer), NULL},
	{"for nobody: G", "G", {.share = NOBODY}, PASSED, BECAUSE(would_hold), NULL},
	{"for nobody, other reset: SSH",
	 SSH,
	 {.other = RST, .share = NOBODY},
	 PASSED,
	 BECAUSE(would_reset),
	 NULL},
	{"bypass: GET", GET, {.mode = BYPASS}, PASSED, BECAUSE(bypassed), NULL},
	{"bypass, drop: GET",
	 GET,
	 {.action = DROP, .mode = BYPASS},
	 PASSED,
	 BECAUSE(bypassed),
	 NULL},
	{"bypass: G", "G", {.mode = BYPASS}, PASSED, BECAUSE(bypassed), NULL},
	{"bypass: TLS", HELLO, {.mode = BYPASS}, PASSED, BECAUSE(tls), NULL},
	{"bypass, other reset: SSH",
	 SSH,
	 {.other = RST, .mode = BYPASS},
	 PASSED,
	 BECAUSE(bypassed),
	 NULL},
	{"bypass of all: GET", GET, {.bypass = 1}, PASSED, BECAUSE(bypassed), NULL},
	{"bypass of all, monitor",
	 GET,
	 {.mode = MONITOR, .bypass = 1},
	 PASSED,
	 BECAUSE(bypassed),
	 NULL},
	{"bypass of all, reset: G",
	 "G",
	 {.action = RST, .bypass = 1},
	 PASSED,
	 BECAUSE(bypassed),
	 NULL},
	{"bypass of all, other drop: SSH",
	 SSH,
	 {.other = DROP, .bypass = 1},
	 PASSED,
	 BECAUSE(bypassed),
	 NULL},
};

static void judge(size_t row, const struct way *way)
{
	struct packet packet = {};
	int server = client_connect(&fixture, way, &packet);

	set_rule(&judged[row].rule, client_handshake(way));
	packet.payload = judged[row].payload;
	packet.flags = judged[row].flags;
	client_expect(&fixture, way, &packet, judged[row].fate, judged[row].reason,
		      judged[row].name);
	set_bypass(0);
	end(server);
}

Test(policy, judges_first_data_by_action_other_mode_and_share)
{
	size_t row, way;

	for (row = 0; row < ROWS(judged); row++)
		for (way = 0; way < CLIENT_WAYS; way++)
			judge(row, &client_ways[way]);
}

/* Whoever cannot answer does nothing else either: a dead responder is a bypass. */
Test(policy, passes_whatever_the_action_when_nobody_responds)
{
	static const struct rule rules[] = {{.action = RESPOND},
					    {.action = RST},
					    {.action = RST_SYN},
					    {.action = DROP},
					    {.other = RST}};
	struct packet packets[ROWS(rules)][CLIENT_WAYS] = {};
	int servers[ROWS(rules)][CLIENT_WAYS];
	size_t row, way;

	for (row = 0; row < ROWS(rules); row++)
		for (way = 0; way < CLIENT_WAYS; way++)
			servers[row][way] =
				client_connect(&fixture, &client_ways[way], &packets[row][way]);
	fixture_stop_responder(&fixture);
	for (row = 0; row < ROWS(rules); row++)
		for (way = 0; way < CLIENT_WAYS; way++) {
			set_rule(&rules[row], client_handshake(&client_ways[way]));
			packets[row][way].payload = rules[row].other ? SSH : GET;
			client_expect(&fixture, &client_ways[way], &packets[row][way], PASSED,
				      BECAUSE(no_responder), "nobody responds");
			end(servers[row][way]);
		}
}

/* A SYN at the edge: what it meets by the rule, and the RST that refuses it. */
static const struct {
	const char *name;
	struct packet syn;
	struct rule rule;
	__u32 verdict;
	enum edge426_reason reason;
} syns[] = {
	{"respond", {.seq = 7}, {.action = RESPOND}, XDP_TX, BECAUSE(syn_answered)},
	{"respond, FIN on it, which the kernel drops",
	 {.seq = 7, .flags = "SF"},
	 {.action = RESPOND},
	 XDP_PASS,
	 BECAUSE(syn_unfit)},
	{"respond, RST on it",
	 {.seq = 7, .flags = "SR"},
	 {.action = RESPOND},
	 XDP_PASS,
	 BECAUSE(no_data)},
	{"drop", {.seq = 7}, {.action = DROP}, XDP_TX, BECAUSE(syn_answered)},
	{"monitor", {.seq = 7}, {.mode = MONITOR}, XDP_PASS, BECAUSE(syn_to_backend)},
	{"for nobody", {.seq = 7}, {.share = NOBODY}, XDP_PASS, BECAUSE(syn_to_backend)},
	{"bypass", {.seq = 7}, {.mode = BYPASS}, XDP_PASS, BECAUSE(syn_to_backend)},
	{"bypass of all", {.seq = 7}, {.bypass = 1}, XDP_PASS, BECAUSE(syn_to_backend)},
	{"reset-syn", {.seq = 7}, {.action = RST_SYN}, XDP_TX, BECAUSE(reset_syn)},
	{"reset-syn over IPv6",
	 {.seq = 7, .ipv6 = 1},
	 {.action = RST_SYN},
	 XDP_TX,
	 BECAUSE(reset_syn)},
	{"reset-syn at the sequence number's end",
	 {.seq = 0xffffffff},
	 {.action = RST_SYN},
	 XDP_TX,
	 BECAUSE(reset_syn)},
	{"reset-syn, data on it",
	 {.seq = 7, .payload = GET},
	 {.action = RST_SYN},
	 XDP_TX,
	 BECAUSE(reset_syn)},
	{"reset-syn, FIN on it",
	 {.seq = 7, .flags = "SF"},
	 {.action = RST_SYN},
	 XDP_TX,
	 BECAUSE(reset_syn)},
	{"reset-syn, with timestamps",
	 {.seq = 7, .timestamps = 1},
	 {.action = RST_SYN},
	 XDP_TX,
	 BECAUSE(reset_syn)},
	{"reset-syn, behind two tags and IP options",
	 {.seq = 7, .vlans = 2, .ip_options = 8},
	 {.action = RST_SYN},
	 XDP_TX,
	 BECAUSE(reset_syn)},
	{"reset-syn, ECN",
	 {.seq = 7, .flags = "SEC"},
	 {.action = RST_SYN},
	 XDP_TX,
	 BECAUSE(reset_syn)},
	{"reset-syn to an Ethernet group",
	 {.seq = 7, .group = 1},
	 {.action = RST_SYN},
	 XDP_PASS,
	 BECAUSE(syn_unfit)},
	{"reset-syn to broadcast",
	 {.seq = 7, .server = "255.255.255.255"},
	 {.action = RST_SYN},
	 XDP_PASS,
	 BECAUSE(syn_unfit)},
	{"reset-syn to multicast",
	 {.seq = 7, .server = "224.0.0.1"},
	 {.action = RST_SYN},
	 XDP_PASS,
	 BECAUSE(syn_unfit)},
	{"reset-syn to IPv6 multicast",
	 {.seq = 7, .ipv6 = 1, .server = "ff02::1"},
	 {.action = RST_SYN},
	 XDP_PASS,
	 BECAUSE(syn_unfit)},
	{"reset-syn to another host",
	 {.seq = 7, .stranger = 1, .server = "10.9.0.77"},
	 {.action = RST_SYN},
	 XDP_PASS,
	 BECAUSE(syn_unfit)},
	{"reset-syn to another host over IPv6",
	 {.seq = 7, .ipv6 = 1, .stranger = 1, .server = "fd00::77"},
	 {.action = RST_SYN},
	 XDP_PASS,
	 BECAUSE(syn_unfit)},
	{"reset-syn from broadcast",
	 {.seq = 7, .client = "255.255.255.255"},
	 {.action = RST_SYN},
	 XDP_PASS,
	 BECAUSE(syn_unfit)},
	{"reset-syn from the server itself",
	 {.seq = 7, .client = "10.9.0.1"},
	 {.action = RST_SYN},
	 XDP_PASS,
	 BECAUSE(syn_unfit)},
	{"reset-syn of a SYN-ACK",
	 {.seq = 7, .flags = "SA"},
	 {.action = RST_SYN},
	 XDP_PASS,
	 BECAUSE(no_data)},
	{"reset-syn of a SYN with RST",
	 {.seq = 7, .flags = "SR"},
	 {.action = RST_SYN},
	 XDP_PASS,
	 BECAUSE(no_data)},
	{"reset-syn, monitor",
	 {.seq = 7},
	 {.action = RST_SYN, .mode = MONITOR},
	 XDP_PASS,
	 BECAUSE(would_reset)},
	{"reset-syn for nobody",
	 {.seq = 7},
	 {.action = RST_SYN, .share = NOBODY},
	 XDP_PASS,
	 BECAUSE(would_reset)},
	{"reset-syn, bypass",
	 {.seq = 7},
	 {.action = RST_SYN, .mode = BYPASS},
	 XDP_PASS,
	 BECAUSE(syn_to_backend)},
	{"reset-syn, bypass of all",
	 {.seq = 7},
	 {.action = RST_SYN, .bypass = 1},
	 XDP_PASS,
	 BECAUSE(syn_to_backend)},
};

static void meet_syn(size_t row)
{
	const char *name = syns[row].name;
	struct packet syn = syns[row].syn;
	__u32 data = syn.payload ? (__u32)strlen(syn.payload) : 0;
	struct outcome outcome;
	__u8 frame[PACKET_MAX];
	size_t len;

	syn.client_port = 40000;
	syn.flags = syn.flags ? syn.flags : "S";
	len = packet_build(&syn, frame);
	set_rule(&syns[row].rule, EDGE426_HANDSHAKE_EDGE);
	outcome = fixture_run(&fixture, &syn);
	cr_assert_eq(outcome.reason, (int)syns[row].reason, "%s: reason %d", name, outcome.reason);
	cr_assert_eq(outcome.verdict, syns[row].verdict, "%s: verdict %u", name, outcome.verdict);
	cr_assert_not(outcome.has_meta, "%s: metadata", name);
	if (outcome.reason == BECAUSE(reset_syn)) {
		client_assert_rst(&outcome, &syn, 0,
				  syn.seq + 1 + data + (strchr(syn.flags, 'F') != NULL), name);
	} else if (outcome.verdict == XDP_PASS) {
		cr_assert_eq(outcome.len, len, "%s: length", name);
		cr_assert_arr_eq(outcome.frame, frame, len, "%s: octets", name);
	}
}

Test(policy, meets_syns_at_the_edge_by_the_rule)
{
	size_t row;

	for (row = 0; row < ROWS(syns); row++)
		meet_syn(row);
}

/* A router is sent frames for others. */
Test(policy, refuses_syns_to_the_routers_own_addresses_only)
{
	static const struct packet own[] = {{.flags = "S"}, {.flags = "S", .ipv6 = 1}};
	static const struct packet others[] = {{.flags = "S", .server = "10.9.0.77"},
					       {.flags = "S", .ipv6 = 1, .server = "fd00::77"}};
	__u8 action;
	size_t i;

	cr_assert_eq(system("sysctl -qw net.ipv4.conf.all.forwarding=1 "
			    "net.ipv6.conf.all.forwarding=1"),
		     0);
	for (action = RESPOND; action <= RST_SYN; action += RST_SYN) {
		set_rule(&(struct rule){.action = action}, EDGE426_HANDSHAKE_EDGE);
		for (i = 0; i < ROWS(own); i++) {
			cr_assert_eq(fixture_run(&fixture, &own[i]).verdict, XDP_TX);
			cr_assert_eq(fixture_run(&fixture, &others[i]).reason, BECAUSE(syn_unfit));
		}
	}
}

Test(policy, refuses_no_syn_when_nobody_responds)
{
	struct packet syn = {.flags = "S", .seq = 7};

	set_rule(&(struct rule){.action = RST_SYN}, EDGE426_HANDSHAKE_EDGE);
	fixture_stop_responder(&fixture);
	cr_assert_eq(fixture_run(&fixture, &syn).reason, BECAUSE(no_responder));
}

static __u32 share_of(const struct packet *packet, __u32 host)
{
	struct edge426_source_key source = {};

	if (packet->ipv6)
		memcpy(source.address, (__u8[]){0xfd, 0, 0, 0, 0, 0, 0, (__u8)host}, 8);
	else
		memcpy(source.address + 10, (__u8[]){0xff, 0xff, 10, 9, 0, (__u8)host}, 6);
	return source_share(&source);
}

/* Each source from its own percentage on: with one less its SYN is the backend's. */
static void assert_share(struct packet *syn, __u32 host)
{
	struct rule rule = {};
	__u32 share = share_of(syn, host);

	rule.share = (__u8)(share - 100);
	set_rule(&rule, EDGE426_HANDSHAKE_EDGE);
	cr_assert_eq(fixture_run(&fixture, syn).reason, BECAUSE(syn_to_backend), "%s at %u",
		     syn->client, share);
	rule.share++;
	set_rule(&rule, EDGE426_HANDSHAKE_EDGE);
	cr_assert_eq(fixture_run(&fixture, syn).reason, BECAUSE(syn_answered), "%s at %u",
		     syn->client, share + 1);
}

Test(policy, enforces_each_source_from_its_own_percentage_on)
{
	struct packet syn = {.flags = "S"};
	char client[32];
	__u32 host;

	syn.client = client;
	for (host = 2; host < 200; host++) {
		syn.ipv6 = host & 1;
		snprintf(client, sizeof(client), syn.ipv6 ? "fd00:0:0:%x::9" : "10.9.0.%u", host);
		assert_share(&syn, host);
	}
}
