/* SPDX-License-Identifier: GPL-2.0-only */
/* Strict text to values: what is taken, what is refused, and the way back. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include <edge426/abi.h>

#include "guard.h"
#include "policy.h"
#include "text.h"

#define NO_HOST_BITS "a prefix without host bits, likely "
#define AS_IPV4 "IPv4 written as IPv4, likely "
#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))
#define REFUSED -1
#define NAME_63 "a23456789-123456789_123456789-123456789_123456789-123456789-123"

struct number_row {
	const char *text;
	int expected;
};

static const struct number_row ports[] = {
	{"1", 1},
	{"443", 443},
	{"65535", 65535},
	{"0", REFUSED},
	{"65536", REFUSED},
	{"99999", REFUSED},
	{"", REFUSED},
	{"+1", REFUSED},
	{"-1", REFUSED},
	{" 1", REFUSED},
	{"1 ", REFUSED},
	{"1x", REFUSED},
	{"0x1", REFUSED},
	{"01", REFUSED},
	{"1.0", REFUSED},
	{"4_4", REFUSED},
	{"1\n", REFUSED},
	{"http", REFUSED},
	{"65537", REFUSED},
	{"4294967297", REFUSED},
	{"18446744073709551617", REFUSED},
};

static void check_port(const char *text, int expected)
{
	const char *flush = (const char *)guard_copy(text, strlen(text) + 1);
	__u16 port = 7;
	int err = text_parse_port(flush, &port);

	cr_expect_eq(err, expected == REFUSED ? -EINVAL : 0, "port '%s': %d", text, err);
	cr_expect_eq(port, expected == REFUSED ? 7 : expected, "port '%s' became %u", text, port);
}

Test(text, a_port_is_a_plain_number)
{
	for (size_t i = 0; i < ARRAY_LEN(ports); i++)
		check_port(ports[i].text, ports[i].expected);
}

static const struct {
	const char *text;
	__u32 max;
	int expected;
} numbers[] = {
	{"0", 0, 0},
	{"1", 0, REFUSED},
	{"128", 128, 128},
	{"129", 128, REFUSED},
	{"00", 128, REFUSED},
	{"2147483647", 0xffffffff, 2147483647},
	{"4294967296", 0xffffffff, REFUSED},
};

Test(text, a_number_has_a_limit)
{
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		__u32 number = 7;
		int err = text_parse_number(numbers[i].text, numbers[i].max, &number);
		int expected = numbers[i].expected;

		cr_expect_eq(err, expected == REFUSED ? -EINVAL : 0, "'%s'", numbers[i].text);
		cr_expect_eq(number, expected == REFUSED ? 7 : (__u32)expected, "'%s'",
			     numbers[i].text);
	}
}

struct check_row {
	const char *text;
	int err;
};

static void check_rows(const struct check_row *rows, size_t len, int (*check)(const char *))
{
	for (size_t i = 0; i < len; i++) {
		const char *text = rows[i].text;
		const char *flush = (const char *)guard_copy(text, strlen(text) + 1);

		cr_expect_eq(check(flush), rows[i].err, "'%s'", text);
	}
}

static const struct check_row names[] = {
	{"https", 0},		{"a", 0},	  {"A-b_9", 0},	    {"-", 0},
	{NAME_63, 0},		{"", -EINVAL},	  {"a b", -EINVAL}, {"a.b", -EINVAL},
	{"a/b", -EINVAL},	{"a\n", -EINVAL}, {"ä", -EINVAL},   {"a:", -EINVAL},
	{NAME_63 "4", -EINVAL},
};

Test(text, a_name_is_letters_digits_dash_and_underscore)
{
	check_rows(names, ARRAY_LEN(names), text_check_name);
}

static const struct check_row protocols[] = {
	{"TLS/1.2", 0},	       {"HTTP/1.1", 0},	       {"h2c", 0},	  {"!#$%&'*+-.^_`|~/0", 0},
	{"", -EINVAL},	       {"/", -EINVAL},	       {"TLS/", -EINVAL}, {"/1.2", -EINVAL},
	{"TLS/1/2", -EINVAL},  {"TLS 1.2", -EINVAL},   {"a,b", -EINVAL},  {"a\r\nb", -EINVAL},
	{"TLS/1.2 ", -EINVAL}, {"T\xc3\xa4", -EINVAL}, {"a;b", -EINVAL},
};

Test(text, a_protocol_is_a_token_with_a_version_perhaps)
{
	check_rows(protocols, ARRAY_LEN(protocols), text_check_protocol);
}

static const struct check_row fields[] = {
	{"text/plain", 0},     {"text/plain; charset=utf-8", 0},
	{"\"~!", 0},	       {"", -EINVAL},
	{" ", -EINVAL},	       {" text/plain", -EINVAL},
	{"a ", -EINVAL},       {"a\r\nSet-Cookie: b", -EINVAL},
	{"a\tb", -EINVAL},     {"a\x7f", -EINVAL},
	{"\xc3\xa4", -EINVAL}, {"a\n", -EINVAL},
};

Test(text, a_field_value_is_visible_ascii)
{
	check_rows(fields, ARRAY_LEN(fields), text_check_field);
}

static const struct {
	const char *text;
	const char *printed; /* NULL: refused */
	const char *allowed; /* of a refused one: what is, NULL: any of TEXT_PREFIX_ALLOWED */
} prefixes[] = {
	{"any", "any", NULL},
	{"192.0.2.1", "192.0.2.1", NULL},
	{"192.0.2.1/32", "192.0.2.1", NULL},
	{"192.0.2.0/24", "192.0.2.0/24", NULL},
	{"192.0.2.128/25", "192.0.2.128/25", NULL},
	{"0.0.0.0/0", "0.0.0.0/0", NULL},
	{"2001:db8::/32", "2001:db8::/32", NULL},
	{"2001:DB8:0:0::1", "2001:db8::1", NULL},
	{"2001:db8::1/128", "2001:db8::1", NULL},
	{"::/0", "::/0", NULL},
	{"2001:db8:8000::/33", "2001:db8:8000::/33", NULL},
	{"10.0.0.1/8", NULL, NO_HOST_BITS "10.0.0.0/8"},
	{"10.0.0.1/0", NULL, NO_HOST_BITS "0.0.0.0/0"},
	{"192.0.2.129/25", NULL, NO_HOST_BITS "192.0.2.128/25"},
	{"192.0.2.64/25", NULL, NO_HOST_BITS "192.0.2.0/25"},
	{"2001:db8::1/64", NULL, NO_HOST_BITS "2001:db8::/64"},
	{"2001:db8::1/127", NULL, NO_HOST_BITS "2001:db8::/127"},
	{"::ffff:10.9.0.1", NULL, AS_IPV4 "10.9.0.1"},
	{"::ffff:a09:1", NULL, AS_IPV4 "10.9.0.1"},
	{"0:0:0:0:0:FFFF:10.9.0.1/128", NULL, AS_IPV4 "10.9.0.1"},
	{"::ffff:10.9.0.0/120", NULL, AS_IPV4 "10.9.0.0/24"},
	{"::ffff:10.9.0.1/120", NULL, AS_IPV4 "10.9.0.0/24"},
	{"::ffff:0:0/96", NULL, AS_IPV4 "0.0.0.0/0"},
	{"::ffff:0:0/95", NULL, NO_HOST_BITS "::fffe:0:0/95"},
	{"::fffe:0:0/95", "::fffe:0:0/95", NULL},
	{"::ffff:0:10.9.0.1", "::ffff:0:a09:1", NULL},
	{"64:ff9b::10.9.0.1", "64:ff9b::a09:1", NULL},
	{"", NULL, NULL},
	{"/", NULL, NULL},
	{"/8", NULL, NULL},
	{"10.0.0.0/", NULL, NULL},
	{"10.0.0.0/33", NULL, NULL},
	{"10.0.0.0/08", NULL, NULL},
	{"10.0.0.0/8/8", NULL, NULL},
	{"10.0.0.0/ 8", NULL, NULL},
	{"10.0.0.0/255.0.0.0", NULL, NULL},
	{"10.0.0", NULL, NULL},
	{"10", NULL, NULL},
	{"010.0.0.1", NULL, NULL},
	{"256.0.0.1", NULL, NULL},
	{"192.0.2.1 ", NULL, NULL},
	{"2001:db8::/129", NULL, NULL},
	{"2001:db8:::1", NULL, NULL},
	{"fe80::1%eth0", NULL, NULL},
	{"[::1]", NULL, NULL},
	{"Any", NULL, NULL},
	{"localhost", NULL, NULL},
	{"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa", NULL, NULL},
};

