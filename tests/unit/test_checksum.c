/* SPDX-License-Identifier: GPL-2.0-only */
/* The Internet checksum: known answers, and a slow way of computing it beside the fast one. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "checksum.h"
#include "guard.h"

#define ROUNDS 20000

struct row {
	const char *name;
	const char *octets;
	size_t len;
	__u16 sum; /* in network order as written here, not complemented */
};

#define OCTETS(text) (text), sizeof(text) - 1

static const struct row rows[] = {
	{"nothing", OCTETS(""), 0x0000},
	{"the example of RFC 1071", OCTETS("\x00\x01\xf2\x03\xf4\xf5\xf6\xf7"), 0xddf2},
	{"one octet is the upper half of its word", OCTETS("\x12"), 0x1200},
	{"an odd last octet is followed by a zero", OCTETS("\x00\x01\xf2"), 0xf201},
	{"a carry comes back at the lower end", OCTETS("\xff\xff\x00\x01"), 0x0001},
	{"a carry that makes another", OCTETS("\xff\xff\xff\xff\xff\xff\x00\x02"), 0x0002},
	{"all ones stay all ones", OCTETS("\xff\xff\xff\xff"), 0xffff},
	{"zeros", OCTETS("\0\0\0\0\0\0"), 0x0000},
	{"an IPv4 header, its checksum left out",
	 OCTETS("\x45\x00\x00\x73\x00\x00\x40\x00\x40\x11\x00\x00\xc0\xa8\x00\x01\xc0\xa8\x00\xc7"),
	 0x479e},
};

/* Word by word in network order, and as often around as it takes. */
static __u16 slow_sum(const __u8 *octets, size_t len)
{
	__u64 sum = 0;
	size_t i;

	for (i = 0; i < len; i++)
		sum += i % 2 ? octets[i] : (__u64)octets[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (__u16)sum;
}

static __u16 fast_sum(__u32 sum)
{
	return ntohs((__u16)~checksum_fold(sum));
}

/* All ones and zero are the same number in this arithmetic. */
static bool same(__u16 a, __u16 b)
{
	return a % 0xffff == b % 0xffff;
}

static void fill_random(__u8 *octets, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		octets[i] = (__u8)(random() >> 8);
}

Test(checksum, known_answers)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const __u8 *octets = guard_copy(rows[i].octets, rows[i].len);
		__u16 got = fast_sum(checksum_add(0, octets, (__u32)rows[i].len));

		cr_expect_eq(got, rows[i].sum, "%s: %#06x, expected %#06x", rows[i].name, got,
			     rows[i].sum);
	}
}

Test(checksum, every_length_agrees_with_the_slow_way)
{
	__u8 octets[1601];
	__u32 len;

	srandom(426);
	fill_random(octets, sizeof(octets));
	for (len = 0; len <= sizeof(octets); len++) {
		const __u8 *flush = guard_copy(octets, len);

		cr_assert_eq(fast_sum(checksum_add(0, flush, len)), slow_sum(octets, len),
			     "%u octets", len);
	}
}

Test(checksum, a_sum_continues_at_every_even_offset)
{
	__u8 octets[400];
	__u32 at, sum;

	srandom(427);
	fill_random(octets, sizeof(octets));
	for (at = 0; at <= sizeof(octets); at += 2) {
		sum = checksum_add(0, octets, at);
		sum = checksum_add(sum, octets + at, sizeof(octets) - at);
		cr_assert_eq(fast_sum(sum), slow_sum(octets, sizeof(octets)), "at %u", at);
	}
}

Test(checksum, the_longest_input_of_all_ones_does_not_overflow)
{
	__u8 *octets = malloc(65536);

	memset(octets, 0xff, 65536);
	cr_expect_eq(fast_sum(checksum_add(0, octets, 65536)), 0xffff);
	cr_expect_eq(fast_sum(checksum_add(0xffffffff, octets, 65536)), 0xffff);
	free(octets);
}

Test(checksum, settle_and_fold_keep_the_number)
{
	int i;

	srandom(428);
	for (i = 0; i < ROUNDS; i++) {
		__u32 sum = (__u32)random() << 1 ^ (__u32)random();

		cr_assert_eq(checksum_settle(sum) % 0xffff, sum % 0xffff, "%#x", sum);
		cr_assert(checksum_settle(sum) <= 0x1fffe, "%#x", sum);
		cr_assert_eq((__u16)~checksum_fold(sum) % 0xffff, sum % 0xffff, "%#x", sum);
	}
}

Test(checksum, the_field_makes_the_whole_zero)
{
	__u8 octets[60];
	__u16 check;
	int i;

	srandom(429);
	for (i = 0; i < ROUNDS; i++) {
		fill_random(octets, sizeof(octets));
		memset(octets + 16, 0, 2);
		check = checksum_fold(checksum_add(0, octets, sizeof(octets)));
		memcpy(octets + 16, &check, 2);
		cr_assert_eq(checksum_fold(checksum_add(0, octets, sizeof(octets))), 0);
	}
}

/* What replaces: a random word, the old one, zero or all ones. */
static __u16 next_word(__u16 old, int i)
{
	switch (i % 8) {
	case 0:
		return old;
	case 1:
		return 0;
	case 2:
		return 0xffff;
	default:
		return (__u16)random();
	}
}

Test(checksum, replace_agrees_with_computing_again)
{
	__u16 words[20], check, to;
	int i, at;

	srandom(430);
	fill_random((__u8 *)words, sizeof(words));
	for (i = 0; i < ROUNDS; i++) {
		check = checksum_fold(checksum_add(0, words, sizeof(words)));
		at = (int)(random() % 20);
		to = next_word(words[at], i);
		check = checksum_replace(check, words[at], to);
		words[at] = to;
		cr_assert(same((__u16)~check,
			       (__u16)~checksum_fold(checksum_add(0, words, sizeof(words)))),
			  "word %d became %#x", at, to);
	}
}

/* RFC 1624 section 4: where the older equation 2 of RFC 1141 gave 0xffff. */
Test(checksum, replace_example_of_rfc_1624)
{
	cr_expect_eq(checksum_replace(htons(0xdd2f), htons(0x5555), htons(0x3285)), htons(0x0000));
}
