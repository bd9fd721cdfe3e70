/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SipHash-1-3 beside a second implementation that reads octets and takes the
 * numbers of rounds; that one is held to the authors' vector for SipHash-2-4.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "siphash.h"

#define MESSAGE_MAX 40

struct key_row {
	const char *name;
	__u8 octets[16];
};

static const struct key_row keys[] = {
	{"0, 1, … 15", {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}},
	{"zeros", {0}},
	{"a single bit in the last octet", {[15] = 0x80}},
	{"octets with their upper bit",
	 {255, 254, 253, 252, 251, 250, 249, 248, 247, 246, 245, 244, 243, 242, 241, 240}},
};

static __u64 load_word(const __u8 *octets, size_t len)
{
	__u64 word = 0;

	while (len--)
		word = word << 8 | octets[len];
	return word;
}

static void turn(__u64 *word, int bits)
{
	*word = (*word << bits) | (*word >> (64 - bits));
}

/* SipRound as figure 2.1 of the paper draws it: two halves, each two columns. */
static void rounds(__u64 v[4], int count)
{
	while (count--) {
		v[0] += v[1], v[2] += v[3];
		turn(&v[1], 13), turn(&v[3], 16);
		v[1] ^= v[0], v[3] ^= v[2];
		turn(&v[0], 32);
		v[2] += v[1], v[0] += v[3];
		turn(&v[1], 17), turn(&v[3], 21);
		v[1] ^= v[2], v[3] ^= v[0];
		turn(&v[2], 32);
	}
}

/* SipHash-c-d. */
static __u64 reference(const __u8 key[16], const __u8 *message, size_t len, int c, int d)
{
	__u8 padded[MESSAGE_MAX + 8] = {0};
	size_t words = len / 8 + 1, i;
	__u64 v[4];

	for (i = 0; i < 4; i++)
		v[i] = load_word((const __u8 *)"uespemosmodnarodarenegylsetybdet" + 8 * i, 8) ^
		       load_word(key + 8 * (i & 1), 8);
	memcpy(padded, message, len);
	padded[8 * words - 1] = (__u8)len;
	for (i = 0; i < words; i++) {
		v[3] ^= load_word(padded + 8 * i, 8);
		rounds(v, c);
		v[0] ^= load_word(padded + 8 * i, 8);
	}
	v[2] ^= 0xff;
	rounds(v, d);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static void fill_message(__u8 message[MESSAGE_MAX], __u8 first)
{
	for (size_t i = 0; i < MESSAGE_MAX; i++)
		message[i] = (__u8)(first + i);
}

static __u64 hash(const __u8 octets[16], const __u8 *message, size_t len)
{
	const __u64 key[2] = {load_word(octets, 8), load_word(octets + 8, 8)};
	struct siphash state = siphash_begin(key);
	size_t at;

	for (at = 0; at + 8 <= len; at += 8)
		siphash_add(&state, load_word(message + at, 8));
	return siphash_end(state, load_word(message + at, len - at), (__u32)len);
}

/* Aumasson and Bernstein, SipHash, appendix A. */
Test(siphash, the_reference_gives_the_published_value)
{
	__u8 message[MESSAGE_MAX];

	fill_message(message, 0);
	cr_assert_eq(reference(keys[0].octets, message, 15, 2, 4), 0xa129ca6149be45e5ULL);
}

Test(siphash, every_length_under_every_key)
{
	__u8 message[MESSAGE_MAX];
	size_t i, len;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		for (len = 0; len <= MESSAGE_MAX; len++) {
			fill_message(message, (__u8)(0xe0 + i));
			cr_expect_eq(hash(keys[i].octets, message, len),
				     reference(keys[i].octets, message, len, 1, 3),
				     "key of %s, %zu octets", keys[i].name, len);
		}
}

/* Octets that are zero are not the same as octets that are not there. */
Test(siphash, the_length_counts)
{
	static const __u8 zeros[MESSAGE_MAX];
	size_t len;

	for (len = 0; len < MESSAGE_MAX; len++)
		cr_expect_neq(hash(keys[0].octets, zeros, len),
			      hash(keys[0].octets, zeros, len + 1), "%zu octets", len);
}
