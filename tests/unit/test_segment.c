/* SPDX-License-Identifier: GPL-2.0-only */
/* From headers to the values the packet programs decide upon; and their order. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>

#include "guard.h"
#include "packet.h"
#include "segment.h"
#include "sequence.h"

static const struct row {
	const char *name;
	struct packet packet;
	__u32 end;
	__s32 first_octet;
	__u8 syn, fin, rst, has_ack, ecn_setup, group;
} rows[] = {
	{"data", {.seq = 100, .ack = 7, .payload = "GET"}, 103, 'G', .has_ack = 1},
	{"data and FIN",
	 {.seq = 100, .flags = "FA", .payload = "GET"},
	 104,
	 'G',
	 .fin = 1,
	 .has_ack = 1},
	{"data without ACK",
	 {.seq = 100, .ack = 7, .flags = "P", .payload = "GET"},
	 103,
	 'G',
	 .has_ack = 0},
	{"a bare ACK", {.seq = 100, .flags = "A"}, 100, -1, .has_ack = 1},
	{"a bare ACK in a padded frame", {.seq = 100, .padding = 6}, 100, -1, .has_ack = 1},
	{"a SYN", {.seq = 100, .flags = "S"}, 100, -1, .syn = 1},
	{"a SYN-ACK", {.seq = 100, .flags = "SA"}, 100, -1, .syn = 1, .has_ack = 1},
	{"a RST over IPv6", {.ipv6 = 1, .seq = 100, .flags = "R"}, 100, -1, .rst = 1},
	{"data over IPv6", {.ipv6 = 1, .seq = -1u, .payload = "\x16\x03"}, 1, 0x16, .has_ack = 1},
	{"a SYN that offers ECN", {.flags = "SEC"}, 0, -1, .syn = 1, .ecn_setup = 1},
	{"a SYN that offers ECN over IPv6",
	 {.ipv6 = 1, .flags = "SEC"},
	 0,
	 -1,
	 .syn = 1,
	 .ecn_setup = 1},
	{"a SYN with ECE alone", {.flags = "SE"}, 0, -1, .syn = 1},
	{"a SYN with CWR alone", {.flags = "SC"}, 0, -1, .syn = 1},
	{"a SYN that offers accurate ECN", {.flags = "SEC", .ae = 1}, 0, -1, .syn = 1},
	{"a SYN with AE alone", {.flags = "S", .ae = 1}, 0, -1, .syn = 1},
	{"a SYN to a group", {.group = 1, .flags = "S"}, 0, -1, .syn = 1, .group = 1},
	{"a SYN to a group over IPv6",
	 {.group = 1, .ipv6 = 1, .flags = "S"},
	 0,
	 -1,
	 .syn = 1,
	 .group = 1},
	{"behind one tag", {.vlans = 1, .flags = "S"}, 0, -1, .syn = 1},
	{"behind two tags", {.vlans = 2, .ipv6 = 1, .payload = "G"}, 1, 'G', .has_ack = 1},
	{"behind IPv4 options", {.ip_options = 40, .payload = "G"}, 1, 'G', .has_ack = 1},
	{"behind two tags and IPv4 options",
	 {.vlans = 2, .ip_options = 8, .timestamps = 1, .payload = "G"},
	 1,
	 'G',
	 .has_ack = 1},
	{"behind IPv6 extensions",
	 {.vlans = 1, .ipv6 = 1, .extensions = 3, .payload = "G"},
	 1,
	 'G',
	 .has_ack = 1},
};

static void assert_address(const __u8 mapped[16], int ipv6, const char *text, const char *name)
{
	__u8 expected[16] = {[10] = 0xff, [11] = 0xff};

	inet_pton(ipv6 ? AF_INET6 : AF_INET, text, ipv6 ? expected : expected + SEGMENT_IP4_AT);
	cr_assert_arr_eq(mapped, expected, 16, "%s: address %s", name, text);
}

static void expect_places(const struct row *row, const struct segment *segment, const __u8 *frame,
			  size_t len)
{
	size_t ip = packet_ip_offset(frame, len), tcp = packet_tcp_offset(frame, len);
	size_t payload = tcp + (frame[tcp + 12] >> 4) * 4U;

	cr_expect_eq(segment->ip_offset, ip, "%s: IP at %u", row->name, segment->ip_offset);
	cr_expect_eq(segment->tcp_offset, tcp, "%s: TCP at %u", row->name, segment->tcp_offset);
	cr_expect_eq(segment->payload_offset, payload, "%s: payload at %u", row->name,
		     segment->payload_offset);
	cr_expect_eq(segment->payload_len, packet_ip_end(frame, len) - payload, "%s: payload of %u",
		     row->name, segment->payload_len);
}

static void expect_flags(const struct row *row, const struct segment *segment)
{
	cr_expect_eq(segment->syn, row->syn, "%s: SYN", row->name);
	cr_expect_eq(segment->fin, row->fin, "%s: FIN", row->name);
	cr_expect_eq(segment->rst, row->rst, "%s: RST", row->name);
	cr_expect_eq(segment->has_ack, row->has_ack, "%s: ACK", row->name);
	cr_expect_eq(segment->ecn_setup, row->ecn_setup, "%s: ECN setup", row->name);
	cr_expect_eq(segment->group, row->group, "%s: group", row->name);
}

Test(segment, reads_each_row)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *name = rows[i].name;
		__u8 frame[PACKET_MAX];
		size_t len = packet_build(&rows[i].packet, frame);
		__u8 *octets = guard_copy(frame, len);
		struct cursor cursor = {octets, octets + len};
		int ipv6 = rows[i].packet.ipv6;
		struct headers headers;
		struct segment segment;

		memset(&segment, 0xff, sizeof(segment)); /* nothing may be left as it was */
		cr_assert_eq(headers_parse(&cursor, (__u32)len, &headers), HEADERS_OK, "%s", name);
		segment_read(&headers, &cursor, &segment);
		assert_address(segment.key.client, ipv6, ipv6 ? "fd00::2" : "10.9.0.2", name);
		assert_address(segment.key.server, ipv6, ipv6 ? "fd00::1" : "10.9.0.1", name);
		cr_assert_eq(segment.family, ipv6 ? 6 : 4, "%s", name);
		cr_assert_eq(segment.key.client_port, htons(40000), "%s", name);
		cr_assert_eq(segment.key.server_port, htons(443), "%s", name);
		cr_assert_eq(segment.seq, rows[i].packet.seq, "%s", name);
		cr_assert_eq(segment.ack, rows[i].packet.ack, "%s", name);
		cr_assert_eq(segment.end, rows[i].end, "%s: end %u", name, segment.end);
		cr_assert_eq(segment.first_octet, rows[i].first_octet, "%s: first", name);
		cr_assert_eq(segment.window, 502, "%s", name);
		expect_flags(&rows[i], &segment);
		expect_places(&rows[i], &segment, frame, len);
	}
}

Test(sequence, wraps)
{
	cr_assert(sequence_before(1, 2));
	cr_assert_not(sequence_before(2, 2));
	cr_assert(sequence_before(-1u, 0));
	cr_assert_not(sequence_before(0, -1u));
	cr_assert(sequence_after(5, -5u));
	cr_assert_not(sequence_after(5, 5));
	cr_assert(sequence_after(0x80000000u, 1));
}
