/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What XDP cannot do: one packet of the client that is both acknowledged, or
 * reset, to the client and turned into the RST that ends the server's
 * connection; and a
 * connection whose handshake the edge did, made the kernel's own. The XDP
 * program decides and says so in the metadata; a packet without it costs one
 * comparison here and is not counted.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>
#include <edge426/abi.h>

#include "checksum.h"
#include "headers.h"
#include "listener.bpf.h"
#include "stats.bpf.h"
#include "tcp_options.h"

#define MAC_ADDRESSES_LEN (2 * ETH_ALEN)

/* A TCP header with room for NOP NOP and the timestamps. */
struct tcp_segment {
	struct tcphdr header;
	__u8 nops[2];
	__u8 kind, len;
	struct tcp_timestamps timestamps;
};

/* What both new packets are made of. */
struct origin {
	struct ethhdr eth;
	union {
		struct {
			__be32 source, destination;
		} ip4;
		struct {
			struct in6_addr source, destination;
		} ip6;
	};
	struct tcphdr tcp;
	struct tcp_timestamps timestamps;
	__u32 ip_offset, tcp_offset;
	__u32 tcp_len; /* of the new segment: 20, or 32 with timestamps */
	__be16 ip_len; /* IPv4 total length or IPv6 payload length of the original */
	__u8 is_ip6;
};

/* What the XDP program left before the packet. */
struct message {
	struct edge426_verdict verdict;
	struct ethhdr link; /* of a packet whose own has been lost */
	int link_lost;
};

/* See struct edge426_tc_metadata for the two places the verdict may lie at. */
static __always_inline int read_message(struct __sk_buff *skb, struct message *message)
{
	struct edge426_tc_metadata *metadata = (void *)(long)skb->data_meta;

	if ((void *)(metadata + 1) > (void *)(long)skb->data)
		return -1;
	message->link_lost = metadata->unset[__builtin_offsetof(struct edge426_verdict, kind)] != 0;
	if (message->link_lost) {
		__builtin_memcpy(&message->verdict, metadata, sizeof(message->verdict));
		__builtin_memcpy(&message->link, (void *)metadata + EDGE426_TC_LATE_LINK,
				 sizeof(message->link));
	} else {
		message->verdict = metadata->verdict;
	}
	return message->verdict.magic == EDGE426_MAGIC ? 0 : -1;
}

static __always_inline int restore_link(struct __sk_buff *skb, const struct message *message)
{
	if (!message->link_lost)
		return 0;
	if (bpf_skb_change_head(skb, ETH_HLEN, 0))
		return -1;
	return bpf_skb_store_bytes(skb, 0, &message->link, sizeof(message->link), 0);
}

/* This and read_origin are not static, so that the verifier walks each once. */
__noinline int read_timestamps(struct __sk_buff *skb, struct origin *origin)
{
	__u8 options[TCP_OPTIONS_MAX] = {};
	__u32 len, offset;
	int at;

	if (!origin)
		return -1;
	len = origin->tcp.doff * 4 - sizeof(origin->tcp);
	offset = origin->tcp_offset + sizeof(origin->tcp);
	origin->tcp_len = sizeof(origin->tcp);
	if (len == 0)
		return 0;
	if (len > TCP_OPTIONS_MAX || bpf_skb_load_bytes(skb, offset, options, len))
		return -1;
	at = tcp_options_find_timestamps(options, len);
	if (at < 0)
		return 0;
	origin->tcp_len = sizeof(struct tcp_segment);
	return bpf_skb_load_bytes(skb, offset + at + 2, &origin->timestamps,
				  sizeof(origin->timestamps));
}

__noinline int read_origin(struct __sk_buff *skb, struct origin *origin)
{
	struct cursor cursor = {(void *)(long)skb->data, (void *)(long)skb->data_end};
	struct headers headers = {};

	if (!origin || headers_parse(&cursor, skb->len, &headers) != HEADERS_OK)
		return -1;
	origin->eth = *headers.eth;
	origin->tcp = *headers.tcp;
	origin->ip_offset = headers.ip_offset;
	origin->tcp_offset = headers.tcp_offset;
	if (headers.family == 4) {
		__builtin_memcpy(&origin->ip4, &headers.ip4->saddr, sizeof(origin->ip4));
		origin->ip_len = headers.ip4->tot_len;
	} else {
		origin->is_ip6 = 1;
		__builtin_memcpy(&origin->ip6, &headers.ip6->saddr, sizeof(origin->ip6));
		origin->ip_len = headers.ip6->payload_len;
	}
	return 0;
}

