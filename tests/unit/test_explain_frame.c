/* SPDX-License-Identifier: GPL-2.0-only */
/* Frames that explain makes up, read back and summed a second way; and the data in them. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "explain_data.h"
#include "explain_frame.h"
#include "guard.h"
#include "packet.h"
#include "segment.h"
#include "tcp_options.h"

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

static const struct explain_ends ends4 = {{4, {192, 0, 2, 1}, 40000}, {4, {192, 0, 2, 9}, 443}, 0};
static const struct explain_ends ends6 = {
	{6, {0x20, 1, 0x0d, 0xb8, [15] = 1}, 40000}, {6, {0x20, 1, 0x0d, 0xb8, [15] = 9}, 443}, 0};
static const struct explain_ends tagged4 = {
	{4, {192, 0, 2, 1}, 40000}, {4, {192, 0, 2, 9}, 443}, 4094};
static const struct explain_ends tagged6 = {
	{6, {0x20, 1, 0x0d, 0xb8, [15] = 1}, 40000}, {6, {0x20, 1, 0x0d, 0xb8, [15] = 9}, 443}, 1};

static const struct row {
	const char *name;
	const struct explain_ends *ends;
	struct explain_segment segment;
} rows[] = {
	{"a SYN", &ends4, {.syn = true, .seq = 0xffffffff}},
	{"a SYN over IPv6", &ends6, {.syn = true, .seq = 5}},
	{"a SYN with a tag", &tagged4, {.syn = true, .seq = 5}},
	{"a SYN with a tag over IPv6", &tagged6, {.syn = true, .seq = 5}},
	{"an ACK", &ends4, {.seq = 6, .ack = 0x80000000}},
	{"an ACK over IPv6", &ends6, {.seq = 6, .ack = 0xffffffff}},
	{"data", &ends4, {.seq = 6, .ack = 7, .data = (const __u8 *)"GET / ", .len = 6}},
	{"data of odd length",
	 &ends6,
	 {.seq = 6, .ack = 7, .data = (const __u8 *)"GET /", .len = 5}},
	{"one octet", &tagged4, {.seq = 6, .ack = 7, .data = (const __u8 *)"\xff", .len = 1}},
};

/* Parsed whole: the payload ends with the frame. */
static void read_back(const char *name, const __u8 *frame, size_t len, struct segment *segment)
{
	unsigned char *copy = guard_copy(frame, len);
	struct cursor cursor = {copy, copy + len};
	struct headers headers;

	cr_assert_eq(headers_parse(&cursor, (__u32)len, &headers), HEADERS_OK, "%s", name);
	segment_read(&headers, &cursor, segment);
	cr_expect_eq(segment->payload_offset + segment->payload_len, len, "%s", name);
	cr_expect_eq(packet_tcp_checksum(frame, len), 0, "%s", name);
	cr_expect_eq(packet_ip_checksum(frame, len), 0, "%s", name);
}

static void expect_ends(const struct row *row, const struct segment *segment)
{
	size_t at = row->ends->client.family == 4 ? SEGMENT_IP4_AT : 0, len = 16 - at;

	cr_expect_eq(segment->family, row->ends->client.family, "%s", row->name);
	cr_expect_eq(segment->vlan, row->ends->vlan, "%s", row->name);
	cr_expect_eq(memcmp(segment->key.client + at, row->ends->client.address, len), 0, "%s",
		     row->name);
	cr_expect_eq(memcmp(segment->key.server + at, row->ends->server.address, len), 0, "%s",
		     row->name);
	cr_expect_eq(segment->key.client_port, htons(40000), "%s", row->name);
	cr_expect_eq(segment->key.server_port, htons(443), "%s", row->name);
	cr_expect_eq(segment->group, 0, "%s", row->name);
}

Test(explain_frame, says_what_it_was_told)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *row = &rows[i];
		__u8 frame[EXPLAIN_FRAME_MAX];
		struct segment segment = {0};
		size_t len = explain_frame_build(row->ends, &row->segment, frame);

		read_back(row->name, frame, len, &segment);
		expect_ends(row, &segment);
		cr_expect_eq(segment.seq, row->segment.seq, "%s", row->name);
		cr_expect_eq(segment.ack, row->segment.ack, "%s", row->name);
		cr_expect_eq(segment.syn, row->segment.syn, "%s", row->name);
		cr_expect_eq(segment.has_ack, !row->segment.syn, "%s", row->name);
		cr_expect(!segment.fin && !segment.rst, "%s", row->name);
		cr_expect_eq(segment.payload_len, row->segment.len, "%s", row->name);
		cr_expect_eq(memcmp(frame + segment.payload_offset,
				    row->segment.data ? row->segment.data : frame,
				    row->segment.data ? row->segment.len : 0),
			     0, "%s", row->name);
	}
}

Test(explain_frame, offers_what_clients_offer)
{
	const struct explain_segment syn = {.syn = true, .seq = 1};
	struct syn_options options = {0};
	__u8 frame[EXPLAIN_FRAME_MAX], octets[TCP_OPTIONS_MAX + TCP_OPTION_TIMESTAMPS_LEN] = {0};
	size_t len = explain_frame_build(&ends4, &syn, frame);

	cr_assert_eq(len, 14 + 20 + 32);
	memcpy(octets, frame + 14 + 20 + 20, 12);
	tcp_options_read_syn(octets, 12, &options);
	cr_expect_eq(options.mss, 1460);
	cr_expect(options.has_sack && options.has_wscale && !options.has_timestamps);
	cr_expect_eq(options.wscale, 7);
}

