/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The way of a packet: parse, service, known flow, payload, proof, verdict.
 * Cheapest test first; the edge owns a packet only if it can prove it, and
 * every exit counts its reason. No policy in the maps means: pass everything.
 */
#include "edge_data.bpf.h"
#include "edge_syn.bpf.h"
#include "flow.bpf.h"
#include "maps.bpf.h"
#include "packet.bpf.h"
#include "policy.bpf.h"
#include "proof.bpf.h"
#include "rule.bpf.h"
#include "verdict.bpf.h"

static __always_inline int may_be_http(enum payload_class class)
{
	return class == PAYLOAD_HTTP || class == PAYLOAD_HTTP_HEAD || class == PAYLOAD_NEED_MORE;
}

/* Why a packet passes that cannot be the beginning of a plaintext flow. */
static __always_inline enum edge426_reason reason_of(enum payload_class class)
{
	if (class == PAYLOAD_TLS)
		return EDGE426_REASON_tls;
	return class == PAYLOAD_OTHER ? EDGE426_REASON_other : EDGE426_REASON_no_data;
}

/* First octets of a connection that the server's kernel has, by the policy. */
static __always_inline enum edge426_reason judge_first(struct xdp_md *ctx, __u32 index,
						       const struct segment *segment,
						       const struct first *first,
						       struct edge426_verdict *verdict)
{
	enum edge426_reason reason =
		rule_judge(ctx, index, segment, first->class, first_is_last(first, segment));

	if (flow_begins(reason))
		return flow_begin(segment, reason, first, 0, verdict);
	if (verdict_sends_back(reason))
		return flow_reset_both(segment, verdict, reason);
	return reason;
}

/* The server's kernel did the handshake: its socket table is the proof. */
static __always_inline enum edge426_reason judge_backend(struct xdp_md *ctx, __u32 index,
							 const struct segment *segment,
							 struct first *first,
							 struct edge426_verdict *verdict)
{
	enum proof proof;

	if (segment->syn || segment->rst)
		return EDGE426_REASON_no_data;
	first->class = packet_classify(ctx, segment);
	explain_class(first->class);
	if (!may_be_http(first->class))
		return reason_of(first->class);
	proof = proof_by_socket(ctx, segment);
	if (proof == PROOF_NO_SOCKET)
		return EDGE426_REASON_no_socket;
	if (proof != PROOF_FIRST)
		return EDGE426_REASON_not_first;
	return judge_first(ctx, index, segment, first, verdict);
}

/* What passes because it is not the first data of its connection, or TLS, or other. */
static __always_inline enum edge426_reason pass_later(enum payload_class class)
{
	return may_be_http(class) ? EDGE426_REASON_not_first : reason_of(class);
}

/*
 * Half a cookie, 12 bits, is right by chance once in two thousand times: it
 * counts only where the edge does the handshakes of this source, and for the
 * host's own connections. Not static, for the caller's stack.
 */
__noinline int may_be_ahead(struct xdp_md *ctx, __u32 index, const struct segment *segment)
{
	if (!segment || !edge_is_for_host(ctx, segment))
		return 0;
	return policy_has_ended(index) ||
	       rule_judge_syn(ctx, index, segment) == EDGE426_REASON_syn_answered;
}

/*
 * The edge did the handshake, or may have, or what is neither TLS nor HTTP
 * matters: the cookie is the proof where there is no socket. A connection that
 * is past its first octets is noted as the kernel's, to be known at once. One
 * that was handed over has no socket yet when its second segment comes along
 * with the first, and none still when the kernel did not take the first.
 */
static __always_inline enum edge426_reason
judge_edge(struct xdp_md *ctx, const struct edge426_edge *settings, struct edge426_load *load,
	   __u32 index, const struct segment *segment, struct first *first,
	   struct edge426_verdict *verdict)
{
	__u32 tag = 0, *slot = edge_owned_slot(settings, segment, &tag);
	enum payload_class class = packet_classify(ctx, segment);
	enum edge426_reason reason;
	enum proof proof;

	explain_class(class);
	first->class = class;
	if (slot && *slot == (tag | EDGE_KERNELS) && !may_be_http(class))
		return reason_of(class);
	proof = proof_by_socket(ctx, segment);
	if (proof == PROOF_NO_SOCKET && !first->by_cookie)
		return EDGE426_REASON_no_socket;
	if (proof == PROOF_NO_SOCKET) {
		reason = edge_judge_cookie(ctx, settings, load, index, segment, first, verdict);
		if (reason == EDGE426_REASON_ahead && slot && *slot == (tag | EDGE_HANDED_OVER))
			return pass_later(class);
		if (reason == EDGE426_REASON_ahead && !may_be_ahead(ctx, index, segment))
			return EDGE426_REASON_no_socket;
		return reason;
	}
	if (proof == PROOF_FIRST && (may_be_http(class) || class == PAYLOAD_OTHER))
		return judge_first(ctx, index, segment, first, verdict);
	if (slot && proof == PROOF_LATER)
		*slot = tag | EDGE_KERNELS;
	return pass_later(class);
}

/* A SYN ends what was known of a connection with the same addresses and ports. */
static __always_inline enum edge426_reason judge_syn(struct xdp_md *ctx,
						     const struct edge426_edge *settings,
						     const struct edge426_service *service,
						     __u32 index, const struct segment *syn)
{
	edge_own(settings, syn, EDGE_ANYBODYS);
	if (service->handshake == EDGE426_HANDSHAKE_BACKEND)
		return EDGE426_REASON_no_data;
	return edge_meet_syn(ctx, index, syn);
}