static void check_prefix(const char *text, const char *expected)
{
	const char *flush = (const char *)guard_copy(text, strlen(text) + 1);
	struct prefix prefix, before;
	char printed[TEXT_PREFIX_LEN];
	int err;

	memset(&before, 0x77, sizeof(before));
	prefix = before;
	err = text_parse_prefix(flush, &prefix);
	cr_expect_eq(err, expected ? 0 : -EINVAL, "'%s': %d", text, err);
	if (err) {
		cr_expect(!memcmp(&prefix, &before, sizeof(prefix)), "'%s' left traces", text);
		return;
	}
	text_print_prefix(&prefix, printed);
	cr_expect_str_eq(printed, expected ? expected : "(refused)", "'%s'", text);
}

Test(text, a_prefix_has_no_host_bits)
{
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
		check_prefix(prefixes[i].text, prefixes[i].printed);
}

Test(text, a_refused_prefix_is_explained)
{
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		const char *wanted = prefixes[i].allowed;
		char allowed[TEXT_ALLOWED_LEN];

		if (prefixes[i].printed)
			continue;
		text_explain_prefix(prefixes[i].text, allowed);
		cr_expect_str_eq(allowed, wanted ? wanted : TEXT_PREFIX_ALLOWED, "'%s'",
				 prefixes[i].text);
	}
}

