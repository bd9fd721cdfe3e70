/* SPDX-License-Identifier: GPL-2.0-only */
/* The policy: from YAML, with exact messages, back to YAML, and changed by hand. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <edge426/abi.h>

#include "guard.h"
#include "policy.h"
#include "text.h"

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))
#define NAME_63 "a23456789-123456789_123456789-123456789_123456789-123456789-123"
#define DEFAULT_BODY "This port speaks HTTPS only. Use https:// in place of http://.\n"
#define X100                                                                                       \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"                                       \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define A "services:\n  - name: a\n    port: 1\n"
#define KEYS_OF_SERVICE "name, port, address, handshake, backend, syn_threshold, calm_seconds"
#define NO_LISTENER "only with edge, as there is no listener to do the handshake"
#define PLAIN "plain YAML, without anchors, aliases and tags"

struct row {
	const char *name;
	const char *text;
	const char *failure; /* NULL: valid */
	size_t len;	     /* 0: up to the NUL */
};

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
	 "p:2:1: policy '' is not allowed: a mapping with the keys services, answers", 0},
	{"text", "hello",
	 "p:1:1: policy 'hello' is not allowed: a mapping with the keys services, answers", 0},
	{"list", "- a\n",
	 "p:1:1: policy as a list is not allowed: a mapping with the keys services, answers", 0},
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
	 "p:4:1: key 'service' is not allowed: one of services, answers", 0},
	{"unknown key of a service", A "    prot: 1\n",
	 "p:4:5: key 'prot' is not allowed: one of " KEYS_OF_SERVICE, 0},
	{"unknown answer", A "answers:\n  other: {}\n",
	 "p:5:3: key 'other' is not allowed: one of default", 0},
	{"unknown key of the answer", A "answers:\n  default:\n    type: a/b\n",
	 "p:6:5: key 'type' is not allowed: one of upgrade, content_type, body", 0},
	{"list as a key", A "? [a]\n: b\n",
	 "p:4:3: key as a list is not allowed: one of services, answers", 0},
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
	 "p:5:11: port '99999' is not allowed: a port from 1 to 65535", 0},
	{"port 0", "services: [{port: 0}]\n",
	 "p:1:19: port '0' is not allowed: a port from 1 to 65535", 0},
	{"octal port", "services: [{port: 0443}]\n",
	 "p:1:19: port '0443' is not allowed: a port from 1 to 65535", 0},
	{"ports as a list", "services: [{port: [1, 2]}]\n",
	 "p:1:19: port as a list is not allowed: a port from 1 to 65535", 0},
	{"port as a mapping", "services: [{port: {}}]\n",
	 "p:1:19: port as a mapping is not allowed: a port from 1 to 65535", 0},
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
	 "p:1:19: port '\\x1b[2J' is not allowed: a port from 1 to 65535", 0},

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

static size_t row_len(const struct row *row)
{
	return row->len ? row->len : strlen(row->text);
}

/* Reads a row; what it says is checked. Nothing of the policy may change on failure. */
static void check_row(const struct row *row)
{
	const void *flush = guard_copy(row->text, row_len(row));
	struct failure failure = {.text = "(valid)"};
	struct policy policy, before;
	int err;

	memset(&policy, 0xee, sizeof(policy));
	before = policy;
	err = policy_read_text("p", flush, row_len(row), &policy, &failure);
	cr_expect_str_eq(failure.text, row->failure ? row->failure : "(valid)", "%s: %s", row->name,
			 failure.text);
	cr_expect_eq(err, row->failure ? -EINVAL : 0, "%s", row->name);
	if (err)
		cr_expect(!memcmp(&policy, &before, sizeof(policy)), "%s", row->name);
	else
		policy_free(&policy);
}

Test(policy, what_is_valid)
{
	for (size_t i = 0; i < ARRAY_LEN(valid); i++)
		check_row(&valid[i]);
}

Test(policy, what_is_not_and_why)
{
	for (size_t i = 0; i < ARRAY_LEN(invalid); i++)
		check_row(&invalid[i]);
}

static void check_truncations(const struct row *row)
{
	for (size_t len = 0; len < row_len(row); len++) {
		struct failure failure = {0};
		struct policy policy;
		int err;

		err = policy_read_text("p", (char *)guard_copy(row->text, len), len, &policy,
				       &failure);
		cr_expect(err == 0 || err == -EINVAL, "%s at %zu", row->name, len);
		if (err)
			cr_expect_eq(strncmp(failure.text, "p:", 2), 0, "%s at %zu: %s", row->name,
				     len, failure.text);
		else
			policy_free(&policy);
	}
}

