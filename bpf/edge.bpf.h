/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The handshake at the edge: SYNs answered with a cookie, bare ACKs absorbed,
 * the first data met before the server's kernel knows of the connection.
 * What is not plaintext HTTP is handed over at TC. Nothing is remembered of a
 * handshake, so a flood of SYNs costs no memory.
 */
#ifndef EDGE426_EDGE_BPF_H
#define EDGE426_EDGE_BPF_H

#include "cookie.h"
#include "flow.bpf.h"
#include "listener.bpf.h"
#include "maps.bpf.h"
#include "policy.bpf.h"
#include "proof.bpf.h"
#include "reply.h"
#include "verdict.bpf.h"

#define AF_INET 2
#define AF_INET6 10
#define IP4_HEADERS_LEN 40 /* IPv4 and TCP without options */
#define IP6_HEADERS_LEN 60
#define IP4_MSS_MIN 536 /* RFC 9293 3.7.1, and the least that the hand-over takes */
#define IP6_MSS_MIN 1220
#define LINK_MAX 22 /* octets: Ethernet and two VLAN tags */
#define TIMESTAMPS_LEN 12
#define PSH_AT 13 /* where in the TCP header, RFC 9293 3.1 */
#define PSH 0x08
#define SECOND_NS 1000000000ULL

static __always_inline struct edge426_edge *edge_settings(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&edge, &zero);
}

/* The key that makes cookies, or `back` rotations before it. */
static __always_inline const __u64 *edge_key(const struct edge426_edge *settings, __u32 back)
{
	return settings->key[(settings->current - back) & (EDGE426_KEYS - 1)];
}

static __always_inline __u64 edge_mix(__u64 mixed, __u64 word)
{
	mixed = (mixed ^ word) * 0x9e3779b97f4a7c15ULL;
	return mixed ^ mixed >> 32;
}

/* A place in `owned` for the connection, and a tag that tells it from others there. */
static __always_inline __u32 *edge_owned_slot(const struct edge426_edge *settings,
					      const struct segment *segment, __u32 *tag)
{
	__u64 mixed = settings->seed, words[4];
	struct edge426_owned *slots;
	__u32 zero = 0, port_pair;

	slots = bpf_map_lookup_elem(&owned, &zero);
	if (!slots)
		return NULL;
	__builtin_memcpy(words, &segment->key, sizeof(words));
	__builtin_memcpy(&port_pair, &segment->key.client_port, sizeof(port_pair));
	if (segment->family == 6)
		mixed = edge_mix(edge_mix(mixed, words[0]), words[2]);
	mixed = edge_mix(edge_mix(edge_mix(mixed, words[1]), words[3]), port_pair);
	*tag = (__u32)(mixed >> 32) | 1; /* 0 is an empty place */
	return &slots->tag[mixed % EDGE426_OWNED_SLOTS];
}

/*
 * An enum cookie_match. Current key first; the previous one is good as long as
 * a cookie lives. Not static, for the verifier and the caller's stack.
 */
__noinline int edge_match(const struct segment *segment)
{
	struct edge426_edge *settings = edge_settings();
	enum cookie_match match;

	if (!segment || !settings)
		return COOKIE_NONE;
	match = cookie_check(edge_key(settings, 0), segment);
	return match == COOKIE_NONE ? cookie_check(edge_key(settings, 1), segment) : match;
}

/* Whether the SYN is for a listener and for no other socket, TIME_WAIT included. */
static __always_inline int edge_find_listener(struct xdp_md *ctx, const struct segment *syn,
					      struct listener *listener)
{
	struct bpf_sock *sk = proof_lookup(ctx, syn);
	struct tcp_sock *tcp = NULL;

	if (!sk)
		return 0;
	if (sk->state == BPF_TCP_LISTEN)
		tcp = bpf_skc_to_tcp_sock(sk);
	if (tcp)
		listener_read(tcp, listener);
	bpf_sk_release(sk);
	return tcp != NULL;
}

static __always_inline int edge_is_group4(__be32 address)
{
	__u32 host = bpf_ntohl(address);

	return host >> 28 == 14 || host == 0xffffffff; /* RFC 1112 4, RFC 919 7 */
}

static __always_inline int edge_is_same(const __u8 a[16], const __u8 b[16])
{
	__u64 left[2], right[2];

	__builtin_memcpy(left, a, sizeof(left));
	__builtin_memcpy(right, b, sizeof(right));
	return left[0] == right[0] && left[1] == right[1];
}