Test(text, every_truncation_of_a_prefix_stays_inside)
{
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		for (size_t len = 0; len <= strlen(prefixes[i].text); len++) {
			char *flush = (char *)guard_copy(prefixes[i].text, len + 1);
			char allowed[TEXT_ALLOWED_LEN];
			struct prefix prefix;

			flush[len] = '\0';
			cr_expect_neq(text_parse_prefix(flush, &prefix), 1);
			text_explain_prefix(flush, allowed);
		}
	}
}

Test(text, an_ipv4_address_stands_in_the_first_four_octets)
{
	const struct prefix expected = {.family = 4, .bits = 24, .address = {192, 0, 2}};
	struct prefix prefix;

	cr_assert_eq(text_parse_prefix("192.0.2.0/24", &prefix), 0);
	cr_expect(!memcmp(&prefix, &expected, sizeof(prefix)));
}

static const char *const handshakes[] = {
	[EDGE426_HANDSHAKE_BACKEND] = "backend",
	[EDGE426_HANDSHAKE_EDGE] = "edge",
	[EDGE426_HANDSHAKE_AUTO] = "auto",
};

Test(text, a_handshake_has_a_name_that_comes_back)
{
	__u32 handshake;

	for (__u32 i = 0; i < ARRAY_LEN(handshakes); i++) {
		cr_expect_str_eq(text_print_handshake(i), handshakes[i]);
		cr_expect_eq(text_parse_handshake(handshakes[i], &handshake), 0);
		cr_expect_eq(handshake, i);
	}
	cr_expect_null(text_print_handshake(ARRAY_LEN(handshakes)));
}

static const char *const no_handshakes[] = {"", "Backend", "backen", "edge ", "autos", "none", "1"};

