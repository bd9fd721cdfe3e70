/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a service is, what it does with whom, and what it leaves alone: from YAML and back. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <edge426/abi.h>

#include "policy.h"
#include "policy_rows.h"
#include "text.h"

#define B "  - name: b\n    port: 1\n"
#define P15 "/23456789abcdef"
#define P60 P15 P15 P15 P15
#define L63 "a23456789-123456789-123456789-123456789-123456789-123456789-123"
#define H253 L63 "." L63 "." L63 "." L63 /* less two octets */
#define EIGHT(x) x "0," x "1," x "2," x "3," x "4," x "5," x "6," x "7"
#define THIRTY_TWO(x) EIGHT(x "a") "," EIGHT(x "b") "," EIGHT(x "c") "," EIGHT(x "d")
#define NOBODY "there is nobody to pass to"
#define LISTS "    exempt_paths: [/a]\n    exempt_hosts: [a]\n"

static const struct row valid[] = {
	{"a range of ports", "services: [{name: a, port: 8000-8100}]", NULL, 0},
	{"all ports", "services: [{name: a, port: 1-65535}]", NULL, 0},
	{"a range of one", "services: [{name: a, port: 5-5}]", NULL, 0},
	{"ranges inside each other, on either side of it",
	 "services: [{name: a, port: 10-20}, {name: b, port: 10-12}, {name: c, port: 20},"
	 " {name: d, port: 1-30}, {name: e, port: 31-40}]",
	 NULL, 0},
	{"an interface", A "    interface: eth0.100\n", NULL, 0},
	{"the longest interface", A "    interface: a2345678901234_\n", NULL, 0},
	{"the least VLAN", A "    vlan: 1\n", NULL, 0},
	{"the greatest VLAN", A "    vlan: 4094\n", NULL, 0},
	{"one port, other places",
	 A B "    vlan: 1\n  - {name: c, port: 1, vlan: 2}\n"
	     "  - {name: d, port: 1, interface: a}\n  - {name: e, port: 1, interface: b}\n"
	     "  - {name: f, port: 1, interface: a, vlan: 1}\n"
	     "  - {name: g, port: 1, interface: a, vlan: 1, address: 10.0.0.0/8}\n",
	 NULL, 0},
	{"ranges across each other, other places",
	 "services: [{name: a, port: 1-5}, {name: b, port: 3-8, vlan: 1},"
	 " {name: c, port: 3-8, interface: a}, {name: d, port: 3-8, address: 10.0.0.1}]",
	 NULL, 0},
	{"action respond", A "    action: respond\n", NULL, 0},
	{"action reset", A "    action: reset\n", NULL, 0},
	{"action reset-syn", A "    action: reset-syn\n    handshake: edge\n", NULL, 0},
	{"action reset-syn, no backend", A "    action: reset-syn\n    backend: none\n", NULL, 0},
	{"action drop", A "    action: drop\n", NULL, 0},
	{"action pass", A "    action: pass\n", NULL, 0},
	{"other pass", A "    other: pass\n", NULL, 0},
	{"other reset", A "    other: reset\n", NULL, 0},
	{"other drop", A "    other: drop\n", NULL, 0},
	{"other reset, no backend", A "    other: reset\n    backend: none\n", NULL, 0},
	{"other drop, no backend", A "    other: drop\n    backend: none\n", NULL, 0},
	{"mode enforce", A "    mode: enforce\n    percent: 1\n", NULL, 0},
	{"mode monitor", A "    mode: monitor\n", NULL, 0},
	{"mode bypass", A "    percent: 100\n    mode: bypass\n", NULL, 0},
	{"percent 0", A "    percent: 0\n", NULL, 0},
	{"limit", A "    limit: {rate: 10, burst: 20}\n", NULL, 0},
	{"limit, burst by default", A "    limit:\n      rate: 10\n", NULL, 0},
	{"the greatest limit", A "    limit: {burst: 1000000, rate: 1000000}\n", NULL, 0},
	{"limit of a service without a backend", A "    limit: {rate: 1}\n    backend: none\n",
	 NULL, 0},
	{"exempt paths",
	 A "    exempt_paths: [acme, /status, crl-ocsp, k8s-probe, /, '/a?b#c,d']\n", NULL, 0},
	{"no exempt paths", A "    exempt_paths: []\n    exempt_hosts: []\n", NULL, 0},
	{"the longest path", A "    exempt_paths: [" P60 "/bcd]\n", NULL, 0},
	{"32 paths", A "    exempt_paths: [" THIRTY_TWO("/") "]\n", NULL, 0},
	{"exempt hosts",
	 A "    exempt_hosts: [Intern.EXAMPLE.org, localhost, 10.0.0.1, '[2001:DB8::1]', _a-b.c]\n",
	 NULL, 0},
	{"a long host", A "    exempt_hosts: [" L63 "." L63 "." L63 "]\n", NULL, 0},
	{"32 hosts", A "    exempt_hosts: [" THIRTY_TWO("h") "]\n", NULL, 0},
	{"exemptions of other actions", A "    action: drop\n" LISTS, NULL, 0},
	{"everything",
	 "services:\n"
	 "  - name: https\n"
	 "    port: 8000-8100\n"
	 "    address: 192.0.2.0/24\n"
	 "    interface: eth0\n"
	 "    vlan: 100\n"
	 "    handshake: edge\n"
	 "    action: respond\n"
	 "    other: drop\n"
	 "    mode: enforce\n"
	 "    percent: 50\n"
	 "    limit: {rate: 10, burst: 20}\n"
	 "    exempt_paths: [acme, /status]\n"
	 "    exempt_hosts: [intern.example.org]\n",
	 NULL, 0},
};