/* SYNs that must not be answered, RFC 9293 MUST-57 and MUST-63. */
static __always_inline int edge_may_answer(const struct segment *syn)
{
	const __u8 *client = syn->key.client, *server = syn->key.server;
	__be32 from, to;

	if (syn->group || !syn->key.client_port || edge_is_same(client, server))
		return 0;
	if (syn->family == 6)
		return client[0] != 0xff && server[0] != 0xff && client[0] != 0;
	__builtin_memcpy(&from, client + SEGMENT_IP4_AT, sizeof(from));
	__builtin_memcpy(&to, server + SEGMENT_IP4_AT, sizeof(to));
	return !edge_is_group4(from) && !edge_is_group4(to) && client[SEGMENT_IP4_AT] != 0 &&
	       client[SEGMENT_IP4_AT] != 127;
}

/* A router may have a listener on every address: the destination must be its own. */
static __always_inline int edge_is_local(struct xdp_md *ctx, const struct segment *syn)
{
	struct bpf_fib_lookup route = {.ifindex = ctx->ingress_ifindex, .l4_protocol = IPPROTO_TCP};
	long result;

	if (syn->family == 4) {
		route.family = AF_INET;
		__builtin_memcpy(&route.ipv4_src, syn->key.client + SEGMENT_IP4_AT, 4);
		__builtin_memcpy(&route.ipv4_dst, syn->key.server + SEGMENT_IP4_AT, 4);
	} else {
		route.family = AF_INET6;
		__builtin_memcpy(route.ipv6_src, syn->key.client, 16);
		__builtin_memcpy(route.ipv6_dst, syn->key.server, 16);
	}
	result = bpf_fib_lookup(ctx, &route, sizeof(route), 0);
	return result == BPF_FIB_LKUP_RET_NOT_FWDED || result == BPF_FIB_LKUP_RET_FWD_DISABLED;
}

/* Not static, so that the verifier walks it once. */
__noinline int edge_read_options(struct xdp_md *ctx, __u32 tcp_offset, __u32 payload_offset,
				 struct syn_options *options)
{
	__u32 len = payload_offset - tcp_offset - sizeof(struct tcphdr);
	__u8 octets[TCP_OPTIONS_MAX + TCP_OPTION_TIMESTAMPS_LEN] = {};

	if (!options)
		return -1;
	if (len == 0)
		return 0;
	if (len > TCP_OPTIONS_MAX)
		return -1;
	if (bpf_xdp_load_bytes(ctx, tcp_offset + sizeof(struct tcphdr), octets, len))
		return -1;
	tcp_options_read_syn(octets, len, options);
	return 0;
}

/* The window that the kernel would begin with, tcp_select_initial_window(). */
static __always_inline __u16 edge_window(__u32 space, __u32 mss)
{
	__u32 window = space;

	if (mss && window > mss)
		window -= window % mss;
	return window > 0xffff ? 0xffff : window;
}

/* Fills what the SYN-ACK says and what the cookie remembers, from both sides' wishes. */
static __always_inline void edge_agree(const struct edge426_edge *settings,
				       const struct listener *listener, const struct segment *syn,
				       const struct syn_options *offer, struct reply *reply)
{
	__u32 headers = syn->family == 4 ? IP4_HEADERS_LEN : IP6_HEADERS_LEN;
	struct agreed agreed = {.mss = offer->mss, .wscale = EDGE426_NO_WSCALE};

	reply->mss = settings->mtu > headers ? settings->mtu - headers : 0;
	reply->wscale = EDGE426_NO_WSCALE;
	reply->sack = offer->has_sack && settings->flags & EDGE426_TCP_SACK;
	reply->timestamps = offer->has_timestamps && settings->flags & EDGE426_TCP_TIMESTAMPS;
	reply->ecn = syn->ecn_setup && settings->flags & EDGE426_TCP_ECN;
	if (offer->has_wscale && settings->flags & EDGE426_TCP_WINDOW_SCALING) {
		agreed.wscale = offer->wscale;
		reply->wscale = listener_wscale(listener, settings->wscale);
	}
	agreed.sack = reply->sack;
	agreed.ecn = reply->ecn;
	reply->syn = 1;
	reply->ack = syn->seq + 1;
	reply->seq = cookie_make(edge_key(settings, 0), syn, &agreed);
	reply->tsval = reply->seq << 16 | offer->mss; /* the MSS whole comes back with it */
	reply->window =
		edge_window(listener->space, reply->mss - (reply->timestamps ? TIMESTAMPS_LEN : 0));
	__builtin_memcpy(reply->client_tsval, offer->tsval, sizeof(reply->client_tsval));
}

