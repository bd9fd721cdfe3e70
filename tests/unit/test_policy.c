/* SPDX-License-Identifier: GPL-2.0-only */
/* A policy from YAML, with exact messages, to the struct. Keys of their own: test_policy_keys.c. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <edge426/abi.h>

#include "policy.h"
#include "policy_rows.h"
#include "text.h"

#define NAME_63 "a23456789-123456789_123456789-123456789_123456789-123456789-123"
#define PLAIN "plain YAML, without anchors, aliases and tags"

static const struct row valid[] = {
	{"no services", "services: []\n", NULL, 0},
	{"a service with what is required", A, NULL, 0},
	{"no newline at the end", "services: [{name: a, port: 1}]", NULL, 0},
	{"everything, as the manual has it",
	 "services:\n"
	 "  - name: https            # letters, digits, - and _, unique\n"
	 "    port: 443\n"
	 "    address: 192.0.2.0/24  # optional\n"
	 "    handshake: backend     # optional: backend, edge or auto\n"
	 "answers:                   # optional\n"
	 "  default:\n"
	 "    upgrade: [\"TLS/1.2\", \"HTTP/1.1\"]\n"
	 "    content_type: text/plain; charset=utf-8\n"
	 "    body: |\n"
	 "      " DEFAULT_BODY,
	 NULL, 0},
	{"handshake edge", A "    handshake: edge\n", NULL, 0},
	{"handshake auto, thresholds by default", A "    handshake: auto\n", NULL, 0},
	{"the least thresholds",
	 A "    handshake: auto\n    syn_threshold: 1\n    calm_seconds: 1\n", NULL, 0},
	{"the most, before the handshake they are for",
	 A "    syn_threshold: 1000000\n    calm_seconds: 86400\n    handshake: auto\n", NULL, 0},
	{"no backend", A "    backend: none\n", NULL, 0},
	{"no backend, the handshake said", A "    backend: none\n    handshake: edge\n", NULL, 0},
	{"one of each handshake",
	 "services:\n"
	 "- {name: a, port: 1, handshake: auto, syn_threshold: 7}\n"
	 "- {name: b, port: 2, backend: none}\n"
	 "- {name: c, port: 3, handshake: edge}\n"
	 "- {name: d, port: 4}\n",
	 NULL, 0},
	{"octet order mark", "\xef\xbb\xbf" A, NULL, 0},
	{"explicit document", "%YAML 1.1\n---\n" A "...\n", NULL, 0},
	{"CRLF", "services:\r\n- name: a\r\n  port: 1\r\n", NULL, 0},
	{"answers without a default", A "answers: {}\n", NULL, 0},
	{"default without keys", A "answers: {default: {}}\n", NULL, 0},
	{"quoted scalars", "services: [{\"name\": 'a', 'port': \"1\"}]", NULL, 0},
	{"nested prefixes of one port",
	 "services:\n"
	 "- {name: any, port: 443}\n"
	 "- {name: net, port: 443, address: 10.0.0.0/8}\n"
	 "- {name: host, port: 443, address: 10.0.0.1}\n"
	 "- {name: net6, port: 443, address: '2001:db8::/32'}\n",
	 NULL, 0},
};

static const struct row invalid[] = {
	{"nothing", "", "p:1:1: an empty policy is not allowed: key 'services' is required", 0},
	{"comments alone", "# a\n# b\n",
	 "p:3:1: an empty policy is not allowed: key 'services' is required", 0},
	{"empty document", "---\n",
	 "p:2:1: policy '' is not allowed: a mapping with the keys " KEYS_OF_POLICY, 0},
	{"text", "hello",
	 "p:1:1: policy 'hello' is not allowed: a mapping with the keys " KEYS_OF_POLICY, 0},
	{"list", "- a\n",
	 "p:1:1: policy as a list is not allowed: a mapping with the keys " KEYS_OF_POLICY, 0},
	{"empty mapping", "{}", "p:1:1: key 'services' is missing: it is required", 0},

	{"quote without end", "services:\n  - name: 'a\n",
	 "p:3:1: not YAML: while scanning a quoted scalar, found unexpected end of stream", 0},
	{"bracket without end", "services: [{name: a, port: 1}\n",
	 "p:2:1: not YAML: while parsing a flow sequence, did not find expected ',' or ']'", 0},
	{"wrong indentation", "services:\n  - name: a\n   port: 1\n",
	 "p:3:4: not YAML: while parsing a block collection, did not find expected '-' indicator",
	 0},
	{"wrong indentation of a key that is not required",
	 "services: []\nanswers:\n  default:\n    body: a\n   upgrade: [a]\n",
	 "p:5:4: not YAML: while parsing a block mapping, did not find expected key", 0},
	{"tab as indentation", "services:\n\t- name: a\n",
	 "p:2:1: not YAML: while scanning for the next token, "
	 "found character that cannot start any token",
	 0},
	{"NUL octet", "services: []\n# \0\n",
	 "p:2:3: not YAML: control characters are not allowed (0x00)", 17},
	{"NUL octet first", "\0", "p:1:1: not YAML: control characters are not allowed (0x00)", 1},
	{"not UTF-8", "services: []\n\n# a\xff\n",
	 "p:3:4: not YAML: invalid leading UTF-8 octet (0xff)", 0},
	{"UTF-16", "\xff\xfes\0", "p:1:1: not YAML: invalid leading UTF-8 octet (0xff)", 4},
	{"escaped NUL in a value", "services: [{name: \"a\\0\", port: 1}]",
	 "p:1:19: name 'a\\x00' is not allowed: a text without NUL octets", 0},
	{"escaped NUL in a key", "services: [{\"name\\0\": a}]",
	 "p:1:13: key 'name\\x00' is not allowed: a text without NUL octets", 0},

	{"anchor", "services: &s []\n", "p:1:11: anchor 's' is not allowed: " PLAIN, 0},
	{"anchor of a scalar", "services: [{name: &n a, port: 1}]\n",
	 "p:1:19: anchor 'n' is not allowed: " PLAIN, 0},
	{"anchor of a mapping", "&m\nservices: []\n", "p:1:1: anchor 'm' is not allowed: " PLAIN,
	 0},
	{"alias", "services: *s\n", "p:1:11: alias 's' is not allowed: " PLAIN, 0},
	{"merge key", A "    <<: *s\n", "p:4:5: key '<<' is not allowed: one of " KEYS_OF_SERVICE,
	 0},
	{"tag", "services: !!seq []\n",
	 "p:1:11: tag 'tag:yaml.org,2002:seq' is not allowed: " PLAIN, 0},
	{"tag of a scalar", "services: [{name: !x a}]\n", "p:1:19: tag '!x' is not allowed: " PLAIN,
	 0},
	{"second document", A "---\n" A,
	 "p:4:1: a second document is not allowed: one policy in a file", 0},

	{"unknown key", A "service: []\n",
	 "p:4:1: key 'service' is not allowed: one of " KEYS_OF_POLICY, 0},
	{"unknown key of a service", A "    prot: 1\n",
	 "p:4:5: key 'prot' is not allowed: one of " KEYS_OF_SERVICE, 0},
	{"unknown answer", A "answers:\n  other: {}\n",
	 "p:5:3: key 'other' is not allowed: one of default", 0},
	{"unknown key of the answer", A "answers:\n  default:\n    type: a/b\n",
	 "p:6:5: key 'type' is not allowed: one of upgrade, content_type, body", 0},
	{"list as a key", A "? [a]\n: b\n",
	 "p:4:3: key as a list is not allowed: one of " KEYS_OF_POLICY, 0},
	{"services twice", A "services: []\n",
	 "p:4:1: key 'services' is not allowed twice: once for each mapping", 0},
	{"port twice", A "    port: 1\n",
	 "p:4:5: key 'port' is not allowed twice: once for each mapping", 0},
	{"services missing", "answers: {}\n", "p:1:1: key 'services' is missing: it is required",
	 0},
	{"port missing", A "  - name: b\n", "p:4:5: key 'port' is missing: it is required", 0},
	{"name missing", A "  - port: 2\n", "p:4:5: key 'name' is missing: it is required", 0},

	{"services as a mapping", "services: {}\n",
	 "p:1:11: services as a mapping is not allowed: a list of services, [] for none", 0},
	{"services without a value", "services:\n",
	 "p:1:10: services '' is not allowed: a list of services, [] for none", 0},
	{"service as a text", "services: [https]\n",
	 "p:1:12: service 'https' is not allowed: "
	 "a mapping with the keys " KEYS_OF_SERVICE,
	 0},
	{"name as a list", "services: [{name: [a], port: 1}]\n",
	 "p:1:19: name as a list is not allowed: 1 to 63 letters, digits, - and _", 0},
	{"name with a blank", "services: [{name: a b, port: 1}]\n",
	 "p:1:19: name 'a b' is not allowed: 1 to 63 letters, digits, - and _", 0},
	{"name of 64 octets", "services:\n- name: " NAME_63 "4\n",
	 "p:2:9: name 'a23456789-123456789_123456789-123456789_123456789-12345...' "
	 "is not allowed: 1 to 63 letters, digits, - and _",
	 0},
	{"port 99999", "services:\n  - name: https\n    port: 443\n  - name: b\n    port: 99999\n",
	 "p:5:11: port '99999' is not allowed: " PORTS, 0},
	{"port 0", "services: [{port: 0}]\n", "p:1:19: port '0' is not allowed: " PORTS, 0},
	{"octal port", "services: [{port: 0443}]\n", "p:1:19: port '0443' is not allowed: " PORTS,
	 0},
	{"ports as a list", "services: [{port: [1, 2]}]\n",
	 "p:1:19: port as a list is not allowed: " PORTS, 0},
	{"port as a mapping", "services: [{port: {}}]\n",
	 "p:1:19: port as a mapping is not allowed: " PORTS, 0},
	{"host bits", A "    address: 10.0.0.1/8\n",
	 "p:4:14: address '10.0.0.1/8' is not allowed: "
	 "a prefix without host bits, likely 10.0.0.0/8",
	 0},
	{"IPv6 host bits", A "    address: 2001:db8::1/32\n",
	 "p:4:14: address '2001:db8::1/32' is not allowed: "
	 "a prefix without host bits, likely 2001:db8::/32",
	 0},
	{"IPv4 as IPv6", A "    address: ::ffff:10.9.0.1\n",
	 "p:4:14: address '::ffff:10.9.0.1' is not allowed: IPv4 written as IPv4, likely 10.9.0.1",
	 0},
	{"address by name", A "    address: localhost\n",
	 "p:4:14: address 'localhost' is not allowed: "
	 "an IPv4 or IPv6 address, or a prefix of one without host bits",
	 0},
	{"unknown handshake", A "    handshake: Edge\n",
	 "p:4:16: handshake 'Edge' is not allowed: one of backend, edge, auto", 0},
	{"handshake as a list", A "    handshake: [backend]\n",
	 "p:4:16: handshake as a list is not allowed: one of backend, edge, auto", 0},
	{"backend by address", A "    backend: 10.0.0.1\n",
	 "p:4:14: backend '10.0.0.1' is not allowed: only none", 0},
	{"backend as a mapping", A "    backend: {}\n",
	 "p:4:14: backend as a mapping is not allowed: only none", 0},
	{"threshold 0", A "    syn_threshold: 0\n",
	 "p:4:20: syn_threshold '0' is not allowed: a number from 1 to 1000000", 0},
	{"threshold too high", A "    handshake: auto\n    syn_threshold: 1000001\n",
	 "p:5:20: syn_threshold '1000001' is not allowed: a number from 1 to 1000000", 0},
	{"threshold as a list", A "    syn_threshold: [1]\n",
	 "p:4:20: syn_threshold as a list is not allowed: a number from 1 to 1000000", 0},
	{"no second of calm", A "    calm_seconds: 0\n",
	 "p:4:19: calm_seconds '0' is not allowed: a number from 1 to 86400", 0},
	{"calm longer than a day", A "    handshake: auto\n    calm_seconds: 86401\n",
	 "p:5:19: calm_seconds '86401' is not allowed: a number from 1 to 86400", 0},
	{"calm with a unit", A "    handshake: auto\n    calm_seconds: 60s\n",
	 "p:5:19: calm_seconds '60s' is not allowed: a number from 1 to 86400", 0},
	{"calm as a mapping", A "    calm_seconds: {}\n",
	 "p:4:19: calm_seconds as a mapping is not allowed: a number from 1 to 86400", 0},

	{"no backend for handshake backend", A "    handshake: backend\n    backend: none\n",
	 "p:5:14: backend 'none' is not allowed with handshake 'backend': " NO_LISTENER, 0},
	{"no backend for handshake auto", A "    backend: none\n    handshake: auto\n",
	 "p:4:14: backend 'none' is not allowed with handshake 'auto': " NO_LISTENER, 0},
	{"threshold without a handshake", A "    syn_threshold: 5\n",
	 "p:4:20: syn_threshold '5' is not allowed with handshake 'backend': only with auto", 0},
	{"threshold for handshake edge", A "    syn_threshold: 5\n    handshake: edge\n",
	 "p:4:20: syn_threshold '5' is not allowed with handshake 'edge': only with auto", 0},
	{"calm without a backend", A "    backend: none\n    calm_seconds: 100\n",
	 "p:5:19: calm_seconds '100' is not allowed with handshake 'edge': only with auto", 0},
	{"calm for handshake backend of a second service",
	 A "  - name: b\n    calm_seconds: 60\n    port: 2\n",
	 "p:5:19: calm_seconds '60' is not allowed with handshake 'backend': only with auto", 0},
	{"terminal escapes", "services: [{port: \"\\e[2J\"}]\n",
	 "p:1:19: port '\\x1b[2J' is not allowed: " PORTS, 0},

	{"name taken", A "  - port: 2\n    name: a\n",
	 "p:5:11: name 'a' is taken: each service has a name of its own", 0},
	{"port taken", A "  - name: b\n    port: 1\n",
	 "p:5:11: services 'a' and 'b' both have port 1 and address any: "
	 "one service for each port and address",
	 0},
	{"port and prefix taken",
	 "services:\n"
	 "- {name: a, port: 1, address: 10.0.0.1}\n"
	 "- {port: 1, address: 10.0.0.1/32, name: b}\n",
	 "p:3:10: services 'a' and 'b' both have port 1 and address 10.0.0.1: "
	 "one service for each port and address",
	 0},

	{"answers without a value", A "answers:\n",
	 "p:4:9: answers '' is not allowed: a mapping with the keys default", 0},
	{"no protocol", A "answers: {default: {upgrade: []}}\n",
	 "p:4:30: upgrade '[]' is not allowed: a list of 1 to 8 protocols", 0},
	{"upgrade as a text", A "answers: {default: {upgrade: TLS/1.2}}\n",
	 "p:4:30: upgrade 'TLS/1.2' is not allowed: a list of 1 to 8 protocols", 0},
	{"nine protocols", A "answers: {default: {upgrade: [a, b, c, d, e, f, g, h, i]}}\n",
	 "p:4:55: protocol 'i' is not allowed: a list of 1 to 8 protocols", 0},
	{"two protocols in one", A "answers: {default: {upgrade: ['TLS/1.2, HTTP/1.1']}}\n",
	 "p:4:31: protocol 'TLS/1.2, HTTP/1.1' is not allowed: "
	 "a protocol as NAME or NAME/VERSION, like TLS/1.2",
	 0},
	{"content type that splits the header",
	 A "answers: {default: {content_type: \"a\\r\\nSet-Cookie: b\"}}\n",
	 "p:4:35: content_type 'a\\x0d\\x0aSet-Cookie: b' is not allowed: "
	 "visible ASCII characters, with blanks between them only",
	 0},
	{"empty content type", A "answers: {default: {content_type: }}\n",
	 "p:4:35: content_type '' is not allowed: "
	 "visible ASCII characters, with blanks between them only",
	 0},
	{"body as a list", A "answers: {default: {body: [a]}}\n",
	 "p:4:27: body as a list is not allowed: a text", 0},
	{"answer too long", A "answers:\n  default:\n    body: " X100 X100 X100 X100 "\n",
	 "p:6:5: an answer of 588 octets is not allowed: at most 524, "
	 "header (188) and body (400) together",
	 0},
};

Test(policy, what_is_valid)
{
	check_rows(valid, ARRAY_LEN(valid));
}

Test(policy, what_is_not_and_why)
{
	check_rows(invalid, ARRAY_LEN(invalid));
}

Test(policy, every_truncation_is_read_or_refused)
{
	check_truncations(valid, ARRAY_LEN(valid));
	check_truncations(invalid, ARRAY_LEN(invalid));
}

Test(policy, valid_texts_come_back)
{
	for (size_t i = 0; i < ARRAY_LEN(valid); i++) {
		struct policy policy = read_row(&valid[i]);

		check_round_trip(&policy, valid[i].name);
		policy_free(&policy);
	}
}

Test(policy, values_arrive_in_the_struct)
{
	static const char text[] = "services:\n"
				   "- {name: a, port: 443, address: 192.0.2.0/24}\n"
				   "- {handshake: backend, port: 65535, name: b}\n"
				   "answers: {default: {upgrade: [h2c], body: hello}}\n";
	struct policy policy = read_valid(text, strlen(text));
	const struct service *a = &policy.services[0], *b = &policy.services[1];

	cr_assert_eq(policy.services_len, 2);
	cr_expect_str_eq(a->name, "a");
	cr_expect_eq(a->port, 443);
	cr_expect_eq(a->address.family, 4);
	cr_expect_eq(a->address.bits, 24);
	cr_expect_eq(a->handshake, EDGE426_HANDSHAKE_BACKEND);
	cr_expect_str_eq(b->name, "b");
	cr_expect_eq(b->port, 65535);
	cr_expect_eq(b->address.family, 0);
	cr_expect_eq(policy.answer.upgrades, 1);
	cr_expect_str_eq(policy.answer.upgrade[0], "h2c");
	cr_expect_str_eq(policy.answer.content_type, "text/plain; charset=utf-8");
	cr_expect_str_eq(policy.answer.body, "hello");
	policy_free(&policy);
}

static const struct {
	const char *keys; /* after name and port */
	__u32 handshake, flags, syn_threshold, calm_seconds;
} handshakes[] = {
	{"", EDGE426_HANDSHAKE_BACKEND, 0, 0, 0},
	{"handshake: backend", EDGE426_HANDSHAKE_BACKEND, 0, 0, 0},
	{"handshake: edge", EDGE426_HANDSHAKE_EDGE, 0, 0, 0},
	{"handshake: edge, backend: none", EDGE426_HANDSHAKE_EDGE, EDGE426_SERVICE_NO_BACKEND, 0,
	 0},
	{"backend: none", EDGE426_HANDSHAKE_EDGE, EDGE426_SERVICE_NO_BACKEND, 0, 0},
	{"handshake: auto", EDGE426_HANDSHAKE_AUTO, 0, 100, 60},
	{"handshake: auto, syn_threshold: 7", EDGE426_HANDSHAKE_AUTO, 0, 7, 60},
	{"calm_seconds: 86400, handshake: auto", EDGE426_HANDSHAKE_AUTO, 0, 100, 86400},
};