static const struct row invalid[] = {
	{"a range backwards", "services: [{port: 9-8}]",
	 "p:1:19: port '9-8' is not allowed: " PORTS, 0},
	{"a range without an end", "services: [{port: 9-}]",
	 "p:1:19: port '9-' is not allowed: " PORTS, 0},
	{"a range from 0", "services: [{port: 0-8}]", "p:1:19: port '0-8' is not allowed: " PORTS,
	 0},
	{"a range too far", "services: [{port: 1-65536}]",
	 "p:1:19: port '1-65536' is not allowed: " PORTS, 0},
	{"a range with blanks", "services: [{port: 1 - 2}]",
	 "p:1:19: port '1 - 2' is not allowed: " PORTS, 0},
	{"ranges across each other", "services: [{name: a, port: 1-5}, {name: b, port: 3-8}]",
	 "p:1:50: services 'a' and 'b' overlap in ports 1-5 and 3-8 of address any: "
	 "one range apart from the other or inside it",
	 0},
	{"ranges across each other, at one port of one place",
	 "services: [{name: a, port: 5-9, vlan: 7, interface: e, address: 10.0.0.0/8},\n"
	 "{name: b, port: 1-5, vlan: 7, interface: e, address: 10.0.0.0/8}]",
	 "p:2:17: services 'a' and 'b' overlap in ports 5-9 and 1-5 of "
	 "address 10.0.0.0/8, VLAN 7, interface e: one range apart from the other or inside it",
	 0},
	{"the same range", "services: [{name: a, port: 1-5}, {name: b, port: 1-5}]",
	 "p:1:50: services 'a' and 'b' both have port 1-5 and address any: "
	 "one service for each port and address",
	 0},
	{"the same port of one VLAN", A "    vlan: 5\n" B "    vlan: 5\n",
	 "p:6:11: services 'a' and 'b' both have port 1 and address any, VLAN 5: "
	 "one service for each port and address",
	 0},
	{"the same port of one interface", A "    interface: e\n" B "    interface: e\n",
	 "p:6:11: services 'a' and 'b' both have port 1 and address any, interface e: "
	 "one service for each port and address",
	 0},

	{"empty interface", A "    interface: ''\n",
	 "p:4:16: interface '' is not allowed: " TEXT_INTERFACE_ALLOWED, 0},
	{"interface of 16 octets", A "    interface: 0123456789abcdef\n",
	 "p:4:16: interface '0123456789abcdef' is not allowed: " TEXT_INTERFACE_ALLOWED, 0},
	{"interface with a blank", A "    interface: a b\n",
	 "p:4:16: interface 'a b' is not allowed: " TEXT_INTERFACE_ALLOWED, 0},
	{"interface as a list", A "    interface: [eth0]\n",
	 "p:4:16: interface as a list is not allowed: " TEXT_INTERFACE_ALLOWED, 0},
	{"VLAN 0", A "    vlan: 0\n", "p:4:11: vlan '0' is not allowed: a VLAN id from 1 to 4094",
	 0},
	{"VLAN 4095", A "    vlan: 4095\n",
	 "p:4:11: vlan '4095' is not allowed: a VLAN id from 1 to 4094", 0},
	{"VLAN any", A "    vlan: any\n",
	 "p:4:11: vlan 'any' is not allowed: a VLAN id from 1 to 4094", 0},
	{"VLANs as a list", A "    vlan: [1]\n",
	 "p:4:11: vlan as a list is not allowed: a VLAN id from 1 to 4094", 0},

	{"unknown action", A "    action: redirect\n",
	 "p:4:13: action 'redirect' is not allowed: one of respond, reset, reset-syn, drop, pass",
	 0},
	{"action as a mapping", A "    action: {}\n",
	 "p:4:13: action as a mapping is not allowed: "
	 "one of respond, reset, reset-syn, drop, pass",
	 0},
	{"reset-syn where the server does the handshake", A "    action: reset-syn\n",
	 "p:4:13: action 'reset-syn' is not allowed with handshake 'backend': "
	 "only with edge, which answers SYNs itself",
	 0},
	{"reset-syn where the server may do it", A "    action: reset-syn\n    handshake: auto\n",
	 "p:4:13: action 'reset-syn' is not allowed with handshake 'auto': "
	 "only with edge, which answers SYNs itself",
	 0},
	{"pass to nobody", A "    backend: none\n    action: pass\n",
	 "p:5:13: action 'pass' is not allowed with backend 'none': " NOBODY, 0},
	{"unknown other", A "    other: respond\n",
	 "p:4:12: other 'respond' is not allowed: one of pass, reset, drop", 0},
	{"other reset-syn", A "    other: reset-syn\n",
	 "p:4:12: other 'reset-syn' is not allowed: one of pass, reset, drop", 0},
	{"other as a list", A "    other: []\n",
	 "p:4:12: other as a list is not allowed: one of pass, reset, drop", 0},
	{"the others to nobody", A "    other: pass\n    backend: none\n",
	 "p:4:12: other 'pass' is not allowed with backend 'none': " NOBODY, 0},
	{"unknown mode", A "    mode: off\n",
	 "p:4:11: mode 'off' is not allowed: one of enforce, monitor, bypass", 0},
	{"mode as a list", A "    mode: [enforce]\n",
	 "p:4:11: mode as a list is not allowed: one of enforce, monitor, bypass", 0},
	{"percent 101", A "    percent: 101\n",
	 "p:4:14: percent '101' is not allowed: a number from 0 to 100", 0},
	{"percent with its sign", A "    percent: 50%\n",
	 "p:4:14: percent '50%' is not allowed: a number from 0 to 100", 0},
	{"percent as a list", A "    percent: [1]\n",
	 "p:4:14: percent as a list is not allowed: a number from 0 to 100", 0},

	{"limit as a number", A "    limit: 10\n",
	 "p:4:12: limit '10' is not allowed: a mapping with the keys rate, burst", 0},
	{"limit as a list", A "    limit: [10]\n",
	 "p:4:12: limit as a list is not allowed: a mapping with the keys rate, burst", 0},
	{"empty limit", A "    limit: {}\n", "p:4:12: key 'rate' is missing: it is required", 0},
	{"limit without a rate", A "    limit: {burst: 1}\n",
	 "p:4:12: key 'rate' is missing: it is required", 0},
	{"unknown key of the limit", A "    limit: {rate: 1, per: s}\n",
	 "p:4:22: key 'per' is not allowed: one of rate, burst", 0},
	{"rate twice", A "    limit: {rate: 1, rate: 2}\n",
	 "p:4:22: key 'rate' is not allowed twice: once for each mapping", 0},
	{"rate 0", A "    limit: {rate: 0}\n",
	 "p:4:19: rate '0' is not allowed: a number from 1 to 1000000", 0},
	{"rate too high", A "    limit: {rate: 1000001}\n",
	 "p:4:19: rate '1000001' is not allowed: a number from 1 to 1000000", 0},
	{"rate with a unit", A "    limit: {rate: 1/s}\n",
	 "p:4:19: rate '1/s' is not allowed: a number from 1 to 1000000", 0},
	{"burst 0", A "    limit: {rate: 1, burst: 0}\n",
	 "p:4:29: burst '0' is not allowed: a number from 1 to 1000000", 0},
	{"burst as a list", A "    limit: {rate: 1, burst: []}\n",
	 "p:4:29: burst as a list is not allowed: a number from 1 to 1000000", 0},
	{"limit of no answers", A "    limit: {rate: 1}\n    action: drop\n",
	 "p:4:12: limit '1/1' is not allowed with action 'drop': "
	 "only with respond, as it is answers that it limits",
	 0},
	/* The limit's own keys must not have moved where the service's stand. */
	{"name taken, behind a limit",
	 A "  - port: 2\n    name: a\n    limit: {rate: 1, burst: 2}\n",
	 "p:5:11: name 'a' is taken: each service has a name of its own", 0},

	{"neither path nor preset", A "    exempt_paths: [/a, status]\n",
	 "p:4:24: path 'status' is not allowed: "
	 "a path of 1 to 64 visible ASCII characters that begins with /, without .. and %2e, "
	 "or one of acme, crl-ocsp, k8s-probe",
	 0},
	{"empty path", A "    exempt_paths: ['']\n",
	 "p:4:20: path '' is not allowed: " TEXT_PATH_ALLOWED, 0},
	{"path with a blank", A "    exempt_paths: [/a b]\n",
	 "p:4:20: path '/a b' is not allowed: " TEXT_PATH_ALLOWED, 0},
	{"path not in ASCII", A "    exempt_paths: [/\xc3\xa4]\n",
	 "p:4:20: path '/\\xc3\\xa4' is not allowed: " TEXT_PATH_ALLOWED, 0},
	{"path of 65 octets", A "    exempt_paths: [" P60 "/bcde]\n",
	 "p:4:20: path '" P15 P15 P15 "/23456789a...' is not allowed: " TEXT_PATH_ALLOWED, 0},
	{"path twice", A "    exempt_paths: [/a, acme, /a]\n",
	 "p:4:30: path '/a' is not allowed twice: once for each service", 0},
	{"33 paths", A "    exempt_paths: [" THIRTY_TWO("/") ",/x]\n",
	 "p:4:148: path '/x' is not allowed: a list of at most 32 paths", 0},
	{"one path without a list", A "    exempt_paths: /a\n",
	 "p:4:19: exempt_paths '/a' is not allowed: a list of at most 32 paths", 0},
	{"paths as a mapping", A "    exempt_paths: {/a: b}\n",
	 "p:4:19: exempt_paths as a mapping is not allowed: a list of at most 32 paths", 0},
	{"a list in the list of paths", A "    exempt_paths: [[/a]]\n",
	 "p:4:20: path as a list is not allowed: " TEXT_PATH_ALLOWED, 0},
	{"paths of nobody", A "    exempt_paths: [/a]\n    backend: none\n",
	 "p:4:19: exempt_paths is not allowed with backend 'none': " NOBODY, 0},
	{"paths that are never seen",
	 A "    handshake: edge\n    action: reset-syn\n    exempt_paths: [/a]\n",
	 "p:6:19: exempt_paths is not allowed with action 'reset-syn': "
	 "the request is never seen",
	 0},

	{"host with a port", A "    exempt_hosts: ['a:80']\n",
	 "p:4:20: host 'a:80' is not allowed: a host name, an IPv4 address or "
	 "an IPv6 address in brackets, no port",
	 0},
	{"host with a port, IPv6", A "    exempt_hosts: ['[::1]:80']\n",
	 "p:4:20: host '[::1]:80' is not allowed: " TEXT_HOST_ALLOWED, 0},
	{"IPv6 without brackets", A "    exempt_hosts: ['2001:db8::1']\n",
	 "p:4:20: host '2001:db8::1' is not allowed: " TEXT_HOST_ALLOWED, 0},
	{"host as a URL", A "    exempt_hosts: ['http://a/']\n",
	 "p:4:20: host 'http://a/' is not allowed: " TEXT_HOST_ALLOWED, 0},
	{"host of 255 octets", A "    exempt_hosts: [" H253 "]\n",
	 "p:4:20: host 'a23456789-123456789-123456789-123456789-123456789-12345...' "
	 "is not allowed: " TEXT_HOST_ALLOWED,
	 0},
	{"host twice but for the case", A "    exempt_hosts: [a.b, A.B]\n",
	 "p:4:25: host 'a.b' is not allowed twice: once for each service", 0},
	{"33 hosts", A "    exempt_hosts: [" THIRTY_TWO("h") ",x]\n",
	 "p:4:148: host 'x' is not allowed: a list of at most 32 hosts", 0},
	{"one host without a list", A "    exempt_hosts: a\n",
	 "p:4:19: exempt_hosts 'a' is not allowed: a list of at most 32 hosts", 0},
	{"a mapping in the list of hosts", A "    exempt_hosts: [{}]\n",
	 "p:4:20: host as a mapping is not allowed: " TEXT_HOST_ALLOWED, 0},
	{"hosts of nobody", A "    exempt_hosts: [a]\n    backend: none\n",
	 "p:4:19: exempt_hosts is not allowed with backend 'none': " NOBODY, 0},
	{"hosts that are never seen",
	 A "    handshake: edge\n    action: reset-syn\n    exempt_hosts: [a]\n",
	 "p:6:19: exempt_hosts is not allowed with action 'reset-syn': "
	 "the request is never seen",
	 0},
};

