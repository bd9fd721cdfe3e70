/* SPDX-License-Identifier: GPL-2.0-only */
/* A policy as canonical text, and back. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <edge426/abi.h>

#include "policy.h"
#include "policy_rows.h"
#include "text.h"

Test(policy_print, the_canonical_text)
{
	static const char text[] =
		"answers: {default: {upgrade: [TLS/1.2]}}\n"
		"services:\n"
		"- {port: 443, name: https, address: any}\n"
		"- {port: 443, name: net, address: 2001:DB8::/32}\n"
		"- {backend: none, port: 80, name: http}\n"
		"- {calm_seconds: 5, handshake: auto, port: 8443, name: flood}\n";
	static const char canonical[] = "services:\n"
					"- name: https\n"
					"  port: 443\n"
					"  handshake: backend\n"
					"- name: net\n"
					"  port: 443\n"
					"  address: 2001:db8::/32\n"
					"  handshake: backend\n"
					"- name: http\n"
					"  port: 80\n"
					"  handshake: edge\n"
					"  backend: none\n"
					"- name: flood\n"
					"  port: 8443\n"
					"  handshake: auto\n"
					"  syn_threshold: 100\n"
					"  calm_seconds: 5\n"
					"answers:\n"
					"  default:\n"
					"    upgrade: [\"TLS/1.2\"]\n"
					"    content_type: text/plain; charset=utf-8\n"
					"    body: |\n"
					"      " DEFAULT_BODY;
	struct policy policy = read_valid(text, strlen(text));
	struct failure failure;
	char *printed;
	size_t len;

	cr_assert_eq(policy_print_text(&policy, &printed, &len, &failure), 0);
	cr_expect_str_eq(printed, canonical);
	free(printed);
	policy_free(&policy);
}

/* Bodies that YAML could trip over, each tried as name and type too where it is one. */
static const char *const nasty[] = {
	"",
	"\n",
	"\n\n",
	"\n\na",
	" ",
	" a",
	"a ",
	"a \n",
	"a",
	"a\n",
	"a\n\n",
	"a\nb",
	"a\n b\n",
	"  a\nb",
	"\ta",
	"a\tb\n",
	"a\r\nb",
	"\r",
	"~",
	"null",
	"true",
	"-",
	"- a",
	"--- a",
	"---",
	"...",
	"---\na\n",
	"a\n---\nb",
	"a\n...\n",
	"?",
	"? a",
	":",
	"a: b",
	"a:",
	"a #b",
	"#a",
	"# a\n",
	"&a",
	"*a",
	"!a",
	"!!str",
	"|",
	"|\n",
	">",
	"%a",
	"%YAML\n",
	"@a",
	"`a",
	"'",
	"\"",
	"'a'",
	"\"a\"",
	"it's",
	"\\",
	"\\n",
	"\\\n",
	"{",
	"}",
	"{a: b}",
	"[",
	"[a, b]",
	",",
	"a, b",
	"<<",
	"0x1f",
	"1e3",
	"012",
	"1_000",
	"12:30:45",
	"2001-01-01",
	"=",
	"\x01",
	"a\x1b[",
	"\x7f",
	"\xc2\x85",
	"a\xc2\x85"
	"b",
	"\xc2\x80"
	"a",
	"\xc2\xa0",
	"\xc3\xa4\n",
	"\xe2\x80\xa8",
	"a\n\xe2\x80\xa9",
	"\xef\xbb\xbf",
	"a\xef\xbb\xbf\n",
	"\xe6\x97\xa5\n",
	"\xf0\x9f\x94\x92\n",
	"\xef\xbf\xbd",
	"<p>a</p>\n<p>b</p>\n",
	"{\"a\": \"b\"}\n",
	"a\n\n\n b \n\n",
	"a  b   c\n",
	X100 " " X100 "\n",
	"\n a",
	"\n\t",
	" \n",
	"a\n \n",
	"\t\n",
};