/*
 * A frame of `len` octets: grown at its head, for there may be no room at the
 * tail. One in several buffers is left alone: on veth, Linux 6.18 frees pages
 * it does not own when the program shrinks it (bpf_xdp_frags_shrink_tail).
 */
static __always_inline int edge_resize(struct xdp_md *ctx, __u32 len)
{
	__u32 now = bpf_xdp_get_buff_len(ctx);
	int more = (int)len - (int)now;

	if (now != ctx->data_end - ctx->data)
		return -1;
	return more > 0 ? bpf_xdp_adjust_head(ctx, -more) : bpf_xdp_adjust_tail(ctx, more);
}

static __always_inline int edge_write_packet(struct xdp_md *ctx, const struct segment *syn,
					     const struct reply *reply)
{
	union {
		struct reply4 ip4;
		struct reply6 ip6;
	} packet = {};
	__u32 len;

	if (syn->family == 4)
		len = reply_build4(reply, syn, &packet.ip4);
	else
		len = reply_build6(reply, syn, &packet.ip6);
	if (len == 0 || len > sizeof(packet) || edge_resize(ctx, syn->ip_offset + len))
		return -1;
	return bpf_xdp_store_bytes(ctx, syn->ip_offset, &packet, len);
}

/* The client's frame becomes the reply's. Not static, so that the verifier walks it once. */
__noinline int edge_write_reply(struct xdp_md *ctx, const struct segment *syn,
				const struct reply *reply)
{
	__u8 link[LINK_MAX + 2] = {}, turned[2 * ETH_ALEN];
	__u32 link_len;

	if (!syn || !reply)
		return -1;
	link_len = syn->ip_offset;
	if (link_len < ETH_HLEN || link_len > LINK_MAX ||
	    bpf_xdp_load_bytes(ctx, 0, link, link_len))
		return -1;
	if (edge_write_packet(ctx, syn, reply))
		return -1;
	__builtin_memcpy(turned, link + ETH_ALEN, ETH_ALEN);
	__builtin_memcpy(turned + ETH_ALEN, link, ETH_ALEN);
	__builtin_memcpy(link, turned, sizeof(turned));
	return bpf_xdp_store_bytes(ctx, 0, link, link_len);
}

/*
 * A SYN at the edge: as soon as too many of this second have not completed,
 * the calm begins anew. So `edge_until` is right at any time, for status too.
 */
static __always_inline void edge_count_syn(struct edge426_load *load,
					   const struct edge426_service *service, __u64 now)
{
	if (now - load->window_start >= SECOND_NS) {
		load->window_start = now;
		load->syns = 0;
		load->completed = 0;
	}
	load->syns++;
	if (load->syns > load->completed && load->syns - load->completed >= service->syn_threshold)
		load->edge_until = now + service->calm_seconds * SECOND_NS;
}

/*
 * handshake: auto. The kernel's own queue of unfinished handshakes tells a
 * flood at once; while the edge answers, that queue is empty and the count of
 * SYNs without completion in a second tells whether it goes on.
 */
static __always_inline int edge_is_flooded(struct edge426_load *load,
					   const struct edge426_service *service,
					   const struct listener *listener)
{
	__u64 now = bpf_ktime_get_coarse_ns();

	if (load->edge_until && now >= load->edge_until) {
		load->edge_until = 0;
		load->to_backend++;
	}
	if (!load->edge_until) {
		if (listener->handshakes < service->syn_threshold)
			return 0;
		load->edge_until = now + service->calm_seconds * SECOND_NS;
		load->window_start = 0;
		load->to_edge++;
	}
	edge_count_syn(load, service, now);
	return 1;
}