Test(policy_keys, what_is_valid)
{
	check_rows(valid, ARRAY_LEN(valid));
}

Test(policy_keys, what_is_not_and_why)
{
	check_rows(invalid, ARRAY_LEN(invalid));
}

Test(policy_keys, every_truncation_is_read_or_refused)
{
	check_truncations(valid, ARRAY_LEN(valid));
	check_truncations(invalid, ARRAY_LEN(invalid));
}

Test(policy_keys, valid_texts_come_back)
{
	for (size_t i = 0; i < ARRAY_LEN(valid); i++) {
		struct policy policy = read_row(&valid[i]);

		check_round_trip(&policy, valid[i].name);
		policy_free(&policy);
	}
}

/* Behind a service that says everything, which must leave no traces. */
Test(policy_keys, what_is_not_said_is_the_default)
{
	static const char text[] =
		"services:\n"
		"- {name: a, port: 5-9, address: 10.0.0.1, interface: e, vlan: 3, handshake: "
		"edge,\n"
		"   other: drop, percent: 3, limit: {rate: 2, burst: 3}, exempt_paths: [/a],\n"
		"   exempt_hosts: [a]}\n"
		"- {name: b, port: 7}\n"
		"- {name: c, port: 8, backend: none}\n";
	struct policy policy = read_valid(text, strlen(text));
	const struct service b = {.name = "b",
				  .port = 7,
				  .port_end = 7,
				  .other = EDGE426_ACTION_PASS,
				  .percent = 100};
	const struct service c = {.name = "c",
				  .port = 8,
				  .port_end = 8,
				  .handshake = EDGE426_HANDSHAKE_EDGE,
				  .flags = EDGE426_SERVICE_NO_BACKEND,
				  .other = EDGE426_ACTION_RESET,
				  .percent = 100};

	cr_assert_eq(policy.services_len, 3);
	cr_expect(!memcmp(&policy.services[1], &b, sizeof(b)));
	cr_expect(!memcmp(&policy.services[2], &c, sizeof(c)));
	policy_free(&policy);
}