/* Each behind a service that says everything, which must leave no traces. */
Test(policy, how_the_handshake_is_done_arrives_in_the_struct)
{
	for (size_t i = 0; i < ARRAY_LEN(handshakes); i++) {
		struct policy policy;
		const struct service *service;
		char text[256];

		snprintf(text, sizeof(text),
			 "services:\n- {name: a, port: 1, handshake: auto, syn_threshold: 9}\n"
			 "- {name: b, port: 2, %s}\n",
			 handshakes[i].keys);
		policy = read_valid(text, strlen(text));
		service = &policy.services[1];
		cr_expect_eq(service->handshake, handshakes[i].handshake, "%s", text);
		cr_expect_eq(service->flags, handshakes[i].flags, "%s", text);
		cr_expect_eq(service->syn_threshold, handshakes[i].syn_threshold, "%s", text);
		cr_expect_eq(service->calm_seconds, handshakes[i].calm_seconds, "%s", text);
		policy_free(&policy);
	}
}

Test(policy, the_default_answer)
{
	struct policy policy;

	cr_assert_eq(policy_init(&policy), 0);
	cr_expect_eq(policy.services_len, 0);
	cr_assert_eq(policy.answer.upgrades, 2);
	cr_expect_str_eq(policy.answer.upgrade[0], "TLS/1.2");
	cr_expect_str_eq(policy.answer.upgrade[1], "HTTP/1.1");
	cr_expect_str_eq(policy.answer.content_type, "text/plain; charset=utf-8");
	cr_expect_str_eq(policy.answer.body, DEFAULT_BODY);
	policy_free(&policy);
	policy_free(&policy); /* a zeroed one is fine */
}
