/* SPDX-License-Identifier: GPL-2.0-only */
/* The entry of the policy that goes with a reason. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "explain_frame.h"
#include "explain_rule.h"
#include "guard.h"
#include "segment.h"

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

static const char policy_text[] = "services:\n"
				  "  - name: https\n"
				  "    port: 443\n"
				  "    limit: {rate: 10, burst: 20}\n"
				  "    other: drop\n"
				  "    exempt_paths: [acme, /open, /open/wide/, /]\n"
				  "    exempt_hosts: [plain.example]\n"
				  "  - name: monitored\n"
				  "    port: 444\n"
				  "    mode: monitor\n"
				  "  - name: partly\n"
				  "    port: 445\n"
				  "    percent: 10\n"
				  "  - name: bypassed\n"
				  "    port: 446\n"
				  "    mode: bypass\n"
				  "  - name: auto\n"
				  "    port: 447\n"
				  "    handshake: auto\n"
				  "  - name: refusing\n"
				  "    port: 448\n"
				  "    action: reset\n"
				  "  - name: mostly\n"
				  "    port: 449\n"
				  "    percent: 20\n"
				  "allow:\n"
				  "  - 192.0.2.0/24\n"
				  "  - address: 192.0.2.0/28\n"
				  "    until: 2030-01-01T00:00:00Z\n"
				  "  - 2001:db8::/32\n";

#define SHARE(percent) "this source is 19 of 0 to 99, those below " percent " are enforced"

enum {
	HTTPS = 1,
	MONITORED,
	PARTLY,
	BYPASSED,
	AUTO,
	REFUSING,
	MOSTLY,
	ENDED = EDGE426_SERVICE_ENDED + 1
};

enum { SEEN_MONITORED = 1, BYPASS = 2, LATE = 4, OVER_IPV6 = 8 };

static const struct row {
	const char *name;
	enum edge426_reason reason;
	__u32 service;
	const char *request;
	const char *kind; /* NULL: no rule */
	const char *value;
	const char *note;
	int how; /* bits: */
} rows[] = {
	{"an allow entry with an end", EDGE426_REASON_allowed, HTTPS, "", "allow", "192.0.2.0/28",
	 "until 2030-01-01T00:00:00Z", 0},
	{"an allow entry around one that has ended", EDGE426_REASON_allowed, HTTPS, "", "allow",
	 "192.0.2.0/24", "", LATE},
	{"an allow entry of IPv6", EDGE426_REASON_allowed, HTTPS, "", "allow", "2001:db8::/32", "",
	 OVER_IPV6},
	{"a path of a preset", EDGE426_REASON_exempt_path, HTTPS,
	 "GET /.well-known/acme-challenge/x HTTP/1.1\r\n", "exempt_path",
	 "/.well-known/acme-challenge/", "preset acme", 0},
	{"the longest of two prefixes", EDGE426_REASON_exempt_path, HTTPS,
	 "GET /open/wide/x HTTP/1.1\r\n", "exempt_path", "/open/wide/", "", 0},
	{"the shorter one", EDGE426_REASON_exempt_path, HTTPS, "GET /openx HTTP/1.1\r\n",
	 "exempt_path", "/open", "", 0},
	{"a path in absolute form", EDGE426_REASON_exempt_path, HTTPS,
	 "GET http://a/open HTTP/1.1\r\n", "exempt_path", "/open", "", 0},
	{"the shortest path", EDGE426_REASON_exempt_path, HTTPS, "GET / HTTP/1.1\r\n",
	 "exempt_path", "/", "", 0},
	{"a host, whatever its case and port", EDGE426_REASON_exempt_host, HTTPS,
	 "GET /x HTTP/1.1\r\nA: b\r\nhost: Plain.EXAMPLE:80\r\n\r\n", "exempt_host",
	 "plain.example", "", 0},
	{"the action", EDGE426_REASON_reset_http, REFUSING, "GET /", "action", "reset", "", 0},
	{"what is neither", EDGE426_REASON_dropped_other, HTTPS, "SSH-", "other", "drop", "", 0},
	{"the limit", EDGE426_REASON_limited, HTTPS, "GET /", "limit", "10/20", "", 0},
	{"the mode", EDGE426_REASON_would_answer, MONITORED, "GET /", "mode", "monitor", "",
	 SEEN_MONITORED},
	{"the share", EDGE426_REASON_would_answer, PARTLY, "GET /", "percent", "10", SHARE("10"),
	 SEEN_MONITORED},
	{"an action of a share", EDGE426_REASON_answered, MOSTLY, "GET /", "action", "respond",
	 SHARE("20"), 0},
	{"bypass of the service", EDGE426_REASON_bypassed, BYPASSED, "GET /", "mode", "bypass", "",
	 0},
	{"bypass of all", EDGE426_REASON_bypassed, HTTPS, "GET /", "bypass", "of all services", "",
	 BYPASS},
	{"a SYN under bypass", EDGE426_REASON_syn_to_backend, AUTO, "", "bypass", "of all services",
	 "", BYPASS},
	{"a SYN without a flood", EDGE426_REASON_syn_to_backend, AUTO, "", "handshake", "auto", "",
	 0},
	{"a SYN that is monitored", EDGE426_REASON_syn_to_backend, MONITORED, "", "mode", "monitor",
	 "", SEEN_MONITORED},
	{"a host that is unable", EDGE426_REASON_fallback_host, AUTO, "", "host",
	 "net.ipv4.tcp_syncookies is 0", "", 0},
	{"TLS", EDGE426_REASON_tls, HTTPS, "\x16\x03", NULL, "", "", 0},
	{"no service", EDGE426_REASON_not_protected, 0, "GET /", NULL, "", "", 0},
	{"a service that has ended", EDGE426_REASON_bypassed, ENDED, "GET /", NULL, "", "", 0},
};