Test(policy, every_truncation_is_read_or_refused)
{
	for (size_t i = 0; i < ARRAY_LEN(valid); i++)
		check_truncations(&valid[i]);
	for (size_t i = 0; i < ARRAY_LEN(invalid); i++)
		check_truncations(&invalid[i]);
}

static struct policy read_valid(const char *text, size_t len)
{
	struct failure failure = {.text = "(valid)"};
	struct policy policy = {0};

	cr_assert_eq(policy_read_text("p", text, len, &policy, &failure), 0, "%s", failure.text);
	return policy;
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

static void expect_equal(const struct policy *a, const struct policy *b, const char *name)
{
	cr_assert_eq(a->services_len, b->services_len, "%s", name);
	for (size_t i = 0; i < a->services_len; i++) {
		const struct service *one = &a->services[i], *other = &b->services[i];

		cr_expect_str_eq(one->name, other->name, "%s", name);
		cr_expect_eq(one->port, other->port, "%s", name);
		cr_expect(!memcmp(&one->address, &other->address, sizeof(one->address)), "%s",
			  name);
		cr_expect_eq(one->handshake, other->handshake, "%s", name);
		cr_expect_eq(one->flags, other->flags, "%s", name);
		cr_expect_eq(one->syn_threshold, other->syn_threshold, "%s", name);
		cr_expect_eq(one->calm_seconds, other->calm_seconds, "%s", name);
	}
	cr_assert_eq(a->answer.upgrades, b->answer.upgrades, "%s", name);
	for (size_t i = 0; i < a->answer.upgrades; i++)
		cr_expect_str_eq(a->answer.upgrade[i], b->answer.upgrade[i], "%s", name);
	cr_expect_str_eq(a->answer.content_type, b->answer.content_type, "%s", name);
	cr_expect_str_eq(a->answer.body, b->answer.body, "%s", name);
}

/* The text, read back, printed again: the same policy, the same text. */
static size_t check_round_trip(const struct policy *policy, const char *name)
{
	struct failure failure = {.text = "(printed)"};
	char *text, *again;
	size_t len, again_len;
	struct policy back;

	cr_assert_eq(policy_print_text(policy, &text, &len, &failure), 0, "%s", failure.text);
	back = read_valid(text, len);
	expect_equal(policy, &back, name);
	cr_assert_eq(policy_print_text(&back, &again, &again_len, &failure), 0);
	cr_expect_str_eq(again, text, "%s", name);
	cr_expect_eq(len, strlen(text), "%s", name);
	free(again);
	free(text);
	policy_free(&back);
	return len;
}

Test(policy, the_canonical_text)
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

Test(policy, valid_texts_come_back)
{
	for (size_t i = 0; i < ARRAY_LEN(valid); i++) {
		struct policy policy = read_valid(valid[i].text, row_len(&valid[i]));

		check_round_trip(&policy, valid[i].name);
		policy_free(&policy);
	}
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
	struct service service = {.port = 1};
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

Test(policy, nasty_strings_come_back)
{
	for (size_t i = 0; i < ARRAY_LEN(nasty); i++)
		try_strings(nasty[i]);
}

/* All that two octets can make of a body, where UTF-8 allows it, between others. */
Test(policy, any_two_octets_come_back)
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

Test(policy, a_body_is_a_block_where_that_reads_well)
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

/* The longest a service can be: 63 octets of name, a long address, all keys with all digits. */
static struct service long_service(unsigned int i)
{
	struct service service = {.port = (__u16)(10000 + i),
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

Test(policy, as_many_long_services_as_allowed_fit_the_text)
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

Test(policy, one_service_more_is_refused)
{
	struct service service = long_service(EDGE426_SERVICES_MAX);
	struct policy policy = long_policy(EDGE426_SERVICES_MAX);
	struct failure failure;

	strcpy(service.name, "last");
	cr_expect_eq(policy_add_service(&policy, &service, &failure), -ENOSPC);
	cr_expect_str_eq(failure.text, "service 'last' is one too many: at most 4096 services");
	cr_expect_eq(policy.services_len, EDGE426_SERVICES_MAX);
	policy_free(&policy);
}

Test(policy, one_service_more_is_refused_in_a_file)
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
	cr_expect_eq(policy_read_text("p", text, len, &policy, &failure), -EINVAL);
	cr_expect_str_eq(failure.text,
			 "p:4098:10: service 's4097' is one too many: at most 4096 services");
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
	{"another name and port", {"b", 2, {0}, BACKEND, 0, 0, 0}, 0, ""},
	{"same port, prefix", {"b", 1, {4, 8, {10}}, BACKEND, 0, 0, 0}, 0, ""},
	{"same name",
	 {"a", 2, {0}, BACKEND, 0, 0, 0},
	 -EEXIST,
	 "name 'a' is taken: each service has a name of its own"},
	{"same port",
	 {"b", 1, {0}, BACKEND, 0, 0, 0},
	 -EEXIST,
	 "services 'a' and 'b' both have port 1 and address any: "
	 "one service for each port and address"},
	{"no name",
	 {"", 2, {0}, BACKEND, 0, 0, 0},
	 -EINVAL,
	 "name '' is not allowed: 1 to 63 letters, digits, - and _"},
	{"port 0",
	 {"b", 0, {0}, BACKEND, 0, 0, 0},
	 -EINVAL,
	 "port '0' is not allowed: a port from 1 to 65535"},
	{"host bits",
	 {"b", 2, {4, 8, {10, 1}}, BACKEND, 0, 0, 0},
	 -EINVAL,
	 "address is not allowed: an IPv4 or IPv6 address, or a prefix of one without host bits"},
	{"IPv4 as IPv6",
	 {"b", 2, {6, 128, {[10] = 0xff, [11] = 0xff, [12] = 10}}, BACKEND, 0, 0, 0},
	 -EINVAL,
	 "address is not allowed: an IPv4 or IPv6 address, or a prefix of one without host bits"},
	{"33 bits",
	 {"b", 2, {4, 33, {0}}, BACKEND, 0, 0, 0},
	 -EINVAL,
	 "address is not allowed: an IPv4 or IPv6 address, or a prefix of one without host bits"},
	{"family 5",
	 {"b", 2, {5, 0, {0}}, BACKEND, 0, 0, 0},
	 -EINVAL,
	 "address is not allowed: an IPv4 or IPv6 address, or a prefix of one without host bits"},
	{"unknown handshake",
	 {"b", 2, {0}, 3, 0, 0, 0},
	 -EINVAL,
	 "handshake '3' is not allowed: one of backend, edge, auto"},
	{"no backend", {"b", 2, {0}, EDGE, NO_BACKEND, 0, 0}, 0, ""},
	{"no backend for auto",
	 {"b", 2, {0}, AUTO, NO_BACKEND, 1, 1},
	 -EINVAL,
	 "backend 'none' is not allowed with handshake 'auto': " NO_LISTENER},
	{"unknown flag",
	 {"b", 2, {0}, EDGE, NO_BACKEND | 2, 0, 0},
	 -EINVAL,
	 "backend '3' is not allowed: only none"},
	{"auto", {"b", 2, {0}, AUTO, 0, 1000000, 86400}, 0, ""},
	{"auto, not completed",
	 {"b", 2, {0}, AUTO, 0, 0, 0},
	 -EINVAL,
	 "syn_threshold '0' is not allowed: a number from 1 to 1000000"},
	{"auto without calm",
	 {"b", 2, {0}, AUTO, 0, 1, 0},
	 -EINVAL,
	 "calm_seconds '0' is not allowed: a number from 1 to 86400"},
	{"threshold too high",
	 {"b", 2, {0}, AUTO, 0, 1000001, 1},
	 -EINVAL,
	 "syn_threshold '1000001' is not allowed: a number from 1 to 1000000"},
	{"calm too long",
	 {"b", 2, {0}, AUTO, 0, 1, 86401},
	 -EINVAL,
	 "calm_seconds '86401' is not allowed: a number from 1 to 86400"},
	{"threshold for backend",
	 {"b", 2, {0}, BACKEND, 0, 1, 0},
	 -EINVAL,
	 "syn_threshold '1' is not allowed with handshake 'backend': only with auto"},
	{"calm for edge",
	 {"b", 2, {0}, EDGE, 0, 0, 1},
	 -EINVAL,
	 "calm_seconds '1' is not allowed with handshake 'edge': only with auto"},
};

Test(policy, a_service_added_gets_the_checks_of_a_file)
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

Test(policy, a_name_without_end_is_refused)
{
	struct policy policy = {0};
	struct service service = {.port = 1};
	struct failure failure;

	memset(service.name, 'a', sizeof(service.name));
	cr_expect_eq(policy_add_service(&policy, &service, &failure), -EINVAL);
	cr_expect_eq(policy.services_len, 0);
}

Test(policy, a_service_removed_leaves_the_others_in_order)
{
	static const char text[] = "services:\n"
				   "- {name: a, port: 1}\n- {name: b, port: 2}\n"
				   "- {name: c, port: 3}\n- {name: d, port: 4}\n";
	struct policy policy = read_valid(text, strlen(text));
	struct service e = {.name = "e", .port = 5};
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
	cr_expect_eq(policy_find_place(&policy, 5, &e.address), &policy.services[2]);
	policy_free(&policy);
}

/* A file of memory, which goes when the test does; the path is good for any number of opens. */
static const char *make_file(const char *text, size_t len)
{
	static char path[32];
	int fd = memfd_create("policy", MFD_CLOEXEC);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, text, len), (ssize_t)len);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return path;
}

Test(policy, a_file_is_read)
{
	struct failure failure = {.text = ""};
	struct policy policy;

	cr_assert_eq(policy_read_file(make_file(A, strlen(A)), &policy, &failure), 0, "%s",
		     failure.text);
	cr_expect_eq(policy.services_len, 1);
	policy_free(&policy);
}

Test(policy, messages_name_the_file)
{
	const char *path = make_file("a: b\n", 5);
	char expected[200];
	struct failure failure;
	struct policy policy;

	cr_expect_eq(policy_read_file(path, &policy, &failure), -EINVAL);
	snprintf(expected, sizeof(expected),
		 "%s:1:1: key 'a' is not allowed: one of services, answers", path);
	cr_expect_str_eq(failure.text, expected);
}

/* Valid but for its size: A, and a comment up to `len` octets. */
static char *text_of_len(size_t len)
{
	char *text = malloc(len);

	cr_assert_not_null(text);
	memset(text, '#', len);
	memcpy(text, A, strlen(A));
	return text;
}

static void check_size(size_t len, int expected)
{
	char *text = text_of_len(len);
	struct failure failure = {.text = ""};
	struct policy policy = {0};

	cr_expect_eq(policy_read_file(make_file(text, len), &policy, &failure), expected, "%s",
		     failure.text);
	policy_free(&policy);
	cr_expect_eq(policy_read_text("p", text, len, &policy, &failure), expected);
	policy_free(&policy);
	if (expected)
		cr_expect_str_eq(failure.text,
				 "p: a policy this long is not allowed: at most 1048576 octets");
	free(text);
}

Test(policy, a_file_as_large_as_allowed_is_read)
{
	check_size(POLICY_FILE_MAX, 0);
}

Test(policy, a_larger_one_is_not)
{
	check_size(POLICY_FILE_MAX + 1, -EINVAL);
}

static const struct {
	const char *path;
	int err;
	const char *failure;
} files[] = {
	{"/nowhere/p.yaml", -ENOENT,
	 "Can't read policy '/nowhere/p.yaml': No such file or directory"},
	{"/tmp", -EBADFD, "Can't read policy '/tmp': not a regular file"},
	{"/dev/null", -EBADFD, "Can't read policy '/dev/null': not a regular file"},
};

Test(policy, what_is_no_file_is_refused)
{
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct failure failure;
		struct policy policy;

		cr_expect_eq(policy_read_file(files[i].path, &policy, &failure), files[i].err);
		cr_expect_str_eq(failure.text, files[i].failure);
	}
}

