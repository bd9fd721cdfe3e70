/* SPDX-License-Identifier: GPL-2.0-only */
/* What a change of policy is said to be. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy.h"
#include "policy_diff.h"
#include "policy_rows.h"

#define ALL                                                                                        \
	"{name: a, port: 1, address: 10.0.0.0/8, interface: e, vlan: 5, handshake: auto,"          \
	" syn_threshold: 5, calm_seconds: 6, action: drop, other: reset, percent: 50,"             \
	" exempt_paths: [/a, /b], exempt_hosts: [h]}"

static const struct {
	const char *name;
	const char *from, *to; /* from "services: " on */
	const char *lines;     /* each after "> " */
} rows[] = {
	{"nothing", "[]", "[]", ""},
	{"nothing of much", "[" ALL "]", "[" ALL "]", ""},
	{"one more", "[]", "[{name: https, port: 1}]", "> + service https\n"},
	{"one less", "[{name: old, port: 1}]", "[]", "> - service old\n"},
	{"another name", "[{name: b, port: 1}]", "[{name: a, port: 1}]",
	 "> + service a\n> - service b\n"},
	{"another order", "[{name: a, port: 1}, {name: b, port: 2}]",
	 "[{name: b, port: 2}, {name: a, port: 1}]", ""},
	{"the default said", "[{name: a, port: 1}]",
	 "[{name: a, port: 1-1, percent: 100, action: respond, other: pass, handshake: backend}]",
	 ""},
	{"action and percent", "[{name: api, port: 1}]",
	 "[{name: api, port: 1, action: reset, percent: 50}]",
	 "> ~ service api: action respond -> reset, percent 100 -> 50\n"},
	{"all keys", "[{name: a, port: 9-11}]", "[" ALL "]",
	 "> ~ service a: port 9-11 -> 1, address any -> 10.0.0.0/8, interface any -> e, "
	 "vlan any -> 5, handshake backend -> auto, syn_threshold unset -> 5, "
	 "calm_seconds unset -> 6, action respond -> drop, other pass -> reset, "
	 "percent 100 -> 50, exempt_paths +/a +/b, exempt_hosts +h\n"},
	{"and back", "[" ALL "]", "[{name: a, port: 9-11}]",
	 "> ~ service a: port 1 -> 9-11, address 10.0.0.0/8 -> any, interface e -> any, "
	 "vlan 5 -> any, handshake auto -> backend, syn_threshold 5 -> unset, "
	 "calm_seconds 6 -> unset, action drop -> respond, other reset -> pass, "
	 "percent 50 -> 100, exempt_paths -/a -/b, exempt_hosts -h\n"},
	{"the rest of the keys", "[{name: a, port: 1, mode: monitor, limit: {rate: 5}}]",
	 "[{name: a, port: 1, backend: none, mode: bypass}]",
	 "> ~ service a: handshake backend -> edge, backend unset -> none, other pass -> reset, "
	 "mode monitor -> bypass, limit 5/5 -> unset\n"},
	{"the burst of a limit", "[{name: a, port: 1, limit: {rate: 5}}]",
	 "[{name: a, port: 1, limit: {rate: 5, burst: 6}}]", "> ~ service a: limit 5/5 -> 5/6\n"},
	{"exemptions", "[{name: a, port: 1, exempt_paths: [/b, /c], exempt_hosts: [x, y]}]",
	 "[{name: a, port: 1, exempt_paths: [/c, /a], exempt_hosts: [y, x]}]",
	 "> ~ service a: exempt_paths +/a -/b\n"},
	{"several services", "[{name: a, port: 1}, {name: b, port: 2}, {name: c, port: 3}]",
	 "[{name: d, port: 1}, {name: c, port: 4}, {name: a, port: 5}]",
	 "> + service d\n> - service b\n> ~ service c: port 3 -> 4\n> ~ service a: port 1 -> 5\n"},
	{"allow", "[]\nallow: [10.0.0.0/8, 10.0.0.0/9, 192.0.2.1]",
	 "[]\nallow: [10.0.0.0/7, 10.0.0.0/9, {address: 192.0.2.1, until: 2027-01-01T00:00:00Z},"
	 " 192.0.2.2, 192.0.2.3]",
	 "> ~ allow 3 added 1 removed 1 changed\n"},
	{"allow, only more", "[]", "[]\nallow: [10.0.0.1, 10.0.0.0/8]", "> ~ allow 2 added\n"},
	{"allow, only less", "[]\nallow: ['::1']", "[]", "> ~ allow 1 removed\n"},
	{"allow, another end", "[]\nallow: [{address: 10.0.0.1, until: 2027-01-01T00:00:00Z}]",
	 "[]\nallow: [{address: 10.0.0.1, until: 2027-01-01T00:00:01Z}]", "> ~ allow 1 changed\n"},
	{"body", "[]", "[]\nanswers: {default: {body: https}}", "> ~ answer default: body\n"},
	{"all of the answer", "[]",
	 "[]\nanswers: {default: {body: https, content_type: a, upgrade: [TLS/1.2]}}",
	 "> ~ answer default: upgrade, content_type, body\n"},
	{"the order of protocols", "[]", "[]\nanswers: {default: {upgrade: [HTTP/1.1, TLS/1.2]}}",
	 "> ~ answer default: upgrade\n"},
	{"everything", "[{name: a, port: 1}]",
	 "[{name: b, port: 1}]\nallow: ['::1']\nanswers: {default: {body: https}}",
	 "> + service b\n> - service a\n> ~ allow 1 added\n> ~ answer default: body\n"},
};

