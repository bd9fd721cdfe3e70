/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The request reader: where the path stands and which host is meant, each row
 * whole, at every truncation, and octets that mean nothing.
 */
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "guard.h"
#include "request.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))
#define LOOK_MAX 1024 /* octets the packet program looks at */
#define NAME_MAX_LEN 256

/* What has been read of a request so far, as the packet program keeps it. */
struct reading {
	struct request request;
	char name[NAME_MAX_LEN + 1];
	int ended;
	__u32 used; /* octets until it ended */
};

static void read_octet(struct reading *reading, __u8 octet)
{
	enum request_event event = request_step(&reading->request, octet);

	reading->used++;
	if (event == REQUEST_HOST_BEGINS)
		memset(reading->name, 0, sizeof(reading->name));
	else if (event == REQUEST_HOST_OCTET)
		reading->name[(reading->request.host_len - 1) % NAME_MAX_LEN] =
			(char)classify_lower(octet);
	else if (event == REQUEST_ENDS)
		reading->ended = 1;
}

static struct reading read_octets(const unsigned char *octets, size_t len, int wants_host)
{
	struct reading reading = {.request = {.wants_host = (__u8)wants_host}};
	size_t i;

	for (i = 0; i < len && !reading.ended; i++)
		read_octet(&reading, octets[i]);
	return reading;
}

static struct reading read_text(const char *text, size_t len, int wants_host)
{
	return read_octets(guard_copy(text, len), len, wants_host);
}

struct row {
	const char *name;
	const char *octets;
	const char *path; /* NULL: none */
	const char *host; /* NULL: not told; "": none */
	int climbs;
};

