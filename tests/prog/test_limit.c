/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How many answers a source gets: a burst, then one at a time, each source by
 * itself, in half of a policy as in the other.
 */
#include <criterion/criterion.h>
#include <linux/bpf.h>
#include <string.h>
#include <unistd.h>

#include "client.h"

#define EVERY_MS 1000u /* long for the test to stay within it, short to wait for */
#define BURST 3	       /* answers at once */
#define MS 1000000u    /* in ns */

static struct fixture fixture;

static void open_fixture(void)
{
	fixture_open(&fixture);
}

static void close_fixture(void)
{
	fixture_close(&fixture);
}

TestSuite(limit, .init = open_fixture, .fini = close_fixture, .timeout = FIXTURE_TIMEOUT);

static void end(int server)
{
	if (server >= 0)
		close(server);
}

static struct edge426_service limited_service(const struct way *way)
{
	struct edge426_service service = fixture_service(client_handshake(way));

	service.limit_every = EVERY_MS * MS;
	service.limit_burst = (BURST - 1) * (__u64)EVERY_MS * MS;
	return service;
}

/* A new connection that sends GET. */
static void get_under(const struct edge426_service *service, const struct way *way, enum fate fate,
		      enum edge426_reason reason, const char *name)
{
	struct packet packet = {};
	int server = client_connect(&fixture, way, &packet);

	fixture_set_service(&fixture, service);
	packet.payload = GET;
	client_expect(&fixture, way, &packet, fate, reason, name);
	end(server);
}

static void get(const struct way *way, enum fate fate, enum edge426_reason reason, const char *name)
{
	struct edge426_service service = limited_service(way);

	get_under(&service, way, fate, reason, name);
}

/* Two kinds of handshake, each from a source of its own. */
Test(limit, gives_a_burst_and_then_one_answer_at_a_time)
{
	static const struct way *const ways[] = {&client_ways[0], &client_ways[5]};
	size_t way;
	int i;

	for (way = 0; way < sizeof(ways) / sizeof(ways[0]); way++) {
		for (i = 0; i < BURST; i++)
			get(ways[way], ANSWERED, BECAUSE(answered), "in the burst");
		get(ways[way], LIMITED, BECAUSE(limited), "after it");
		get(ways[way], LIMITED, BECAUSE(limited), "after it, again");
		usleep((EVERY_MS + 100) * 1000);
		get(ways[way], ANSWERED, BECAUSE(answered), "a while later");
		get(ways[way], LIMITED, BECAUSE(limited), "and no more");
	}
}

/* The client has not got its answer and sends again: a limited source must not multiply. */
Test(limit, counts_answers_that_are_sent_again)
{
	size_t way;

	for (way = 4; way < CLIENT_WAYS; way++) {
		struct edge426_service service = limited_service(&client_ways[way]);
		struct packet packet = {};
		struct outcome outcome;
		int i;

		client_connect(&fixture, &client_ways[way], &packet);
		fixture_set_service(&fixture, &service);
		packet.payload = GET;
		client_expect(&fixture, &client_ways[way], &packet, ANSWERED, BECAUSE(answered),
			      "first");
		for (i = 1; i < BURST; i++)
			client_expect(&fixture, &client_ways[way], &packet, ANSWERED,
				      BECAUSE(answered_again), "again");
		outcome = fixture_run(&fixture, &packet);
		cr_assert_eq(outcome.reason, BECAUSE(limited), "reason %d", outcome.reason);
		cr_assert_eq(outcome.verdict, XDP_DROP);
		cr_assert_not(outcome.has_meta);
		usleep((EVERY_MS + 100) * 1000);
		client_expect(&fixture, &client_ways[way], &packet, ANSWERED,
			      BECAUSE(answered_again), "a while later");
		packet.seq += GET_LEN;
		packet.ack += 300;
		packet.flags = "FA";
		packet.payload = NULL;
		cr_assert_eq(fixture_run(&fixture, &packet).reason, BECAUSE(acked_back),
			     "what is no answer is not limited");
	}
}

