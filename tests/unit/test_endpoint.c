/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses with ports: text to data and back. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "endpoint.h"

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *text;
	__u8 family;
	__u16 port;
	const char *printed;
} good[] = {
	{"192.0.2.1:443", 4, 443, "192.0.2.1:443"},
	{"192.0.2.1", 4, 0, "192.0.2.1:0"},
	{"0.0.0.0:65535", 4, 65535, "0.0.0.0:65535"},
	{"[2001:db8::1]:443", 6, 443, "[2001:db8::1]:443"},
	{"[2001:db8::1]", 6, 0, "[2001:db8::1]:0"},
	{"2001:DB8:0::1", 6, 0, "[2001:db8::1]:0"},
	{"::", 6, 0, "[::]:0"},
	{"[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535", 6, 65535,
	 "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"},
};

Test(endpoint, reads_and_prints)
{
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct endpoint endpoint = {0};
		char text[ENDPOINT_LEN];

		cr_expect_eq(endpoint_parse(good[i].text, &endpoint), 0, "%s", good[i].text);
		cr_expect_eq(endpoint.family, good[i].family, "%s", good[i].text);
		cr_expect_eq(endpoint.port, good[i].port, "%s", good[i].text);
		endpoint_print(&endpoint, text);
		cr_expect_str_eq(text, good[i].printed, "%s", text);
	}
}

static const char *const bad[] = {
	"",
	":443",
	"443",
	"192.0.2.1:",
	"192.0.2.1:0",
	"192.0.2.1:65536",
	"192.0.2.1:+1",
	"192.0.2.1:443 ",
	" 192.0.2.1:443",
	"192.0.2:443",
	"192.0.2.1.:443",
	"192.0.2.1/24",
	"localhost:443",
	"[192.0.2.1]:443",
	"[2001:db8::1",
	"[2001:db8::1]443",
	"[2001:db8::1]:",
	"[2001:db8::1]:443:1",
	"[]:443",
	"2001:db8::1:",
	"2001:db8::1%eth0",
	"::ffff:192.0.2.1",
	"[::ffff:192.0.2.1]:443",
	"1234567890123456789012345678901234567890123456789012345678901234567890",
};

Test(endpoint, refuses_and_leaves_the_output_alone)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct endpoint endpoint, untouched;

		memset(&endpoint, 0x5a, sizeof(endpoint));
		untouched = endpoint;
		cr_expect_eq(endpoint_parse(bad[i], &endpoint), -EINVAL, "%s", bad[i]);
		cr_expect_eq(memcmp(&endpoint, &untouched, sizeof(endpoint)), 0, "%s", bad[i]);
	}
}
