/* SPDX-License-Identifier: GPL-2.0-only */
/* What is valid and still doubtful. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy.h"
#include "policy_lint.h"
#include "policy_rows.h"

#define NOW 1796126400 /* 2026-12-01T12:00:00Z */
#define TLS_ON_80                                                                                  \
	"has port 80, where testssl.sh reports the answer's \"Upgrade: TLS\" as a finding\n"
#define IPP                                                                                        \
	"has port 631, where IPP begins in plaintext and upgrades to TLS by itself (RFC 8010): "   \
	"printing would break\n"
#define HSTS                                                                                       \
	"answer 'default' contains Strict-Transport-Security, which must not be sent over "        \
	"plaintext and is ignored there (RFC 6797)\n"
#define NO_HTTPS                                                                                   \
	"the body of answer 'default' does not mention https: it does not tell people what to "    \
	"do\n"
#define WINS "the narrowest range wins\n"
#define COVERED "never matches: services of longer prefixes have all of its addresses\n"

static const struct {
	const char *name;
	const char *text; /* from "services: " on */
	const char *sentences;
} rows[] = {
	{"nothing", "[]", ""},
	{"a plain service", "[{name: a, port: 443}]", ""},

	{"HSTS in the body",
	 "[]\nanswers: {default: {body: 'https STRICT-transport-security: max-age=1'}}", HSTS},
	{"HSTS in the header",
	 "[]\nanswers: {default: {content_type: 'text/plain; Strict-Transport-Security'}}", HSTS},
	{"a body in another language", "[]\nanswers: {default: {body: HTTPS bitte}}", ""},
	{"a body about nothing", "[]\nanswers: {default: {body: no}}", NO_HTTPS},
	{"no body", "[]\nanswers: {default: {body: ''}}", NO_HTTPS},

	{"port 80", "[{name: a, port: 80}]", "service 'a' " TLS_ON_80},
	{"port 80 in ranges",
	 "[{name: a, port: 79-81}, {name: b, port: 80, vlan: 3}, {name: c, port: 1-80, vlan: 4}]",
	 "service 'a', like 2 more, " TLS_ON_80},
	{"port 80, no TLS", "[{name: a, port: 80}]\nanswers: {default: {upgrade: [h2c]}}", ""},
	{"port 80, TLS as second, in another case",
	 "[{name: a, port: 80}]\nanswers: {default: {upgrade: [h2c, tls/1.3]}}",
	 "service 'a' " TLS_ON_80},
	{"port 80, no answer", "[{name: a, port: 80, action: reset}]", ""},
	{"ports around 80", "[{name: a, port: 79}, {name: b, port: 81-90}]", ""},
	{"port 631", "[{name: a, port: 443}, {name: p, port: 631}]", "service 'p' " IPP},
	{"port 631 in a range", "[{name: p, port: 600-700, action: drop}]", "service 'p' " IPP},

	{"path /", "[{name: a, port: 443, exempt_paths: [/a, /]}]",
	 "service 'a' exempts the path '/', with which almost every request begins\n"},
	{"percent 0", "[{name: a, port: 443, percent: 0}, {name: b, port: 444, percent: 1}]",
	 "service 'a' has percent 0: no source is enforced\n"},
	{"action pass", "[{name: a, port: 443, action: pass}]",
	 "service 'a' has action 'pass': plaintext HTTP goes to the server\n"},

	{"allow", "[]\nallow: [10.0.0.0/8, 0.0.0.0/1, '::/1', 128.0.0.0/2, 224.0.0.0/3]", ""},
	{"allow all IPv4", "[]\nallow: [0.0.0.0/0]",
	 "allow has all IPv4 addresses: no service does anything for them\n"},
	{"allow all IPv6, in halves", "[]\nallow: ['8000::/1', '::/1']",
	 "allow has all IPv6 addresses: no service does anything for them\n"},
	{"allow all, in pieces that lie in each other",
	 "[]\nallow: [0.0.0.0/2, 10.0.0.0/8, 64.0.0.0/2, 64.0.0.0/3, 128.0.0.0/1, 255.255.255.255,"
	 " '::/0', '::1']",
	 "allow has all IPv4 addresses: no service does anything for them\n"
	 "allow has all IPv6 addresses: no service does anything for them\n"},
	{"allow all until now",
	 "[]\nallow: [{address: 0.0.0.0/0, until: 2026-12-01T12:00:00Z}, '::1',"
	 " {address: '::/0', until: 2026-12-01T12:00:01Z}]",
	 "allow has all IPv6 addresses: no service does anything for them\n"
	 "allow has 1 of its 3 entries for nothing: their end has passed\n"},

	{"a range in a range", "[{name: a, port: 8000-8100}, {name: b, port: 8050}]",
	 "service 'a' loses 1 of its 101 ports to service 'b': " WINS},
	{"ranges in each other",
	 "[{name: c, port: 12-13}, {name: b, port: 11-14}, {name: a, port: 10-20}, {name: d, port: "
	 "20}]",
	 "service 'a' loses 5 of its 11 ports to service 'b' and 1 more: " WINS
	 "service 'b' loses 2 of its 4 ports to service 'c': " WINS},
	{"a range of nothing but others",
	 "[{name: a, port: 10-12}, {name: b, port: 10}, {name: c, port: 11-12}]",
	 "service 'a' never matches: all of its 3 ports go to service 'b' and 1 more, as " WINS},
	{"ranges of other places",
	 "[{name: a, port: 10-12}, {name: b, port: 10, vlan: 1}, {name: c, port: 10, interface: e},"
	 " {name: d, port: 10, address: 10.0.0.0/8}]",
	 ""},
	{"ranges of one other place",
	 "[{name: a, port: 10-11, vlan: 1, interface: e, address: 10.0.0.0/8},"
	 " {name: b, port: 11, vlan: 1, interface: e, address: 10.0.0.0/8}]",
	 "service 'a' loses 1 of its 2 ports to service 'b': " WINS},

	{"any, and all addresses of either family",
	 "[{name: a, port: 10}, {name: b, port: 10, address: 0.0.0.0/0},"
	 " {name: c, port: 9-10, address: '::/0'}]",
	 "service 'a' " COVERED},
	{"any, and all addresses of one family",
	 "[{name: a, port: 10}, {name: b, port: 10, address: 0.0.0.0/0}]", ""},
	{"both halves",
	 "[{name: a, port: 10, address: 10.0.0.0/8}, {name: b, port: 10, address: 10.0.0.0/9},"
	 " {name: c, port: 10, address: 10.128.0.0/9}]",
	 "service 'a' " COVERED},
	{"both halves, not all ports of one",
	 "[{name: a, port: 10-11, address: 10.0.0.0/8}, {name: b, port: 10, address: 10.0.0.0/9},"
	 " {name: c, port: 10-11, address: 10.128.0.0/9}]",
	 ""},
	{"both halves, one for an interface",
	 "[{name: a, port: 10, address: 10.0.0.0/8}, {name: b, port: 10, address: 10.0.0.0/9},"
	 " {name: c, port: 10, address: 10.128.0.0/9, interface: e}]",
	 ""},
	{"both halves, for the same interface",
	 "[{name: a, port: 10, address: 10.0.0.0/8, interface: e},"
	 " {name: b, port: 10, address: 10.0.0.0/9},"
	 " {name: c, port: 10, address: 10.128.0.0/9, interface: e}]",
	 "service 'a' " COVERED},
	{"both halves of another VLAN",
	 "[{name: a, port: 10, address: 10.0.0.0/8}, {name: b, port: 10, address: 10.0.0.0/9, "
	 "vlan: 1},"
	 " {name: c, port: 10, address: 10.128.0.0/9, vlan: 1}]",
	 ""},
	{"the last addresses",
	 "[{name: a, port: 10, address: 255.255.255.254/31}, {name: b, port: 10, address: "
	 "255.255.255.254},"
	 " {name: c, port: 10, address: 255.255.255.255}]",
	 "service 'a' " COVERED},
};