/* Nobody writes: an open that waits for a writer would never come back. */
Test(policy, a_fifo_is_refused_at_once, .timeout = 5)
{
	char dir[] = "/tmp/edge426-unit.XXXXXX", path[64], expected[128];
	struct failure failure = {.text = ""};
	struct policy policy;

	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/policy", dir);
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_expect_eq(policy_read_file(path, &policy, &failure), -EBADFD);
	snprintf(expected, sizeof(expected), "Can't read policy '%s': not a regular file", path);
	cr_expect_str_eq(failure.text, expected);
	unlink(path);
	rmdir(dir);
}

/* More than a pipe holds, so that one read does not get it all. */
static void write_much(int reading, int writing)
{
	const size_t len = POLICY_FILE_MAX / 2;
	const char *text = text_of_len(len);

	close(reading); /* a reader that stops early ends this process too */
	_exit(write(writing, text, len) == (ssize_t)len ? 0 : 1);
}

Test(policy, standard_input_may_be_a_pipe)
{
	struct failure failure = {.text = ""};
	struct policy policy = {0};
	int pipe_fds[2];

	cr_assert_eq(pipe(pipe_fds), 0);
	if (!fork())
		write_much(pipe_fds[0], pipe_fds[1]);
	close(pipe_fds[1]);
	dup2(pipe_fds[0], STDIN_FILENO);
	cr_expect_eq(policy_read_file("-", &policy, &failure), 0, "%s", failure.text);
	cr_expect_eq(policy.services_len, 1);
	policy_free(&policy);
	cr_expect_eq(policy_read_file("-", &policy, &failure), -EINVAL);
	cr_expect_str_eq(failure.text, "standard input:1:1: an empty policy is not allowed: "
				       "key 'services' is required");
	close(pipe_fds[0]);
}