/* Cuts the payload and the options off and corrects the IP header for it. */
static __always_inline int trim(struct __sk_buff *skb, const struct origin *origin)
{
	__u32 start = origin->ip_offset + (origin->is_ip6 ? sizeof(struct ipv6hdr) : 0);
	__u32 end = origin->tcp_offset + origin->tcp_len;
	__be16 len = bpf_htons(end - start);

	if (bpf_skb_change_tail(skb, end, 0))
		return -1;
	if (origin->is_ip6)
		return bpf_skb_store_bytes(
			skb, origin->ip_offset + __builtin_offsetof(struct ipv6hdr, payload_len),
			&len, sizeof(len), BPF_F_RECOMPUTE_CSUM);
	if (bpf_l3_csum_replace(skb, origin->ip_offset + __builtin_offsetof(struct iphdr, check),
				origin->ip_len, len, sizeof(len)))
		return -1;
	return bpf_skb_store_bytes(skb,
				   origin->ip_offset + __builtin_offsetof(struct iphdr, tot_len),
				   &len, sizeof(len), BPF_F_RECOMPUTE_CSUM);
}

/* MAC and IP addresses, as they came or the other way round. Sums stay the same. */
static __always_inline int store_addresses(struct __sk_buff *skb, const struct origin *origin,
					   int to_client)
{
	struct origin turned = *origin;

	if (to_client) {
		__builtin_memcpy(turned.eth.h_dest, origin->eth.h_source, ETH_ALEN);
		__builtin_memcpy(turned.eth.h_source, origin->eth.h_dest, ETH_ALEN);
		if (origin->is_ip6) {
			turned.ip6.source = origin->ip6.destination;
			turned.ip6.destination = origin->ip6.source;
		} else {
			turned.ip4.source = origin->ip4.destination;
			turned.ip4.destination = origin->ip4.source;
		}
	}
	if (bpf_skb_store_bytes(skb, 0, &turned.eth, MAC_ADDRESSES_LEN, 0))
		return -1;
	if (origin->is_ip6)
		return bpf_skb_store_bytes(
			skb, origin->ip_offset + __builtin_offsetof(struct ipv6hdr, saddr),
			&turned.ip6, sizeof(turned.ip6), BPF_F_RECOMPUTE_CSUM);
	return bpf_skb_store_bytes(skb, origin->ip_offset + __builtin_offsetof(struct iphdr, saddr),
				   &turned.ip4, sizeof(turned.ip4), BPF_F_RECOMPUTE_CSUM);
}

static __always_inline __u16 segment_checksum(const struct origin *origin,
					      const struct tcp_segment *segment)
{
	__be32 pseudo[2] = {bpf_htonl(origin->tcp_len), bpf_htonl(IPPROTO_TCP)};
	__u32 sum = bpf_csum_diff(NULL, 0, pseudo, sizeof(pseudo), 0);

	if (origin->is_ip6)
		sum = bpf_csum_diff(NULL, 0, (__be32 *)&origin->ip6, sizeof(origin->ip6), sum);
	else
		sum = bpf_csum_diff(NULL, 0, (__be32 *)&origin->ip4, sizeof(origin->ip4), sum);
	if (origin->tcp_len == sizeof(*segment))
		sum = bpf_csum_diff(NULL, 0, (__be32 *)segment, sizeof(*segment), sum);
	else
		sum = bpf_csum_diff(NULL, 0, (__be32 *)segment, sizeof(segment->header), sum);
	return checksum_fold(sum);
}