/* A segment of the request, whose payload ends at an unreadable page. */
static void make_case(const struct row *row, struct segment *segment, const __u8 **payload)
{
	static const struct explain_ends ends4 = {
		{4, {192, 0, 2, 1}, 40000}, {4, {192, 0, 2, 9}, 443}, 0};
	static const struct explain_ends ends6 = {
		{6, {0x20, 1, 0x0d, 0xb8, [15] = 1}, 40000}, {6, {[15] = 9}, 443}, 0};
	struct explain_segment step = {
		.seq = 1, .data = (const __u8 *)row->request, .len = strlen(row->request)};
	__u8 frame[EXPLAIN_FRAME_MAX];
	size_t len = explain_frame_build(row->how & OVER_IPV6 ? &ends6 : &ends4, &step, frame);
	struct cursor cursor = {frame, frame + len};
	struct headers headers;

	cr_assert_eq(headers_parse(&cursor, (__u32)len, &headers), HEADERS_OK);
	segment_read(&headers, &cursor, segment);
	*payload = guard_copy(row->request, step.len);
}

static void expect_rule(const struct row *row, const struct policy *policy)
{
	const struct explain_view view = {policy, (row->how & BYPASS) != 0,
					  EDGE426_UNABLE_SYNCOOKIES,
					  row->how & LATE ? 1900000000U : 1700000000U};
	const struct explain_outcome outcome = {.reason = row->reason,
						.service = row->service,
						.monitored = (row->how & SEEN_MONITORED) != 0};
	struct segment segment = {0};
	struct explain_case met = {.segment = &segment, .outcome = &outcome};
	struct explain_rule rule;

	make_case(row, &segment, &met.payload);
	explain_find_rule(&view, &met, &rule);
	cr_expect_eq(!rule.kind, !row->kind, "%s", row->name);
	if (rule.kind && row->kind)
		cr_expect_str_eq(rule.kind, row->kind, "%s: %s", row->name, rule.kind);
	cr_expect_str_eq(rule.value, row->value, "%s: %s", row->name, rule.value);
	cr_expect_str_eq(rule.note, row->note, "%s: %s", row->name, rule.note);
}

Test(explain_rule, names_what_matched)
{
	struct failure failure = {0};
	struct policy policy = {0};

	cr_assert_eq(policy_read_text("p", policy_text, sizeof(policy_text) - 1, NULL, &policy,
				      &failure),
		     0, "%s", failure.text);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		expect_rule(&rows[i], &policy);
	policy_free(&policy);
}
