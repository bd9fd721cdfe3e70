/* SPDX-License-Identifier: GPL-2.0-only */
/* Services added, replaced, removed by hand, and how many there may be. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <edge426/abi.h>

#include "policy.h"
#include "policy_rows.h"
#include "text.h"

#define PLACE(name_, port_) .name = name_, .port = port_, .port_end = port_, .percent = 100
#define ONE(name_, port_) PLACE(name_, port_), .other = EDGE426_ACTION_PASS
#define B ONE("b", 2)
#define B_ALONE                                                                                    \
	PLACE("b", 2), .handshake = EDGE426_HANDSHAKE_EDGE, .flags = EDGE426_SERVICE_NO_BACKEND
#define LIST(...)                                                                                  \
	{                                                                                          \
		(char *[]){__VA_ARGS__}, sizeof((char *[]){__VA_ARGS__}) / sizeof(char *)          \
	}
#define NOBODY "there is nobody to pass to"

Test(policy_service, one_more_than_allowed_is_refused)
{
	struct service service = {ONE("", 1)};
	struct policy policy = {0};
	struct failure failure = {.text = ""};

	for (unsigned int i = 1; i <= EDGE426_SERVICES_MAX; i++) {
		snprintf(service.name, sizeof(service.name), "s%u", i);
		service.port = service.port_end = (__u16)i;
		cr_assert_eq(policy_add_service(&policy, &service, &failure), 0, "%s",
			     failure.text);
	}
	strcpy(service.name, "last");
	service.port = service.port_end = 65535;
	cr_expect_eq(policy_add_service(&policy, &service, &failure), -ENOSPC);
	cr_expect_str_eq(failure.text, "service 'last' is one too many: at most 4095 services");
	cr_expect_eq(policy.services_len, EDGE426_SERVICES_MAX);
	policy_free(&policy);
}

Test(policy_service, one_more_is_refused_in_a_file)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	struct failure failure;
	struct policy policy;

	fprintf(out, "services:\n");
	for (int i = 1; i <= EDGE426_SERVICES_MAX + 1; i++)
		fprintf(out, "- {name: s%d, port: %d}\n", i, i);
	fclose(out);
	cr_expect_eq(policy_read_text("p", text, len, NULL, &policy, &failure), -EINVAL);
	cr_expect_str_eq(failure.text,
			 "p:4097:10: service 's4096' is one too many: at most 4095 services");
	free(text);
}

#define BACKEND EDGE426_HANDSHAKE_BACKEND
#define EDGE EDGE426_HANDSHAKE_EDGE
#define AUTO EDGE426_HANDSHAKE_AUTO
#define NO_BACKEND EDGE426_SERVICE_NO_BACKEND

static const struct {
	const char *name;
	struct service service; /* in the order of its keys */
	int err;
	const char *failure;
} added[] = {
	{"another name and port", {B}, 0, ""},
	{"same port, prefix", {ONE("b", 1), .address = {4, 8, {10}}}, 0, ""},
	{"same name",
	 {ONE("a", 2)},
	 -EEXIST,
	 "name 'a' is taken: each service has a name of its own"},
	{"same port",
	 {ONE("b", 1)},
	 -EEXIST,
	 "services 'a' and 'b' both have port 1 and address any: "
	 "one service for each port and address"},
	{"no name",
	 {ONE("", 2)},
	 -EINVAL,
	 "name '' is not allowed: 1 to 63 letters, digits, - and _"},
	{"port 0", {ONE("b", 0)}, -EINVAL, "port '0' is not allowed: " PORTS},
	{"host bits",
	 {B, .address = {4, 8, {10, 1}}},
	 -EINVAL,
	 "address is not allowed: an IPv4 or IPv6 address, or a prefix of one without host bits"},
	{"IPv4 as IPv6",
	 {B, .address = {6, 128, {[10] = 0xff, [11] = 0xff, [12] = 10}}},
	 -EINVAL,
	 "address is not allowed: an IPv4 or IPv6 address, or a prefix of one without host bits"},
	{"33 bits",
	 {B, .address = {4, 33, {0}}},
	 -EINVAL,
	 "address is not allowed: an IPv4 or IPv6 address, or a prefix of one without host bits"},
	{"family 5",
	 {B, .address = {5, 0, {0}}},
	 -EINVAL,
	 "address is not allowed: an IPv4 or IPv6 address, or a prefix of one without host bits"},
	{"unknown handshake",
	 {B, .handshake = 3},
	 -EINVAL,
	 "handshake '3' is not allowed: one of backend, edge, auto"},
	{"no backend", {B_ALONE, .other = EDGE426_ACTION_RESET}, 0, ""},
	{"no backend for auto",
	 {B, .handshake = AUTO, .flags = NO_BACKEND, .syn_threshold = 1, .calm_seconds = 1},
	 -EINVAL,
	 "backend 'none' is not allowed with handshake 'auto': " NO_LISTENER},
	{"unknown flag",
	 {B, .handshake = EDGE, .flags = NO_BACKEND | 2},
	 -EINVAL,
	 "backend '3' is not allowed: only none"},
	{"auto", {B, .handshake = AUTO, .syn_threshold = 1000000, .calm_seconds = 86400}, 0, ""},
	{"auto, not completed",
	 {B, .handshake = AUTO},
	 -EINVAL,
	 "syn_threshold '0' is not allowed: a number from 1 to 1000000"},
	{"auto without calm",
	 {B, .handshake = AUTO, .syn_threshold = 1},
	 -EINVAL,
	 "calm_seconds '0' is not allowed: a number from 1 to 86400"},
	{"threshold too high",
	 {B, .handshake = AUTO, .syn_threshold = 1000001, .calm_seconds = 1},
	 -EINVAL,
	 "syn_threshold '1000001' is not allowed: a number from 1 to 1000000"},
	{"calm too long",
	 {B, .handshake = AUTO, .syn_threshold = 1, .calm_seconds = 86401},
	 -EINVAL,
	 "calm_seconds '86401' is not allowed: a number from 1 to 86400"},
	{"threshold for backend",
	 {B, .syn_threshold = 1},
	 -EINVAL,
	 "syn_threshold '1' is not allowed with handshake 'backend': only with auto"},
	{"calm for edge",
	 {B, .handshake = EDGE, .calm_seconds = 1},
	 -EINVAL,
	 "calm_seconds '1' is not allowed with handshake 'edge': only with auto"},
	{"a range that ends before it begins",
	 {.name = "b", .port = 9, .port_end = 8},
	 -EINVAL,
	 "port '9-8' is not allowed: " PORTS},
	{"interface with a slash",
	 {B, .interface = "a/b"},
	 -EINVAL,
	 "interface 'a/b' is not allowed: " TEXT_INTERFACE_ALLOWED},
	{"interface without an end",
	 {B, .interface = "0123456789abcdef"},
	 -EINVAL,
	 "interface '0123456789abcdef' is not allowed: " TEXT_INTERFACE_ALLOWED},
	{"VLAN 4095", {B, .vlan = 4095}, -EINVAL, "vlan '4095' is not allowed: " TEXT_VLAN_ALLOWED},
	{"same port, VLAN", {ONE("b", 1), .vlan = 1}, 0, ""},
	{"same port, interface", {ONE("b", 1), .interface = "eth0"}, 0, ""},
	{"unknown action",
	 {B, .action = 5},
	 -EINVAL,
	 "action '5' is not allowed: " TEXT_ACTION_ALLOWED},
	{"action pass, nobody there",
	 {B_ALONE, .other = EDGE426_ACTION_DROP, .action = EDGE426_ACTION_PASS},
	 -EINVAL,
	 "action 'pass' is not allowed with backend 'none': " NOBODY},
	{"other respond",
	 {PLACE("b", 2), .other = EDGE426_ACTION_RESPOND},
	 -EINVAL,
	 "other '0' is not allowed: one of pass, reset, drop"},
	{"other pass, nobody there",
	 {B_ALONE, .other = EDGE426_ACTION_PASS},
	 -EINVAL,
	 "other 'pass' is not allowed with backend 'none': " NOBODY},
	{"unknown mode", {B, .mode = 3}, -EINVAL, "mode '3' is not allowed: " TEXT_MODE_ALLOWED},
	{"percent 101",
	 {.name = "b", .port = 2, .port_end = 2, .other = EDGE426_ACTION_PASS, .percent = 101},
	 -EINVAL,
	 "percent '101' is not allowed: a number from 0 to 100"},
	{"limit without a burst",
	 {B, .limit_rate = 5},
	 -EINVAL,
	 "limit '5/0' is not allowed: " TEXT_LIMIT_ALLOWED},
	{"burst without a limit",
	 {B, .limit_burst = 5},
	 -EINVAL,
	 "limit '0/5' is not allowed: " TEXT_LIMIT_ALLOWED},
	{"limit too high",
	 {B, .limit_rate = 1000001, .limit_burst = 1},
	 -EINVAL,
	 "limit '1000001/1' is not allowed: " TEXT_LIMIT_ALLOWED},
	{"burst too high",
	 {B, .limit_rate = 1, .limit_burst = 1000001},
	 -EINVAL,
	 "limit '1/1000001' is not allowed: " TEXT_LIMIT_ALLOWED},
	{"exemptions", {B, .exempt_paths = LIST("/a", "acme"), .exempt_hosts = LIST("a")}, 0, ""},
	{"path without a slash",
	 {B, .exempt_paths = LIST("/a", "a")},
	 -EINVAL,
	 "path 'a' is not allowed: " TEXT_PATH_ALLOWED},
	{"path twice",
	 {B, .exempt_paths = LIST("/a", "/b", "/a")},
	 -EINVAL,
	 "path '/a' is not allowed twice: once for each service"},
	{"host in upper case",
	 {B, .exempt_hosts = LIST("A.example")},
	 -EINVAL,
	 "host 'A.example' is not allowed: " TEXT_HOST_ALLOWED},
	{"33 hosts",
	 {B, .exempt_hosts = LIST("0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "a", "b", "c",
				  "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p",
				  "q", "r", "s", "t", "u", "v", "w")},
	 -EINVAL,
	 "exempt_hosts with 33 entries is not allowed: at most 32"},
};

