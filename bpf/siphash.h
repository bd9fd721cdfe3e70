/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SipHash (Aumasson and Bernstein, 2012) over 64-bit words, with one
 * compression round a word and three at the end: SipHash-1-3, which is what
 * hash tables use against chosen keys. Pure.
 */
#ifndef EDGE426_SIPHASH_H
#define EDGE426_SIPHASH_H

#include <linux/types.h>

#define SIPHASH_FINAL_ROUNDS 3

struct siphash {
	__u64 v0, v1, v2, v3;
};

static inline __attribute__((always_inline)) __u64 siphash_rotate(__u64 word, int bits)
{
	return word << bits | word >> (64 - bits);
}

static inline __attribute__((always_inline)) void siphash_round(struct siphash *state)
{
	state->v0 += state->v1;
	state->v1 = siphash_rotate(state->v1, 13) ^ state->v0;
	state->v0 = siphash_rotate(state->v0, 32);
	state->v2 += state->v3;
	state->v3 = siphash_rotate(state->v3, 16) ^ state->v2;
	state->v0 += state->v3;
	state->v3 = siphash_rotate(state->v3, 21) ^ state->v0;
	state->v2 += state->v1;
	state->v1 = siphash_rotate(state->v1, 17) ^ state->v2;
	state->v2 = siphash_rotate(state->v2, 32);
}

static inline __attribute__((always_inline)) struct siphash siphash_begin(const __u64 key[2])
{
	struct siphash state = {
		key[0] ^ 0x736f6d6570736575ULL,
		key[1] ^ 0x646f72616e646f6dULL,
		key[0] ^ 0x6c7967656e657261ULL,
		key[1] ^ 0x7465646279746573ULL,
	};

	return state;
}

static inline __attribute__((always_inline)) void siphash_add(struct siphash *state, __u64 word)
{
	state->v3 ^= word;
	siphash_round(state);
	state->v0 ^= word;
}

/*
 * `last` holds up to seven octets that fill no word, little-endian; `len` is
 * the length of all that was hashed, these octets too.
 */
static inline __attribute__((always_inline)) __u64 siphash_end(struct siphash state, __u64 last,
							       __u32 len)
{
	int i;

	siphash_add(&state, last | (__u64)len << 56);
	state.v2 ^= 0xff;
	for (i = 0; i < SIPHASH_FINAL_ROUNDS; i++)
		siphash_round(&state);
	return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

#endif
