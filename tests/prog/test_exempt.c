/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Requests that are exempt by their path or their host, over every kind of
 * handshake: whole, cut, octet by octet, and what only looks exempt.
 */
#include <criterion/criterion.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client.h"

#define BOTH (EDGE426_SERVICE_PATHS | EDGE426_SERVICE_HOSTS)
#define V " HTTP/1.1\r\n"
#define LETTERS_60 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LONGEST "/b/" LETTERS_60 "c" /* 64 octets */
#define SHORTER "/b/" LETTERS_60     /* 63 */
#define LABEL "a234567890123456789012345678901234567890123456789012345678901."
#define NAME_253 LABEL LABEL LABEL LABEL "abcde"

static struct fixture fixture;

static void open_fixture(void)
{
	fixture_open(&fixture);
	fixture_put_path(&fixture, 0, 0, "/health");
	fixture_put_path(&fixture, 0, 0, "/.well-known/acme-challenge/");
	fixture_put_path(&fixture, 0, 0, LONGEST);
	fixture_put_path(&fixture, 0, 7, "/of-another-service");
	fixture_put_path(&fixture, 1, 0, "/of-the-other-half");
	fixture_put_host(&fixture, 0, 0, "exempt.example");
	fixture_put_host(&fixture, 0, 0, "[::1]");
	fixture_put_host(&fixture, 0, 0, NAME_253);
	fixture_put_host(&fixture, 0, 7, "of-another-service");
	fixture_put_host(&fixture, 1, 0, "of-the-other-half");
}

static void close_fixture(void)
{
	fixture_close(&fixture);
}

TestSuite(exempt, .init = open_fixture, .fini = close_fixture, .timeout = FIXTURE_TIMEOUT);

static void end(int server)
{
	if (server >= 0)
		close(server);
}

static void set_service(const struct way *way, __u8 action, __u32 flags)
{
	struct edge426_service service = fixture_service(client_handshake(way));

	service.action = action;
	service.flags = flags;
	fixture_set_service(&fixture, &service);
}

enum judgement { NOT_EXEMPT, PATH_EXEMPT, HOST_EXEMPT, WAITED_FOR };

struct row {
	const char *name;
	const char *request;
	enum judgement judgement;
	const char *flags; /* of the segment */
};

static const struct {
	enum fate fate;
	enum edge426_reason reason;
} fates[] = {
	[NOT_EXEMPT] = {ANSWERED, BECAUSE(answered)},
	[PATH_EXEMPT] = {PASSED, BECAUSE(exempt_path)},
	[HOST_EXEMPT] = {PASSED, BECAUSE(exempt_host)},
	[WAITED_FOR] = {HELD, BECAUSE(held)},
};

static void judge(const struct row *row, const struct way *way, __u32 flags)
{
	struct packet packet = {};
	int server = client_connect(&fixture, way, &packet);

	set_service(way, EDGE426_ACTION_RESPOND, flags);
	packet.payload = row->request;
	packet.flags = row->flags;
	client_expect(&fixture, way, &packet, fates[row->judgement].fate,
		      fates[row->judgement].reason, row->name);
	end(server);
}

static void judge_rows(const struct row *rows, size_t len, __u32 flags)
{
	size_t row, way;

	for (row = 0; row < len; row++)
		for (way = 0; way < CLIENT_WAYS; way++)
			judge(&rows[row], &client_ways[way], flags);
}