static void try_strings(const char *string)
{
	struct service service = {
		.port = 1, .port_end = 1, .other = EDGE426_ACTION_PASS, .percent = 100};
	struct failure failure = {.text = ""};
	struct policy policy;

	cr_assert_eq(policy_init(&policy), 0);
	free(policy.answer.body);
	policy.answer.body = strdup(string);
	if (!text_check_field(string)) {
		free(policy.answer.content_type);
		policy.answer.content_type = strdup(string);
	}
	if (!text_check_name(string)) {
		strcpy(service.name, string);
		cr_assert_eq(policy_add_service(&policy, &service, &failure), 0, "%s",
			     failure.text);
	}
	if (!text_check_protocol(string)) {
		free(policy.answer.upgrade[1]);
		policy.answer.upgrade[1] = strdup(string);
	}
	check_round_trip(&policy, string);
	policy_free(&policy);
}

Test(policy_print, nasty_strings_come_back)
{
	for (size_t i = 0; i < ARRAY_LEN(nasty); i++)
		try_strings(nasty[i]);
}

/* All that two octets can make of a body, where UTF-8 allows it, between others. */
Test(policy_print, any_two_octets_come_back)
{
	for (unsigned int pair = 0; pair < 128 * 128; pair += pair % 128 < 34 ? 1 : 7) {
		char body[3] = {(char)(pair / 128), (char)(pair % 128), '\0'};

		try_strings(body);
	}
}

static const struct {
	const char *body;
	const char *printed;
} bodies[] = {
	{"a\n", "|\n      a\n"},
	{"a\n b\n", "|\n      a\n       b\n"},
	{"a", "|-\n      a\n"},
	{"\xc3\xa4\n", "|\n      \xc3\xa4\n"},
	{"", "\"\"\n"},
	{" a", "\" a\"\n"},
	{"\na", "\"\\na\"\n"},
	{"a\tb", "\"a\\tb\"\n"},
	{"a\xc2\x85", "\"a\\N\"\n"},
	{"a\xe2\x80\xa8", "\"a\\L\"\n"},
	{"a\xe2\x80\xa9", "\"a\\P\"\n"},
};

Test(policy_print, a_body_is_a_block_where_that_reads_well)
{
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct failure failure;
		struct policy policy;
		char *text;
		size_t len;

		cr_assert_eq(policy_init(&policy), 0);
		free(policy.answer.body);
		policy.answer.body = strdup(bodies[i].body);
		cr_assert_eq(policy_print_text(&policy, &text, &len, &failure), 0);
		cr_expect_str_eq(strstr(text, "body: ") + strlen("body: "), bodies[i].printed);
		free(text);
		policy_free(&policy);
	}
}

/* The longest a service without exemptions can be: all keys with all octets. */
static struct service long_service(unsigned int i)
{
	struct service service = {.port = (__u16)(10000 + i),
				  .port_end = (__u16)(20000 + i),
				  .interface = "interface123456",
				  .vlan = POLICY_VLAN_MAX,
				  .action = EDGE426_ACTION_RESPOND,
				  .other = EDGE426_ACTION_RESET,
				  .percent = 99,
				  .limit_rate = POLICY_LIMIT_RATE_MAX,
				  .limit_burst = POLICY_LIMIT_BURST_MAX - 1,
				  .handshake = EDGE426_HANDSHAKE_AUTO,
				  .syn_threshold = POLICY_SYN_THRESHOLD_MAX,
				  .calm_seconds = POLICY_CALM_SECONDS_MAX};
	char address[64];

	snprintf(service.name, sizeof(service.name), "%0*u", POLICY_NAME_MAX, i);
	snprintf(address, sizeof(address), "2001:db8:1111:2222:3333:4444:5555:%x/127",
		 0x1000 + 2 * i);
	cr_assert_eq(text_parse_prefix(address, &service.address), 0);
	return service;
}

