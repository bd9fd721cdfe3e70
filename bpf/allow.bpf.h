/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether a packet's source is in the allow list: for whom the connection is
 * as if edge426 were not there.
 */
#ifndef EDGE426_ALLOW_BPF_H
#define EDGE426_ALLOW_BPF_H

#include "policy.bpf.h"

#define SECOND_NS 1000000000ULL

static __always_inline int allow_counts(const struct edge426_allow *entry)
{
	struct edge426_state *now = policy_state();

	if (!entry)
		return 0;
	if (!entry->counts_until)
		return 1;
	return now &&
	       (bpf_ktime_get_boot_ns() + now->wall_offset) / SECOND_NS < entry->counts_until;
}

/* A source's address as two words, as in a key. */
struct allow_source {
	__u64 words[2];
};

/* By one octet: most sources are spared the trie. */
static __always_inline int allow_may_have_in_trie(const struct edge426_allow_lengths *lengths,
						  const struct edge426_allow_key *key)
{
	__u8 octet = key->family == 6 ? key->address[EDGE426_ALLOW_OCTET6]
				      : key->address[EDGE426_ALLOW_OCTET4];

	return lengths->in_trie[octet >> 6] >> (octet & 63) & 1;
}

static __always_inline int allow_has_in_trie(const struct edge426_allow_lengths *lengths,
					     __u32 half, const struct allow_source *source,
					     struct edge426_allow_key *key)
{
	void *of_half;

	__builtin_memcpy(key->address, source->words, sizeof(source->words));
	if (!allow_may_have_in_trie(lengths, key))
		return 0;
	of_half = bpf_map_lookup_elem(&allow, &half);
	if (!of_half)
		return 0;
	key->prefix_len = EDGE426_ALLOW_BITS + (key->family == 4 ? 32 : 128);
	return allow_counts(bpf_map_lookup_elem(of_half, key));
}

/* The longest prefix decides, as `counts_until` tells of the shorter ones around it too. */
static __always_inline int allow_has_exact(const struct edge426_allow_lengths *lengths, __u32 half,
					   const struct allow_source *source,
					   struct edge426_allow_key *key)
{
	struct edge426_allow *entry;
	__u64 masked[2];
	void *of_half;
	__u32 i;

	if (!lengths->count)
		return 0;
	of_half = bpf_map_lookup_elem(&allow_exact, &half);
	if (!of_half)
		return 0;
	for (i = 0; i < EDGE426_ALLOW_LENGTHS && i < lengths->count; i++) {
		masked[0] = source->words[0] & lengths->mask[i][0];
		masked[1] = source->words[1] & lengths->mask[i][1];
		__builtin_memcpy(key->address, masked, sizeof(masked));
		key->prefix_len = lengths->prefix_len[i];
		entry = bpf_map_lookup_elem(of_half, key);
		if (entry)
			return allow_counts(entry);
	}
	return 0;
}

/* Not static, so that its variables are not on the caller's stack. */
__noinline int allow_has(const struct segment *segment, __u32 half)
{
	struct edge426_allow_key key = {};
	struct allow_source source = {};
	struct edge426_allow_lengths *lengths;
	__u32 index;

	if (!segment)
		return 0;
	index = 2 * half + (segment->family == 6);
	lengths = bpf_map_lookup_elem(&allow_lengths, &index);
	if (!lengths)
		return 0;
	key.family = segment->family;
	if (segment->family == 4)
		__builtin_memcpy(source.words, segment->key.client + SEGMENT_IP4_AT, 4);
	else
		__builtin_memcpy(source.words, segment->key.client, 16);
	return allow_has_exact(lengths, half, &source, &key) ||
	       allow_has_in_trie(lengths, half, &source, &key);
}

#endif