static void write_line(void *context, const char *sentence)
{
	fprintf(context, "%s\n", sentence);
}

static void check_lint(const struct policy *policy, const char *sentences, const char *name)
{
	char *text = NULL;
	size_t len, count, lines = 0;
	FILE *out = open_memstream(&text, &len);

	count = policy_lint_at(policy, NOW, write_line, out);
	fclose(out);
	cr_expect_str_eq(text, sentences, "%s: %s", name, text);
	for (const char *c = sentences; *c; c++)
		lines += *c == '\n';
	cr_expect_eq(count, lines, "%s", name);
	free(text);
}

Test(policy_lint, a_sentence_for_each_doubt)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct policy policy;
		char text[1024];

		snprintf(text, sizeof(text), "services: %s\n", rows[i].text);
		policy = read_valid(text, strlen(text));
		check_lint(&policy, rows[i].sentences, rows[i].name);
		policy_free(&policy);
	}
}

static void count_sentence(void *context, const char *sentence)
{
	(void)sentence;
	(*(size_t *)context)++;
}

Test(policy_lint, what_ended_long_ago_has_ended_now)
{
	static const char text[] =
		"services: []\nallow: [{address: '::1', until: 2001-01-01T00:00:00Z},"
		" {address: '::2', until: 9999-01-01T00:00:00Z}]\n";
	struct policy policy = read_valid(text, strlen(text));
	size_t count = 0;

	cr_expect_eq(policy_lint(&policy, count_sentence, &count), 1);
	cr_expect_eq(count, 1);
	policy_free(&policy);
}

/* Ranges each in the one before: as much to look at as there can be. */
Test(policy_lint, as_many_services_as_allowed_take_no_time)
{
	struct policy policy;
	struct failure failure;
	size_t count = 0;
	clock_t start;

	cr_assert_eq(policy_init(&policy), 0);
	for (unsigned int i = 0; i < EDGE426_SERVICES_MAX; i++) {
		struct service service = {.port = (__u16)(1 + i), .port_end = (__u16)(60000 - i)};

		snprintf(service.name, sizeof(service.name), "service%u", i);
		policy_complete_service(&service, 0);
		cr_assert_eq(policy_add_service(&policy, &service, &failure), 0);
	}
	start = clock();
	/* all but the innermost lose ports; all on 80 and on 631 are one sentence each */
	cr_expect_eq(policy_lint_at(&policy, NOW, count_sentence, &count),
		     EDGE426_SERVICES_MAX - 1 + 2);
	cr_expect_lt((double)(clock() - start) / CLOCKS_PER_SEC, 10);
	policy_free(&policy);
}