Test(policy_service, a_service_added_gets_the_checks_of_a_file)
{
	for (size_t i = 0; i < ARRAY_LEN(added); i++) {
		struct policy policy = read_valid(A, strlen(A));
		struct failure failure = {.text = ""};
		int err = policy_add_service(&policy, &added[i].service, &failure);

		cr_expect_eq(err, added[i].err, "%s: %d", added[i].name, err);
		cr_expect_str_eq(failure.text, added[i].failure);
		cr_expect_eq(policy.services_len, err ? 1 : 2, "%s", added[i].name);
		policy_free(&policy);
	}
}

/* The same checks, and all or nothing: what was refused has changed nothing. */
Test(policy_service, a_service_replaced_gets_the_same_checks)
{
	static const char text[] = A "  - {name: b, port: 3, exempt_paths: [/old]}\n";

	for (size_t i = 0; i < ARRAY_LEN(added); i++) {
		struct policy policy = read_valid(text, strlen(text));
		struct policy before = read_valid(text, strlen(text));
		struct failure failure = {.text = ""};
		int err = policy_replace_service(&policy, &added[i].service, &failure);

		if (!strcmp(added[i].service.name, "a")) { /* it takes the place of itself */
			cr_expect_eq(err, 0, "%s: %s", added[i].name, failure.text);
		} else {
			cr_expect_eq(err, added[i].err, "%s: %d", added[i].name, err);
			cr_expect_str_eq(failure.text, added[i].failure);
		}
		if (err)
			expect_equal(&policy, &before, added[i].name);
		else
			check_round_trip(&policy, added[i].name);
		policy_free(&before);
		policy_free(&policy);
	}
}