/* Who answers this SYN, by what the service and its listener are; syn_answered: the edge. */
static __always_inline enum edge426_reason
edge_choose(struct xdp_md *ctx, const struct edge426_edge *settings,
	    const struct edge426_service *service, struct edge426_load *load,
	    const struct segment *syn, struct listener *listener)
{
	int found = edge_find_listener(ctx, syn, listener);

	if (!found && !(service->flags & EDGE426_SERVICE_NO_BACKEND))
		return EDGE426_REASON_syn_of_kernel;
	if (!settings->ready || settings->unable || !verdict_has_responder(ctx)) {
		load->fallback = EDGE426_FALLBACK_HOST;
		return EDGE426_REASON_fallback_host;
	}
	if (listener->is_mptcp) {
		load->fallback = EDGE426_FALLBACK_MPTCP;
		return EDGE426_REASON_fallback_mptcp;
	}
	load->fallback = EDGE426_FALLBACK_NONE;
	if (service->handshake == EDGE426_HANDSHAKE_AUTO &&
	    !edge_is_flooded(load, service, listener))
		return EDGE426_REASON_syn_to_backend;
	return edge_is_local(ctx, syn) ? EDGE426_REASON_syn_answered : EDGE426_REASON_syn_unfit;
}

/*
 * Whether and what the edge answers to a SYN: an enum edge426_reason; on
 * syn_answered the reply is filled. Not static: the verifier walks it once,
 * and its variables are not on the caller's stack.
 */
__noinline int edge_judge_syn(struct xdp_md *ctx, __u32 index, const struct segment *syn,
			      const struct syn_options *offer, struct reply *reply)
{
	struct edge426_service *service = bpf_map_lookup_elem(&services, &index);
	struct edge426_load *load = bpf_map_lookup_elem(&loads, &index);
	struct edge426_edge *settings = edge_settings();
	struct listener listener = {.space = 0x10000};
	enum edge426_reason reason;
	__u32 tag, *slot;

	if (!service || !load || !settings || !syn || !offer || !reply)
		return EDGE426_REASON_syn_unfit;
	if (!edge_may_answer(syn) || offer->is_signed ||
	    offer->mss < (syn->family == 4 ? IP4_MSS_MIN : IP6_MSS_MIN))
		return EDGE426_REASON_syn_unfit;
	reason = edge_choose(ctx, settings, service, load, syn, &listener);
	if (reason != EDGE426_REASON_syn_answered)
		return reason;
	slot = edge_owned_slot(settings, syn, &tag);
	if (slot)
		*slot = 0;
	edge_agree(settings, &listener, syn, offer, reply);
	return reason;
}

static __always_inline enum edge426_reason edge_answer_syn(struct xdp_md *ctx, __u32 index,
							   const struct segment *syn)
{
	struct syn_options offer = {};
	struct reply reply = {};
	enum edge426_reason reason;

	if (edge_read_options(ctx, syn->tcp_offset, syn->payload_offset, &offer))
		return EDGE426_REASON_syn_unfit;
	if (!offer.mss)
		offer.mss = syn->family == 4 ? IP4_MSS_MIN : IP6_MSS_MIN;
	reason = edge_judge_syn(ctx, index, syn, &offer, &reply);
	if (reason != EDGE426_REASON_syn_answered)
		return reason;
	return edge_write_reply(ctx, syn, &reply) ? EDGE426_REASON_reply_failed : reason;
}

/*
 * Sets PSH. GRO holds back a segment without it, does not merge a later one
 * that lacks its metadata, and lets that one overtake it when it has PSH: the
 * kernel would meet the second segment of a ClientHello first and reset the
 * connection. Where it fails the segment goes on as it came.
 */
static __always_inline void edge_push(struct xdp_md *ctx, const struct segment *segment)
{
	__u32 flags_at = segment->tcp_offset + PSH_AT - 1;
	__u32 check_at = segment->tcp_offset + __builtin_offsetof(struct tcphdr, check);
	union {
		__u8 octet[2];
		__u16 word;
	} from, to;
	__u16 check;

	if (bpf_xdp_load_bytes(ctx, flags_at, &from, sizeof(from)) ||
	    bpf_xdp_load_bytes(ctx, check_at, &check, sizeof(check)))
		return;
	to = from;
	to.octet[1] |= PSH;
	check = checksum_replace(check, from.word, to.word);
	if (!bpf_xdp_store_bytes(ctx, flags_at, &to, sizeof(to)))
		bpf_xdp_store_bytes(ctx, check_at, &check, sizeof(check));
}

/*
 * The ACK of a FIN, from the verdict for the responder: the client's frame has
 * room for it, so it goes back from here and spares the way through user space.
 */
