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

/* The key's address is the source's. */
static __always_inline int allow_has_in_trie(__u32 half, struct edge426_allow_key *key)
{
	void *of_half = bpf_map_lookup_elem(&allow, &half);

	if (!of_half)
		return 0;
	key->prefix_len = EDGE426_ALLOW_BITS + (key->family == 4 ? 32 : 128);
	return allow_counts(bpf_map_lookup_elem(of_half, key));
}

/* The longest prefix decides, as `counts_until` tells of the shorter ones around it too. */
static __always_inline int allow_has_exact(__u32 half, const struct edge426_allow_key *source)
{
	__u32 index = 2 * half + (source->family == 6), i;
	struct edge426_allow_lengths *lengths = bpf_map_lookup_elem(&allow_lengths, &index);
	void *of_half = bpf_map_lookup_elem(&allow_exact, &half);
	struct edge426_allow_key key = *source;
	struct edge426_allow *entry;
	__u64 words[2], masked[2];

	if (!lengths || !of_half)
		return 0;
	__builtin_memcpy(words, source->address, sizeof(words));
	for (i = 0; i < EDGE426_ALLOW_LENGTHS && i < lengths->count; i++) {
		masked[0] = words[0] & lengths->mask[i][0];
		masked[1] = words[1] & lengths->mask[i][1];
		__builtin_memcpy(key.address, masked, sizeof(masked));
		key.prefix_len = lengths->prefix_len[i];
		entry = bpf_map_lookup_elem(of_half, &key);
		if (entry)
			return allow_counts(entry);
	}
	return 0;
}

/* Not static, so that its variables are not on the caller's stack. */
__noinline int allow_has(const struct segment *segment, __u32 half)
{
	struct edge426_allow_key key = {};

	if (!segment)
		return 0;
	key.family = segment->family;
	if (segment->family == 4)
		__builtin_memcpy(key.address, segment->key.client + SEGMENT_IP4_AT, 4);
	else
		__builtin_memcpy(key.address, segment->key.client, 16);
	return allow_has_exact(half, &key) || allow_has_in_trie(half, &key);
}

#endif
