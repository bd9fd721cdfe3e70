/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The SYN cookie: our initial sequence number, which brings back with the
 * client's next segments what the handshake agreed on and proves that the
 * client received it. Pure.
 *
 *     31     24 23         12 11          0
 *     | agreed |   address   |    first    |
 *
 * agreed: MSS index (2 bits), client's window scale (4), SACK, ECN.
 * address: keyed hash of the addresses and ports.
 * first: keyed hash of these, the client's ISN and `agreed`.
 *
 * `address` alone recognises any segment of our connection, one that overtook
 * the first data too; both together, 24 bits, prove the first data.
 */
#ifndef EDGE426_COOKIE_H
#define EDGE426_COOKIE_H

#include <edge426/abi.h>

#include "segment.h"
#include "siphash.h"

#define COOKIE_HASH_BITS 12
#define COOKIE_HASH_MASK ((1U << COOKIE_HASH_BITS) - 1)
#define COOKIE_AGREED_SHIFT 24
#define COOKIE_ECN 1
#define COOKIE_SACK 2
#define COOKIE_WSCALE_SHIFT 2
#define COOKIE_MSS_SHIFT 6

struct agreed {
	__u16 mss;   /* what the client takes */
	__u8 wscale; /* the client's, or EDGE426_NO_WSCALE */
	__u8 sack, ecn;
};

enum cookie_match {
	COOKIE_NONE,  /* not ours, or expired */
	COOKIE_OURS,  /* a later segment of a connection of ours */
	COOKIE_FIRST, /* at the client's first octet: seq is its ISN + 1 */
	COOKIE_PROBE, /* a keep-alive probe before that: seq is its ISN */
};

/* Steps of the MSS that two bits can tell; a client's is rounded down (RFC 9293 3.7.1). */
static inline __attribute__((always_inline)) __u16 cookie_mss(__u32 family, __u32 index)
{
	if (family == 4)
		return index == 3 ? 1460 : index == 2 ? 1380 : index == 1 ? 1220 : 536;
	return index == 3 ? 1440 : index == 2 ? 1360 : index == 1 ? 1280 : 1220;
}

static inline __attribute__((always_inline)) __u32 cookie_mss_index(__u32 family, __u16 mss)
{
	__u32 index = 3;

	while (index && cookie_mss(family, index) > mss)
		index--;
	return index;
}

static inline __attribute__((always_inline)) __u32 cookie_pack(__u32 family,
							       const struct agreed *agreed)
{
	return cookie_mss_index(family, agreed->mss) << COOKIE_MSS_SHIFT |
	       (agreed->wscale & 15U) << COOKIE_WSCALE_SHIFT | (agreed->sack ? COOKIE_SACK : 0) |
	       (agreed->ecn ? COOKIE_ECN : 0);
}

static inline __attribute__((always_inline)) void cookie_unpack(__u32 family, __u32 cookie,
								struct agreed *agreed)
{
	__u32 packed = cookie >> COOKIE_AGREED_SHIFT;

	agreed->mss = cookie_mss(family, packed >> COOKIE_MSS_SHIFT);
	agreed->wscale = packed >> COOKIE_WSCALE_SHIFT & 15;
	agreed->sack = (packed & COOKIE_SACK) != 0;
	agreed->ecn = (packed & COOKIE_ECN) != 0;
}

/* Addresses and ports are hashed once; what is added later distinguishes the two halves. */
static inline __attribute__((always_inline)) struct siphash
cookie_begin(const __u64 key[2], const struct segment *segment)
{
	struct siphash state = siphash_begin(key);
	const struct edge426_flow_key *tuple = &segment->key;
	__u64 words[4];

	if (segment->family == 4) {
		__builtin_memcpy(words, tuple->client + SEGMENT_IP4_AT, 4);
		__builtin_memcpy((__u8 *)words + 4, tuple->server + SEGMENT_IP4_AT, 4);
		siphash_add(&state, words[0]);
		return state;
	}
	__builtin_memcpy(words, tuple->client, 16);
	__builtin_memcpy(words + 2, tuple->server, 16);
	siphash_add(&state, words[0]);
	siphash_add(&state, words[1]);
	siphash_add(&state, words[2]);
	siphash_add(&state, words[3]);
	return state;
}

static inline __attribute__((always_inline)) __u32 cookie_len(const struct segment *segment)
{
	return segment->family == 4 ? 8 : 32;
}

static inline __attribute__((always_inline)) __u64 cookie_ports(const struct segment *segment)
{
	return segment->key.client_port | (__u64)segment->key.server_port << 16;
}

static inline __attribute__((always_inline)) __u32
cookie_address_hash(struct siphash state, const struct segment *segment)
{
	__u64 hash = siphash_end(state, cookie_ports(segment), cookie_len(segment) + 4);

	return hash & COOKIE_HASH_MASK;
}

static inline __attribute__((always_inline)) __u32
cookie_first_hash(struct siphash state, const struct segment *segment, __u32 isn, __u32 packed)
{
	siphash_add(&state, cookie_ports(segment) | (__u64)isn << 32);
	return siphash_end(state, packed, cookie_len(segment) + 9) & COOKIE_HASH_MASK;
}

/* The sequence number of our SYN-ACK for a SYN. */
static inline __attribute__((always_inline)) __u32
cookie_make(const __u64 key[2], const struct segment *syn, const struct agreed *agreed)
{
	struct siphash state = cookie_begin(key, syn);
	__u32 packed = cookie_pack(syn->family, agreed);

	return packed << COOKIE_AGREED_SHIFT | cookie_address_hash(state, syn) << COOKIE_HASH_BITS |
	       cookie_first_hash(state, syn, syn->seq, packed);
}

/* What a segment of a client is to a cookie made with `key`, which it acknowledges. */
static inline __attribute__((always_inline)) enum cookie_match
cookie_check(const __u64 key[2], const struct segment *segment)
{
	struct siphash state = cookie_begin(key, segment);
	__u32 cookie = segment->ack - 1;
	__u32 packed = cookie >> COOKIE_AGREED_SHIFT;

	if ((cookie >> COOKIE_HASH_BITS & COOKIE_HASH_MASK) != cookie_address_hash(state, segment))
		return COOKIE_NONE;
	if ((cookie & COOKIE_HASH_MASK) ==
	    cookie_first_hash(state, segment, segment->seq - 1, packed))
		return COOKIE_FIRST;
	if ((cookie & COOKIE_HASH_MASK) == cookie_first_hash(state, segment, segment->seq, packed))
		return COOKIE_PROBE;
	return COOKIE_OURS;
}

#endif
