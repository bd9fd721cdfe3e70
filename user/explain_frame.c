/* SPDX-License-Identifier: GPL-2.0-only */
/* From front to back; the TCP checksum last, over what is there. */
#include "explain_frame.h"

#include <string.h>

#include "../bpf/checksum.h"
#include "../bpf/headers.h"

#define WINDOW 64240 /* as Linux begins with */
#define TTL 64
#define OPTIONS_LEN 12

/* MSS 1460 (an IPv6 client has less, which nobody minds), SACK, NOP, window scale 7, two NOPs. */
static const __u8 syn_options[OPTIONS_LEN] = {2, 4, 0x05, 0xb4, 4, 2, 1, 3, 3, 7, 1, 1};

/* Locally administered addresses, as nobody has them. */
static const __u8 server_mac[ETH_ALEN] = {2, 0, 0, 0, 0, 1};
static const __u8 client_mac[ETH_ALEN] = {2, 0, 0, 0, 0, 2};

static size_t tcp_len(const struct explain_segment *segment)
{
	return sizeof(struct tcphdr) + (segment->syn ? OPTIONS_LEN : 0) + segment->len;
}

static __u8 *put(__u8 *at, const void *octets, size_t len)
{
	if (len)
		memcpy(at, octets, len);
	return at + len;
}

static __u8 *put_link(__u8 *at, const struct explain_ends *ends)
{
	__be16 proto = bpf_htons(ends->client.family == 6 ? ETH_P_IPV6 : ETH_P_IP);
	struct vlan_tag tag = {.tci = bpf_htons(ends->vlan), .proto = proto};
	struct ethhdr eth = {.h_proto = ends->vlan ? bpf_htons(ETH_P_8021Q) : proto};

	memcpy(eth.h_dest, server_mac, ETH_ALEN);
	memcpy(eth.h_source, client_mac, ETH_ALEN);
	at = put(at, &eth, sizeof(eth));
	return ends->vlan ? put(at, &tag, sizeof(tag)) : at;
}

static __u8 *put_ip4(__u8 *at, const struct explain_ends *ends, size_t len)
{
	struct iphdr ip = {
		.version = 4,
		.ihl = sizeof(ip) / 4,
		.tot_len = bpf_htons((__u16)(sizeof(ip) + len)),
		.frag_off = bpf_htons(0x4000), /* Don't Fragment */
		.ttl = TTL,
		.protocol = IPPROTO_TCP,
	};

	memcpy(&ip.saddr, ends->client.address, sizeof(ip.saddr));
	memcpy(&ip.daddr, ends->server.address, sizeof(ip.daddr));
	ip.check = checksum_fold(checksum_add(0, &ip, sizeof(ip)));
	return put(at, &ip, sizeof(ip));
}

static __u8 *put_ip6(__u8 *at, const struct explain_ends *ends, size_t len)
{
	struct ipv6hdr ip = {
		.version = 6,
		.payload_len = bpf_htons((__u16)len),
		.nexthdr = IPPROTO_TCP,
		.hop_limit = TTL,
	};

	memcpy(&ip.saddr, ends->client.address, sizeof(ip.saddr));
	memcpy(&ip.daddr, ends->server.address, sizeof(ip.daddr));
	return put(at, &ip, sizeof(ip));
}

static __u8 *put_tcp(__u8 *at, const struct explain_ends *ends,
		     const struct explain_segment *segment)
{
	struct tcphdr tcp = {
		.source = bpf_htons(ends->client.port),
		.dest = bpf_htons(ends->server.port),
		.seq = bpf_htonl(segment->seq),
		.ack_seq = bpf_htonl(segment->ack),
		.doff = (__u16)((tcp_len(segment) - segment->len) / 4 & 0xf),
		.syn = segment->syn,
		.ack = !segment->syn,
		.psh = segment->len != 0,
		.window = bpf_htons(WINDOW),
	};

	at = put(at, &tcp, sizeof(tcp));
	if (segment->syn)
		at = put(at, syn_options, sizeof(syn_options));
	return put(at, segment->data, segment->len);
}

/* Over the pseudo header, RFC 9293 3.1 and RFC 8200 8.1. */
static __u16 sum_tcp(const struct explain_ends *ends, const __u8 *tcp, size_t len)
{
	__u32 address_len = ends->client.family == 6 ? 16 : 4;
	__be16 pseudo[2] = {bpf_htons(IPPROTO_TCP), bpf_htons((__u16)len)};
	__u32 sum = checksum_add(0, ends->client.address, address_len);

	sum = checksum_add(sum, ends->server.address, address_len);
	sum = checksum_add(sum, pseudo, sizeof(pseudo));
	return checksum_fold(checksum_add(sum, tcp, (__u32)len));
}

size_t explain_frame_build(const struct explain_ends *ends, const struct explain_segment *segment,
			   __u8 frame[EXPLAIN_FRAME_MAX])
{
	size_t len = tcp_len(segment);
	__u8 *ip, *tcp, *end;
	__u16 check;

	if (segment->len > EXPLAIN_DATA_MAX)
		return 0;
	ip = put_link(frame, ends);
	tcp = ends->client.family == 6 ? put_ip6(ip, ends, len) : put_ip4(ip, ends, len);
	end = put_tcp(tcp, ends, segment);
	check = sum_tcp(ends, tcp, len);
	memcpy(tcp + __builtin_offsetof(struct tcphdr, check), &check, sizeof(check));
	return (size_t)(end - frame);
}

bool explain_frame_is_syn_ack(const __u8 *frame, size_t len, __u32 *seq)
{
	struct cursor cursor = {(void *)frame, (void *)(frame + len)};
	struct headers headers;

	if (headers_parse(&cursor, (__u32)len, &headers) != HEADERS_OK || !headers.tcp->syn ||
	    !headers.tcp->ack)
		return false;
	*seq = bpf_ntohl(headers.tcp->seq);
	return true;
}