static void get_from(const char *client, int ipv6, enum fate fate, enum edge426_reason reason)
{
	const struct way *way = &client_ways[4 + ipv6];
	struct edge426_service service = limited_service(way);
	struct packet packet = {.client = client};

	client_connect(&fixture, way, &packet);
	fixture_set_service(&fixture, &service);
	packet.payload = GET;
	client_expect(&fixture, way, &packet, fate, reason, client);
}

Test(limit, counts_each_source_by_itself)
{
	int i;

	for (i = 0; i < BURST; i++)
		get_from("10.9.0.3", 0, ANSWERED, BECAUSE(answered));
	get_from("10.9.0.3", 0, LIMITED, BECAUSE(limited));
	get_from("10.9.0.4", 0, ANSWERED, BECAUSE(answered));
	for (i = 0; i < BURST; i++)
		get_from("fd00::3", 1, ANSWERED, BECAUSE(answered));
	get_from("fd00::3", 1, LIMITED, BECAUSE(limited));
	get_from("fd00::4:5", 1, LIMITED, BECAUSE(limited));
	get_from("fd00::ffff:ffff:ffff:ffff", 1, LIMITED, BECAUSE(limited));
	get_from("fd00:0:0:1::3", 1, ANSWERED, BECAUSE(answered));
	get_from("10.9.0.3", 0, LIMITED, BECAUSE(limited));
}

Test(limit, is_counted_but_not_kept_when_monitored)
{
	struct edge426_service service = limited_service(&client_ways[0]);
	int i;

	service.mode = EDGE426_MODE_MONITOR;
	for (i = 0; i < BURST; i++)
		get_under(&service, &client_ways[0], PASSED, BECAUSE(would_answer), "in the burst");
	get_under(&service, &client_ways[0], PASSED, BECAUSE(would_limit), "after it");
}

/* Only answers use it up: not resets, exemptions, TLS, nor clients that cannot take one. */
Test(limit, is_of_answers_alone)
{
	struct edge426_service service = limited_service(&client_ways[4]);
	struct packet packet = {};
	int i;

	service.action = EDGE426_ACTION_RESET;
	for (i = 0; i < BURST + 1; i++)
		get_under(&service, &client_ways[4], RESET, BECAUSE(reset_http), "reset");
	service.action = EDGE426_ACTION_RESPOND;
	service.flags = EDGE426_SERVICE_PATHS;
	fixture_put_path(&fixture, 0, 0, "/");
	for (i = 0; i < BURST + 1; i++)
		get_under(&service, &client_ways[4], PASSED, BECAUSE(exempt_path), "exempt");
	service.flags = 0;
	client_connect(&fixture, &client_ways[4], &packet);
	fixture_set_service(&fixture, &service);
	packet.payload = GET;
	packet.zero_window = 1;
	for (i = 0; i < BURST + 1; i++)
		client_expect(&fixture, &client_ways[4], &packet, LIMITED, BECAUSE(zero_window),
			      "zero window");
	for (i = 0; i < BURST; i++)
		get_under(&service, &client_ways[4], ANSWERED, BECAUSE(answered), "respond");
	get_under(&service, &client_ways[4], LIMITED, BECAUSE(limited), "respond");
}

Test(limit, of_zero_is_none)
{
	struct edge426_service service = fixture_service(EDGE426_HANDSHAKE_EDGE);
	int i;

	service.limit_burst = 1;
	for (i = 0; i < 50; i++)
		get_under(&service, &client_ways[4], ANSWERED, BECAUSE(answered), "no limit");
}

/* What a held client has sent is judged when it tells, and limited then. */
Test(limit, meets_a_request_that_was_held)
{
	size_t way;

	for (way = 4; way < CLIENT_WAYS; way++) {
		struct edge426_service service = limited_service(&client_ways[way]);
		struct packet packet = {};
		int i;

		for (i = 0; i < BURST; i++)
			get(&client_ways[way], ANSWERED, BECAUSE(answered), "in the burst");
		client_connect(&fixture, &client_ways[way], &packet);
		fixture_set_service(&fixture, &service);
		packet.payload = "G";
		client_expect(&fixture, &client_ways[way], &packet, HELD, BECAUSE(held), "G");
		packet.payload = GET;
		client_expect(&fixture, &client_ways[way], &packet, LIMITED, BECAUSE(limited),
			      "GET");
	}
}