static const struct row paths[] = {
	{"the path itself", "GET /health" V, PATH_EXEMPT, NULL},
	{"a path below it", "GET /health/db" V, PATH_EXEMPT, NULL},
	{"a path that begins so", "GET /healthz" V, PATH_EXEMPT, NULL},
	{"one octet short", "GET /healt" V, NOT_EXEMPT, NULL},
	{"one octet other", "GET /healty" V, NOT_EXEMPT, NULL},
	{"in another case", "GET /Health" V, NOT_EXEMPT, NULL},
	{"below another path", "GET /x/health" V, NOT_EXEMPT, NULL},
	{"the root", "GET /" V, NOT_EXEMPT, NULL},
	{"a challenge", "GET /.well-known/acme-challenge/" LETTERS_60 V, PATH_EXEMPT, NULL},
	{"no challenge", "GET /.well-known/acme-challenge" V, NOT_EXEMPT, NULL},
	{"HEAD", "HEAD /health" V, PATH_EXEMPT, NULL},
	{"POST", "POST /health" V, PATH_EXEMPT, NULL},
	{"a method that is not registered", "PURGE_ALL /health" V, PATH_EXEMPT, NULL},
	{"after empty lines", "\r\n\r\nGET /health" V, PATH_EXEMPT, NULL},
	{"with FIN", "GET /health" V "\r\n", PATH_EXEMPT, "FPA"},
	{"LF only", "GET /health HTTP/1.1\nHost: a\n\n", PATH_EXEMPT, NULL},
	{"no version", "GET /health\r\n", PATH_EXEMPT, NULL},
	{"absolute form", "GET http://a/health" V, PATH_EXEMPT, NULL},
	{"absolute form, all of it", "GET HTTPS://u:p@[::1]:80/health" V, PATH_EXEMPT, NULL},
	{"absolute form of another path", "GET http://a/x/health" V, NOT_EXEMPT, NULL},
	{"absolute form without a path", "GET http://health" V, NOT_EXEMPT, NULL},
	{"a host of that name", "GET http://health/" V, NOT_EXEMPT, NULL},
	{"a query without a path", "GET http://a?/health" V, NOT_EXEMPT, NULL},
	{"asterisk form", "OPTIONS *" V, NOT_EXEMPT, NULL},
	{"CONNECT", "CONNECT a:443" V, NOT_EXEMPT, NULL},
	{"a query", "GET /health?a=b" V, PATH_EXEMPT, NULL},
	{"a query that climbs nowhere", "GET /health?../%2e%2e/" V, PATH_EXEMPT, NULL},
	{"in the query", "GET /?/health" V, NOT_EXEMPT, NULL},
	{"climbing", "GET /health/../admin" V, NOT_EXEMPT, NULL},
	{"climbing at the end", "GET /health/.." V, NOT_EXEMPT, NULL},
	{"climbing in code", "GET /health/%2e%2e/admin" V, NOT_EXEMPT, NULL},
	{"climbing half in code", "GET /health/.%2E/admin" V, NOT_EXEMPT, NULL},
	{"climbing before a query", "GET /health/..?x" V, NOT_EXEMPT, NULL},
	{"climbing in absolute form", "GET http://a/health/../x" V, NOT_EXEMPT, NULL},
	{"climbing after the 64 octets", "GET " LONGEST "/../x" V, NOT_EXEMPT, NULL},
	{"of 64 octets", "GET " LONGEST V, PATH_EXEMPT, NULL},
	{"of 65 octets", "GET " LONGEST "d" V, PATH_EXEMPT, NULL},
	{"of 63 octets", "GET " SHORTER V, NOT_EXEMPT, NULL},
	{"other in the 64th octet", "GET " SHORTER "d" V, NOT_EXEMPT, NULL},
	{"another service's", "GET /of-another-service" V, NOT_EXEMPT, NULL},
	{"another policy's", "GET /of-the-other-half" V, NOT_EXEMPT, NULL},
	{"a host, which is not asked for", "GET /" V "Host: exempt.example\r\n", NOT_EXEMPT, NULL},
	{"no octet of it yet", "GET /", WAITED_FOR, NULL},
	{"the path, which may go on", "GET /health", WAITED_FOR, NULL},
	{"another path, which may go on", "GET /x", WAITED_FOR, NULL},
	{"the path and a dot", "GET /health/.", WAITED_FOR, NULL},
	{"climbing already", "GET /health/..", NOT_EXEMPT, NULL},
	{"the scheme alone", "GET http://", WAITED_FOR, NULL},
	{"a part of the authority", "GET http://a.exam", WAITED_FOR, NULL},
	{"the authority and a slash", "GET http://a.example/", WAITED_FOR, NULL},
	{"a query, which may go on", "GET /health?a", PATH_EXEMPT, NULL},
	{"63 octets, which may go on", "GET " SHORTER, WAITED_FOR, NULL},
	{"64 octets, which may climb yet", "GET " LONGEST, WAITED_FOR, NULL},
	{"65 octets, which may climb yet", "GET " LONGEST "/", WAITED_FOR, NULL},
	{"64 octets of another path", "GET " SHORTER "d", NOT_EXEMPT, NULL},
	{"an asterisk", "OPTIONS *", WAITED_FOR, NULL},
	{"no more to come", "GET /health", NOT_EXEMPT, "FPA"},
};