static __always_inline enum edge426_reason edge_acknowledge(struct xdp_md *ctx,
							    const struct segment *fin,
							    const struct edge426_verdict *verdict)
{
	struct reply reply = {.seq = verdict->seq, .ack = verdict->ack, .window = 0xffff};
	struct syn_options options = {};
	__be32 tsecr;

	if (edge_read_options(ctx, fin->tcp_offset, fin->payload_offset, &options))
		return EDGE426_REASON_acked;
	__builtin_memcpy(&tsecr, options.tsecr, sizeof(tsecr));
	__builtin_memcpy(reply.client_tsval, options.tsval, sizeof(reply.client_tsval));
	reply.tsval = bpf_ntohl(tsecr);
	reply.timestamps = options.has_timestamps;
	return edge_write_reply(ctx, fin, &reply) ? EDGE426_REASON_reply_failed
						  : EDGE426_REASON_acked_back;
}

/* To TC with what the cookie says was agreed on; from here on the kernel owns the connection. */
static __always_inline enum edge426_reason edge_hand_over(struct xdp_md *ctx,
							  const struct edge426_edge *settings,
							  const struct edge426_service *service,
							  const struct segment *segment,
							  struct edge426_verdict *verdict)
{
	struct agreed agreed;
	__u32 tag, *slot;

	if (service->flags & EDGE426_SERVICE_NO_BACKEND) {
		verdict->kind = EDGE426_SEND_RESET;
		verdict->seq = segment->ack;
		verdict->ack = segment->end;
		return EDGE426_REASON_reset_other;
	}
	slot = edge_owned_slot(settings, segment, &tag);
	if (slot)
		*slot = tag;
	cookie_unpack(segment->family, segment->ack - 1, &agreed);
	verdict->kind = EDGE426_TC_HAND_OVER;
	verdict->mss = agreed.mss;
	verdict->client_wscale = agreed.wscale;
	verdict->server_wscale = settings->wscale;
	verdict->sack = agreed.sack;
	verdict->ecn = agreed.ecn;
	edge_push(ctx, segment);
	return EDGE426_REASON_handed_over;
}

/* The client's first segment after our SYN-ACK: proven by the cookie. */
static __always_inline enum edge426_reason
edge_judge_first(struct xdp_md *ctx, const struct edge426_edge *settings,
		 const struct edge426_service *service, struct edge426_load *load,
		 const struct segment *segment, enum payload_class class,
		 struct edge426_verdict *verdict)
{
	int is_http;

	if (segment->payload_len == 0 && !segment->fin) {
		load->completed++;
		return EDGE426_REASON_handshake_ended;
	}
	is_http = class == PAYLOAD_HTTP || class == PAYLOAD_HTTP_HEAD ||
		  (class == PAYLOAD_NEED_MORE && !segment->fin);
	if (!is_http || !verdict_has_responder(ctx))
		return edge_hand_over(ctx, settings, service, segment, verdict);
	return flow_begin(segment, class, EDGE426_FLOW_EDGE | EDGE426_FLOW_SERVER_RESET, verdict);
}

/* A keep-alive probe before the first data; the odd octet it may carry is no data. */
static __always_inline enum edge426_reason edge_answer_probe(const struct segment *probe,
							     struct edge426_verdict *verdict)
{
	if (probe->payload_len > 1)
		return EDGE426_REASON_ahead;
	verdict->kind = EDGE426_SEND_ACK;
	verdict->seq = probe->ack;
	verdict->ack = probe->seq + 1;
	return EDGE426_REASON_keepalive;
}

/* A packet that the kernel's socket table does not explain, by its cookie. */
static __always_inline enum edge426_reason
edge_judge_cookie(struct xdp_md *ctx, const struct edge426_edge *settings,
		  const struct edge426_service *service, struct edge426_load *load,
		  const struct segment *segment, enum payload_class class,
		  struct edge426_verdict *verdict)
{
	switch (edge_match(segment)) {
	case COOKIE_FIRST:
		return edge_judge_first(ctx, settings, service, load, segment, class, verdict);
	case COOKIE_PROBE:
		return edge_answer_probe(segment, verdict);
	case COOKIE_OURS:
		return EDGE426_REASON_ahead;
	default:
		return EDGE426_REASON_no_socket;
	}
}

#endif
