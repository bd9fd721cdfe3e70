/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Builds a SYN-ACK, from the IP header on: what to say in, octets out. It
 * offers only what the client offered. Pure.
 */
#ifndef EDGE426_SYNACK_H
#define EDGE426_SYNACK_H

#include "checksum.h"
#include "segment.h"
#include "tcp_options.h"

#define SYNACK_WORDS_MAX 5 /* of options: MSS, SACK and timestamps, window scale */
#define SYNACK_TTL 64

struct synack {
	__u32 seq;    /* the cookie */
	__u32 tsval;  /* ours */
	__u16 mss;    /* what we take */
	__u16 window; /* not scaled, RFC 7323 2.2 */
	__u8 wscale;  /* ours, or EDGE426_NO_WSCALE */
	__u8 sack, timestamps, ecn;
	__u8 client_tsval[4];
};

struct synack_tcp {
	struct tcphdr header;
	__be32 options[SYNACK_WORDS_MAX];
};

struct synack4 {
	struct iphdr ip;
	struct synack_tcp tcp;
};

struct synack6 {
	struct ipv6hdr ip;
	struct synack_tcp tcp;
};

/* In the order that Linux uses. Returns the number of words. */
static inline __attribute__((always_inline)) __u32 synack_write_options(const struct synack *in,
									__be32 *words)
{
	__u32 nops = TCP_OPTION_NOP << 8 | TCP_OPTION_NOP;
	__u32 sack =
		in->sack ? TCP_OPTION_SACK_PERMITTED << 8 | TCP_OPTION_SACK_PERMITTED_LEN : nops;
	__u32 n = 0;

	words[n++] = bpf_htonl(TCP_OPTION_MSS << 24 | TCP_OPTION_MSS_LEN << 16 | in->mss);
	if (in->timestamps) {
		words[n++] = bpf_htonl(sack << 16 | TCP_OPTION_TIMESTAMPS << 8 |
				       TCP_OPTION_TIMESTAMPS_LEN);
		words[n++] = bpf_htonl(in->tsval);
		__builtin_memcpy(&words[n++], in->client_tsval, 4);
	} else if (in->sack) {
		words[n++] = bpf_htonl(nops << 16 | sack);
	}
	if (in->wscale != EDGE426_NO_WSCALE)
		words[n++] = bpf_htonl(TCP_OPTION_NOP << 24 | TCP_OPTION_WSCALE << 16 |
				       TCP_OPTION_WSCALE_LEN << 8 | in->wscale);
	return n;
}

/* Header and options without the checksum; returns their length. */
static inline __attribute__((always_inline)) __u32
synack_write_tcp(const struct synack *in, const struct segment *syn, struct synack_tcp *out)
{
	__u32 len = sizeof(out->header) + 4 * synack_write_options(in, out->options);

	out->header.source = syn->key.server_port;
	out->header.dest = syn->key.client_port;
	out->header.seq = bpf_htonl(in->seq);
	out->header.ack_seq = bpf_htonl(syn->seq + 1);
	out->header.doff = len / 4;
	out->header.syn = 1;
	out->header.ack = 1;
	out->header.ece = in->ecn;
	out->header.window = bpf_htons(in->window);
	return len;
}

/* Unused words of options are zero and add nothing to the sum. */
static inline __attribute__((always_inline)) __u16 synack_checksum(const struct synack_tcp *tcp,
								   __u32 address_sum, __u32 len)
{
	__u32 sum = address_sum + bpf_htons(IPPROTO_TCP) + bpf_htons(len);

	return checksum_fold(checksum_add(sum, tcp, sizeof(*tcp)));
}

/* `out` is zeroed. Returns the length of the packet. */
static inline __attribute__((always_inline)) __u32
synack_build4(const struct synack *in, const struct segment *syn, struct synack4 *out)
{
	__u32 tcp_len = synack_write_tcp(in, syn, &out->tcp);

	out->ip.version = 4;
	out->ip.ihl = sizeof(out->ip) / 4;
	out->ip.tot_len = bpf_htons(sizeof(out->ip) + tcp_len);
	out->ip.frag_off = bpf_htons(0x4000); /* Don't Fragment, RFC 791 3.1 */
	out->ip.ttl = SYNACK_TTL;
	out->ip.protocol = IPPROTO_TCP;
	__builtin_memcpy(&out->ip.saddr, syn->key.server + SEGMENT_IP4_AT, 4);
	__builtin_memcpy(&out->ip.daddr, syn->key.client + SEGMENT_IP4_AT, 4);
	out->tcp.header.check =
		synack_checksum(&out->tcp, checksum_add(0, &out->ip.saddr, 8), tcp_len);
	out->ip.check = checksum_fold(checksum_add(0, &out->ip, sizeof(out->ip)));
	return sizeof(out->ip) + tcp_len;
}

static inline __attribute__((always_inline)) __u32
synack_build6(const struct synack *in, const struct segment *syn, struct synack6 *out)
{
	__u32 tcp_len = synack_write_tcp(in, syn, &out->tcp);

	out->ip.version = 6;
	out->ip.payload_len = bpf_htons(tcp_len);
	out->ip.nexthdr = IPPROTO_TCP;
	out->ip.hop_limit = SYNACK_TTL;
	__builtin_memcpy(&out->ip.saddr, syn->key.server, 16);
	__builtin_memcpy(&out->ip.daddr, syn->key.client, 16);
	out->tcp.header.check =
		synack_checksum(&out->tcp, checksum_add(0, &out->ip.saddr, 32), tcp_len);
	return sizeof(out->ip) + tcp_len;
}

#endif
