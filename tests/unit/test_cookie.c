/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The cookie: it brings back what was agreed on, tells which segment of its
 * connection comes with it, and is worth nothing on any other connection.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>

#include "cookie.h"

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))
#define ISN 0x12345678U

static const __u64 key[2] = {0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL};
static const struct agreed usual = {.mss = 1460, .wscale = 7, .sack = 1};

/* Connections that every test below goes through. */
static const struct connection {
	const char *name;
	int family;
	const char *client, *server;
} connections[] = {
	{"IPv4", 4, "198.51.100.7", "203.0.113.9"},
	{"IPv6", 6, "2001:db8:1:2:3:4:5:6", "2001:db8:a:b:c:d:e:f"},
	{"IPv6, almost zeros", 6, "::2", "::3"},
};

static struct segment make_syn(const struct connection *row)
{
	struct segment syn = {.family = (__u32)row->family, .seq = ISN, .syn = 1};
	size_t at = row->family == 4 ? SEGMENT_IP4_AT : 0;

	if (at) {
		memset(syn.key.client + 10, 0xff, 2);
		memset(syn.key.server + 10, 0xff, 2);
	}
	inet_pton(at ? AF_INET : AF_INET6, row->client, syn.key.client + at);
	inet_pton(at ? AF_INET : AF_INET6, row->server, syn.key.server + at);
	syn.key.client_port = htons(40000);
	syn.key.server_port = htons(443);
	return syn;
}

/* The client's segment at `offset` from its ISN, which acknowledges our SYN-ACK. */
static struct segment make_segment(const struct segment *syn, const struct agreed *agreed,
				   __u32 offset)
{
	struct segment segment = *syn;

	segment.syn = 0;
	segment.has_ack = 1;
	segment.seq = syn->seq + offset;
	segment.ack = cookie_make(key, syn, agreed) + 1;
	return segment;
}

static const struct {
	const char *name;
	__u32 offset; /* from the client's ISN */
	enum cookie_match expected;
} places[] = {
	{"the first data", 1, COOKIE_FIRST},
	{"a keep-alive probe", 0, COOKIE_PROBE},
	{"one octet later", 2, COOKIE_OURS},
	{"the second of two segments", 1461, COOKIE_OURS},
	{"half the space later", 0x80000000U, COOKIE_OURS},
	{"one octet before the probe", -1U, COOKIE_OURS},
};

Test(cookie, tells_the_segments_of_its_connection)
{
	for (size_t i = 0; i < ARRAY_LEN(connections); i++)
		for (size_t j = 0; j < ARRAY_LEN(places); j++) {
			struct segment syn = make_syn(&connections[i]);
			struct segment segment = make_segment(&syn, &usual, places[j].offset);

			cr_expect_eq(cookie_check(key, &segment), places[j].expected, "%s: %s",
				     connections[i].name, places[j].name);
		}
}

/* Sequence numbers wrap where they like. */
Test(cookie, holds_for_every_isn)
{
	static const __u32 isns[] = {0, 1, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};

	for (size_t i = 0; i < ARRAY_LEN(isns); i++) {
		struct segment syn = make_syn(&connections[0]), segment;

		syn.seq = isns[i];
		segment = make_segment(&syn, &usual, 1);
		cr_expect_eq(cookie_check(key, &segment), COOKIE_FIRST, "ISN %x", isns[i]);
		segment = make_segment(&syn, &usual, 0);
		cr_expect_eq(cookie_check(key, &segment), COOKIE_PROBE, "ISN %x", isns[i]);
	}
}

/* RFC 9293 3.7.1: never more than the client takes, but for what every host must take. */
static const struct {
	int family;
	__u16 mss, brought_back;
} steps[] = {
	{4, 0, 536},	 {4, 535, 536},	  {4, 536, 536},    {4, 537, 536},    {4, 1219, 536},
	{4, 1220, 1220}, {4, 1379, 1220}, {4, 1380, 1380},  {4, 1459, 1380},  {4, 1460, 1460},
	{4, 1461, 1460}, {4, 8960, 1460}, {4, 65535, 1460}, {6, 0, 1220},     {6, 1219, 1220},
	{6, 1220, 1220}, {6, 1279, 1220}, {6, 1280, 1280},  {6, 1359, 1280},  {6, 1360, 1360},
	{6, 1439, 1360}, {6, 1440, 1440}, {6, 1441, 1440},  {6, 65535, 1440},
};

