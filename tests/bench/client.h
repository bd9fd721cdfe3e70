/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the XDP client and its loader share: the fixed parts of its frames, the
 * state of a slot, and how a frame is written. Both write frames: the loader
 * the first SYN of a slot, the packet program all others. Pure.
 */
#ifndef EDGE426_BENCH_CLIENT_H
#define EDGE426_BENCH_CLIENT_H

#include <bpf/bpf_endian.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <linux/types.h>

#include "checksum.h"

#define CLIENT_SLOTS_MAX 4096
#define CLIENT_SLOT_MASK 0xffff /* bits of the source address that are the slot's number */
#define CLIENT_PORT_FIRST 1024
#define CLIENT_HTTP 0x312e312f50545448ULL /* "HTTP/1.1" as a little-endian word */
#define CLIENT_HTTP_LEN 8

#define CLIENT_IP_AT ((__u32)sizeof(struct ethhdr))
#define CLIENT_TCP_AT (CLIENT_IP_AT + (__u32)sizeof(struct iphdr))
#define CLIENT_TAIL_AT (CLIENT_TCP_AT + (__u32)sizeof(struct tcphdr))

#define CLIENT_REQUEST                                                                             \
	"GET / HTTP/1.1\r\n"                                                                       \
	"Host: edge426.lan\r\n"                                                                    \
	"Connection: close\r\n"                                                                    \
	"\r\n"

/* The tails of a frame, in words, for a program that copies without knowing alignment. */
struct client_request {
	__u64 word[7];
};

struct client_options { /* MSS, SACK permitted, window scale: what hosts offer */
	__u32 word[3];
};

_Static_assert(sizeof(struct client_request) == sizeof(CLIENT_REQUEST) - 1, "request");

/* Fixed while the program is loaded. Sums are partial, see checksum.h. */
struct client_config {
	struct ethhdr eth;
	__u8 pad[2];
	struct iphdr ip;   /* source address: of slot 0; length and checksum 0 */
	struct tcphdr tcp; /* ports, numbers, flags and checksum 0 but for the destination */
	struct client_options options;
	struct client_request request;
	__u32 ip_sum;
	__u32 options_sum;
	__u32 request_sum;
	__u32 pad_end;
};

/* `slots`: array, mmapable: one connection after another. Written by the packet
 * program; by the loader only when the slot rests. Counters only grow. */
struct client_slot {
	__u32 state;	/* CLIENT_* */
	__u32 port;	/* host order */
	__u32 final;	/* CLIENT_CLOSING: acknowledgement number that ends the connection */
	__u32 events;	/* steps taken: no change means no progress */
	__u64 answered; /* connections: answer and end seen */
	__u64 resets;	/* of these, ended by an RST after the answer */
	__u64 not_http; /* connections whose first octets were no answer */
	__u64 refused;	/* connections ended by an RST before an answer */
	__u64 strays;	/* packets that fit no step */
	__u8 pad[8];
};

_Static_assert(sizeof(struct client_slot) == 64, "a slot fills a cache line");

enum client_state {
	CLIENT_IDLE,	  /* nothing begun */
	CLIENT_SYN_SENT,  /* waits for the SYN-ACK */
	CLIENT_REQUESTED, /* waits for the answer */
	CLIENT_ANSWERED,  /* waits for the FIN */
	CLIENT_CLOSING,	  /* waits for the acknowledgement of its own FIN */
};

/* What goes out next: everything that differs from frame to frame. */
struct client_segment {
	__u32 slot;
	__u32 seq, ack;
	__u16 port; /* host order */
	__u16 tail_len;
	__u32 tail_sum;
	__u8 syn, fin, psh, has_ack;
};

/* Ethernet, IPv4 and TCP headers at `frame`, which has room for them; the tail is the caller's. */
static inline __attribute__((always_inline)) void
client_write_headers(const struct client_config *config, const struct client_segment *segment,
		     void *frame)
{
	struct iphdr *ip = frame + CLIENT_IP_AT;
	struct tcphdr *tcp = frame + CLIENT_TCP_AT;
	__u16 tcp_len = (__u16)(sizeof(*tcp) + segment->tail_len);
	__be16 slot = bpf_htons((__u16)segment->slot);
	__u32 sum;

	*(struct ethhdr *)frame = config->eth;
	*ip = config->ip;
	ip->saddr |= bpf_htonl(segment->slot & CLIENT_SLOT_MASK);
	ip->tot_len = bpf_htons((__u16)(sizeof(*ip) + tcp_len));
	ip->check = checksum_fold(config->ip_sum + slot + ip->tot_len);
	*tcp = config->tcp;
	tcp->source = bpf_htons(segment->port);
	tcp->seq = bpf_htonl(segment->seq);
	tcp->ack_seq = bpf_htonl(segment->ack);
	tcp->doff = (segment->syn ? tcp_len : sizeof(*tcp)) / 4;
	tcp->syn = segment->syn;
	tcp->fin = segment->fin;
	tcp->psh = segment->psh;
	tcp->ack = segment->has_ack;
	sum = checksum_add(segment->tail_sum, &ip->saddr, 2 * sizeof(ip->saddr));
	sum = checksum_add(sum, tcp, sizeof(*tcp));
	tcp->check = checksum_fold(sum + bpf_htons(IPPROTO_TCP) + bpf_htons(tcp_len));
}

/* RFC 9293 3.4.1: a clock of about 4 µs, so that a port used again is a new connection. */
static inline __attribute__((always_inline)) __u32 client_isn(__u64 now_ns)
{
	return (__u32)(now_ns >> 12);
}

static inline __attribute__((always_inline)) struct client_segment
client_syn(const struct client_config *config, __u32 slot, __u32 port, __u64 now_ns)
{
	struct client_segment segment = {
		.slot = slot,
		.seq = client_isn(now_ns),
		.port = (__u16)port,
		.tail_len = sizeof(struct client_options),
		.tail_sum = config->options_sum,
		.syn = 1,
	};

	return segment;
}

static inline __attribute__((always_inline)) __u32 client_port_after(__u32 port)
{
	return port >= 0xffff ? CLIENT_PORT_FIRST : port + 1;
}

#endif