static __always_inline int store_segment(struct __sk_buff *skb, const struct origin *origin,
					 struct tcp_segment *segment)
{
	segment->header.doff = origin->tcp_len / 4;
	segment->nops[0] = TCP_OPTION_NOP;
	segment->nops[1] = TCP_OPTION_NOP;
	segment->kind = TCP_OPTION_TIMESTAMPS;
	segment->len = TCP_OPTION_TIMESTAMPS_LEN;
	segment->header.check = segment_checksum(origin, segment);
	if (origin->tcp_len == sizeof(*segment))
		return bpf_skb_store_bytes(skb, origin->tcp_offset, segment, sizeof(*segment),
					   BPF_F_RECOMPUTE_CSUM);
	return bpf_skb_store_bytes(skb, origin->tcp_offset, segment, sizeof(segment->header),
				   BPF_F_RECOMPUTE_CSUM);
}

/* An acknowledgement or a RST to the client, out of the interface that the packet came in by. */
static __always_inline int answer_client(struct __sk_buff *skb, const struct origin *origin,
					 const struct edge426_verdict *verdict)
{
	struct tcp_segment segment = {};

	segment.header.source = origin->tcp.dest;
	segment.header.dest = origin->tcp.source;
	segment.header.seq = bpf_htonl(verdict->seq);
	segment.header.ack_seq = bpf_htonl(verdict->ack);
	segment.header.ack = 1;
	segment.header.rst = verdict->kind == EDGE426_TC_RESET_BOTH;
	segment.header.window = bpf_htons(0xffff);
	__builtin_memcpy(segment.timestamps.tsval, origin->timestamps.tsecr, 4);
	__builtin_memcpy(segment.timestamps.tsecr, origin->timestamps.tsval, 4);
	if (store_addresses(skb, origin, 1) || store_segment(skb, origin, &segment))
		return -1;
	return bpf_clone_redirect(skb, skb->ifindex, 0);
}

/* The RST with exactly the sequence number the server expects, RFC 5961 3.2. */
static __always_inline int reset_server(struct __sk_buff *skb, const struct origin *origin,
					const struct edge426_verdict *verdict)
{
	struct tcp_segment segment = {};

	segment.header.source = origin->tcp.source;
	segment.header.dest = origin->tcp.dest;
	segment.header.seq = bpf_htonl(verdict->server_seq);
	segment.header.rst = 1;
	segment.timestamps = origin->timestamps;
	return store_addresses(skb, origin, 0) || store_segment(skb, origin, &segment);
}

/* The kernel's struct bpf_tcp_req_attrs (include/net/tcp.h), Linux 6.9. */
struct bpf_tcp_req_attrs {
	__u32 rcv_tsval;
	__u32 rcv_tsecr;
	__u16 mss;
	__u8 rcv_wscale;
	__u8 snd_wscale;
	__u8 ecn_ok;
	__u8 wscale_ok;
	__u8 sack_ok;
	__u8 tstamp_ok;
	__u8 usec_ts_ok;
	__u8 reserved[3];
};

/* Where the kernel has none, the XDP program answers no SYN and nothing comes here. */
extern int bpf_sk_assign_tcp_reqsk(struct __sk_buff *skb, struct sock *sk,
				   struct bpf_tcp_req_attrs *attrs, int attrs__sz) __ksym __weak;

static __always_inline struct bpf_sock *find_listener(struct __sk_buff *skb,
						      const struct origin *origin)
{
	struct bpf_sock_tuple tuple = {};

	if (origin->is_ip6) {
		__builtin_memcpy(tuple.ipv6.saddr, &origin->ip6.source, 16);
		__builtin_memcpy(tuple.ipv6.daddr, &origin->ip6.destination, 16);
		tuple.ipv6.sport = origin->tcp.source;
		tuple.ipv6.dport = origin->tcp.dest;
		return bpf_skc_lookup_tcp(skb, &tuple, sizeof(tuple.ipv6), BPF_F_CURRENT_NETNS, 0);
	}
	tuple.ipv4.saddr = origin->ip4.source;
	tuple.ipv4.daddr = origin->ip4.destination;
	tuple.ipv4.sport = origin->tcp.source;
	tuple.ipv4.dport = origin->tcp.dest;
	return bpf_skc_lookup_tcp(skb, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);
}

/* With timestamps the client's MSS comes back whole in TSecr, see edge_agree. */
static __always_inline void read_agreed(const struct origin *origin,
					const struct edge426_verdict *verdict,
					const struct listener *listener,
					struct bpf_tcp_req_attrs *attrs)
{
	__be32 tsval, tsecr;
	__u16 mss;