static void expect_agreed(const struct agreed *in, __u16 mss, int family)
{
	struct connection row = connections[family == 6];
	struct segment syn = make_syn(&row), segment = make_segment(&syn, in, 1);
	struct agreed out;

	memset(&out, 0xff, sizeof(out)); /* nothing may be left as it was */
	cookie_unpack(segment.family, segment.ack - 1, &out);
	cr_expect_eq(out.mss, mss, "IPv%d, MSS %u: %u", family, in->mss, out.mss);
	cr_expect_eq(out.wscale, in->wscale, "IPv%d, scale %u", family, in->wscale);
	cr_expect_eq(out.sack, in->sack, "IPv%d, SACK %u", family, in->sack);
	cr_expect_eq(out.ecn, in->ecn, "IPv%d, ECN %u", family, in->ecn);
	cr_expect_eq(cookie_check(key, &segment), COOKIE_FIRST, "IPv%d, MSS %u", family, in->mss);
}

Test(cookie, brings_back_every_agreement)
{
	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		for (__u8 bits = 0; bits < 64; bits++) {
			struct agreed in = {.mss = steps[i].mss,
					    .wscale = bits >> 2,
					    .sack = bits >> 1 & 1,
					    .ecn = bits & 1};

			expect_agreed(&in, steps[i].brought_back, steps[i].family);
		}
}

/* Any value that is true will do. */
Test(cookie, brings_back_flags_as_one)
{
	const struct agreed in = {.mss = 1460, .wscale = EDGE426_NO_WSCALE, .sack = 4, .ecn = 128};
	struct agreed out;

	cookie_unpack(4, cookie_pack(4, &in) << COOKIE_AGREED_SHIFT, &out);
	cr_expect(out.sack == 1 && out.ecn == 1 && out.wscale == EDGE426_NO_WSCALE);
}

/* Of 2^12 neighbours one passes by chance: what is counted, not a single one, is the proof. */
struct tally {
	int tried, address, first;
};

static void count_match(struct tally *tally, const struct segment *segment)
{
	enum cookie_match match = cookie_check(key, segment);

	tally->tried++;
	tally->address += match != COOKIE_NONE;
	tally->first += match == COOKIE_FIRST || match == COOKIE_PROBE;
}

/* One bit of the address octets that count, or of the ports, is another. */
static void try_other_tuples(const struct connection *row, struct tally *tally)
{
	struct segment syn = make_syn(row), segment = make_segment(&syn, &usual, 1);
	size_t from = row->family == 4 ? SEGMENT_IP4_AT : 0, at;
	__u8 *octets = (__u8 *)&segment.key;
	int bit;

	for (at = 0; at < sizeof(segment.key); at++)
		for (bit = 0; bit < 8 && (at >= 32 || at % 16 >= from); bit++) {
			octets[at] ^= (__u8)(1 << bit);
			count_match(tally, &segment);
			octets[at] ^= (__u8)(1 << bit);
		}
	cr_expect_eq(cookie_check(key, &segment), COOKIE_FIRST, "%s: restored", row->name);
}

/* The rows and the key are fixed, so the numbers are too: chance has let none through. */
Test(cookie, is_worth_nothing_on_another_connection)
{
	struct tally tally = {0};

	for (size_t i = 0; i < ARRAY_LEN(connections); i++)
		try_other_tuples(&connections[i], &tally);
	cr_expect_eq(tally.tried, 2 * 8 * (4 + 2) + 2 * 2 * 8 * (16 + 2));
	cr_expect_eq(tally.address, 0, "%d of %d", tally.address, tally.tried);
}

Test(cookie, is_worth_nothing_with_the_ends_exchanged)
{
	for (size_t i = 0; i < ARRAY_LEN(connections); i++) {
		struct segment syn = make_syn(&connections[i]);
		struct segment segment = make_segment(&syn, &usual, 1);

		memcpy(segment.key.client, syn.key.server, 16);
		memcpy(segment.key.server, syn.key.client, 16);
		cr_expect_eq(cookie_check(key, &segment), COOKIE_NONE, "%s: addresses",
			     connections[i].name);
		segment.key = syn.key;
		segment.key.client_port = syn.key.server_port;
		segment.key.server_port = syn.key.client_port;
		cr_expect_eq(cookie_check(key, &segment), COOKIE_NONE, "%s: ports",
			     connections[i].name);
	}
}