Test(exempt, passes_exempt_paths)
{
	judge_rows(paths, ROWS(paths), EDGE426_SERVICE_PATHS);
}

static const struct row hosts[] = {
	{"the host itself", "GET /" V "Host: exempt.example\r\n\r\n", HOST_EXEMPT, NULL},
	{"in any case", "GET /" V "hOsT: eXeMpT.EXAMPLE\r\n\r\n", HOST_EXEMPT, NULL},
	{"with a port", "GET /" V "Host: exempt.example:80\r\n\r\n", HOST_EXEMPT, NULL},
	{"without a blank", "GET /" V "Host:exempt.example\r\n\r\n", HOST_EXEMPT, NULL},
	{"with blanks", "GET /" V "Host: \t exempt.example \t\r\n\r\n", HOST_EXEMPT, NULL},
	{"after other fields", "GET /" V "A: b\r\nHosts: x\r\nHost: exempt.example\r\n\r\n",
	 HOST_EXEMPT, NULL},
	{"LF only", "GET / HTTP/1.1\nA: b\nHost: exempt.example\n\n", HOST_EXEMPT, NULL},
	{"any method", "PUT /x/../y" V "Host: exempt.example\r\n\r\n", HOST_EXEMPT, NULL},
	{"an IPv6 address", "GET /" V "Host: [::1]\r\n\r\n", HOST_EXEMPT, NULL},
	{"an IPv6 address and a port", "GET /" V "Host: [::1]:443\r\n\r\n", HOST_EXEMPT, NULL},
	{"a name of 253 octets", "GET /" V "Host: " NAME_253 "\r\n", HOST_EXEMPT, NULL},
	{"a name of 254 octets", "GET /" V "Host: " NAME_253 "f\r\n", NOT_EXEMPT, NULL},
	{"a name that goes around", "GET /" V "Host: " NAME_253 "fgh" NAME_253 "\r\n", NOT_EXEMPT,
	 NULL},
	{"a name in front", "GET /" V "Host: a.exempt.example\r\n\r\n", NOT_EXEMPT, NULL},
	{"a name behind", "GET /" V "Host: exempt.example.com\r\n\r\n", NOT_EXEMPT, NULL},
	{"one octet short", "GET /" V "Host: exempt.exampl\r\n\r\n", NOT_EXEMPT, NULL},
	{"a list", "GET /" V "Host: a, exempt.example\r\n\r\n", NOT_EXEMPT, NULL},
	{"empty", "GET /" V "Host:\r\n\r\n", NOT_EXEMPT, NULL},
	{"a port alone", "GET /" V "Host: :80\r\n\r\n", NOT_EXEMPT, NULL},
	{"no host", "GET /" V "A: exempt.example\r\n\r\n", NOT_EXEMPT, NULL},
	{"in the body", "GET /" V "\r\nHost: exempt.example\r\n", NOT_EXEMPT, NULL},
	{"a folded line", "GET /" V "A: b\r\n Host: exempt.example\r\n\r\n", NOT_EXEMPT, NULL},
	{"a folded value", "GET /" V "Host:\r\n exempt.example\r\n\r\n", NOT_EXEMPT, NULL},
	{"a blank before the colon", "GET /" V "Host : exempt.example\r\n\r\n", NOT_EXEMPT, NULL},
	{"a second one", "GET /" V "Host: a\r\nHost: exempt.example\r\n\r\n", NOT_EXEMPT, NULL},
	{"another service's", "GET /" V "Host: of-another-service\r\n", NOT_EXEMPT, NULL},
	{"another policy's", "GET /" V "Host: of-the-other-half\r\n", NOT_EXEMPT, NULL},
	{"absolute form", "GET http://exempt.example/x" V "Host: a\r\n", HOST_EXEMPT, NULL},
	{"absolute form, without a path", "GET http://exempt.example" V, HOST_EXEMPT, NULL},
	{"absolute form, a query", "GET http://exempt.example?x" V, HOST_EXEMPT, NULL},
	{"absolute form, a port", "GET http://Exempt.Example:80/x" V, HOST_EXEMPT, NULL},
	{"absolute form, userinfo", "GET http://a:b@exempt.example/" V, HOST_EXEMPT, NULL},
	{"absolute form, long userinfo", "GET http://" NAME_253 "@exempt.example/" V, HOST_EXEMPT,
	 NULL},
	{"as userinfo", "GET http://exempt.example@a/" V, NOT_EXEMPT, NULL},
	{"as userinfo with a port", "GET http://exempt.example:80@a/" V, NOT_EXEMPT, NULL},
	{"absolute form of another host", "GET http://a/" V "Host: exempt.example\r\n", NOT_EXEMPT,
	 NULL},
	{"CONNECT", "CONNECT a:443" V "Host: exempt.example\r\n\r\n", HOST_EXEMPT, NULL},
	{"asterisk form", "OPTIONS *" V "Host: exempt.example\r\n\r\n", HOST_EXEMPT, NULL},
	{"which may go on", "GET /" V "Host: exempt.example", NOT_EXEMPT, NULL},
	{"at the very end", "GET /" V "Host: exempt.example\r", HOST_EXEMPT, NULL},
	{"beyond the segment", "GET /" V, NOT_EXEMPT, NULL},
};