	attrs->mss = verdict->mss;
	attrs->sack_ok = verdict->sack;
	attrs->ecn_ok = verdict->ecn;
	attrs->wscale_ok = verdict->client_wscale != EDGE426_NO_WSCALE;
	if (attrs->wscale_ok) {
		attrs->snd_wscale = verdict->client_wscale;
		attrs->rcv_wscale = listener_wscale(listener, verdict->server_wscale);
	}
	if (origin->tcp_len != sizeof(struct tcp_segment))
		return;
	__builtin_memcpy(&tsval, origin->timestamps.tsval, sizeof(tsval));
	__builtin_memcpy(&tsecr, origin->timestamps.tsecr, sizeof(tsecr));
	attrs->tstamp_ok = 1;
	attrs->rcv_tsval = bpf_ntohl(tsval);
	attrs->rcv_tsecr = bpf_ntohl(tsecr);
	mss = attrs->rcv_tsecr & 0xffff;
	if (mss > attrs->mss)
		attrs->mss = mss;
}

static __always_inline int assign(struct __sk_buff *skb, struct bpf_sock *sk,
				  const struct origin *origin,
				  const struct edge426_verdict *verdict)
{
	struct bpf_tcp_req_attrs attrs = {};
	struct listener listener = {};
	struct tcp_sock *tcp;

	if (sk->state != BPF_TCP_LISTEN)
		return -1;
	tcp = bpf_skc_to_tcp_sock(sk);
	if (!tcp)
		return -1;
	listener_read(tcp, &listener);
	read_agreed(origin, verdict, &listener, &attrs);
	if (!bpf_sk_assign_tcp_reqsk)
		return -1;
	return bpf_sk_assign_tcp_reqsk(skb, (struct sock *)tcp, &attrs, sizeof(attrs));
}

/* The packet goes on as it came; the kernel's TCP finds the request that is attached to it. */
static __always_inline enum edge426_reason
hand_over(struct __sk_buff *skb, const struct origin *origin, const struct edge426_verdict *verdict)
{
	struct bpf_sock *sk = find_listener(skb, origin);
	int err;

	if (!sk)
		return EDGE426_REASON_tc_refused;
	err = assign(skb, sk, origin, verdict);
	bpf_sk_release(sk);
	return err ? EDGE426_REASON_tc_refused : EDGE426_REASON_tc_handed_over;
}

static __always_inline enum edge426_reason end_server(struct __sk_buff *skb,
						      const struct origin *origin,
						      const struct edge426_verdict *verdict)
{
	if (trim(skb, origin))
		return EDGE426_REASON_tc_failed;
	if (verdict->kind != EDGE426_TC_RESET && answer_client(skb, origin, verdict))
		return EDGE426_REASON_tc_failed;
	if (reset_server(skb, origin, verdict))
		return EDGE426_REASON_tc_failed;
	if (verdict->kind == EDGE426_TC_RESET)
		return EDGE426_REASON_tc_reset;
	return verdict->kind == EDGE426_TC_ACK_RESET ? EDGE426_REASON_tc_acked
						     : EDGE426_REASON_tc_reset_both;
}

static __always_inline enum edge426_reason carry_out(struct __sk_buff *skb,
						     const struct message *message)
{
	struct origin origin = {};

	if (restore_link(skb, message) || read_origin(skb, &origin) ||
	    read_timestamps(skb, &origin))
		return EDGE426_REASON_tc_failed;
	if (message->verdict.kind == EDGE426_TC_HAND_OVER)
		return hand_over(skb, &origin, &message->verdict);
	return end_server(skb, &origin, &message->verdict);
}

SEC("tc")
int edge426_tc(struct __sk_buff *skb)
{
	enum edge426_reason reason;
	struct message message;

	if (read_message(skb, &message))
		return TC_ACT_OK;
	reason = carry_out(skb, &message);
	count(reason);
	return reason == EDGE426_REASON_tc_failed ? TC_ACT_SHOT : TC_ACT_OK;
}

char LICENSE[] SEC("license") = "GPL";
