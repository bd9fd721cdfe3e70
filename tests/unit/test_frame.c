/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Request frame and verdict in, answer frame out. Answers are read back octet
 * by octet and their checksums computed a second way; requests that must not
 * be answered leave the frame as it was. Everything lies flush against a
 * guard page.
 */
#include <criterion/criterion.h>
#include <linux/in.h>
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "checksum.h"
#include "frame.h"
#include "guard.h"
#include "packet.h"

#define CHUNK 1600 /* octets of a long frame that lie in its first chunk */

#define REQUEST "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"
#define HEAD_TEXT "HTTP/1.1 426 Upgrade Required\r\nContent-Length: 4\r\n\r\n" /* an odd length */
#define BODY_TEXT "TLS\n"
#define NO_LEN 4711 /* what *out_len must still be after a refusal */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define FIN 0x01
#define RST 0x04
#define PSH 0x08
#define ACK 0x10

/* As answer_refresh makes it; sums over an odd number of octets among them. */
static struct answer make_answer(void)
{
	struct answer answer = {
		.generation = 1,
		.head_len = sizeof(HEAD_TEXT) - 1,
		.len = sizeof(HEAD_TEXT BODY_TEXT) - 1,
	};

	memcpy(answer.octets, HEAD_TEXT BODY_TEXT, answer.len);
	answer.head_sum = checksum_add(0, answer.octets, answer.head_len);
	answer.sum = checksum_add(0, answer.octets, answer.len);
	return answer;
}

static struct edge426_verdict make_verdict(__u8 kind, __u8 flags)
{
	return (struct edge426_verdict){
		.seq = 0x89abcdef,
		.ack = 0xfffffff0,
		.kind = kind,
		.flags = flags,
		.magic = EDGE426_MAGIC,
	};
}

static __u32 get_be16(const __u8 *from)
{
	return (__u32)from[0] << 8 | from[1];
}

static __u32 get_be32(const __u8 *from)
{
	return get_be16(from) << 16 | get_be16(from + 2);
}

/* A request and how it was answered. */
struct exchange {
	char name[120];
	__u8 request[PACKET_MAX];
	size_t request_len;
	__u8 *answer; /* at the guard page */
	__u32 answer_len;
	enum frame_result result;
};

/* The answer's room ends where the guard page begins. */
static void exchange_run(struct exchange *x, size_t len, size_t room,
			 const struct edge426_verdict *verdict, const struct answer *answer)
{
	__u8 padded[GUARD_SIZE] = {};

	memcpy(padded, x->request, len);
	x->answer = guard_copy(padded, room);
	x->answer_len = NO_LEN;
	x->result =
		frame_answer(x->answer, (__u32)len, (__u32)room, verdict, answer, &x->answer_len);
}

static void expect_untouched(const struct exchange *x, size_t len, enum frame_result expected)
{
	cr_expect_eq(x->result, expected, "%s: result %d", x->name, (int)x->result);
	cr_expect_eq(x->answer_len, NO_LEN, "%s: length written", x->name);
	cr_expect(!memcmp(x->answer, x->request, len), "%s: frame touched", x->name);
}

static void expect_link_swapped(const struct exchange *x, size_t ip)
{
	cr_expect(!memcmp(x->answer, x->request + 6, 6), "%s: destination MAC", x->name);
	cr_expect(!memcmp(x->answer + 6, x->request, 6), "%s: source MAC", x->name);
	cr_expect(!memcmp(x->answer + 12, x->request + 12, ip - 12), "%s: tags", x->name);
}

static void expect_ip4(const struct exchange *x, const __u8 *from, const __u8 *ip)
{
	static const __u8 start[] = {0x45, 0}, middle[] = {0, 0, 0x40, 0, 64, IPPROTO_TCP};

	cr_expect(!memcmp(ip, start, 2), "%s: version, length, type of service", x->name);
	cr_expect(!memcmp(ip + 4, middle, 6), "%s: id, DF, TTL, protocol", x->name);
	cr_expect(!memcmp(ip + 12, from + 16, 4), "%s: source address", x->name);
	cr_expect(!memcmp(ip + 16, from + 12, 4), "%s: destination address", x->name);
}

static void expect_ip6(const struct exchange *x, const __u8 *from, const __u8 *ip)
{
	static const __u8 start[] = {0x60, 0, 0, 0};

	cr_expect(!memcmp(ip, start, 4), "%s: version, class, flow label", x->name);
	cr_expect_eq(ip[6], IPPROTO_TCP, "%s: next header", x->name);
	cr_expect_eq(ip[7], 64, "%s: hop limit", x->name);
	cr_expect(!memcmp(ip + 8, from + 24, 16), "%s: source address", x->name);
	cr_expect(!memcmp(ip + 24, from + 8, 16), "%s: destination address", x->name);
}