Test(policy_service, one_that_is_not_there_is_not_replaced)
{
	struct policy policy = read_valid(A, strlen(A));
	struct service service = {ONE("x", 2)};
	struct failure failure;

	cr_expect_eq(policy_replace_service(&policy, &service, &failure), -ENOENT);
	cr_expect_str_eq(failure.text, "no service has the name 'x'");
	cr_expect_eq(policy.services_len, 1);
	policy_free(&policy);
}

Test(policy_service, a_copy_lives_by_itself)
{
	struct service service = {ONE("x", 2), .exempt_paths = LIST("/a"),
				  .exempt_hosts = LIST("a", "b")};
	struct service copy;

	cr_assert_eq(policy_copy_service(&service, &copy), 0);
	cr_expect_eq(policy_add_string(&copy.exempt_paths, "/b"), 0);
	cr_expect_eq(policy_add_string(&copy.exempt_paths, "/a"), -EEXIST);
	cr_expect_eq(policy_remove_string(&copy.exempt_hosts, "a"), 0);
	cr_expect_eq(policy_remove_string(&copy.exempt_hosts, "a"), -ENOENT);
	cr_expect_eq(service.exempt_paths.len, 1);
	cr_expect_eq(service.exempt_hosts.len, 2);
	cr_expect_eq(copy.exempt_paths.len, 2);
	cr_expect_str_eq(copy.exempt_paths.list[1], "/b");
	cr_expect_eq(copy.exempt_hosts.len, 1);
	cr_expect_str_eq(copy.exempt_hosts.list[0], "b");
	policy_free_service(&copy);
	policy_free_service(&copy); /* a zeroed one is fine */
}