Test(text, other_names_are_no_handshake)
{
	__u32 handshake = 7;

	for (size_t i = 0; i < ARRAY_LEN(no_handshakes); i++)
		cr_expect_eq(text_parse_handshake(no_handshakes[i], &handshake), -EINVAL, "'%s'",
			     no_handshakes[i]);
	cr_expect_eq(handshake, 7);
}

Test(text, a_backend_is_none_or_not_said)
{
	__u32 flags = 6;

	cr_expect_null(text_print_backend(flags));
	cr_expect_eq(text_parse_backend("", &flags), -EINVAL);
	cr_expect_eq(text_parse_backend("None", &flags), -EINVAL);
	cr_expect_eq(text_parse_backend("none ", &flags), -EINVAL);
	cr_expect_eq(flags, 6);
	cr_expect_eq(text_parse_backend("none", &flags), 0);
	cr_expect_eq(flags, 6 | EDGE426_SERVICE_NO_BACKEND);
	cr_expect_str_eq(text_print_backend(flags), "none");
}

static const struct {
	const char *text;
	__u32 threshold, calm; /* 0: refused */
} thresholds[] = {
	{"1", 1, 1},
	{"60", 60, 60},
	{"86400", 86400, 86400},
	{"86401", 86401, 0},
	{"1000000", 1000000, 0},
	{"1000001", 0, 0},
	{"4294967297", 0, 0},
	{"0", 0, 0},
	{"-1", 0, 0},
	{"+1", 0, 0},
	{"01", 0, 0},
	{"1s", 0, 0},
	{" 1", 0, 0},
	{"1e3", 0, 0},
	{"", 0, 0},
};

static void check_threshold(const char *text, __u32 expected, int (*parse)(const char *, __u32 *))
{
	const char *flush = (const char *)guard_copy(text, strlen(text) + 1);
	__u32 number = 0;

	cr_expect_eq(parse(flush, &number), expected ? 0 : -EINVAL, "'%s'", text);
	cr_expect_eq(number, expected, "'%s'", text);
}

Test(text, thresholds_have_limits)
{
	for (size_t i = 0; i < ARRAY_LEN(thresholds); i++) {
		check_threshold(thresholds[i].text, thresholds[i].threshold,
				text_parse_syn_threshold);
		check_threshold(thresholds[i].text, thresholds[i].calm, text_parse_calm_seconds);
	}
}

static const struct {
	const char *text;
	__u16 first, last; /* 0: refused */
} ranges[] = {
	{"443", 443, 443},
	{"8000-8100", 8000, 8100},
	{"1-65535", 1, 65535},
	{"5-5", 5, 5},
	{"0", 0, 0},
	{"0-5", 0, 0},
	{"6-5", 0, 0},
	{"5-65536", 0, 0},
	{"65536-65537", 0, 0},
	{"5-", 0, 0},
	{"-5", 0, 0},
	{"-", 0, 0},
	{"", 0, 0},
	{"5--6", 0, 0},
	{"5-6-7", 0, 0},
	{"5 -6", 0, 0},
	{"5- 6", 0, 0},
	{"05-6", 0, 0},
	{"5:6", 0, 0},
	{"99999999999999999999-1", 0, 0},
	{"1-99999999999999999999", 0, 0},
};

Test(text, ports_are_one_or_a_range)
{
	for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
		const char *text = ranges[i].text;
		const char *flush = (const char *)guard_copy(text, strlen(text) + 1);
		__u16 first = 0, last = 0;

		cr_expect_eq(text_parse_ports(flush, &first, &last), ranges[i].first ? 0 : -EINVAL,
			     "'%s'", text);
		cr_expect_eq(first, ranges[i].first, "'%s'", text);
		cr_expect_eq(last, ranges[i].last, "'%s'", text);
	}
}

Test(text, ports_are_printed)
{
	char text[TEXT_PORTS_LEN];

	text_print_ports(443, 443, text);
	cr_expect_str_eq(text, "443");
	text_print_ports(64000, 65535, text);
	cr_expect_str_eq(text, "64000-65535");
}

