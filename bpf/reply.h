/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Builds a segment without data that the edge sends back to a client, from the
 * IP header on: a SYN-ACK, an acknowledgement or a RST. What to say in, octets out; a
 * SYN-ACK offers only what the client offered. Pure.
 */
#ifndef EDGE426_REPLY_H
#define EDGE426_REPLY_H

#include "checksum.h"
#include "segment.h"
#include "tcp_options.h"

#define REPLY_WORDS_MAX 5 /* of options: MSS, SACK and timestamps, window scale */
#define REPLY_TTL 64

struct reply {
	__u32 seq; /* of a SYN-ACK: the cookie */
	__u32 ack;
	__u32 tsval;  /* ours */
	__u16 mss;    /* of a SYN-ACK: what we take */
	__u16 window; /* as in the header: not scaled in a SYN-ACK, RFC 7323 2.2 */
	__u8 wscale;  /* of a SYN-ACK: ours, or EDGE426_NO_WSCALE */
	__u8 syn;     /* a SYN-ACK; or else an ACK */
	__u8 rst;     /* a RST */
	__u8 sack, timestamps, ecn;
	__u8 client_tsval[4];
};

struct reply_tcp {
	struct tcphdr header;
	__be32 options[REPLY_WORDS_MAX];
};

struct reply4 {
	struct iphdr ip;
	struct reply_tcp tcp;
};

struct reply6 {
	struct ipv6hdr ip;
	struct reply_tcp tcp;
};

#define REPLY_NOPS (TCP_OPTION_NOP << 8 | TCP_OPTION_NOP)

/* Three words, of which the first has room for two octets before: `first`. */
static inline __attribute__((always_inline)) void reply_write_timestamps(const struct reply *in,
									 __u32 first, __be32 *words)
{
	words[0] = bpf_htonl(first << 16 | TCP_OPTION_TIMESTAMPS << 8 | TCP_OPTION_TIMESTAMPS_LEN);
	words[1] = bpf_htonl(in->tsval);
	__builtin_memcpy(&words[2], in->client_tsval, 4);
}

/* In the order that Linux uses. Returns the number of words. */
static inline __attribute__((always_inline)) __u32 reply_write_syn_options(const struct reply *in,
									   __be32 *words)
{
	__u32 sack = in->sack ? TCP_OPTION_SACK_PERMITTED << 8 | TCP_OPTION_SACK_PERMITTED_LEN
			      : REPLY_NOPS;
	__u32 n = 1;

	words[0] = bpf_htonl(TCP_OPTION_MSS << 24 | TCP_OPTION_MSS_LEN << 16 | in->mss);
	if (in->timestamps) {
		reply_write_timestamps(in, sack, words + 1);
		n = 4;
	} else if (in->sack) {
		words[1] = bpf_htonl(REPLY_NOPS << 16 | sack);
		n = 2;
	}
	if (in->wscale != EDGE426_NO_WSCALE)
		words[n++] = bpf_htonl(TCP_OPTION_NOP << 24 | TCP_OPTION_WSCALE << 16 |
				       TCP_OPTION_WSCALE_LEN << 8 | in->wscale);
	return n;
}

static inline __attribute__((always_inline)) __u32 reply_write_options(const struct reply *in,
								       __be32 *words)
{
	if (in->syn)
		return reply_write_syn_options(in, words);
	if (!in->timestamps)
		return 0;
	reply_write_timestamps(in, REPLY_NOPS, words);
	return 3;
}

/* Header and options without the checksum; returns their length. */
static inline __attribute__((always_inline)) __u32
reply_write_tcp(const struct reply *in, const struct segment *to, struct reply_tcp *out)
{
	__u32 len = sizeof(out->header) + 4 * reply_write_options(in, out->options);

	out->header.source = to->key.server_port;
	out->header.dest = to->key.client_port;
	out->header.seq = bpf_htonl(in->seq);
	out->header.ack_seq = bpf_htonl(in->ack);
	out->header.doff = len / 4;
	out->header.syn = in->syn;
	out->header.rst = in->rst;
	out->header.ack = 1;
	out->header.ece = in->ecn;
	out->header.window = bpf_htons(in->window);
	return len;
}

/* Unused words of options are zero and add nothing to the sum. */
static inline __attribute__((always_inline)) __u16 reply_checksum(const struct reply_tcp *tcp,
								  __u32 address_sum, __u32 len)
{
	__u32 sum = address_sum + bpf_htons(IPPROTO_TCP) + bpf_htons(len);

	return checksum_fold(checksum_add(sum, tcp, sizeof(*tcp)));
}

/* `out` is zeroed. Returns the length of the packet. */
static inline __attribute__((always_inline)) __u32
reply_build4(const struct reply *in, const struct segment *to, struct reply4 *out)
{
	__u32 tcp_len = reply_write_tcp(in, to, &out->tcp);

	out->ip.version = 4;
	out->ip.ihl = sizeof(out->ip) / 4;
	out->ip.tot_len = bpf_htons(sizeof(out->ip) + tcp_len);
	out->ip.frag_off = bpf_htons(0x4000); /* Don't Fragment, RFC 791 3.1 */
	out->ip.ttl = REPLY_TTL;
	out->ip.protocol = IPPROTO_TCP;
	__builtin_memcpy(&out->ip.saddr, to->key.server + SEGMENT_IP4_AT, 4);
	__builtin_memcpy(&out->ip.daddr, to->key.client + SEGMENT_IP4_AT, 4);
	out->tcp.header.check =
		reply_checksum(&out->tcp, checksum_add(0, &out->ip.saddr, 8), tcp_len);
	out->ip.check = checksum_fold(checksum_add(0, &out->ip, sizeof(out->ip)));
	return sizeof(out->ip) + tcp_len;
}

static inline __attribute__((always_inline)) __u32
reply_build6(const struct reply *in, const struct segment *to, struct reply6 *out)
{
	__u32 tcp_len = reply_write_tcp(in, to, &out->tcp);

	out->ip.version = 6;
	out->ip.payload_len = bpf_htons(tcp_len);
	out->ip.nexthdr = IPPROTO_TCP;
	out->ip.hop_limit = REPLY_TTL;
	__builtin_memcpy(&out->ip.saddr, to->key.server, 16);
	__builtin_memcpy(&out->ip.daddr, to->key.client, 16);
	out->tcp.header.check =
		reply_checksum(&out->tcp, checksum_add(0, &out->ip.saddr, 32), tcp_len);
	return sizeof(out->ip) + tcp_len;
}

#endif