static struct policy long_policy(unsigned int services)
{
	struct failure failure = {.text = ""};
	struct policy policy;

	cr_assert_eq(policy_init(&policy), 0);
	for (unsigned int i = 0; i < services; i++) {
		struct service service = long_service(i);

		cr_assert_eq(policy_add_service(&policy, &service, &failure), 0, "%s",
			     failure.text);
	}
	return policy;
}

Test(policy_print, as_many_long_services_as_allowed_fit_the_text)
{
	static const unsigned int services[] = {1, 1024, EDGE426_SERVICES_MAX};

	for (size_t i = 0; i < ARRAY_LEN(services); i++) {
		struct policy policy = long_policy(services[i]);
		size_t len = check_round_trip(&policy, "long services");

		cr_expect_leq(len, EDGE426_POLICY_TEXT_MAX - 4, "%u services need %zu octets",
			      services[i], len);
		policy_free(&policy);
	}
}

/* Each key, with the values that are the default and with others, in any order. */
Test(policy_print, keys_in_their_order_and_no_default)
{
	static const char text[] =
		"services:\n"
		"- {exempt_hosts: [B.a, '[::1]'], exempt_paths: [acme, /a], limit: {burst: 5, "
		"rate: 9},\n"
		"   percent: 0, mode: enforce, other: drop, action: respond, handshake: backend,\n"
		"   vlan: 7, interface: eth0, address: 10.0.0.0/8, port: 8000-8100, name: all}\n"
		"- {exempt_hosts: [], exempt_paths: [], limit: {burst: 5, rate: 5}, percent: 100,\n"
		"   mode: enforce, other: pass, action: respond, address: any, port: 80-80, name: "
		"few}\n"
		"- {name: watch, port: 81, mode: monitor, action: drop, other: reset}\n"
		"- {name: alone, port: 82, backend: none, other: reset, action: reset-syn}\n"
		"- {name: silent, port: 83, backend: none, other: drop, mode: bypass}\n"
		"allow:\n"
		"- '::1'\n"
		"- {address: 10.0.0.0/8, until: '2026-12-01T12:00:00+01:00'}\n"
		"- {address: 192.0.2.1/32}\n"
		"- {address: '::/0', until: '2026-12-01T12:00:00Z'}\n"
		"- 10.0.0.0/7\n";
	static const char canonical[] = "services:\n"
					"- name: all\n"
					"  port: 8000-8100\n"
					"  address: 10.0.0.0/8\n"
					"  interface: eth0\n"
					"  vlan: 7\n"
					"  handshake: backend\n"
					"  other: drop\n"
					"  percent: 0\n"
					"  limit: {rate: 9, burst: 5}\n"
					"  exempt_paths: [acme, /a]\n"
					"  exempt_hosts: [b.a, '[::1]']\n"
					"- name: few\n"
					"  port: 80\n"
					"  handshake: backend\n"
					"  limit: {rate: 5}\n"
					"- name: watch\n"
					"  port: 81\n"
					"  handshake: backend\n"
					"  action: drop\n"
					"  other: reset\n"
					"  mode: monitor\n"
					"- name: alone\n"
					"  port: 82\n"
					"  handshake: edge\n"
					"  backend: none\n"
					"  action: reset-syn\n"
					"- name: silent\n"
					"  port: 83\n"
					"  handshake: edge\n"
					"  backend: none\n"
					"  other: drop\n"
					"  mode: bypass\n"
					"allow:\n"
					"- 10.0.0.0/7\n"
					"- {address: 10.0.0.0/8, until: \"2026-12-01T11:00:00Z\"}\n"
					"- 192.0.2.1\n"
					"- {address: '::/0', until: \"2026-12-01T12:00:00Z\"}\n"
					"- ::1\n"
					"answers:\n";
	struct policy policy = read_valid(text, strlen(text));
	struct failure failure;
	char *printed;
	size_t len;

	cr_assert_eq(policy_print_text(&policy, &printed, &len, &failure), 0);
	printed[strlen(canonical)] = '\0';
	cr_expect_str_eq(printed, canonical);
	free(printed);
	check_round_trip(&policy, "keys");
	policy_free(&policy);
}