static void expect_tcp(const struct exchange *x, const __u8 *from, const __u8 *tcp,
		       const struct edge426_verdict *verdict, __u8 flags, size_t header_len)
{
	cr_expect_eq(get_be16(tcp), get_be16(from + 2), "%s: source port", x->name);
	cr_expect_eq(get_be16(tcp + 2), get_be16(from), "%s: destination port", x->name);
	cr_expect_eq(get_be32(tcp + 4), verdict->seq, "%s: sequence number", x->name);
	cr_expect_eq(get_be32(tcp + 8), verdict->ack, "%s: acknowledgement", x->name);
	cr_expect_eq(tcp[12], header_len / 4 << 4, "%s: data offset, reserved bits", x->name);
	cr_expect_eq(tcp[13], flags, "%s: flags %#x", x->name, tcp[13]);
	cr_expect_eq(get_be16(tcp + 14), 65535, "%s: window", x->name);
	cr_expect_eq(get_be16(tcp + 18), 0, "%s: urgent pointer", x->name);
}

static void expect_timestamps(const struct exchange *x, const __u8 *tcp, __u32 tsval, __u32 tsecr)
{
	cr_expect_eq(get_be32(tcp + 20), 0x0101080a, "%s: NOP NOP TS", x->name);
	cr_expect_eq(get_be32(tcp + 24), tsval, "%s: TSval", x->name);
	cr_expect_eq(get_be32(tcp + 28), tsecr, "%s: TSecr", x->name);
}

/* `packet` as the exchange's request; its timestamps, if any, are 7 and 9. */
static void expect_answer(const struct exchange *x, const struct packet *packet, bool timestamps,
			  const struct edge426_verdict *verdict, __u8 flags, const char *payload)
{
	size_t ip = packet_ip_offset(x->request, x->request_len);
	size_t from = packet_tcp_offset(x->request, x->request_len);
	size_t tcp = ip + (packet->ipv6 ? 40 : 20);
	size_t header_len = timestamps ? 32 : 20;
	size_t len = tcp + header_len + strlen(payload);

	cr_assert_eq(x->result, FRAME_OK, "%s: result %d", x->name, (int)x->result);
	cr_assert_eq(x->answer_len, len, "%s: %u octets", x->name, x->answer_len);
	cr_expect_eq(packet_ip_end(x->answer, len), len, "%s: IP length", x->name);
	cr_expect_eq(packet_ip_checksum(x->answer, len), 0, "%s: IP checksum", x->name);
	cr_expect_eq(packet_tcp_checksum(x->answer, len), 0, "%s: TCP checksum", x->name);
	expect_link_swapped(x, ip);
	(packet->ipv6 ? expect_ip6 : expect_ip4)(x, x->request + ip, x->answer + ip);
	expect_tcp(x, x->request + from, x->answer + tcp, verdict, flags, header_len);
	if (timestamps)
		expect_timestamps(x, x->answer + tcp, 9, 7);
	cr_expect(!memcmp(x->answer + tcp + header_len, payload, strlen(payload)), "%s: payload",
		  x->name);
}

static const struct kind {
	const char *name;
	__u8 kind;
	__u8 verdict_flags;
	__u8 tcp_flags;
	const char *payload;
} kinds[] = {
	{"answer", EDGE426_SEND_ANSWER, 0, ACK | PSH | FIN, HEAD_TEXT BODY_TEXT},
	{"answer to HEAD", EDGE426_SEND_ANSWER, EDGE426_FLOW_HEAD, ACK | PSH | FIN, HEAD_TEXT},
	{"acknowledgement", EDGE426_SEND_ACK, 0, ACK, ""},
	{"acknowledgement in a HEAD flow", EDGE426_SEND_ACK, EDGE426_FLOW_HEAD, ACK, ""},
	{"reset", EDGE426_SEND_RESET, 0, ACK | RST, ""},
};