static const struct row rows[] = {
	{"origin form", "GET /a HTTP/1.1\r\nHost: h\r\n", "/a", "h", 0},
	{"the root", "GET / HTTP/1.1\r\nHost: h\r\n", "/", "h", 0},
	{"two slashes", "GET //a/b HTTP/1.1\r\nHost: h\r\n", "//a/b", "h", 0},
	{"a query", "GET /a?b=/c HTTP/1.1\r\nHost: h\r\n", "/a?b=/c", "h", 0},
	{"a scheme in the path", "GET /http://x/ HTTP/1.1\r\nHost: h\r\n", "/http://x/", "h", 0},
	{"no version", "GET /a\r\nHost: h\r\n", "/a", "h", 0},
	{"LF only", "GET /a HTTP/1.1\nA: b\nHost: h\n", "/a", "h", 0},
	{"empty lines before", "\r\n\r\nGET /a HTTP/1.1\r\nHost: h\r\n", "/a", "h", 0},
	{"bare LFs before", "\n\nGET /a HTTP/1.1\r\nHost: h\r\n", "/a", "h", 0},
	{"a method of two", "GO /a HTTP/1.1\r\nHost: h\r\n", "/a", "h", 0},
	{"a method with marks", "M-A_B /a HTTP/1.1\r\nHost: h\r\n", "/a", "h", 0},
	{"absolute form", "GET http://h/a HTTP/1.1\r\n", "/a", "h", 0},
	{"absolute form in capitals", "GET HTTP://H.X/A HTTP/1.1\r\n", "/A", "h.x", 0},
	{"absolute form, a port", "GET http://h:80/a HTTP/1.1\r\n", "/a", "h", 0},
	{"absolute form, an empty port", "GET http://h:/a HTTP/1.1\r\n", "/a", "h", 0},
	{"absolute form, userinfo", "GET http://u@h/a HTTP/1.1\r\n", "/a", "h", 0},
	{"absolute form, a password", "GET http://u:p@h:80/a HTTP/1.1\r\n", "/a", "h", 0},
	{"absolute form, two at signs", "GET http://u@v@h/a HTTP/1.1\r\n", "/a", "h", 0},
	{"absolute form, brackets in userinfo", "GET http://[x:@h:80/ HTTP/1.1\r\n", "/", "h", 0},
	{"absolute form, IPv6", "GET http://[2001:DB8::1]:80/a HTTP/1.1\r\n", "/a", "[2001:db8::1]",
	 0},
	{"absolute form, IPv6 alone", "GET https://[::1] HTTP/1.1\r\n", NULL, "[::1]", 0},
	{"absolute form, no path", "GET http://h HTTP/1.1\r\nHost: x\r\n", NULL, "h", 0},
	{"absolute form, no path, a query", "GET http://h?/a HTTP/1.1\r\n", NULL, "h", 0},
	{"absolute form, no version", "GET http://h\r\n", NULL, "h", 0},
	{"absolute form, no host", "GET http:///a HTTP/1.1\r\nHost: x\r\n", "/a", "", 0},
	{"absolute form, at sign in the path", "GET http://h/a@x/ HTTP/1.1\r\n", "/a@x/", "h", 0},
	{"absolute form before Host", "GET http://h/ HTTP/1.1\r\nHost: x\r\n", "/", "h", 0},
	{"asterisk form", "OPTIONS * HTTP/1.1\r\nHost: h\r\n", NULL, "h", 0},
	{"CONNECT", "CONNECT x:443 HTTP/1.1\r\nHost: h\r\n", NULL, "h", 0},
	{"CONNECT to IPv6", "CONNECT [::1]:443 HTTP/1.1\r\nHost: h\r\n", NULL, "h", 0},
	{"one slash after the scheme", "GET http:/h HTTP/1.1\r\nHost: x\r\n", NULL, "x", 0},
	{"Host in capitals", "GET / HTTP/1.1\r\nHOST: H\r\n", "/", "h", 0},
	{"Host in any case", "GET / HTTP/1.1\r\nhOsT: h.X-9\r\n", "/", "h.x-9", 0},
	{"Host without a blank", "GET / HTTP/1.1\r\nHost:h\r\n", "/", "h", 0},
	{"Host among blanks", "GET / HTTP/1.1\r\nHost: \t h\t \r\n", "/", "h", 0},
	{"Host with a port", "GET / HTTP/1.1\r\nHost: h:8080\r\n", "/", "h", 0},
	{"Host, IPv6 and a port", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n", "/", "[::1]", 0},
	{"Host, a port alone", "GET / HTTP/1.1\r\nHost: :80\r\n", "/", "", 0},
	{"Host, empty", "GET / HTTP/1.1\r\nHost:\r\nHost: x\r\n", "/", "", 0},
	{"Host, blanks alone", "GET / HTTP/1.1\r\nHost:  \r\n", "/", "", 0},
	{"Host after others", "GET / HTTP/1.1\r\nA: b\r\nHosts: x\r\nHos: y\r\nHost: h\r\n", "/",
	 "h", 0},
	{"Host after a name that ends so", "GET / HTTP/1.1\r\nX-Host: x\r\nHost: h\r\n", "/", "h",
	 0},
	{"Host after a line without a colon", "GET / HTTP/1.1\r\nhost\r\nHost: h\r\n", "/", "h", 0},
	{"a second Host", "GET / HTTP/1.1\r\nHost: h\r\nHost: x\r\n", "/", "h", 0},
	{"no Host", "GET / HTTP/1.1\r\nA: b\r\n\r\n", "/", "", 0},
	{"no fields", "GET / HTTP/1.1\r\n\r\n", "/", "", 0},
	{"Host in the body", "GET / HTTP/1.1\r\n\r\nHost: x\r\n", "/", "", 0},
	{"Host after an empty LF line", "GET / HTTP/1.1\n\nHost: x\n", "/", "", 0},
	{"a folded line", "GET / HTTP/1.1\r\nA: b\r\n Host: x\r\nHost: h\r\n", "/", "h", 0},
	{"a folded value", "GET / HTTP/1.1\r\nHost:\r\n x\r\n", "/", "", 0},
	{"a blank before the colon", "GET / HTTP/1.1\r\nHost : x\r\n\r\n", "/", "", 0},
	{"Host at the end, with CR", "GET / HTTP/1.1\r\nHost: h\r", "/", "h", 0},
	{"Host at the very end", "GET / HTTP/1.1\r\nHost: h", "/", NULL, 0},
	{"fields that go on", "GET / HTTP/1.1\r\nA: b\r\n", "/", NULL, 0},
	{"climbing", "GET /a/../b HTTP/1.1\r\n\r\n", "/a/../b", "", 1},
	{"climbing at once", "GET /.. HTTP/1.1\r\n\r\n", "/..", "", 1},
	{"three dots", "GET /... HTTP/1.1\r\n\r\n", "/...", "", 1},
	{"two dots in a name", "GET /a..b HTTP/1.1\r\n\r\n", "/a..b", "", 1},
	{"a dot in code", "GET /%2e HTTP/1.1\r\n\r\n", "/%2e", "", 1},
	{"a dot in capital code", "GET /%2E HTTP/1.1\r\n\r\n", "/%2E", "", 1},
	{"a dot and code", "GET /.%2e/ HTTP/1.1\r\n\r\n", "/.%2e/", "", 1},
	{"code and a dot", "GET /%2e./ HTTP/1.1\r\n\r\n", "/%2e./", "", 1},
	{"a percent sign before", "GET /%%2e HTTP/1.1\r\n\r\n", "/%%2e", "", 1},
	{"climbing in absolute form", "GET http://h/a/.. HTTP/1.1\r\n", "/a/..", "h", 1},
	{"dots apart", "GET /./a.b.c/. HTTP/1.1\r\n\r\n", "/./a.b.c/.", "", 0},
	{"other codes", "GET /%2f%20%2d%e2%22e HTTP/1.1\r\n\r\n", "/%2f%20%2d%e2%22e", "", 0},
	{"climbing in the query", "GET /a?/../%2e HTTP/1.1\r\n\r\n", "/a?/../%2e", "", 0},
	{"dots around the query", "GET /a.?.b HTTP/1.1\r\n\r\n", "/a.?.b", "", 0},
	{"dots in the authority", "GET http://a..b/ HTTP/1.1\r\n", "/", "a..b", 0},
};

static void assert_path(const struct row *row, const struct request *request)
{
	size_t len = row->path ? strlen(row->path) : 0;

	cr_assert_eq(request->path_len, len, "%s: path of %u octets", row->name, request->path_len);
	if (len)
		cr_assert_arr_eq(row->octets + request->path_at, row->path, len, "%s: path",
				 row->name);
	cr_assert_eq(request->climbs, row->climbs, "%s: climbs", row->name);
	cr_assert(request_has_path(request), "%s: the path is known", row->name);
}

static void assert_host(const struct row *row, const struct reading *reading)
{
	if (!row->host) {
		cr_assert_neq(reading->request.state, REQUEST_DONE, "%s: not told", row->name);
		return;
	}
	cr_assert_eq(reading->request.state, REQUEST_DONE, "%s: told", row->name);
	cr_assert_eq(reading->request.host_len, strlen(row->host), "%s: host of %u octets",
		     row->name, reading->request.host_len);
	cr_assert_str_eq(reading->name, row->host, "%s: host", row->name);
}

Test(request, finds_path_and_host)
{
	size_t i;

	for (i = 0; i < ROWS(rows); i++) {
		struct reading reading = read_text(rows[i].octets, strlen(rows[i].octets), 1);

		assert_path(&rows[i], &reading.request);
		assert_host(&rows[i], &reading);
	}
}

/* It is done with the target, and reads no field. */
Test(request, reads_no_further_than_the_path_when_no_host_is_wanted)
{
	size_t i;

	for (i = 0; i < ROWS(rows); i++) {
		struct reading reading = read_text(rows[i].octets, strlen(rows[i].octets), 0);
		const char *target = strchr(rows[i].octets, ' ') + 1;
		size_t end = (size_t)(target - rows[i].octets) + strcspn(target, " \r\n");

		assert_path(&rows[i], &reading.request);
		cr_assert(reading.ended, "%s", rows[i].name);
		cr_assert_leq(reading.used, end + 1, "%s: %u octets", rows[i].name, reading.used);
	}
}

/* What `now` says of a request of which `before` has seen less. */
static void assert_grown(const struct reading *before, const struct reading *now, const char *name,
			 size_t cut)
{
	const struct request *was = &before->request, *is = &now->request;

	if (was->path_len) {
		cr_assert_eq(is->path_at, was->path_at, "%s at %zu: path moved", name, cut);
		cr_assert_geq(is->path_len, was->path_len, "%s at %zu: path shrank", name, cut);
	}
	cr_assert_geq(is->climbs, was->climbs, "%s at %zu: climbs no more", name, cut);
	if (request_has_path(was))
		cr_assert(request_has_path(is) && is->climbs == was->climbs,
			  "%s at %zu: path was known", name, cut);
	if (was->state >= REQUEST_VERSION)
		cr_assert(is->state >= REQUEST_VERSION && is->path_len == was->path_len,
			  "%s at %zu: target was over", name, cut);
	if (was->state == REQUEST_DONE)
		cr_assert(is->state == REQUEST_DONE && is->host_len == was->host_len &&
				  !strcmp(now->name, before->name),
			  "%s at %zu: host was known", name, cut);
}

Test(request, takes_back_nothing_with_more_octets)
{
	size_t i, cut;
	int wants_host;

	for (wants_host = 0; wants_host < 2; wants_host++)
		for (i = 0; i < ROWS(rows); i++) {
			struct reading before = read_text("", 0, wants_host);

			for (cut = 1; cut <= strlen(rows[i].octets); cut++) {
				struct reading now = read_text(rows[i].octets, cut, wants_host);

				assert_grown(&before, &now, rows[i].name, cut);
				before = now;
			}
		}
}

static int has_path(const char *octets)
{
	struct reading reading = read_text(octets, strlen(octets), 1);

	return request_has_path(&reading.request);
}

/* In a target that is cut, the path is known only once nothing can be added to it. */
Test(request, knows_a_path_only_when_it_is_over)
{
	static const char *const open[] = {
		"GET ",		 "GET /",	   "GET /a",	  "GET /a/.",
		"GET http",	 "GET http:",	   "GET http://", "GET http://h",
		"GET http://h/", "GET http://h/a", "OPTIONS *",	  "CONNECT h:443"};
	static const char *const over[] = {
		"GET / ",	 "GET /\r",	  "GET /\n",	    "GET /?",	  "GET /a?b",
		"GET http://h ", "GET http://h?", "GET http://h/ ", "OPTIONS * ", "CONNECT h:443 "};
	size_t i;

	for (i = 0; i < ROWS(open); i++)
		cr_assert_not(has_path(open[i]), "%s", open[i]);
	for (i = 0; i < ROWS(over); i++)
		cr_assert(has_path(over[i]), "%s", over[i]);
}

/* xorshift64*, Vigna 2016: the same octets on each run. */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dULL;
}