Test(exempt, passes_exempt_hosts)
{
	judge_rows(hosts, ROWS(hosts), EDGE426_SERVICE_HOSTS);
}

static const struct row either[] = {
	{"the path, not the host", "GET /health" V "Host: a\r\n\r\n", PATH_EXEMPT, NULL},
	{"the host, not the path", "GET /" V "Host: exempt.example\r\n\r\n", HOST_EXEMPT, NULL},
	{"neither", "GET /" V "Host: a\r\n\r\n", NOT_EXEMPT, NULL},
	{"the host of a path that climbs", "GET /.." V "Host: exempt.example\r\n\r\n", HOST_EXEMPT,
	 NULL},
	{"the path waits", "GET /heal", WAITED_FOR, NULL},
	{"the host does not", "GET /x" V "Host: exem", NOT_EXEMPT, NULL},
};

Test(exempt, passes_either)
{
	judge_rows(either, ROWS(either), BOTH);
}

Test(exempt, asks_only_for_what_the_service_has)
{
	static const struct row rows[] = {
		{"path and host", "GET /health" V "Host: exempt.example\r\n\r\n", NOT_EXEMPT, NULL},
		{"a part of the path", "GET /heal", NOT_EXEMPT, NULL},
	};

	judge_rows(rows, ROWS(rows), 0);
	fixture_drop_list(&fixture, FIXTURE_PATHS, 0);
	fixture_drop_list(&fixture, FIXTURE_HOSTS, 0);
	judge_rows(rows, 1, BOTH);
}