/* As long as can be it fits into the MTU of Ethernet with a tag; one octet more does not. */
Test(explain_frame, has_an_end)
{
	static const __u8 data[EXPLAIN_DATA_MAX + 1];
	struct explain_segment segment = {.seq = 1, .data = data, .len = EXPLAIN_DATA_MAX};
	__u8 frame[EXPLAIN_FRAME_MAX];
	struct segment back = {0};
	size_t len = explain_frame_build(&tagged6, &segment, frame);

	cr_assert_leq(len, 18 + 1500);
	read_back("the longest", frame, len, &back);
	segment.len++;
	cr_expect_eq(explain_frame_build(&tagged6, &segment, frame), 0);
}

Test(explain_frame, knows_a_syn_ack)
{
	static const struct {
		struct packet packet;
		bool is_syn_ack;
	} frames[] = {
		{{.flags = "SA", .seq = 0x89abcdef}, true},
		{{.flags = "SAEC", .ipv6 = 1, .vlans = 1, .seq = 0x89abcdef}, true},
		{{.flags = "S", .seq = 1}, false},
		{{.flags = "RA", .seq = 1}, false},
		{{.flags = "A", .seq = 1}, false},
		{{.protocol = 17, .flags = "SA"}, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(frames); i++) {
		__u8 frame[PACKET_MAX];
		size_t len = packet_build(&frames[i].packet, frame);
		__u32 seq = 0;

		cr_expect_eq(explain_frame_is_syn_ack(guard_copy(frame, len), len, &seq),
			     frames[i].is_syn_ack, "row %zu", i);
		cr_expect_eq(seq, frames[i].is_syn_ack ? 0x89abcdef : 0, "row %zu", i);
		for (size_t cut = 0; cut < len; cut++)
			cr_expect(!explain_frame_is_syn_ack(guard_copy(frame, cut), cut, &seq),
				  "row %zu cut to %zu", i, cut);
	}
}

Test(explain_data, is_a_request)
{
	static const char wanted[] = "GET /x HTTP/1.1\r\nHost: [2001:db8::1]:443\r\n\r\n";
	struct explain_data data;

	cr_assert_eq(explain_data_request("GET /x HTTP/1.1", "[2001:db8::1]:443", &data), 0);
	cr_expect_eq(data.len, sizeof(wanted) - 1);
	cr_expect_eq(memcmp(data.octets, wanted, data.len), 0);
}

Test(explain_data, has_an_end)
{
	char text[EXPLAIN_DATA_MAX + 2];
	struct explain_data data;

	memset(text, 'a', sizeof(text));
	text[EXPLAIN_DATA_MAX] = '\0';
	cr_expect_eq(explain_data_raw(text, &data), 0);
	cr_expect_eq(data.len, EXPLAIN_DATA_MAX);
	cr_expect_eq(explain_data_request(text, "h", &data), -ENOSPC);
	text[EXPLAIN_DATA_MAX] = 'a';
	text[EXPLAIN_DATA_MAX + 1] = '\0';
	cr_expect_eq(explain_data_raw(text, &data), -ENOSPC);
}

static const struct {
	const char *text;
	int err;
	const char *octets;
	size_t len;
} raws[] = {
	{"SSH-2.0-x\\r\\n", 0, "SSH-2.0-x\r\n", 11},
	{"\\x00\\xff\\xAb", 0, "\0\xff\xab", 3},
	{"a b", 0, "a b", 3},
	{"\\\\x41", 0, "\\x41", 4},
	{"\\x410", 0, "A0", 2},
	{"", -EINVAL, NULL, 0},
	{"\\", -EINVAL, NULL, 0},
	{"\\x", -EINVAL, NULL, 0},
	{"\\x4", -EINVAL, NULL, 0},
	{"\\x4g", -EINVAL, NULL, 0},
	{"\\n\\t", -EINVAL, NULL, 0},
	{"a\nb", -EINVAL, NULL, 0},
	{"\xc3\xa9", -EINVAL, NULL, 0},
};

Test(explain_data, understands_escapes)
{
	for (size_t i = 0; i < ARRAY_LEN(raws); i++) {
		struct explain_data data = {.len = 0};

		cr_expect_eq(explain_data_raw(raws[i].text, &data), raws[i].err, "%s",
			     raws[i].text);
		if (raws[i].err)
			continue;
		cr_expect_eq(data.len, raws[i].len, "%s", raws[i].text);
		cr_expect_eq(memcmp(data.octets, raws[i].octets, raws[i].len), 0, "%s",
			     raws[i].text);
	}
}

Test(explain_data, begins_like_tls)
{
	struct explain_data data;

	explain_data_tls(&data);
	cr_expect_eq(data.octets[0], 0x16); /* handshake, RFC 8446 5.1 */
	cr_expect_eq(data.octets[5], 1);    /* client_hello, 4 */
}