static const struct request {
	const char *name;
	struct packet packet;
} requests[] = {
	{"a request", {.payload = REQUEST}},
	{"an odd number of octets", {.payload = REQUEST "x"}},
	{"a FIN without data", {.flags = "AF"}},
	{"urgent data", {.flags = "APU", .payload = REQUEST}},
	{"padding", {.payload = "G", .padding = 5}},
	{"IPv4 options", {.ip_options = 12, .payload = REQUEST}},
	{"all IPv4 options", {.ip_options = 40, .payload = REQUEST}},
	{"other ports", {.client_port = 1, .server_port = 65535, .payload = REQUEST}},
	{"other addresses", {.client = "255.255.255.254", .server = "0.0.0.1", .payload = REQUEST}},
};

static const struct request requests6[] = {
	{"a request", {.ipv6 = 1, .payload = REQUEST}},
	{"an odd number of octets", {.ipv6 = 1, .payload = REQUEST "x"}},
	{"padding", {.ipv6 = 1, .payload = "G", .padding = 5}},
	{"one extension header", {.ipv6 = 1, .extensions = 1, .payload = REQUEST}},
	{"six extension headers", {.ipv6 = 1, .extensions = 6, .payload = REQUEST}},
	{"other addresses",
	 {.ipv6 = 1,
	  .client = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	  .server = "2001:db8::1",
	  .payload = REQUEST}},
};

/* With 0, 1, 2 tags, without and with timestamps. */
static void expect_variants(const struct request *request, const struct kind *kind)
{
	struct edge426_verdict verdict = make_verdict(kind->kind, kind->verdict_flags);
	struct answer answer = make_answer();
	struct exchange x = {};
	int variant;

	for (variant = 0; variant < 6; variant++) {
		struct packet packet = request->packet;

		packet.vlans = variant % 3;
		packet.timestamps = variant / 3;
		packet.tsval = 7;
		packet.tsecr = 9;
		snprintf(x.name, sizeof(x.name), "%s over IPv%d, %s, %d tags, timestamps %d",
			 kind->name, packet.ipv6 ? 6 : 4, request->name, packet.vlans,
			 packet.timestamps);
		x.request_len = packet_build(&packet, x.request);
		exchange_run(&x, x.request_len, 1792, &verdict, &answer);
		expect_answer(&x, &packet, packet.timestamps, &verdict, kind->tcp_flags,
			      kind->payload);
	}
}

Test(frame, every_kind_over_ip4)
{
	size_t i, k;

	for (i = 0; i < COUNT(requests); i++)
		for (k = 0; k < COUNT(kinds); k++)
			expect_variants(&requests[i], &kinds[k]);
}

Test(frame, every_kind_over_ip6)
{
	size_t i, k;

	for (i = 0; i < COUNT(requests6); i++)
		for (k = 0; k < COUNT(kinds); k++)
			expect_variants(&requests6[i], &kinds[k]);
}

/* Only an answer reads `answer`: the packet program may not have one yet. */
Test(frame, acknowledgement_and_reset_need_no_answer)
{
	const struct packet packet = {.payload = REQUEST};
	struct exchange x = {.name = "no answer"};
	size_t k;

	x.request_len = packet_build(&packet, x.request);
	for (k = 2; k < COUNT(kinds); k++) {
		struct edge426_verdict verdict = make_verdict(kinds[k].kind, 0);

		exchange_run(&x, x.request_len, 1792, &verdict, NULL);
		expect_answer(&x, &packet, false, &verdict, kinds[k].tcp_flags, "");
	}
}

#define TS "\x08\x0a\x00\x00\x00\x07\x00\x00\x00\x09"

static const struct {
	const char *name;
	const char *options;
	size_t len;
	bool found;
} option_rows[] = {
	{"TS first", TS "\x01\x01", 12, true},
	{"TS at an odd place", "\x01" TS "\x01", 12, true},
	{"TS behind a SACK block", "\x01\x01\x05\x0a........" TS "\x01\x01", 24, true},
	{"TS behind END", "\x00\x01" TS, 12, false},
	{"TS of a wrong length", "\x08\x08\x00\x00\x00\x07\x00\x00", 8, false},
	{"TS that runs over the end", "\x01\x01\x08\x0a\x00\x00\x00\x07", 8, false},
	{"an option of length 0", "\xfd\x00" TS, 12, false},
};

Test(frame, timestamps_wherever_they_stand)
{
	struct edge426_verdict verdict = make_verdict(EDGE426_SEND_ANSWER, 0);
	struct answer answer = make_answer();
	struct exchange x = {};
	size_t i;

	for (i = 0; i < COUNT(option_rows); i++) {
		struct packet packet = {.payload = REQUEST,
					.tcp_options = option_rows[i].options,
					.tcp_options_len = option_rows[i].len};

		snprintf(x.name, sizeof(x.name), "%s", option_rows[i].name);
		x.request_len = packet_build(&packet, x.request);
		exchange_run(&x, x.request_len, 1792, &verdict, &answer);
		expect_answer(&x, &packet, option_rows[i].found, &verdict, ACK | PSH | FIN,
			      HEAD_TEXT BODY_TEXT);
	}
}