/* What is looked at has an end. */
static const struct {
	const char *name;
	const char *begin;
	size_t filling;
	const char *finish;
	__u32 flags;
	enum judgement judgement;
} long_ones[] = {
	{"a host in the last octets", "GET /" V "A: ", 980, "\r\nHost: exempt.example\r\n", BOTH,
	 HOST_EXEMPT},
	{"a host beyond", "GET /" V "A: ", 1020, "\r\nHost: exempt.example\r\n", BOTH, NOT_EXEMPT},
	{"a long query", "GET /health?", 2000, V, BOTH, PATH_EXEMPT},
	{"a long query without an end", "GET /health?", 2000, "", BOTH, PATH_EXEMPT},
	{"a long path", "GET /health/", 980, V, BOTH, PATH_EXEMPT},
	{"a path of which the end is not looked at", "GET /health/", 1100, V, BOTH, NOT_EXEMPT},
	{"the same, climbing", "GET /health/", 1100, "/.." V, BOTH, NOT_EXEMPT},
	{"a path that no small segment holds", "GET /health/", 600, "", BOTH, NOT_EXEMPT},
	{"an authority without an end", "GET http://", 600, "", BOTH, NOT_EXEMPT},
	{"a frame of several buffers", "GET /health?", 6000, V, BOTH, PATH_EXEMPT},
};

Test(exempt, looks_at_no_more_than_its_limit)
{
	static char request[8000];
	size_t row, way;

	for (row = 0; row < ROWS(long_ones); row++)
		for (way = 0; way < CLIENT_WAYS; way++) {
			struct row now = {long_ones[row].name, request, long_ones[row].judgement,
					  NULL};
			int len = snprintf(request, sizeof(request), "%s", long_ones[row].begin);

			memset(request + len, 'a', long_ones[row].filling);
			strcpy(request + len + long_ones[row].filling, long_ones[row].finish);
			judge(&now, &client_ways[way], long_ones[row].flags);
		}
}

/* Other actions have the same exemptions; what passes anyway is not held for them. */
static const struct {
	const char *request;
	__u8 action, mode;
	enum fate fate;
	enum edge426_reason reason;
} acts[] = {
	{"GET /health" V, EDGE426_ACTION_RESET, 0, PASSED, BECAUSE(exempt_path)},
	{"GET /x" V, EDGE426_ACTION_RESET, 0, RESET, BECAUSE(reset_http)},
	{"GET /x", EDGE426_ACTION_RESET, 0, HELD, BECAUSE(held)},
	{"GET /health" V, EDGE426_ACTION_DROP, 0, PASSED, BECAUSE(exempt_path)},
	{"GET /x" V, EDGE426_ACTION_DROP, 0, DROPPED, BECAUSE(dropped_http)},
	{"GET /x", EDGE426_ACTION_PASS, 0, PASSED, BECAUSE(action_pass)},
	{"GET /health" V, 0, EDGE426_MODE_MONITOR, PASSED, BECAUSE(exempt_path)},
	{"GET /x" V, 0, EDGE426_MODE_MONITOR, PASSED, BECAUSE(would_answer)},
	{"GET /x", 0, EDGE426_MODE_MONITOR, PASSED, BECAUSE(would_hold)},
	{"GET /x", 0, EDGE426_MODE_BYPASS, PASSED, BECAUSE(bypassed)},
};

Test(exempt, comes_before_any_action)
{
	size_t row, way;

	for (row = 0; row < ROWS(acts); row++)
		for (way = 0; way < CLIENT_WAYS; way++) {
			struct edge426_service service =
				fixture_service(client_handshake(&client_ways[way]));
			struct packet packet = {};
			int server = client_connect(&fixture, &client_ways[way], &packet);

			service.flags = EDGE426_SERVICE_PATHS;
			service.action = acts[row].action;
			service.mode = acts[row].mode;
			fixture_set_service(&fixture, &service);
			packet.payload = acts[row].request;
			client_expect(&fixture, &client_ways[way], &packet, acts[row].fate,
				      acts[row].reason, acts[row].request);
			end(server);
		}
}