/* The connection is right, so it is OURS; without the ISN it is not the first data. */
Test(cookie, is_no_first_data_with_another_isn)
{
	for (size_t i = 0; i < ARRAY_LEN(connections); i++)
		for (int bit = 0; bit < 32; bit++) {
			struct segment syn = make_syn(&connections[i]);
			struct segment segment = make_segment(&syn, &usual, 1);

			segment.seq = (syn.seq ^ 1U << bit) + 1;
			cr_expect_eq(cookie_check(key, &segment), COOKIE_OURS, "%s, bit %d",
				     connections[i].name, bit);
		}
}

/* Agreement and ISN's hash: OURS, not FIRST. The address hash: nothing at all. */
Test(cookie, is_no_first_data_with_a_bit_flipped)
{
	for (size_t i = 0; i < ARRAY_LEN(connections); i++)
		for (int bit = 0; bit < 32; bit++) {
			struct segment syn = make_syn(&connections[i]);
			struct segment segment = make_segment(&syn, &usual, 1);
			int is_address = bit >= COOKIE_HASH_BITS && bit < COOKIE_AGREED_SHIFT;

			segment.ack = ((segment.ack - 1) ^ 1U << bit) + 1;
			cr_expect_eq(cookie_check(key, &segment),
				     is_address ? COOKIE_NONE : COOKIE_OURS, "%s, bit %d",
				     connections[i].name, bit);
		}
}

Test(cookie, is_worth_nothing_under_another_key)
{
	for (size_t i = 0; i < ARRAY_LEN(connections); i++)
		for (int bit = 0; bit < 128; bit++) {
			struct segment syn = make_syn(&connections[i]);
			struct segment segment = make_segment(&syn, &usual, 1);
			__u64 other[2] = {key[0], key[1]};

			other[bit / 64] ^= 1ULL << bit % 64;
			cr_expect_eq(cookie_check(other, &segment), COOKIE_NONE, "%s, bit %d",
				     connections[i].name, bit);
		}
}

/* Mapped and native forms of one address must not share their cookies. */
Test(cookie, tells_the_families_apart)
{
	struct segment syn = make_syn(&connections[0]);
	struct segment segment = make_segment(&syn, &usual, 1);

	segment.family = 6;
	cr_expect_eq(cookie_check(key, &segment), COOKIE_NONE);
}

/* xorshift64, Marsaglia 2003: a fixed seed, so that a failure comes again. */
static __u64 next_random(__u64 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state * 0x2545f4914f6cdd1dULL;
}

/*
 * Whoever guesses passes the address hash one time in 2^12 and both one time
 * in 2^24. Of 2^20 that is 256, give or take 16: five times that is allowed.
 */
Test(cookie, is_guessed_no_more_often_than_its_bits_say)
{
	for (size_t i = 0; i < ARRAY_LEN(connections); i++) {
		struct segment syn = make_syn(&connections[i]);
		struct segment segment = make_segment(&syn, &usual, 1);
		__u64 state = 88172645463325252ULL + i;
		struct tally tally = {0};

		while (tally.tried < 1 << 20) {
			segment.ack = (__u32)(next_random(&state) >> 32);
			count_match(&tally, &segment);
		}
		cr_expect(tally.address > 256 - 80 && tally.address < 256 + 80, "%s: %d",
			  connections[i].name, tally.address);
		cr_expect_leq(tally.first, 1, "%s: %d", connections[i].name, tally.first);
	}
}

/* The same for a cookie that is right but comes from anywhere: its bits are spread evenly. */
Test(cookie, spreads_over_all_its_values)
{
	int address[COOKIE_HASH_MASK + 1] = {0}, first[COOKIE_HASH_MASK + 1] = {0};
	struct segment syn = make_syn(&connections[0]);
	__u64 state = 88172645463325252ULL;
	__u32 n, cookie, value;

	for (n = 0; n < 1U << 20; n++) {
		__u64 random = next_random(&state);

		memcpy(syn.key.client + SEGMENT_IP4_AT, &random, 4);
		syn.key.client_port = (__be16)(random >> 32);
		cookie = cookie_make(key, &syn, &usual);
		address[cookie >> COOKIE_HASH_BITS & COOKIE_HASH_MASK]++;
		first[cookie & COOKIE_HASH_MASK]++;
	}
	for (value = 0; value <= COOKIE_HASH_MASK; value++) {
		cr_expect(address[value] > 160 && address[value] < 352, "address %u: %d", value,
			  address[value]);
		cr_expect(first[value] > 160 && first[value] < 352, "first %u: %d", value,
			  first[value]);
	}
}