/* Sums that nobody has folded are the same sums, also where adding to them would overflow. */
Test(frame, sums_of_the_answer_need_not_be_folded)
{
	const struct packet packet = {.payload = REQUEST};
	struct edge426_verdict verdict = make_verdict(EDGE426_SEND_ANSWER, 0);
	struct answer answer = make_answer();
	struct exchange x = {.name = "unfolded"};

	answer.sum += (0xffffffff - answer.sum) / 0xffff * 0xffff;
	x.request_len = packet_build(&packet, x.request);
	for (verdict.seq = 0; verdict.seq < 0xffff; verdict.seq += 0x333) {
		exchange_run(&x, x.request_len, 1792, &verdict, &answer);
		expect_answer(&x, &packet, false, &verdict, ACK | PSH | FIN, HEAD_TEXT BODY_TEXT);
	}
}

static const struct {
	const char *name;
	struct packet packet;
	enum frame_result expected;
} refused[] = {
	{"TCP checksum", {.bad_checksum = 1, .payload = REQUEST}, FRAME_BAD_CHECKSUM},
	{"TCP checksum, padded",
	 {.bad_checksum = 1, .padding = 8, .payload = REQUEST},
	 FRAME_BAD_CHECKSUM},
	{"TCP checksum over IPv6",
	 {.ipv6 = 1, .bad_checksum = 1, .payload = REQUEST},
	 FRAME_BAD_CHECKSUM},
	{"UDP", {.protocol = IPPROTO_UDP, .payload = REQUEST}, FRAME_BAD},
	{"first fragment", {.more_fragments = 1, .payload = REQUEST}, FRAME_BAD},
	{"later fragment", {.fragment_offset = 100, .payload = REQUEST}, FRAME_BAD},
	{"IPv6 fragment", {.ipv6 = 1, .more_fragments = 1, .payload = REQUEST}, FRAME_BAD},
	{"IPv6 atomic fragment", {.ipv6 = 1, .atomic_fragment = 1, .payload = REQUEST}, FRAME_BAD},
	{"three tags", {.vlans = 3, .payload = REQUEST}, FRAME_BAD},
	{"seven extension headers", {.ipv6 = 1, .extensions = 7, .payload = REQUEST}, FRAME_BAD},
};

Test(frame, what_must_not_be_answered)
{
	struct edge426_verdict verdict = make_verdict(EDGE426_SEND_ANSWER, 0);
	struct answer answer = make_answer();
	struct exchange x = {};
	size_t i;

	for (i = 0; i < COUNT(refused); i++) {
		snprintf(x.name, sizeof(x.name), "%s", refused[i].name);
		x.request_len = packet_build(&refused[i].packet, x.request);
		exchange_run(&x, x.request_len, 1792, &verdict, &answer);
		expect_untouched(&x, x.request_len, refused[i].expected);
	}
}

static const struct {
	const char *name;
	__u8 kind, magic;
} verdicts[] = {
	{"no kind", 0, EDGE426_MAGIC},
	{"TC's reset", EDGE426_TC_RESET, EDGE426_MAGIC},
	{"TC's acknowledgement and reset", EDGE426_TC_ACK_RESET, EDGE426_MAGIC},
	{"an unknown kind", 255, EDGE426_MAGIC},
	{"no magic", EDGE426_SEND_ANSWER, 0},
	{"another magic", EDGE426_SEND_ACK, EDGE426_MAGIC + 1},
};

Test(frame, verdicts_that_are_none)
{
	const struct packet packet = {.payload = REQUEST};
	struct answer answer = make_answer();
	struct exchange x = {};
	size_t i;

	for (i = 0; i < COUNT(verdicts); i++) {
		struct edge426_verdict verdict = make_verdict(verdicts[i].kind, 0);

		verdict.magic = verdicts[i].magic;
		snprintf(x.name, sizeof(x.name), "%s", verdicts[i].name);
		x.request_len = packet_build(&packet, x.request);
		exchange_run(&x, x.request_len, 1792, &verdict, &answer);
		expect_untouched(&x, x.request_len, FRAME_BAD);
	}
}