static const struct {
	const char *text;
	__u32 rate, burst; /* 0: refused */
} limits[] = {
	{"10", 10, 10},	   {"10/20", 10, 20},
	{"20/1", 20, 1},   {"1000000/1000000", 1000000, 1000000},
	{"1000001", 0, 0}, {"1/1000001", 0, 0},
	{"0", 0, 0},	   {"0/1", 0, 0},
	{"1/0", 0, 0},	   {"1/", 0, 0},
	{"/1", 0, 0},	   {"/", 0, 0},
	{"", 0, 0},	   {"1/1/1", 0, 0},
	{"1 / 1", 0, 0},   {"1/s", 0, 0},
	{"01", 0, 0},	   {"99999999999999999999/1", 0, 0},
};

Test(text, a_limit_is_a_rate_and_perhaps_a_burst)
{
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		const char *text = limits[i].text;
		const char *flush = (const char *)guard_copy(text, strlen(text) + 1);
		__u32 rate = 0, burst = 0;

		cr_expect_eq(text_parse_limit(flush, &rate, &burst), limits[i].rate ? 0 : -EINVAL,
			     "'%s'", text);
		cr_expect_eq(rate, limits[i].rate, "'%s'", text);
		cr_expect_eq(burst, limits[i].burst, "'%s'", text);
	}
}

static const struct {
	const char *text;
	int vlan, percent;
} small[] = {
	{"0", REFUSED, 0},	     {"1", 1, 1},
	{"100", 100, 100},	     {"101", 101, REFUSED},
	{"4094", 4094, REFUSED},     {"4095", REFUSED, REFUSED},
	{"", REFUSED, REFUSED},	     {"01", REFUSED, REFUSED},
	{"5%", REFUSED, REFUSED},    {"-1", REFUSED, REFUSED},
	{"65537", REFUSED, REFUSED}, {"any", REFUSED, REFUSED},
};

Test(text, vlans_and_shares_have_limits)
{
	for (size_t i = 0; i < ARRAY_LEN(small); i++) {
		const char *text = small[i].text;
		const char *flush = (const char *)guard_copy(text, strlen(text) + 1);
		__u32 percent = 7777;
		__u16 vlan = 7777;

		cr_expect_eq(text_parse_vlan(flush, &vlan), small[i].vlan == REFUSED ? -EINVAL : 0);
		cr_expect_eq(vlan, small[i].vlan == REFUSED ? 7777 : small[i].vlan, "'%s'", text);
		cr_expect_eq(text_parse_percent(flush, &percent),
			     small[i].percent == REFUSED ? -EINVAL : 0);
		cr_expect_eq(percent, small[i].percent == REFUSED ? 7777 : (__u32)small[i].percent,
			     "'%s'", text);
	}
}

struct word_row {
	const char *text;
	__u32 value;
};

struct words {
	int (*parse)(const char *, __u32 *);
	const char *(*print)(__u32);
	const char *allowed;
	struct word_row rows[5];
	__u32 none; /* a value without a name */
};

static const struct words words[] = {
	{text_parse_action,
	 text_print_action,
	 TEXT_ACTION_ALLOWED,
	 {{"respond", EDGE426_ACTION_RESPOND},
	  {"reset", EDGE426_ACTION_RESET},
	  {"reset-syn", EDGE426_ACTION_RESET_SYN},
	  {"drop", EDGE426_ACTION_DROP},
	  {"pass", EDGE426_ACTION_PASS}},
	 5},
	{text_parse_other,
	 text_print_other,
	 TEXT_OTHER_ALLOWED,
	 {{"pass", EDGE426_ACTION_PASS},
	  {"reset", EDGE426_ACTION_RESET},
	  {"drop", EDGE426_ACTION_DROP}},
	 EDGE426_ACTION_RESPOND},
	{text_parse_mode,
	 text_print_mode,
	 TEXT_MODE_ALLOWED,
	 {{"enforce", EDGE426_MODE_ENFORCE},
	  {"monitor", EDGE426_MODE_MONITOR},
	  {"bypass", EDGE426_MODE_BYPASS}},
	 3},
};