static const struct {
	const char *name;
	struct service service, expected;
	__u32 said;
} completed[] = {
	{"nothing said",
	 {.port = 5},
	 {.port = 5, .port_end = 5, .other = EDGE426_ACTION_PASS, .percent = 100},
	 0},
	{"a range, percent 0",
	 {.port = 5, .port_end = 9},
	 {.port = 5, .port_end = 9, .other = EDGE426_ACTION_PASS},
	 1U << SERVICE_PERCENT},
	{"nobody behind it",
	 {.port = 5, .flags = EDGE426_SERVICE_NO_BACKEND},
	 {.port = 5,
	  .port_end = 5,
	  .flags = EDGE426_SERVICE_NO_BACKEND,
	  .handshake = EDGE426_HANDSHAKE_EDGE,
	  .other = EDGE426_ACTION_RESET,
	  .percent = 100},
	 0},
	{"nobody behind it, drop, the wrong handshake",
	 {.port = 5, .flags = EDGE426_SERVICE_NO_BACKEND, .other = EDGE426_ACTION_DROP},
	 {.port = 5,
	  .port_end = 5,
	  .flags = EDGE426_SERVICE_NO_BACKEND,
	  .other = EDGE426_ACTION_DROP,
	  .percent = 100},
	 1U << SERVICE_HANDSHAKE | 1U << SERVICE_OTHER},
	{"a limit",
	 {.port = 5, .limit_rate = 7},
	 {.port = 5,
	  .port_end = 5,
	  .other = EDGE426_ACTION_PASS,
	  .percent = 100,
	  .limit_rate = 7,
	  .limit_burst = 7},
	 0},
	{"auto, one threshold",
	 {.port = 5, .handshake = EDGE426_HANDSHAKE_AUTO, .calm_seconds = 3},
	 {.port = 5,
	  .port_end = 5,
	  .other = EDGE426_ACTION_PASS,
	  .percent = 100,
	  .handshake = EDGE426_HANDSHAKE_AUTO,
	  .syn_threshold = 100,
	  .calm_seconds = 3},
	 1U << SERVICE_HANDSHAKE},
};

Test(policy_service, what_nobody_said_is_the_default)
{
	for (size_t i = 0; i < ARRAY_LEN(completed); i++) {
		struct service service = completed[i].service, expected = completed[i].expected;
		const struct policy made = {.services = &service, .services_len = 1};
		const struct policy wanted = {.services = &expected, .services_len = 1};

		policy_complete_service(&service, completed[i].said);
		expect_equal(&made, &wanted, completed[i].name);
	}
}

Test(policy_service, a_name_without_end_is_refused)
{
	struct policy policy = {0};
	struct service service = {ONE("", 1)};
	struct failure failure;

	memset(service.name, 'a', sizeof(service.name));
	cr_expect_eq(policy_add_service(&policy, &service, &failure), -EINVAL);
	cr_expect_eq(policy.services_len, 0);
}

Test(policy_service, a_service_removed_leaves_the_others_in_order)
{
	static const char text[] = "services:\n"
				   "- {name: a, port: 1}\n- {name: b, port: 2}\n"
				   "- {name: c, port: 3}\n- {name: d, port: 4}\n";
	struct policy policy = read_valid(text, strlen(text));
	struct service e = {ONE("e", 5)};
	struct failure failure;

	cr_expect_eq(policy_remove_service(&policy, "x\n", &failure), -ENOENT);
	cr_expect_str_eq(failure.text, "no service has the name 'x\\x0a'");
	cr_expect_eq(policy_remove_service(&policy, "b", &failure), 0);
	cr_expect_eq(policy_remove_service(&policy, "d", &failure), 0);
	cr_expect_eq(policy_add_service(&policy, &e, &failure), 0);
	cr_assert_eq(policy.services_len, 3);
	cr_expect_str_eq(policy.services[0].name, "a");
	cr_expect_str_eq(policy.services[1].name, "c");
	cr_expect_str_eq(policy.services[2].name, "e");
	cr_expect_null(policy_find_name(&policy, "b"));
	cr_expect_eq(policy_find_name(&policy, "c"), &policy.services[1]);
	policy_free(&policy);
}