Test(policy_keys, values_arrive_in_the_struct)
{
	const struct row *everything = &valid[ARRAY_LEN(valid) - 1];
	struct policy policy = read_row(everything);
	const struct service *service = &policy.services[0];

	cr_assert_eq(policy.services_len, 1);
	cr_expect_str_eq(service->name, "https");
	cr_expect_eq(service->port, 8000);
	cr_expect_eq(service->port_end, 8100);
	cr_expect_eq(service->address.bits, 24);
	cr_expect_str_eq(service->interface, "eth0");
	cr_expect_eq(service->vlan, 100);
	cr_expect_eq(service->handshake, EDGE426_HANDSHAKE_EDGE);
	cr_expect_eq(service->action, EDGE426_ACTION_RESPOND);
	cr_expect_eq(service->other, EDGE426_ACTION_DROP);
	cr_expect_eq(service->mode, EDGE426_MODE_ENFORCE);
	cr_expect_eq(service->percent, 50);
	cr_expect_eq(service->limit_rate, 10);
	cr_expect_eq(service->limit_burst, 20);
	cr_assert_eq(service->exempt_paths.len, 2);
	cr_expect_str_eq(service->exempt_paths.list[0], "acme");
	cr_expect_str_eq(service->exempt_paths.list[1], "/status");
	cr_assert_eq(service->exempt_hosts.len, 1);
	cr_expect_str_eq(service->exempt_hosts.list[0], "intern.example.org");
	policy_free(&policy);
}