/* Octet by octet, as a client sends again what was not acknowledged, and more. */
static void dribble(const struct way *way, const char *request, size_t told, enum judgement as)
{
	struct packet packet = {};
	int server = client_connect(&fixture, way, &packet);

	set_service(way, EDGE426_ACTION_RESPOND, EDGE426_SERVICE_PATHS);
	packet.payload = request;
	for (packet.payload_len = 1; packet.payload_len < told; packet.payload_len++)
		client_expect(&fixture, way, &packet, HELD, BECAUSE(held), request);
	client_expect(&fixture, way, &packet, fates[as].fate, fates[as].reason, request);
	end(server);
}

Test(exempt, waits_for_the_path_octet_by_octet)
{
	size_t way;

	for (way = 0; way < CLIENT_WAYS; way++) {
		dribble(&client_ways[way], "GET /health" V, 12, PATH_EXEMPT);
		dribble(&client_ways[way], "GET /help/.." V, 12, NOT_EXEMPT);
		dribble(&client_ways[way], "GET /help" V, 10, NOT_EXEMPT);
		dribble(&client_ways[way], "GET http://a/health" V, 20, PATH_EXEMPT);
		dribble(&client_ways[way], "GET http://a" V, 13, NOT_EXEMPT);
	}
}

Test(exempt, waits_no_longer_than_its_bound)
{
	size_t way;
	int i;

	for (way = 0; way < CLIENT_WAYS; way++) {
		struct packet packet = {};
		int server = client_connect(&fixture, &client_ways[way], &packet);

		set_service(&client_ways[way], EDGE426_ACTION_RESPOND, EDGE426_SERVICE_PATHS);
		packet.payload = "GET /health";
		for (i = 0; i <= EDGE426_HELD_MAX; i += EDGE426_HELD_AGAIN + 1)
			client_expect(&fixture, &client_ways[way], &packet, HELD, BECAUSE(held),
				      "held");
		client_expect(&fixture, &client_ways[way], &packet, ANSWERED, BECAUSE(answered),
			      "held long");
		end(server);
	}
}

/* FIN by itself, behind a path that may go on: the client has said all. */
Test(exempt, takes_what_is_there_when_a_held_client_ends)
{
	size_t way;

	for (way = 0; way < CLIENT_WAYS; way++) {
		struct packet packet = {}, fin;
		int server = client_connect(&fixture, &client_ways[way], &packet);

		set_service(&client_ways[way], EDGE426_ACTION_RESPOND, EDGE426_SERVICE_PATHS);
		packet.payload = "GET /hea";
		client_expect(&fixture, &client_ways[way], &packet, HELD, BECAUSE(held), "part");
		fin = packet;
		fin.payload = NULL;
		fin.flags = "FA";
		fin.seq += 8;
		cr_assert_eq(fixture_run(&fixture, &fin).verdict, XDP_DROP, "FIN");
		client_expect(&fixture, &client_ways[way], &packet, ANSWERED, BECAUSE(answered),
			      "the part again");
		end(server);
	}
}

/* Slot 1 of the same policy has a path of its own. */
Test(exempt, keeps_the_paths_of_two_services_apart)
{
	static const struct row first[] = {{"first: own", "GET /health" V, PATH_EXEMPT, NULL},
					   {"first: other", "GET /two" V, NOT_EXEMPT, NULL}};
	static const struct row second[] = {{"second: own", "GET /two" V, PATH_EXEMPT, NULL},
					    {"second: other", "GET /health" V, NOT_EXEMPT, NULL}};
	struct edge426_service service = fixture_service(EDGE426_HANDSHAKE_BACKEND);

	fixture_put_path(&fixture, 0, 1, "/two");
	service.flags = EDGE426_SERVICE_PATHS;
	fixture_put_service(&fixture, 1, &service);
	judge(&first[0], &client_ways[0], EDGE426_SERVICE_PATHS);
	judge(&first[1], &client_ways[0], EDGE426_SERVICE_PATHS);
	fixture_put_port(&fixture, 443, &(struct edge426_port){.service = 2});
	judge(&second[0], &client_ways[0], EDGE426_SERVICE_PATHS);
	judge(&second[1], &client_ways[0], EDGE426_SERVICE_PATHS);
}
