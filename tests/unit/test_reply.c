/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The SYN-ACK octet by octet, for every combination of what can be agreed on:
 * options as they go over the wire, and checksums computed a second way.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "packet.h"
#include "reply.h"

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))
#define LINK_LEN 14
#define OCTETS(text) (text), sizeof(text) - 1

#define MSS "\x02\x04\x05\xb4"
#define NOP_NOP "\x01\x01"
#define SACK "\x04\x02"
#define TS "\x08\x0a\xa1\xa2\xa3\xa4\x11\x12\x13\x14" /* ours, then the client's */
#define NOP_WSCALE "\x01\x03\x03\x0a"

/* `ecn` changes a flag and no option; each row is built with it and without. */
static const struct row {
	const char *name;
	__u8 sack, timestamps, wscale;
	const char *options;
	size_t len;
} rows[] = {
	{"MSS alone", 0, 0, EDGE426_NO_WSCALE, OCTETS(MSS)},
	{"a window scale", 0, 0, 10, OCTETS(MSS NOP_WSCALE)},
	{"a window scale of 0, which is not none", 0, 0, 0, OCTETS(MSS "\x01\x03\x03\x00")},
	{"the largest window scale", 0, 0, 14, OCTETS(MSS "\x01\x03\x03\x0e")},
	{"SACK", 1, 0, EDGE426_NO_WSCALE, OCTETS(MSS NOP_NOP SACK)},
	{"SACK and a window scale", 1, 0, 10, OCTETS(MSS NOP_NOP SACK NOP_WSCALE)},
	{"timestamps", 0, 1, EDGE426_NO_WSCALE, OCTETS(MSS NOP_NOP TS)},
	{"timestamps and a window scale", 0, 1, 10, OCTETS(MSS NOP_NOP TS NOP_WSCALE)},
	{"SACK and timestamps", 1, 1, EDGE426_NO_WSCALE, OCTETS(MSS SACK TS)},
	{"everything, as Linux writes it", 1, 1, 10, OCTETS(MSS SACK TS NOP_WSCALE)},
};

static struct reply make_reply(const struct row *row, __u8 ecn)
{
	return (struct reply){.syn = 1,
			      .seq = 0xc0c1c2c3,
			      .ack = 0x01020305,
			      .tsval = 0xa1a2a3a4,
			      .mss = 1460,
			      .window = 64240,
			      .wscale = row->wscale,
			      .sack = row->sack,
			      .timestamps = row->timestamps,
			      .ecn = ecn,
			      .client_tsval = {0x11, 0x12, 0x13, 0x14}};
}

/* From a frame of the client, as the program has it. */
static struct segment read_syn(int ipv6, __u32 seq)
{
	const struct packet packet = {.ipv6 = ipv6, .flags = "S", .seq = seq};
	struct segment syn = {0};
	struct headers headers = {0};
	__u8 frame[PACKET_MAX];
	size_t len = packet_build(&packet, frame);
	struct cursor cursor = {frame, frame + len};

	cr_assert_eq(headers_parse(&cursor, (__u32)len, &headers), HEADERS_OK);
	segment_read(&headers, &cursor, &syn);
	return syn;
}

/* As a frame behind an Ethernet header, which packet.h reads; returns the frame's length. */
static size_t build(const struct reply *reply, const struct segment *syn, __u8 *frame)
{
	struct reply4 ip4 = {0};
	struct reply6 ip6 = {0};
	size_t len;

	memset(frame, 0, LINK_LEN);
	memcpy(frame + LINK_LEN - 2, syn->family == 4 ? "\x08\x00" : "\x86\xdd", 2);
	if (syn->family == 4) {
		len = reply_build4(reply, syn, &ip4);
		memcpy(frame + LINK_LEN, &ip4, len);
	} else {
		len = reply_build6(reply, syn, &ip6);
		memcpy(frame + LINK_LEN, &ip6, len);
	}
	return LINK_LEN + len;
}