static const struct {
	const char *name;
	const char *paths[4];
} presets[] = {
	{"acme", {"/.well-known/acme-challenge/"}},
	{"crl-ocsp", {"/crl", "/ocsp", "/CertEnroll/"}},
	{"k8s-probe", {"/healthz", "/livez", "/readyz"}},
};

Test(policy_keys, a_preset_stands_for_paths)
{
	for (size_t i = 0; i < ARRAY_LEN(presets); i++) {
		const char *const *paths = policy_find_preset(presets[i].name);
		size_t k = 0;

		cr_assert_not_null(paths);
		cr_expect_not_null(strstr(TEXT_PATH_ALLOWED, presets[i].name));
		for (; presets[i].paths[k]; k++) {
			cr_expect_str_eq(paths[k], presets[i].paths[k]);
			cr_expect_eq(text_check_path(paths[k]), 0);
		}
		cr_expect_null(paths[k]);
	}
	cr_expect_null(policy_find_preset("acm"));
	cr_expect_null(policy_find_preset(""));
	cr_expect_null(policy_find_preset("/"));
}

/* What would be as deep in memory as it is long; libyaml is asked for no more than it takes. */
static const char *const openings[] = {"[", "{", "{? ", "- ", "services: [", "? "};
static const char *const befores[] = {"",
				      "services: ",
				      "services: [",
				      "services: [{name: ",
				      "services: [{limit: ",
				      "services: [{exempt_paths: [",
				      "services: []\nallow: [",
				      "services: []\nallow: [{until: ",
				      "services: []\nanswers: {default: {body: "};

Test(policy_keys, deep_nesting_is_refused, .timeout = 60)
{
	static char text[100 + 12 * 100000];

	for (size_t i = 0; i < ARRAY_LEN(befores) * ARRAY_LEN(openings); i++) {
		const char *opening = openings[i % ARRAY_LEN(openings)];
		struct failure failure = {.text = ""};
		struct policy policy;
		size_t len = (size_t)sprintf(text, "%s", befores[i / ARRAY_LEN(openings)]);

		for (int k = 0; k < 100000; k++)
			len += (size_t)sprintf(text + len, "%s", opening);
		cr_expect_eq(policy_read_text("p", text, len, NULL, &policy, &failure), -EINVAL,
			     "%.60s", text);
	}
}
