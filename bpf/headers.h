/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a frame to its headers: Ethernet, up to two VLAN tags, IPv4 with
 * options or IPv6 with extension headers, TCP. It decides nothing and reads no
 * payload; fragments are not TCP to it. Pure, shared by the packet programs
 * and the responder.
 */
#ifndef EDGE426_HEADERS_H
#define EDGE426_HEADERS_H

#include <bpf/bpf_endian.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>

#include "cursor.h"

#define HEADERS_VLANS_MAX 2
#define HEADERS_EXTENSIONS_MAX 6
#define VLAN_ID 0x0fff	    /* of a tag's TCI, IEEE 802.1Q 9.6 */
#define IP4_FRAGMENT 0x3fff /* More Fragments and the offset, RFC 791 3.1 */

struct vlan_tag {
	__be16 tci;
	__be16 proto; /* of what follows */
};

struct headers {
	struct ethhdr *eth;
	__u32 family;	     /* 4 or 6 */
	__u32 vlan;	     /* id of the outermost tag; 0: none */
	struct iphdr *ip4;   /* NULL for IPv6 */
	struct ipv6hdr *ip6; /* NULL for IPv4 */
	struct tcphdr *tcp;
	__u32 ip_offset; /* from the start of the frame */
	__u32 tcp_offset;
	__u32 payload_offset;
	__u32 payload_len; /* as the IP header has it; not all of it need be in the cursor */
};

enum headers_result { HEADERS_OK, HEADERS_NOT_TCP, HEADERS_MALFORMED };

static inline __attribute__((always_inline)) int headers_is_vlan(__be16 proto)
{
	return proto == bpf_htons(ETH_P_8021Q) || proto == bpf_htons(ETH_P_8021AD);
}

/* Ethernet and VLAN tags; the protocol of what follows, or 0 when cut short. */
static inline __attribute__((always_inline)) __be16 headers_take_link(struct cursor *cursor,
								      struct headers *headers)
{
	__be16 proto;
	int i;

	headers->eth = cursor_take(cursor, sizeof(*headers->eth));
	if (!headers->eth)
		return 0;
	proto = headers->eth->h_proto;
	headers->ip_offset = sizeof(*headers->eth);
	headers->vlan = 0;
	for (i = 0; i < HEADERS_VLANS_MAX && headers_is_vlan(proto); i++) {
		struct vlan_tag *tag = cursor_take(cursor, sizeof(*tag));

		if (!tag)
			return 0;
		if (i == 0)
			headers->vlan = bpf_ntohs(tag->tci) & VLAN_ID;
		proto = tag->proto;
		headers->ip_offset += sizeof(*tag);
	}
	return proto;
}

/* *tcp_len: octets of the TCP segment by the IP header. */
static inline __attribute__((always_inline)) enum headers_result
headers_take_ip4(struct cursor *cursor, struct headers *headers, __u32 *tcp_len)
{
	struct iphdr *ip = cursor_take(cursor, sizeof(*ip));
	__u32 header_len, total;

	if (!ip)
		return HEADERS_MALFORMED;
	header_len = ip->ihl * 4;
	total = bpf_ntohs(ip->tot_len);
	if (ip->version != 4 || header_len < sizeof(*ip) || total < header_len)
		return HEADERS_MALFORMED;
	if (ip->protocol != IPPROTO_TCP || ip->frag_off & bpf_htons(IP4_FRAGMENT))
		return HEADERS_NOT_TCP;
	if (!cursor_take(cursor, header_len - sizeof(*ip)))
		return HEADERS_MALFORMED;
	headers->family = 4;
	headers->ip4 = ip;
	headers->tcp_offset = headers->ip_offset + header_len;
	*tcp_len = total - header_len;
	return HEADERS_OK;
}

/*
 * Extension headers that may stand before TCP, RFC 8200 4.1; a fragment is not
 * TCP to us. A set and not three comparisons: each would triple the ways that
 * the verifier walks through the loop below.
 */
#define IP6_EXTENSIONS (1ULL << IPPROTO_HOPOPTS | 1ULL << IPPROTO_ROUTING | 1ULL << IPPROTO_DSTOPTS)

static inline __attribute__((always_inline)) int headers_is_extension(__u8 proto)
{
	__u64 set = IP6_EXTENSIONS;

	asm("" : "+r"(set)); /* or the compiler makes comparisons of it */
	return proto < 64 && (set >> proto & 1);
}

static inline __attribute__((always_inline)) enum headers_result
headers_take_ip6(struct cursor *cursor, struct headers *headers, __u32 *tcp_len)
{
	struct ipv6hdr *ip = cursor_take(cursor, sizeof(*ip));
	__u32 extensions = 0;
	__u8 proto;
	int i;

	if (!ip || ip->version != 6)
		return HEADERS_MALFORMED;
	proto = ip->nexthdr;
	for (i = 0; i < HEADERS_EXTENSIONS_MAX && headers_is_extension(proto); i++) {
		struct ipv6_opt_hdr *option = cursor_peek(cursor, sizeof(*option));
		__u32 len;

		if (!option)
			return HEADERS_MALFORMED;
		proto = option->nexthdr;
		len = (option->hdrlen + 1) * 8;
		if (!cursor_take(cursor, len))
			return HEADERS_MALFORMED;
		extensions += len;
	}
	if (proto != IPPROTO_TCP)
		return HEADERS_NOT_TCP;
	if (bpf_ntohs(ip->payload_len) < extensions)
		return HEADERS_MALFORMED;
	headers->family = 6;
	headers->ip6 = ip;
	headers->tcp_offset = headers->ip_offset + sizeof(*ip) + extensions;
	*tcp_len = bpf_ntohs(ip->payload_len) - extensions;
	return HEADERS_OK;
}

static inline __attribute__((always_inline)) enum headers_result
headers_take_tcp(struct cursor *cursor, struct headers *headers, __u32 tcp_len)
{
	struct tcphdr *tcp = cursor_take(cursor, sizeof(*tcp));
	__u32 header_len;

	if (!tcp)
		return HEADERS_MALFORMED;
	header_len = tcp->doff * 4;
	if (header_len < sizeof(*tcp) || tcp_len < header_len)
		return HEADERS_MALFORMED;
	if (!cursor_take(cursor, header_len - sizeof(*tcp)))
		return HEADERS_MALFORMED;
	headers->tcp = tcp;
	headers->payload_offset = headers->tcp_offset + header_len;
	headers->payload_len = tcp_len - header_len;
	return HEADERS_OK;
}

/*
 * `frame_len` is the length on the wire, which the cursor may hold only the
 * beginning of. On success the headers with all their options lie in the
 * cursor, the payload ends within the frame, and the cursor stands at it.
 */
static inline __attribute__((always_inline)) enum headers_result
headers_parse(struct cursor *cursor, __u32 frame_len, struct headers *headers)
{
	enum headers_result result;
	__u32 tcp_len = 0;
	__be16 proto;

	headers->ip4 = 0;
	headers->ip6 = 0;
	proto = headers_take_link(cursor, headers);
	if (proto == bpf_htons(ETH_P_IP))
		result = headers_take_ip4(cursor, headers, &tcp_len);
	else if (proto == bpf_htons(ETH_P_IPV6))
		result = headers_take_ip6(cursor, headers, &tcp_len);
	else
		result = HEADERS_NOT_TCP;
	if (result != HEADERS_OK)
		return result;
	if (headers->tcp_offset + tcp_len > frame_len)
		return HEADERS_MALFORMED;
	return headers_take_tcp(cursor, headers, tcp_len);
}

#endif
