/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A client's segment as values: all that the packet programs decide upon, and
 * no pointer into the packet. Pure.
 */
#ifndef EDGE426_SEGMENT_H
#define EDGE426_SEGMENT_H

#include <edge426/abi.h>

#include "headers.h"

struct segment {
	struct edge426_flow_key key __attribute__((aligned(8))); /* hashed by words */
	__u32 family;						 /* 4 or 6 */
	__u32 seq, ack;
	__u32 end; /* sequence number after payload and FIN */
	__u32 ip_offset, tcp_offset;
	__u32 payload_offset, payload_len;
	__s32 first_octet; /* of the payload; -1 when it is not in the cursor */
	__u16 window;
	__u8 syn, fin, rst, has_ack;
	__u8 ecn_setup; /* a SYN that offers ECN as RFC 3168 6.1.1 has it */
	__u8 group;	/* sent to an Ethernet group address */
	__u16 vlan;	/* id of the outermost tag; 0: none */
};

#define SEGMENT_IP4_AT 12 /* where the IPv4 address lies in a mapped one, RFC 4291 2.5.5.2 */

static inline __attribute__((always_inline)) void segment_map_ip4(__be32 address, __u8 mapped[16])
{
	__builtin_memset(mapped, 0, 10);
	mapped[10] = 0xff;
	mapped[11] = 0xff;
	__builtin_memcpy(mapped + SEGMENT_IP4_AT, &address, sizeof(address));
}

/* `cursor` stands at the payload, as headers_parse leaves it. */
static inline __attribute__((always_inline)) void
segment_read(const struct headers *headers, const struct cursor *cursor, struct segment *segment)
{
	const struct tcphdr *tcp = headers->tcp;
	const __u8 *first = cursor_peek(cursor, 1);

	if (headers->family == 4) {
		segment_map_ip4(headers->ip4->saddr, segment->key.client);
		segment_map_ip4(headers->ip4->daddr, segment->key.server);
	} else {
		__builtin_memcpy(segment->key.client, &headers->ip6->saddr, 16);
		__builtin_memcpy(segment->key.server, &headers->ip6->daddr, 16);
	}
	segment->key.client_port = tcp->source;
	segment->key.server_port = tcp->dest;
	segment->family = headers->family;
	segment->seq = bpf_ntohl(tcp->seq);
	segment->ack = bpf_ntohl(tcp->ack_seq);
	segment->ip_offset = headers->ip_offset;
	segment->tcp_offset = headers->tcp_offset;
	segment->payload_offset = headers->payload_offset;
	segment->payload_len = headers->payload_len;
	segment->end = segment->seq + headers->payload_len + tcp->fin;
	segment->first_octet = first && headers->payload_len ? *first : -1;
	segment->window = bpf_ntohs(tcp->window);
	segment->syn = tcp->syn;
	segment->fin = tcp->fin;
	segment->rst = tcp->rst;
	segment->has_ack = tcp->ack;
	segment->ecn_setup = tcp->ece && tcp->cwr && !tcp->res1;
	segment->group = headers->eth->h_dest[0] & 1;
	segment->vlan = headers->vlan;
}

#endif
