/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a frame to its headers. Each row is built, bent at one place if it
 * says so, and read flush against a guard page: whole, and at every
 * truncation.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "guard.h"
#include "headers.h"
#include "packet.h"

#define REQUEST "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"
#define IP4_AT 14 /* offsets of the headers in frames without tags and options */
#define TCP4_AT 34
#define TCP6_AT 54
#define NOP12 "\1\1\1\1\1\1\1\1\1\1\1\1"

/* One octet changed after the frame was built; `at` 0: none. */
struct bend {
	int at;
	__u8 to;
};

static const struct row {
	const char *name;
	struct packet packet;
	struct bend bend;
	enum headers_result expected;
} rows[] = {
	{"IPv4", {.payload = REQUEST}, {}, HEADERS_OK},
	{"IPv4 without payload", {.seq = 1}, {}, HEADERS_OK},
	{"IPv4, one tag", {.vlans = 1, .payload = REQUEST}, {}, HEADERS_OK},
	{"IPv4, two tags", {.vlans = 2, .payload = REQUEST}, {}, HEADERS_OK},
	{"IPv4, three tags", {.vlans = 3, .payload = REQUEST}, {}, HEADERS_NOT_TCP},
	{"IPv4, 4 octets of options", {.ip_options = 4, .payload = REQUEST}, {}, HEADERS_OK},
	{"IPv4, 40 octets of options", {.ip_options = 40, .payload = REQUEST}, {}, HEADERS_OK},
	{"IPv4, padded", {.padding = 20, .payload = "G"}, {}, HEADERS_OK},
	{"IPv4, timestamps", {.timestamps = 1, .payload = REQUEST}, {}, HEADERS_OK},
	{"IPv4, 24 octets of TCP options",
	 {.timestamps = 1, .tcp_options = NOP12, .tcp_options_len = 12, .payload = REQUEST},
	 {},
	 HEADERS_OK},
	{"IPv4, a bad checksum is not looked at",
	 {.bad_checksum = 1, .payload = REQUEST},
	 {},
	 HEADERS_OK},
	{"IPv4, two tags, options, timestamps",
	 {.vlans = 2, .ip_options = 8, .timestamps = 1, .payload = REQUEST},
	 {},
	 HEADERS_OK},
	{"IPv4, first fragment", {.more_fragments = 1, .payload = REQUEST}, {}, HEADERS_NOT_TCP},
	{"IPv4, middle fragment",
	 {.more_fragments = 1, .fragment_offset = 185, .payload = REQUEST},
	 {},
	 HEADERS_NOT_TCP},
	{"IPv4, last fragment", {.fragment_offset = 185, .payload = REQUEST}, {}, HEADERS_NOT_TCP},
	{"IPv4, Don't Fragment is no fragment",
	 {.payload = REQUEST},
	 {IP4_AT + 6, 0x40},
	 HEADERS_OK},
	{"IPv4, the reserved flag is no fragment",
	 {.payload = REQUEST},
	 {IP4_AT + 6, 0x80},
	 HEADERS_OK},
	{"IPv4, UDP", {.protocol = IPPROTO_UDP, .payload = REQUEST}, {}, HEADERS_NOT_TCP},
	{"IPv4 that says version 6", {.payload = REQUEST}, {IP4_AT, 0x65}, HEADERS_MALFORMED},
	{"IPv4, header of 16 octets", {.payload = REQUEST}, {IP4_AT, 0x44}, HEADERS_MALFORMED},
	{"IPv4, header of 0 octets", {.payload = REQUEST}, {IP4_AT, 0x40}, HEADERS_MALFORMED},
	{"IPv4, header longer than the packet", {.seq = 1}, {IP4_AT, 0x4f}, HEADERS_MALFORMED},
	{"IPv4, total length less than its header",
	 {.payload = REQUEST},
	 {IP4_AT + 3, 19},
	 HEADERS_MALFORMED},
	{"IPv4, total length without room for TCP",
	 {.payload = REQUEST},
	 {IP4_AT + 3, 39},
	 HEADERS_MALFORMED},
	{"IPv4, total length beyond the frame",
	 {.payload = REQUEST},
	 {IP4_AT + 2, 1},
	 HEADERS_MALFORMED},
	{"IPv4, TCP header of 16 octets",
	 {.payload = REQUEST},
	 {TCP4_AT + 12, 0x40},
	 HEADERS_MALFORMED},
	{"IPv4, TCP header longer than the packet",
	 {.payload = "G", .padding = 60},
	 {TCP4_AT + 12, 0xf0},
	 HEADERS_MALFORMED},
	{"another protocol than IP", {.payload = REQUEST}, {13, 0x06}, HEADERS_NOT_TCP},
	{"IPv6", {.ipv6 = 1, .payload = REQUEST}, {}, HEADERS_OK},
	{"IPv6 without payload", {.ipv6 = 1}, {}, HEADERS_OK},
	{"IPv6, one tag", {.ipv6 = 1, .vlans = 1, .payload = REQUEST}, {}, HEADERS_OK},
	{"IPv6, two tags", {.ipv6 = 1, .vlans = 2, .payload = REQUEST}, {}, HEADERS_OK},
	{"IPv6, three tags", {.ipv6 = 1, .vlans = 3, .payload = REQUEST}, {}, HEADERS_NOT_TCP},
	{"IPv6, 1 extension", {.ipv6 = 1, .extensions = 1, .payload = REQUEST}, {}, HEADERS_OK},
	{"IPv6, 2 extensions", {.ipv6 = 1, .extensions = 2, .payload = REQUEST}, {}, HEADERS_OK},
	{"IPv6, 3 extensions", {.ipv6 = 1, .extensions = 3, .payload = REQUEST}, {}, HEADERS_OK},
	{"IPv6, 4 extensions", {.ipv6 = 1, .extensions = 4, .payload = REQUEST}, {}, HEADERS_OK},
	{"IPv6, 5 extensions", {.ipv6 = 1, .extensions = 5, .payload = REQUEST}, {}, HEADERS_OK},
	{"IPv6, 6 extensions", {.ipv6 = 1, .extensions = 6, .payload = REQUEST}, {}, HEADERS_OK},
	{"IPv6, 7 extensions are too many",
	 {.ipv6 = 1, .extensions = 7, .payload = REQUEST},
	 {},
	 HEADERS_NOT_TCP},
	{"IPv6, an extension longer than the frame",
	 {.ipv6 = 1, .extensions = 1, .payload = REQUEST},
	 {TCP6_AT + 1, 255},
	 HEADERS_MALFORMED},
	{"IPv6, an extension that swallows the TCP header",
	 {.ipv6 = 1, .extensions = 1, .payload = REQUEST},
	 {TCP6_AT + 1, 5},
	 HEADERS_MALFORMED},
	{"IPv6, payload length less than its extensions",
	 {.ipv6 = 1, .extensions = 2, .payload = REQUEST},
	 {IP4_AT + 5, 15},
	 HEADERS_MALFORMED},
	{"IPv6, first fragment",
	 {.ipv6 = 1, .more_fragments = 1, .payload = REQUEST},
	 {},
	 HEADERS_NOT_TCP},
	{"IPv6, last fragment",
	 {.ipv6 = 1, .fragment_offset = 180, .payload = REQUEST},
	 {},
	 HEADERS_NOT_TCP},
	{"IPv6, atomic fragment",
	 {.ipv6 = 1, .atomic_fragment = 1, .payload = REQUEST},
	 {},
	 HEADERS_NOT_TCP},
	{"IPv6, fragment behind an extension",
	 {.ipv6 = 1, .extensions = 1, .more_fragments = 1, .payload = REQUEST},
	 {},
	 HEADERS_NOT_TCP},
	{"IPv6, UDP",
	 {.ipv6 = 1, .protocol = IPPROTO_UDP, .payload = REQUEST},
	 {},
	 HEADERS_NOT_TCP},
	{"IPv6, UDP behind an extension",
	 {.ipv6 = 1, .extensions = 1, .protocol = IPPROTO_UDP, .payload = REQUEST},
	 {},
	 HEADERS_NOT_TCP},
	{"IPv6, no next header",
	 {.ipv6 = 1, .protocol = IPPROTO_NONE, .payload = REQUEST},
	 {},
	 HEADERS_NOT_TCP},
	{"IPv6 that says version 4",
	 {.ipv6 = 1, .payload = REQUEST},
	 {IP4_AT, 0x45},
	 HEADERS_MALFORMED},
	{"IPv6, payload length without room for TCP",
	 {.ipv6 = 1, .payload = REQUEST},
	 {IP4_AT + 5, 19},
	 HEADERS_MALFORMED},
	{"IPv6, payload length beyond the frame",
	 {.ipv6 = 1, .payload = REQUEST},
	 {IP4_AT + 4, 1},
	 HEADERS_MALFORMED},
	{"IPv6, a jumbogram's payload length of 0",
	 {.ipv6 = 1, .payload = "G"},
	 {IP4_AT + 5, 0},
	 HEADERS_MALFORMED},
	{"IPv6, TCP header of 16 octets",
	 {.ipv6 = 1, .payload = REQUEST},
	 {TCP6_AT + 12, 0x40},
	 HEADERS_MALFORMED},
	{"IPv6, timestamps and padding",
	 {.ipv6 = 1, .timestamps = 1, .padding = 6, .payload = REQUEST},
	 {},
	 HEADERS_OK},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static size_t build_row(const struct row *row, __u8 *frame)
{
	size_t len = packet_build(&row->packet, frame);

	if (row->bend.at)
		frame[row->bend.at] = row->bend.to;
	return len;
}

/* The first `here` octets of a frame that had `len` on the wire. */
static enum headers_result parse(__u8 *octets, size_t here, size_t len, struct headers *headers)
{
	struct cursor cursor = {octets, octets + here};
	enum headers_result result = headers_parse(&cursor, (__u32)len, headers);

	if (result == HEADERS_OK)
		cr_expect_eq((__u8 *)cursor.pos, octets + headers->payload_offset,
			     "the cursor stands at the payload");
	return result;
}

static void expect_places(const char *name, const struct headers *headers, const __u8 *octets,
			  const __u8 *frame, size_t len)
{
	size_t tcp = packet_tcp_offset(frame, len);
	size_t payload = tcp + (frame[tcp + 12] >> 4) * 4U;
	const __u8 *ip = headers->ip4 ? (const __u8 *)headers->ip4 : (const __u8 *)headers->ip6;

	cr_expect_eq((const __u8 *)headers->eth, octets, "%s: Ethernet", name);
	cr_expect_eq(ip, octets + packet_ip_offset(frame, len), "%s: IP", name);
	cr_expect_eq(!headers->ip4, !!headers->ip6, "%s: one IP header", name);
	cr_expect_eq(headers->family, headers->ip4 ? 4 : 6, "%s: family", name);
	cr_expect_eq(headers->ip_offset, packet_ip_offset(frame, len), "%s: IP offset", name);
	cr_expect_eq(headers->tcp_offset, tcp, "%s: TCP offset", name);
	cr_expect_eq((const __u8 *)headers->tcp, octets + tcp, "%s: TCP", name);
	cr_expect_eq(headers->payload_offset, payload, "%s: payload offset", name);
	cr_expect_eq(headers->payload_len, packet_ip_end(frame, len) - payload, "%s: payload",
		     name);
}

Test(headers, every_row)
{
	__u8 frame[PACKET_MAX];
	struct headers headers;
	size_t i;

	for (i = 0; i < ROWS; i++) {
		size_t len = build_row(&rows[i], frame);
		__u8 *flush = guard_copy(frame, len);
		enum headers_result result = parse(flush, len, len, &headers);

		cr_expect_eq(result, rows[i].expected, "%s: %d", rows[i].name, (int)result);
		if (result == HEADERS_OK)
			expect_places(rows[i].name, &headers, flush, frame, len);
	}
}

/* Truncated on the wire: right only when nothing but padding is missing. */
Test(headers, every_row_at_every_truncation)
{
	__u8 frame[PACKET_MAX];
	struct headers headers;
	size_t i, len, here;

	for (i = 0; i < ROWS; i++) {
		len = build_row(&rows[i], frame);
		for (here = 0; here < len; here++) {
			enum headers_result result =
				parse(guard_copy(frame, here), here, here, &headers);
			int whole =
				rows[i].expected == HEADERS_OK && here >= packet_ip_end(frame, len);

			cr_expect_eq(result == HEADERS_OK, whole, "%s: %zu octets of %zu",
				     rows[i].name, here, len);
		}
	}
}

/* The cursor holds the beginning only, as in a frame of several buffers: headers are enough. */
Test(headers, every_row_with_the_payload_elsewhere)
{
	__u8 frame[PACKET_MAX];
	struct headers headers;
	size_t i, len, here;

	for (i = 0; i < ROWS; i++) {
		if (rows[i].expected != HEADERS_OK)
			continue;
		len = build_row(&rows[i], frame);
		for (here = 0; here < len; here++) {
			size_t tcp = packet_tcp_offset(frame, len);
			int whole = here >= tcp + (frame[tcp + 12] >> 4) * 4U;

			cr_expect_eq(parse(guard_copy(frame, here), here, len, &headers) ==
					     HEADERS_OK,
				     whole, "%s: %zu octets of %zu", rows[i].name, here, len);
		}
	}
}

/* Any octet, any value: no crash, and an OK whose places lie within the frame. */
Test(headers, every_octet_bent)
{
	__u8 frame[PACKET_MAX], *flush;
	struct headers headers;
	size_t i, len, at;
	int to;

	for (i = 0; i < ROWS; i++) {
		len = build_row(&rows[i], frame);
		for (at = 12; at < len && at < 80; at++)
			for (to = 0; to < 256; to += 15) {
				flush = guard_copy(frame, len);
				flush[at] = (__u8)to;
				if (parse(flush, len, len, &headers) == HEADERS_OK)
					cr_assert(headers.payload_offset + headers.payload_len <=
							  len,
						  "%s: octet %zu is %d", rows[i].name, at, to);
			}
	}
}