/* Mostly octets that mean something here, at times any. */
static __u8 random_octet(uint64_t *state)
{
	static const char meaning[] = "GET /http://h:80@[]?.%2eE\r\nHOST: host:\t*";
	uint64_t random = next_random(state);

	return random >> 60 ? (__u8)meaning[(random >> 32) % (sizeof(meaning) - 1)]
			    : (__u8)(random >> 40);
}

static void assert_bounds(const struct reading *reading, size_t len)
{
	const struct request *request = &reading->request;

	cr_assert_eq(request->at, reading->used);
	cr_assert_leq(request->at, len);
	cr_assert_leq(request->path_at, request->at);
	cr_assert_leq(request->path_len, request->at - request->path_at);
	cr_assert_leq(request->host_len, request->at);
	cr_assert_leq(request->state, REQUEST_DONE);
}

Test(request, stays_within_what_it_has_seen)
{
	uint64_t state = 0x9e3779b97f4a7c15ULL;
	unsigned char octets[LOOK_MAX];
	int round;

	for (round = 0; round < 100000; round++) {
		size_t len = next_random(&state) % 96, i;
		struct reading reading = {.request = {.wants_host = (__u8)(round & 1)}}, before;

		if (round % 1000 == 0)
			len = LOOK_MAX;
		for (i = 0; i < len; i++)
			octets[i] = random_octet(&state);
		for (i = 0; i < len && !reading.ended; i++) {
			before = reading;
			read_octet(&reading, octets[i]);
			assert_bounds(&reading, len);
			assert_grown(&before, &reading, "random", i);
		}
	}
}