static const struct packet shapes[] = {
	{.payload = REQUEST},
	{.ip_options = 8, .timestamps = 1, .vlans = 2, .payload = REQUEST},
	{.padding = 9, .payload = "GE"},
	{.ipv6 = 1, .payload = REQUEST},
	{.ipv6 = 1, .extensions = 2, .timestamps = 1, .vlans = 1, .payload = REQUEST},
};

/* Flush against the guard page, with no room but the frame's own. */
Test(frame, every_truncation)
{
	struct edge426_verdict verdict = make_verdict(EDGE426_SEND_ACK, 0);
	struct exchange x = {};
	size_t i, len;

	for (i = 0; i < COUNT(shapes); i++) {
		x.request_len = packet_build(&shapes[i], x.request);
		for (len = 0; len < packet_ip_end(x.request, x.request_len); len++) {
			snprintf(x.name, sizeof(x.name), "shape %zu, %zu octets", i, len);
			exchange_run(&x, len, len, &verdict, NULL);
			expect_untouched(&x, len, FRAME_BAD);
		}
		exchange_run(&x, len, x.request_len, &verdict, NULL);
		cr_expect_eq(x.result, FRAME_OK, "shape %zu: only padding is missing", i);
	}
}

/* IPv6 has no checksum over its class, flow label and hop limit. */
static bool is_covered(const struct packet *packet, size_t at)
{
	return !packet->ipv6 || (at >= 4 && at != 7);
}

/* A frame whose IP packet has one bit wrong is never answered. */
Test(frame, every_bit_flipped)
{
	struct edge426_verdict verdict = make_verdict(EDGE426_SEND_ACK, 0);
	struct exchange x = {};
	size_t i, ip, bit;

	for (i = 0; i < 4; i++) {
		x.request_len = packet_build(&shapes[i], x.request);
		ip = packet_ip_offset(x.request, x.request_len);
		for (bit = ip * 8; bit < packet_ip_end(x.request, x.request_len) * 8; bit++) {
			if (!is_covered(&shapes[i], bit / 8 - ip))
				continue;
			x.request[bit / 8] ^= (__u8)(1 << bit % 8);
			exchange_run(&x, x.request_len, x.request_len, &verdict, NULL);
			cr_expect(x.result == FRAME_BAD || x.result == FRAME_BAD_CHECKSUM,
				  "shape %zu, bit %zu: result %d", i, bit, (int)x.result);
			cr_expect(!memcmp(x.answer, x.request, x.request_len),
				  "shape %zu, bit %zu: touched", i, bit);
			x.request[bit / 8] ^= (__u8)(1 << bit % 8);
		}
	}
}

/* One octet too few is refused; exactly enough is written up to the guard page. */
Test(frame, room)
{
	const struct packet packet = {.timestamps = 1, .payload = "GET"};
	struct edge426_verdict verdict = make_verdict(EDGE426_SEND_ANSWER, 0);
	struct answer answer = make_answer();
	struct exchange x = {.name = "room"};
	size_t needed = 14 + 20 + 32 + sizeof(HEAD_TEXT BODY_TEXT) - 1, room;

	x.request_len = packet_build(&packet, x.request);
	for (room = x.request_len; room < needed; room++) {
		exchange_run(&x, x.request_len, room, &verdict, &answer);
		expect_untouched(&x, x.request_len, FRAME_NO_ROOM);
	}
	exchange_run(&x, x.request_len, needed, &verdict, &answer);
	cr_expect_eq(x.result, FRAME_OK);
	cr_expect_eq(x.answer_len, needed);
}

/* The largest answer over the longest headers has room in what AF_XDP leaves. */
Test(frame, largest_answer_fits)
{
	const struct packet packet = {.ipv6 = 1, .vlans = 2, .timestamps = 1, .payload = "GET"};
	struct edge426_verdict verdict = make_verdict(EDGE426_SEND_ANSWER, 0);
	struct answer answer = {.head_len = 100, .len = EDGE426_ANSWER_MAX};
	struct exchange x = {.name = "largest"};

	memset(answer.octets, 'a', sizeof(answer.octets));
	answer.sum = checksum_add(0, answer.octets, answer.len);
	x.request_len = packet_build(&packet, x.request);
	exchange_run(&x, x.request_len, 1792, &verdict, &answer);
	cr_expect_eq(x.result, FRAME_OK);
	cr_expect_eq(x.answer_len, 22 + 40 + 32 + EDGE426_ANSWER_MAX);
	cr_expect_eq(packet_tcp_checksum(x.answer, x.answer_len), 0);
}

