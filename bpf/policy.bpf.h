/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which half of the policy counts, and from a packet's destination to the
 * service it belongs to. A port decides alone unless it has services by VLAN
 * or address prefix.
 */
#ifndef EDGE426_POLICY_BPF_H
#define EDGE426_POLICY_BPF_H

#include "maps.bpf.h"
#include "mix.h"
#include "segment.h"

/* What a packet's destination is under the policy. */
struct place {
	__s32 index;	/* of its service in `services`; -1: none, and none that has ended */
	__u32 had_edge; /* handshakes of the edge may be on their way here */
};

static __always_inline struct edge426_state *policy_state(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&state, &zero);
}

/* A change that is not confirmed in time goes back by the clock alone. */
static __always_inline __u32 policy_half(const struct edge426_state *now)
{
	__u64 active = *(const volatile __u64 *)&now->active;
	__u64 deadline = active & ~EDGE426_ACTIVE_HALF;
	__u32 half = active & EDGE426_ACTIVE_HALF;

	return deadline && bpf_ktime_get_boot_ns() >= deadline ? !half : half;
}

/* 1 + slot of the service of the longest prefix, or 0. */
static __always_inline __u32 policy_match_address(const struct segment *segment, __u32 half,
						  __u16 set, __u16 vlan)
{
	struct edge426_address_key key = {.set = set, .vlan = vlan, .family = segment->family};
	void *of_half = bpf_map_lookup_elem(&addresses, &half);
	__u32 *service;

	if (!of_half)
		return 0;
	if (segment->family == 4) {
		key.prefix_len = EDGE426_ADDRESS_BITS + 32;
		__builtin_memcpy(key.address, segment->key.server + SEGMENT_IP4_AT, 4);
	} else {
		key.prefix_len = EDGE426_ADDRESS_BITS + 128;
		__builtin_memcpy(key.address, segment->key.server, 16);
	}
	service = bpf_map_lookup_elem(of_half, &key);
	return service ? *service : 0;
}

/* 1 + slot of the service by VLAN and address; 0: the port alone decides. */
static __always_inline __u32 policy_match_entries(const struct segment *segment, __u32 half,
						  const struct edge426_port *port)
{
	__u32 service = 0;

	if (port->flags & EDGE426_PORT_BY_VLAN && segment->vlan)
		service = policy_match_address(segment, half, port->set, segment->vlan);
	if (!service && port->flags & EDGE426_PORT_BY_ADDRESS)
		service = policy_match_address(segment, half, port->set, 0);
	return service;
}

/* The place in the cache for the packet's destination; NULL never happens. */
static __always_inline struct edge426_place *policy_cache_slot(const struct segment *segment)
{
	__u64 words[2], mixed;
	__u32 index;

	__builtin_memcpy(words, segment->key.server, sizeof(words));
	mixed = mix_add(mix_add(segment->key.server_port, words[0]), words[1]);
	index = mixed & (EDGE426_PLACES_MAX - 1);
	return bpf_map_lookup_elem(&places, &index);
}

static __always_inline int policy_cache_holds(const struct edge426_place *cached,
					      const struct segment *segment, __u32 tag)
{
	__u64 cached_words[2], words[2];

	__builtin_memcpy(cached_words, cached->address, sizeof(cached_words));
	__builtin_memcpy(words, segment->key.server, sizeof(words));
	return cached->tag == tag && cached->port == segment->key.server_port &&
	       cached->vlan == segment->vlan && cached->family == segment->family &&
	       cached_words[0] == words[0] && cached_words[1] == words[1];
}

/*
 * The same by the cache, which is this CPU's alone. `index` is the port's in
 * `ports`. Not static, so that its variables are not on the caller's stack.
 */
__noinline int policy_match_cached(const struct segment *segment, __u32 index, __u32 half,
				   __u32 tag)
{
	struct edge426_port *port = bpf_map_lookup_elem(&ports, &index);
	struct edge426_place *cached;

	if (!segment || !port)
		return 0;
	cached = policy_cache_slot(segment);
	if (!cached || !tag)
		return policy_match_entries(segment, half, port);
	if (policy_cache_holds(cached, segment, tag))
		return cached->service;
	cached->service = policy_match_entries(segment, half, port);
	__builtin_memcpy(cached->address, segment->key.server, sizeof(cached->address));
	cached->port = segment->key.server_port;
	cached->vlan = segment->vlan;
	cached->family = segment->family;
	cached->tag = tag;
	return cached->service;
}

/* 1 + slot of the service of a port whose entry has flags, or 0. */
static __always_inline __u32 policy_match(const struct segment *segment, __u32 index, __u32 half,
					  __u32 tag, const struct edge426_port *port)
{
	__u32 service = 0;

	if (port->flags & (EDGE426_PORT_BY_VLAN | EDGE426_PORT_BY_ADDRESS))
		service = policy_match_cached(segment, index, half, tag);
	if (!service)
		service = port->service;
	if (!service && port->flags & EDGE426_PORT_HAD_SERVICE)
		service = EDGE426_SERVICE_ENDED + 1;
	return service;
}

static __always_inline struct place policy_find_place(const struct segment *segment, __u32 half,
						      __u32 tag)
{
	__u32 key = half * EDGE426_PORTS + bpf_ntohs(segment->key.server_port);
	struct edge426_port *port = bpf_map_lookup_elem(&ports, &key);
	struct place place = {.index = -1};
	__u32 service;

	if (!port)
		return place;
	service = port->flags ? policy_match(segment, key, half, tag, port) : port->service;
	if (service)
		place.index = (__s32)(half * EDGE426_SERVICE_SLOTS + service - 1);
	place.had_edge = port->flags & EDGE426_PORT_HAD_EDGE;
	return place;
}

static __always_inline int policy_has_ended(__u32 index)
{
	return index % EDGE426_SERVICE_SLOTS == EDGE426_SERVICE_ENDED;
}

#endif