static const char *const no_words[] = {"", "Reset", "rese", "reset ", " reset", "reset_syn", "0"};

static void check_words(const struct words *some)
{
	__u32 value = 7;

	for (size_t i = 0; i < ARRAY_LEN(some->rows) && some->rows[i].text; i++) {
		cr_expect_str_eq(some->print(some->rows[i].value), some->rows[i].text);
		cr_expect_eq(some->parse(some->rows[i].text, &value), 0);
		cr_expect_eq(value, some->rows[i].value);
		cr_expect_not_null(strstr(some->allowed, some->rows[i].text));
	}
	cr_expect_null(some->print(some->none));
	cr_expect_null(some->print(~(__u32)0));
	value = 7;
	for (size_t i = 0; i < ARRAY_LEN(no_words); i++)
		cr_expect_eq(some->parse(no_words[i], &value), -EINVAL, "'%s'", no_words[i]);
	cr_expect_eq(value, 7);
}

Test(text, words_come_back)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		check_words(&words[i]);
}

#define P16 "/23456789abcdef0"

static const struct check_row paths[] = {
	{"/", 0},
	{"/status", 0},
	{"//", 0},
	{"/a?b=c#d%20\"'\\{}~!", 0},
	{P16 P16 P16 P16, 0},
	{"acme", 0},
	{"crl-ocsp", 0},
	{"k8s-probe", 0},
	{P16 P16 P16 P16 "x", -EINVAL},
	{"", -EINVAL},
	{"a", -EINVAL},
	{"Acme", -EINVAL},
	{"acme ", -EINVAL},
	{"*", -EINVAL},
	{" /", -EINVAL},
	{"/ ", -EINVAL},
	{"/a\n", -EINVAL},
	{"/\x7f", -EINVAL},
	{"/\xc3\xa4", -EINVAL},
	{"/a.b/.c/", 0},
	{"/a%2f", 0},
	{"/a/..", -EINVAL},
	{"/a..b", -EINVAL},
	{"/%2e", -EINVAL},
	{"/%2Ewell-known/", -EINVAL},
};

Test(text, a_path_begins_with_a_slash_or_is_a_preset)
{
	check_rows(paths, ARRAY_LEN(paths), text_check_path);
}

static const struct check_row interfaces[] = {
	{"eth0", 0},
	{"a", 0},
	{"eth0.100", 0},
	{"br-1a2b3c4d5e6f", 0},
	{"...", 0},
	{"0123456789abcde", 0},
	{"0123456789abcdef", -EINVAL},
	{"", -EINVAL},
	{".", -EINVAL},
	{"..", -EINVAL},
	{"a/b", -EINVAL},
	{"a:b", -EINVAL},
	{"a b", -EINVAL},
	{"a\n", -EINVAL},
	{"\xc3\xa4", -EINVAL},
	{"eth0\x7f", -EINVAL},
};

Test(text, an_interface_is_what_the_kernel_takes)
{
	check_rows(interfaces, ARRAY_LEN(interfaces), text_check_interface);
}

#define L63 "a23456789-123456789-123456789-123456789-123456789-123456789-123"
#define L61 "a23456789-123456789-123456789-123456789-123456789-123456789-1"

