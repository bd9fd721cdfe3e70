/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SYNs at the edge: answered with a cookie, or left to the server's kernel.
 * Nothing is remembered of a handshake, so a flood of SYNs costs no memory.
 */
#ifndef EDGE426_EDGE_SYN_BPF_H
#define EDGE426_EDGE_SYN_BPF_H

#include "edge.bpf.h"
#include "edge_reply.bpf.h"
#include "explain.bpf.h"
#include "listener.bpf.h"
#include "proof.bpf.h"
#include "rule.bpf.h"

#define AF_INET 2
#define AF_INET6 10
#define IP4_HEADERS_LEN 40 /* IPv4 and TCP without options */
#define IP6_HEADERS_LEN 60
#define IP4_MSS_MIN 536 /* RFC 9293 3.7.1, and the least that the hand-over takes */
#define IP6_MSS_MIN 1220
#define TIMESTAMPS_LEN 12

/* Whether the SYN is for a listener and for no other socket, TIME_WAIT included. */
static __always_inline int edge_find_listener(struct xdp_md *ctx, const struct segment *syn,
					      struct listener *listener)
{
	struct tcp_sock *tcp = NULL;
	struct bpf_sock *sk;

	if (explaining)
		return 1;
	sk = proof_lookup(ctx, syn);
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

/* Linux 6.2; before it the edge answers no SYN that this is asked about. */
extern void *bpf_cast_to_kern_ctx(void *ctx) __ksym __weak;

/* Whether the frame is to the interface's own address: a promiscuous one sees all others too. */
static __always_inline int edge_is_to_interface(struct xdp_md *ctx)
{
	__u64 own = 0, to = 0; /* six octets of each */
	struct xdp_buff *xdp;

	if (!bpf_cast_to_kern_ctx)
		return 0;
	xdp = bpf_cast_to_kern_ctx(ctx);
	if (bpf_probe_read_kernel(&own, ETH_ALEN, xdp->rxq->dev->dev_addr) ||
	    bpf_xdp_load_bytes(ctx, 0, &to, ETH_ALEN))
		return 0;
	return own == to;
}

/*
 * A router may have a listener on every address: the destination must be its
 * own. Where nothing is forwarded the kernel does not say which are; then what
 * is sent to the interface is taken for its own. The question is put in
 * `scratch`, as the stack has no room for it. The answer is the same for the
 * broadcast address of a network: frames to that come to an Ethernet group
 * address, which edge_may_answer refuses.
 */
static __always_inline int edge_is_local(struct xdp_md *ctx, const struct segment *syn)
{
	struct bpf_fib_lookup *route;
	__u32 zero = 0;
	long result;

	route = bpf_map_lookup_elem(&scratch, &zero);
	if (explaining || !route)
		return explaining;
	__builtin_memset(route, 0, sizeof(*route));
	route->ifindex = ctx->ingress_ifindex;
	route->l4_protocol = IPPROTO_TCP;
	if (syn->family == 4) {
		route->family = AF_INET;
		__builtin_memcpy(&route->ipv4_src, syn->key.client + SEGMENT_IP4_AT, 4);
		__builtin_memcpy(&route->ipv4_dst, syn->key.server + SEGMENT_IP4_AT, 4);
	} else {
		route->family = AF_INET6;
		__builtin_memcpy(route->ipv6_src, syn->key.client, 16);
		__builtin_memcpy(route->ipv6_dst, syn->key.server, 16);
	}
	result = bpf_fib_lookup(ctx, route, sizeof(*route), 0);
	if (result == BPF_FIB_LKUP_RET_FWD_DISABLED)
		return edge_is_to_interface(ctx);
	return result == BPF_FIB_LKUP_RET_NOT_FWDED;
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
	if ((!settings->ready && !explaining) || settings->unable || !verdict_has_responder(ctx)) {
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

	if (!service || !load || !settings || !syn || !offer || !reply)
		return EDGE426_REASON_syn_unfit;
	if (!edge_may_answer(syn) || syn->fin || offer->is_signed ||
	    offer->mss < (syn->family == 4 ? IP4_MSS_MIN : IP6_MSS_MIN))
		return EDGE426_REASON_syn_unfit;
	reason = edge_choose(ctx, settings, service, load, syn, &listener);
	if (reason != EDGE426_REASON_syn_answered)
		return reason;
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

/* Sent to this host by somebody. Not static, so that its variables are not on the caller's stack.
 */
__noinline int edge_is_for_host(struct xdp_md *ctx, const struct segment *syn)
{
	return syn && edge_may_answer(syn) && edge_is_local(ctx, syn);
}

/* RFC 9293 3.10.7.1: as if nobody listened. */
static __always_inline enum edge426_reason edge_refuse_syn(struct xdp_md *ctx,
							   const struct segment *syn)
{
	if (!edge_is_for_host(ctx, syn))
		return EDGE426_REASON_syn_unfit;
	return edge_reset(ctx, syn, 0, EDGE426_REASON_reset_syn);
}

/* A SYN to a service whose handshakes are the edge's, by the policy. */
static __always_inline enum edge426_reason edge_meet_syn(struct xdp_md *ctx, __u32 index,
							 const struct segment *syn)
{
	enum edge426_reason reason = rule_judge_syn(ctx, index, syn);

	if (reason == EDGE426_REASON_syn_answered)
		return edge_answer_syn(ctx, index, syn);
	return reason == EDGE426_REASON_reset_syn ? edge_refuse_syn(ctx, syn) : reason;
}

#endif