static struct policy read_services(const char *text)
{
	char whole[1024];

	snprintf(whole, sizeof(whole), "services: %s\n", text);
	return read_valid(whole, strlen(whole));
}

static size_t count_lines(const char *text)
{
	size_t lines = 0;

	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

static void check_diff(const struct policy *from, const struct policy *to, const char *lines,
		       const char *name)
{
	char *text = NULL;
	size_t len, count;
	FILE *out = open_memstream(&text, &len);

	count = policy_diff(from, to, "> ", out);
	fclose(out);
	cr_expect_str_eq(text, lines, "%s: %s", name, text);
	cr_expect_eq(count, count_lines(lines), "%s", name);
	free(text);
}

Test(policy_diff, a_line_for_each_thing_that_changes)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct policy from = read_services(rows[i].from), to = read_services(rows[i].to);

		check_diff(&from, &to, rows[i].lines, rows[i].name);
		check_diff(&from, &from, "", rows[i].name);
		check_diff(&to, &to, "", rows[i].name);
		policy_free(&from);
		policy_free(&to);
	}
}

Test(policy_diff, from_no_policy_at_all)
{
	struct policy to = read_services("[{name: a, port: 1}]"), none = {0};

	check_diff(&none, &to, "> + service a\n> ~ answer default: upgrade, content_type, body\n",
		   "from none");
	check_diff(&to, &none, "> - service a\n> ~ answer default: upgrade, content_type, body\n",
		   "to none");
	check_diff(&none, &none, "", "none");
	policy_free(&to);
}

/* As many services as there may be, in the other order, and as many entries. */
static struct policy much(bool other)
{
	struct allow *entries = calloc(100000, sizeof(*entries));
	struct policy policy = {0};
	struct failure failure;

	for (unsigned int i = 0; i < EDGE426_SERVICES_MAX; i++) {
		unsigned int number = other ? EDGE426_SERVICES_MAX - 1 - i : i;
		struct service service = {.port = (__u16)(1 + number), .mode = other};

		snprintf(service.name, sizeof(service.name), "service%u", number);
		policy_complete_service(&service, 0);
		cr_assert_eq(policy_add_service(&policy, &service, &failure), 0);
	}
	for (unsigned int i = 0; i < 100000; i++)
		entries[i] = (struct allow){.prefix = {6,
						       128,
						       {[1] = other,
							[13] = (__u8)(i >> 16),
							[14] = (__u8)(i >> 8),
							[15] = (__u8)i}}};
	cr_assert_eq(policy_set_allow(&policy, entries, 100000, &failure), 0);
	return policy;
}

Test(policy_diff, much_takes_no_time)
{
	struct policy from = much(false), to = much(true);
	FILE *out = fopen("/dev/null", "w");
	clock_t start = clock();

	cr_expect_eq(policy_diff(&from, &to, "", out), EDGE426_SERVICES_MAX + 1);
	cr_expect_lt((double)(clock() - start) / CLOCKS_PER_SEC, 5);
	fclose(out);
	policy_free(&from);
	policy_free(&to);
}