static unsigned int below(unsigned int limit)
{
	static __u64 state = 426;

	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned int)(state >> 33) % limit;
}

static void random_prefix(struct prefix *prefix)
{
	char text[TEXT_PREFIX_LEN];

	if (below(2))
		snprintf(text, sizeof(text), "%u.%u.0.0/16", below(256), below(256));
	else
		snprintf(text, sizeof(text), "%x:%x::/%u", below(4) ? 0x2001 : 0, below(65536),
			 32 + below(97));
	if (!below(4) || text_parse_prefix(text, prefix))
		cr_assert_eq(text_parse_prefix(below(2) ? "::/0" : "::1", prefix), 0);
}

/* Visible ASCII, all of which a path may have. */
static void random_path(struct strings *paths)
{
	char path[EDGE426_PATH_MAX + 1] = "/";
	unsigned int len = 1 + below(8);

	for (unsigned int i = 1; i < len; i++)
		path[i] = (char)('!' + below('~' - '!' + 1));
	policy_add_string(paths, below(6) ? path : "acme");
}

static void random_host(struct strings *hosts)
{
	static const char *const some[] = {"a",	   "no",   "10.0.0.1",	   "[::1]", "null",
					   "true", "on.y", "[2001:db8::]", "0x1f",  "1e3"};

	policy_add_string(hosts, some[below(ARRAY_LEN(some))]);
}

/* Any, most of which the checks refuse. */
static struct service random_service(void)
{
	struct service service = {.port = (__u16)(1 + below(999)),
				  .handshake = below(3),
				  .flags = !below(4),
				  .action = below(5),
				  .other = below(5),
				  .mode = below(3),
				  .percent = below(3) ? 100 : below(101),
				  .limit_rate = below(2) ? below(100) : 0};

	snprintf(service.name, sizeof(service.name), "%x", below(1 << 20));
	service.port_end = (__u16)(service.port + (below(2) ? below(20) : 0));
	if (below(2))
		random_prefix(&service.address);
	if (below(2))
		snprintf(service.interface, sizeof(service.interface), "%c%u",
			 '!' + (int)below('~' - '!' + 1), below(100));
	service.vlan = below(2) ? (__u16)below(4095) : 0;
	for (unsigned int i = below(4); i; i--)
		random_path(&service.exempt_paths);
	for (unsigned int i = below(4); i; i--)
		random_host(&service.exempt_hosts);
	policy_complete_service(&service, ~(__u32)0);
	return service;
}

static struct policy random_policy(void)
{
	struct failure failure;
	struct policy policy;

	cr_assert_eq(policy_init(&policy), 0);
	for (unsigned int i = below(100); i; i--) {
		struct service service = random_service();

		policy_add_service(&policy, &service, &failure);
		policy_free_service(&service);
	}
	for (unsigned int i = below(20); i; i--) {
		struct allow entry = {.until = below(2) ? below(1U << 31) : 0};

		random_prefix(&entry.prefix);
		cr_assert_eq(policy_add_allow(&policy, &entry, &failure), 0, "%s", failure.text);
	}
	return policy;
}

Test(policy_print, any_policy_comes_back)
{
	size_t services = 0, exemptions = 0;

	for (int i = 0; i < 300; i++) {
		struct policy policy = random_policy();

		services += policy.services_len;
		for (size_t k = 0; k < policy.services_len; k++)
			exemptions += policy.services[k].exempt_paths.len;
		check_round_trip(&policy, "random");
		policy_free(&policy);
	}
	cr_expect_gt(services, 1000);
	cr_expect_gt(exemptions, 1000);
}