/* A packet to a service whose flow is not known. */
static __always_inline enum edge426_reason
judge_unknown(struct xdp_md *ctx, const struct place *place, const struct segment *segment,
	      struct first *first, struct edge426_verdict *verdict)
{
	__u32 index = place->index;
	struct edge426_service *service = bpf_map_lookup_elem(&services, &index);
	struct edge426_load *load = bpf_map_lookup_elem(&loads, &index);
	struct edge426_edge *settings = edge_settings();

	if (!service || !load || !settings)
		return EDGE426_REASON_not_protected;
	first->by_cookie = place->had_edge || (service->handshake != EDGE426_HANDSHAKE_BACKEND &&
					       !policy_has_ended(index));
	if (!first->by_cookie && service->other == EDGE426_ACTION_PASS)
		return judge_backend(ctx, index, segment, first, verdict);
	if (segment->syn && !segment->has_ack && !segment->rst)
		return judge_syn(ctx, settings, service, index, segment);
	if (segment->syn || segment->rst)
		return EDGE426_REASON_no_data;
	return judge_edge(ctx, settings, load, index, segment, first, verdict);
}

static __always_inline int is_over_limit(__u32 index, const struct segment *segment)
{
	struct edge426_service *service = bpf_map_lookup_elem(&services, &index);

	return service && rule_is_limited(service, segment);
}

/* A packet of a known flow. */
static __always_inline enum edge426_reason judge_known(struct xdp_md *ctx, __u32 index,
						       struct edge426_flow *flow,
						       const struct segment *segment,
						       struct edge426_verdict *verdict)
{
	enum edge426_reason reason = flow_drive(ctx, flow, segment, verdict);

	if (reason == EDGE426_REASON_acked && flow->flags & EDGE426_FLOW_EDGE &&
	    segment->payload_len == 0)
		reason = edge_acknowledge(ctx, segment, verdict);
	if (verdict_needs_responder(verdict) && !verdict_has_responder(ctx)) {
		verdict->kind = 0;
		return flow_forget(segment, EDGE426_REASON_no_responder);
	}
	if (reason == EDGE426_REASON_answered_again && is_over_limit(index, segment)) {
		verdict->kind = 0;
		return EDGE426_REASON_limited;
	}
	return reason;
}

/*
 * A flow that ends with a new SYN, or has told what it is, is judged as if it
 * had not been there: the edge may have to answer the SYN or to hand it over.
 */
static __always_inline int is_over(enum edge426_reason reason)
{
	return reason == EDGE426_REASON_new_connection || reason == EDGE426_REASON_other_in_flow ||
	       reason == EDGE426_REASON_let_go;
}

/* What says less than why the flow is over. */
static __always_inline int is_plain(enum edge426_reason reason)
{
	return reason == EDGE426_REASON_no_data || reason == EDGE426_REASON_tls ||
	       reason == EDGE426_REASON_other;
}

/* A packet to a place that has a service, or had one. */
static __always_inline enum edge426_reason judge_place(struct xdp_md *ctx,
						       const struct place *place,
						       const struct segment *segment,
						       struct edge426_verdict *verdict)
{
	struct edge426_flow *flow = bpf_map_lookup_elem(&flows, &segment->key);
	enum edge426_reason reason, over = EDGE426_REASON_not_protected;
	struct first first = {};

	if (flow) {
		over = judge_known(ctx, place->index, flow, segment, verdict);
		if (!is_over(over))
			return over;
		first.held = flow->held;
		flow_forget(segment, over);
	}
	reason = judge_unknown(ctx, place, segment, &first, verdict);
	if (flow && is_plain(reason))
		return over;
	if (policy_has_ended(place->index) && !verdict->kind && !verdict_drops(reason))
		return EDGE426_REASON_not_protected;
	return reason;
}

static __always_inline enum edge426_reason judge(struct xdp_md *ctx, struct segment *segment,
						 struct edge426_verdict *verdict)
{
	int parsed = packet_read_segment(ctx, segment);
	struct edge426_state *now = policy_state();
	struct place place;
	__u32 half, tag;

	if (parsed != HEADERS_OK)
		return parsed == HEADERS_NOT_TCP ? EDGE426_REASON_not_tcp
						 : EDGE426_REASON_malformed;
	if (!now)
		return EDGE426_REASON_not_protected;
	half = policy_half(now);
	tag = now->tags[half];
	verdict->answer = EDGE426_ANSWER_OF(half, tag);
	place = policy_find_place(segment, half, tag);
	explain_service(place.index);
	if (place.index < 0)
		return EDGE426_REASON_not_protected;
	return judge_place(ctx, &place, segment, verdict);
}

SEC("xdp.frags")
int edge426_xdp(struct xdp_md *ctx)
{
	struct edge426_verdict verdict = {};
	struct segment segment = {};
	enum edge426_reason reason = judge(ctx, &segment, &verdict);
	int action;

	action = verdict_execute(ctx, &verdict, reason);
	if (action >= 0)
		return action;
	flow_forget(&segment,
		    reason); /* or it would go on as if its beginning had been carried out */
	return verdict_pass(EDGE426_REASON_no_metadata);
}

char LICENSE[] SEC("license") = "GPL";