static void expect_ip(const char *name, const __u8 *frame, size_t len)
{
	/* Total length and checksum are looked at by the caller. */
	static const __u8 ip4[] = {0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 6};
	static const __u8 ends4[] = {10, 9, 0, 1, 10, 9, 0, 2};
	static const __u8 ip6[] = {0x60, 0, 0, 0};
	static const __u8 ends6[] = {0xfd, [15] = 1, [16] = 0xfd, [31] = 2};
	const __u8 *ip = frame + LINK_LEN;

	cr_expect_eq(packet_ip_end(frame, len), len, "%s: IP length", name);
	cr_expect_eq(packet_ip_checksum(frame, len), 0, "%s: IP checksum", name);
	cr_expect_eq(packet_tcp_checksum(frame, len), 0, "%s: TCP checksum", name);
	if (ip[0] >> 4 == 4) {
		cr_expect(!memcmp(ip, ip4, 2) && !memcmp(ip + 4, ip4 + 4, 6), "%s: IPv4", name);
		cr_expect_arr_eq(ip + 12, ends4, sizeof(ends4), "%s: addresses", name);
		return;
	}
	cr_expect_arr_eq(ip, ip6, sizeof(ip6), "%s: IPv6", name);
	cr_expect(ip[6] == 6 && ip[7] == 64, "%s: next header, hop limit", name);
	cr_expect_arr_eq(ip + 8, ends6, sizeof(ends6), "%s: addresses", name);
}

static void expect_tcp(const struct row *row, __u8 ecn, const __u8 *tcp, size_t len)
{
	const __u8 fixed[] = {
		443 >> 8,
		443 & 255,
		40000 >> 8,
		40000 & 255,
		0xc0,
		0xc1,
		0xc2,
		0xc3,
		0x01,
		0x02,
		0x03,
		0x05,
		(__u8)(len / 4 << 4),
		(__u8)(ecn ? 0x52 : 0x12),
		64240 >> 8,
		64240 & 255,
	};

	cr_expect_arr_eq(tcp, fixed, sizeof(fixed), "%s: header", row->name);
	cr_expect(!tcp[18] && !tcp[19], "%s: urgent pointer", row->name);
	cr_assert_eq(len, 20 + row->len, "%s: %zu octets of TCP", row->name, len);
	cr_expect_arr_eq(tcp + 20, row->options, row->len, "%s: options", row->name);
}

Test(reply, every_combination)
{
	__u8 frame[PACKET_MAX];

	for (size_t i = 0; i < 4 * ARRAY_LEN(rows); i++) {
		const struct row *row = &rows[i / 4];
		struct segment syn = read_syn(i & 1, 0x01020304);
		struct reply reply = make_reply(row, i >> 1 & 1);
		size_t len = build(&reply, &syn, frame);
		size_t tcp = packet_tcp_offset(frame, len);

		cr_assert_eq(tcp, LINK_LEN + (i & 1 ? 40U : 20U), "%s: TCP offset", row->name);
		expect_ip(row->name, frame, len);
		expect_tcp(row, reply.ecn, frame + tcp, len - tcp);
	}
}

/* The ISN at the wrap, and sums that carry: all values of one word of what is summed. */
Test(reply, checksums_of_every_cookie_half)
{
	const struct row *everything = &rows[ARRAY_LEN(rows) - 1];
	__u8 frame[PACKET_MAX];

	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		struct segment syn = read_syn(ipv6, 0xffffffff);
		struct reply reply = make_reply(everything, 0);

		reply.ack = syn.seq + 1;
		for (reply.seq = 0; reply.seq <= 0xffff; reply.seq++) {
			size_t len = build(&reply, &syn, frame);

			cr_assert_eq(packet_tcp_checksum(frame, len), 0, "IPv%d, %x", ipv6 ? 6 : 4,
				     reply.seq);
		}
		cr_expect_arr_eq(frame + packet_tcp_offset(frame, PACKET_MAX) + 8, "\0\0\0\0", 4,
				 "the acknowledgement at the wrap");
	}
}

/* What is not sent stays zero, for the checksum goes over all of it. */
Test(reply, leaves_the_rest_zero)
{
	const struct reply reply = make_reply(&rows[0], 0);
	struct segment syn = read_syn(0, 1);
	struct reply4 out = {0};
	size_t len = reply_build4(&reply, &syn, &out);

	for (; len < sizeof(out); len++)
		cr_expect_eq(((const __u8 *)&out)[len], 0, "octet %zu", len);
}

Test(reply, acknowledges_with_timestamps_or_without)
{
	__u8 frame[PACKET_MAX];

	for (size_t i = 0; i < 4; i++) {
		struct segment fin = read_syn(i & 1, 0x01020304);
		struct reply reply = make_reply(&rows[ARRAY_LEN(rows) - 1], 0);
		size_t len, tcp;

		reply.syn = 0;
		reply.timestamps = i >> 1;
		len = build(&reply, &fin, frame);
		tcp = packet_tcp_offset(frame, len);
		expect_ip("an ACK", frame, len);
		cr_expect_eq(frame[tcp + 13], 0x10, "flags");
		cr_assert_eq(len - tcp, reply.timestamps ? 32U : 20U, "options");
		if (reply.timestamps)
			cr_expect_arr_eq(frame + tcp + 20, NOP_NOP TS, 12);
	}
}
