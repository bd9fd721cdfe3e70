/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What both sides of the edge's handshake stand on: the secrets and settings,
 * the cookie's proof, the cache of connections that are the kernel's. The SYN
 * side is edge_syn.bpf.h, what comes after it edge_data.bpf.h.
 */
#ifndef EDGE426_EDGE_BPF_H
#define EDGE426_EDGE_BPF_H

#include "cookie.h"
#include "maps.bpf.h"
#include "mix.h"

static __always_inline struct edge426_edge *edge_settings(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&edge, &zero);
}

/* The key that makes cookies, or `back` rotations before it. */
static __always_inline const __u64 *edge_key(const struct edge426_edge *settings, __u32 back)
{
	return settings->key[(settings->current - back) & (EDGE426_KEYS - 1)];
}

/* What a place in `owned` says of its connection, beside the tag. */
#define EDGE_ANYBODYS 0
#define EDGE_KERNELS 1	   /* the kernel has had its first octets */
#define EDGE_HANDED_OVER 2 /* the kernel was sent them */
#define EDGE_OWNERS 3

/* A place in `owned` for the connection, and a tag that tells it from others there. */
static __always_inline __u32 *edge_owned_slot(const struct edge426_edge *settings,
					      const struct segment *segment, __u32 *tag)
{
	__u64 mixed = settings->seed, words[4];
	struct edge426_owned *slots;
	__u32 zero = 0, port_pair;

	slots = bpf_map_lookup_elem(&owned, &zero);
	if (!slots)
		return NULL;
	__builtin_memcpy(words, &segment->key, sizeof(words));
	__builtin_memcpy(&port_pair, &segment->key.client_port, sizeof(port_pair));
	if (segment->family == 6)
		mixed = mix_add(mix_add(mixed, words[0]), words[2]);
	mixed = mix_add(mix_add(mix_add(mixed, words[1]), words[3]), port_pair);
	*tag = (__u32)(mixed >> 32) & ~(__u32)EDGE_OWNERS;
	return &slots->tag[mixed % EDGE426_OWNED_SLOTS];
}

/* Notes whose the connection is, EDGE_*. */
static __always_inline void edge_own(const struct edge426_edge *settings,
				     const struct segment *segment, __u32 owner)
{
	__u32 tag = 0, *slot = edge_owned_slot(settings, segment, &tag);

	if (slot)
		*slot = owner ? tag | owner : 0;
}

/*
 * An enum cookie_match. Current key first; the previous one is good as long as
 * a cookie lives. Not static, for the verifier and the caller's stack.
 */
__noinline int edge_match(const struct segment *segment)
{
	struct edge426_edge *settings = edge_settings();
	enum cookie_match match;

	if (!segment || !settings || !settings->seed) /* no secret was ever made */
		return COOKIE_NONE;
	match = cookie_check(edge_key(settings, 0), segment);
	return match == COOKIE_NONE ? cookie_check(edge_key(settings, 1), segment) : match;
}

#endif