/* A frame longer than CHUNK as the packet program hands it over. */
static struct edge426_verdict cut_verdict(const struct exchange *x, size_t at)
{
	struct edge426_verdict verdict = make_verdict(EDGE426_SEND_ANSWER, 0);
	size_t end = packet_ip_end(x->request, x->request_len);

	verdict.cut_len = (__u16)(end - at);
	verdict.cut_sum =
		(__u16)~checksum_fold(checksum_add(0, x->request + at, (__u32)(end - at)));
	return verdict;
}

static const struct request long_requests[] = {
	{"9,000 octets", {.payload_len = 9000 - 54}},
	{"an odd number of octets", {.payload_len = 9001 - 54}},
	{"one octet cut off", {.payload_len = CHUNK + 1 - 54}},
	{"two octets cut off", {.payload_len = CHUNK + 2 - 54}},
	{"two tags, options", {.vlans = 2, .ip_options = 4, .payload_len = 4000}},
	{"IPv6", {.ipv6 = 1, .extensions = 1, .vlans = 1, .payload_len = 8001}},
	{"padding that went with the rest", {.payload_len = 3000, .padding = 100}},
};

Test(frame, cut_frames_are_answered)
{
	struct answer answer = make_answer();
	struct exchange x = {};
	size_t i;

	for (i = 0; i < COUNT(long_requests); i++) {
		struct packet packet = long_requests[i].packet;
		struct edge426_verdict verdict;

		snprintf(x.name, sizeof(x.name), "%s", long_requests[i].name);
		x.request_len = packet_build(&packet, x.request);
		verdict = cut_verdict(&x, CHUNK);
		exchange_run(&x, CHUNK, CHUNK, &verdict, &answer);
		expect_answer(&x, &packet, false, &verdict, ACK | PSH | FIN, HEAD_TEXT BODY_TEXT);
	}
}

Test(frame, a_wrong_sum_of_what_was_cut_is_refused)
{
	struct answer answer = make_answer();
	struct edge426_verdict verdict;
	struct exchange x = {};
	size_t i;

	for (i = 0; i < COUNT(long_requests); i++) {
		snprintf(x.name, sizeof(x.name), "%s", long_requests[i].name);
		x.request_len = packet_build(&long_requests[i].packet, x.request);
		verdict = cut_verdict(&x, CHUNK);
		verdict.cut_sum ^= 0x100;
		exchange_run(&x, CHUNK, CHUNK, &verdict, &answer);
		expect_untouched(&x, CHUNK, FRAME_BAD_CHECKSUM);
	}
}

Test(frame, a_wrong_length_of_what_was_cut_is_refused)
{
	const struct packet packet = {.payload_len = 9000 - 54};
	struct answer answer = make_answer();
	struct exchange x = {.name = "one octet less than was cut"};
	struct edge426_verdict verdict;

	x.request_len = packet_build(&packet, x.request);
	verdict = cut_verdict(&x, CHUNK);
	verdict.cut_len--;
	exchange_run(&x, CHUNK, CHUNK, &verdict, &answer);
	expect_untouched(&x, CHUNK, FRAME_BAD);
}

/* A sum cannot be continued at an odd offset. */
Test(frame, cut_at_an_odd_offset_is_refused)
{
	const struct packet packet = {.payload_len = 3000};
	struct answer answer = make_answer();
	struct exchange x = {.name = "odd cut"};
	struct edge426_verdict verdict;

	x.request_len = packet_build(&packet, x.request);
	verdict = cut_verdict(&x, CHUNK - 1);
	exchange_run(&x, CHUNK - 1, CHUNK, &verdict, &answer);
	expect_untouched(&x, CHUNK - 1, FRAME_BAD);
}

/* Headers are never in the part that was cut off. */
Test(frame, cut_within_the_headers_is_refused)
{
	struct exchange x = {};
	size_t i, at, payload;

	for (i = 0; i < COUNT(shapes); i++) {
		x.request_len = packet_build(&shapes[i], x.request);
		payload = packet_tcp_offset(x.request, x.request_len);
		payload += (x.request[payload + 12] >> 4) * 4U;
		for (at = 0; at < payload; at += 2) {
			struct edge426_verdict verdict = cut_verdict(&x, at);

			verdict.kind = EDGE426_SEND_ACK;
			snprintf(x.name, sizeof(x.name), "shape %zu, cut at %zu", i, at);
			exchange_run(&x, at, at, &verdict, NULL);
			expect_untouched(&x, at, FRAME_BAD);
		}
	}
}
