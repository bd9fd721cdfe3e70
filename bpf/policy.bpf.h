/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a packet's destination to the service it belongs to, under the half of
 * the policy that counts. A port decides alone unless it has address prefixes.
 */
#ifndef EDGE426_POLICY_BPF_H
#define EDGE426_POLICY_BPF_H

#include "maps.bpf.h"
#include "segment.h"

static __always_inline __u32 policy_active_half(void)
{
	__u32 zero = 0;
	struct edge426_state *now = bpf_map_lookup_elem(&state, &zero);

	return now && now->active ? 1 : 0;
}

/* 1 + index of the service of the longest prefix, or 0. */
static __always_inline __u32 policy_match_address(const struct segment *segment, __u32 half)
{
	struct edge426_address_key key = {
		.half = half, .family = segment->family, .port = segment->key.server_port};
	__u32 *service;

	if (segment->family == 4) {
		key.prefix_len = EDGE426_ADDRESS_BITS + 32;
		__builtin_memcpy(key.address, segment->key.server + SEGMENT_IP4_AT, 4);
	} else {
		key.prefix_len = EDGE426_ADDRESS_BITS + 128;
		__builtin_memcpy(key.address, segment->key.server, 16);
	}
	service = bpf_map_lookup_elem(&addresses, &key);
	return service ? *service : 0;
}

/* Where the service of the packet's destination stands in `services`; -1 when none has it. */
static __always_inline __s32 policy_find_service(const struct segment *segment, __u32 half)
{
	__u32 key = half * EDGE426_PORTS + bpf_ntohs(segment->key.server_port);
	struct edge426_port *port = bpf_map_lookup_elem(&ports, &key);
	__u32 service = 0;

	if (!port)
		return -1;
	if (port->flags & EDGE426_PORT_BY_ADDRESS)
		service = policy_match_address(segment, half);
	if (!service)
		service = port->service;
	return service ? (__s32)(half * EDGE426_SERVICES_MAX + service - 1) : -1;
}

/* `index` as policy_find_service gives it. */
static __always_inline int policy_has_backend_handshake(__u32 index)
{
	struct edge426_service *service = bpf_map_lookup_elem(&services, &index);

	return !service || service->handshake == EDGE426_HANDSHAKE_BACKEND;
}

#endif