static const struct {
	const char *text;
	const char *host; /* NULL: refused */
} hosts[] = {
	{"localhost", "localhost"},
	{"Intern.EXAMPLE.org", "intern.example.org"},
	{"AZ@", NULL},
	{"az.AZ", "az.az"},
	{"_a-b.c", "_a-b.c"},
	{"xn--bcher-kva.example", "xn--bcher-kva.example"},
	{"10.0.0.1", "10.0.0.1"},
	{"1.example", "1.example"},
	{"[::1]", "[::1]"},
	{"[2001:DB8::A]", "[2001:db8::a]"},
	{"[::ffff:10.0.0.1]", "[::ffff:10.0.0.1]"},
	{L63 "." L63 "." L63 "." L61, L63 "." L63 "." L63 "." L61},
	{L63 "." L63 "." L63 "." L61 "b", NULL},
	{L63 "b", NULL},
	{"a." L63 "b", NULL},
	{"", NULL},
	{".", NULL},
	{"a.", NULL},
	{".a", NULL},
	{"a..b", NULL},
	{"a:80", NULL},
	{"10.0.0.1:80", NULL},
	{"[::1]:80", NULL},
	{"10.0.0", NULL},
	{"10", NULL},
	{"10.0.0.256", NULL},
	{"10.0.0.0.1", NULL},
	{"a.1", NULL},
	{"010.0.0.1", NULL},
	{"::1", NULL},
	{"[", NULL},
	{"]", NULL},
	{"[]", NULL},
	{"[::1", NULL},
	{"[::1]]", NULL},
	{"[[::1]]", NULL},
	{"[10.0.0.1]", NULL},
	{"[fe80::1%eth0]", NULL},
	{"[1111:2222:3333:4444:5555:6666:7777:8888:9999]", NULL},
	{"[1111:2222:3333:4444:5555:6666:777.777.777.7777]", NULL},
	{"a b", NULL},
	{" a", NULL},
	{"a ", NULL},
	{"a\n", NULL},
	{"*.example", NULL},
	{"a/b", NULL},
	{"u@a", NULL},
	{"b\xc3\xbc", NULL},
};

Test(text, a_host_has_no_port_and_no_case)
{
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		const char *text = hosts[i].text, *expected = hosts[i].host;
		const char *flush = (const char *)guard_copy(text, strlen(text) + 1);
		char host[EDGE426_HOST_MAX + 1] = "before";

		cr_expect_eq(text_parse_host(flush, host), expected ? 0 : -EINVAL, "'%s'", text);
		cr_expect_str_eq(host, expected ? expected : "before");
	}
}

Test(text, every_truncation_of_a_host_stays_inside)
{
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		for (size_t len = 0; len <= strlen(hosts[i].text); len++) {
			char *flush = (char *)guard_copy(hosts[i].text, len + 1);
			char host[EDGE426_HOST_MAX + 1];

			flush[len] = '\0';
			if (!text_parse_host(flush, host))
				cr_expect_eq(strlen(host), len);
		}
	}
}

static const struct {
	const char *text;
	size_t len;
	const char *quoted;
} quotes[] = {
	{"", 0, "''"},
	{"443", 3, "'443'"},
	{"a b", 3, "'a b'"},
	{"a\0b", 3, "'a\\x00b'"},
	{"\x1b[2J\\", 5, "'\\x1b[2J\\x5c'"},
	{"\xc3\xa4", 2, "'\\xc3\\xa4'"},
	{"0123456789012345678901234567890123456789012345678901234", 55,
	 "'0123456789012345678901234567890123456789012345678901234'"},
	{"01234567890123456789012345678901234567890123456789012345", 56,
	 "'0123456789012345678901234567890123456789012345678901234...'"},
	{"012345678901234567890123456789012345678901234567890123"
	 "\xff\xff",
	 56, "'012345678901234567890123456789012345678901234567890123\\xff...'"},
	{"01234567890123456789012345678901234567890123456789012"
	 "\xff\xff",
	 55, "'01234567890123456789012345678901234567890123456789012\\xff...'"},
	{"01234567890123456789012345678901234567890123456789"
	 "\xff\xff",
	 52, "'01234567890123456789012345678901234567890123456789\\xff\\xff'"},
};

Test(text, a_quote_is_one_short_safe_line)
{
	for (size_t i = 0; i < ARRAY_LEN(quotes); i++) {
		const void *flush = guard_copy(quotes[i].text, quotes[i].len);
		char quoted[TEXT_QUOTE_LEN];

		text_quote(flush, quotes[i].len, quoted);
		cr_expect_str_eq(quoted, quotes[i].quoted);
	}
}
