/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs that nobody told a policy, or a secret; and the copy of the XDP
 * program that asks nobody, but is told.
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

TestSuite(bare, .init = open_fixture, .fini = close_fixture, .timeout = FIXTURE_TIMEOUT);

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

/* Maps that nobody has written to, and a port whose service nobody has. */
Test(bare, of_no_policy_passes_everything)
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

Test(bare, of_an_empty_service_passes_first_data)
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
Test(bare, takes_no_cookie_when_no_secret_was_made)
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

Test(bare, explains_by_what_it_is_told)
{
	size_t row;

	fixture_reload(&fixture, 1);
	set_port(9, 0, 0);
	for (row = 0; row < ROWS(explained); row++) {
		struct packet packet = explained[row].packet;
		struct edge426_service service = fixture_service(explained[row].handshake);
		struct edge426_explain explain = {.proof = explained[row].proof};
		struct outcome outcome;

		packet.client_port = (__u16)(41000 + row); /* flows of other rows are none of it */
		service.action = explained[row].action;
		service.mode = explained[row].mode;
		service.percent = explained[row].percent;
		fixture_put_service(&fixture, 8, &service);
		fixture_write_first(&fixture, "explain", &explain, sizeof(explain));
		outcome = fixture_run(&fixture, &packet);
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
