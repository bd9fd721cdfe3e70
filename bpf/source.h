/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A client as one source: an IPv4 address, or the first 64 bits of an IPv6
 * one, within which a host changes its address at will (RFC 8981). Whether it
 * is of the share that is enforced, and whether it is over its limit. Pure.
 */
#ifndef EDGE426_SOURCE_H
#define EDGE426_SOURCE_H

#include <edge426/abi.h>

#include "mix.h"
#include "segment.h"

#define SOURCE_SHARES 100

static inline __attribute__((always_inline)) void source_read(const struct segment *segment,
							      struct edge426_source_key *key)
{
	__builtin_memset(key, 0, sizeof(*key));
	__builtin_memcpy(key->address, segment->key.client, sizeof(key->address));
	if (segment->family == 6)
		__builtin_memset(key->address + 8, 0, 8);
	key->port = segment->key.server_port;
}

/*
 * 0 to 99, the same for a source today and after the next start: with
 * `percent: 10` those below 10 are enforced, with 20 these and ten more.
 */
static inline __attribute__((always_inline)) __u32
source_share(const struct edge426_source_key *key)
{
	__u64 words[2], mixed;

	__builtin_memcpy(words, key->address, sizeof(words));
	mixed = mix_add(mix_add(mix_add(0, words[0]), words[1]), 0);
	return ((mixed >> 32) * SOURCE_SHARES) >> 32;
}

/*
 * GCRA, ITU-T I.371: *next is when the source will have used up what it took.
 * `every` and `burst` as in struct edge426_service. 1 when it may take one
 * more, which is then noted; 0 when it is over its limit.
 */
static inline __attribute__((always_inline)) int source_take(__u64 *next, __u64 now, __u32 every,
							     __u64 burst)
{
	__u64 from = *next > now ? *next : now;

	if (from - now > burst)
		return 0;
	*next = from + every;
	return 1;
}

#endif
