/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The way of a packet: parse, service, known flow, payload, proof, verdict.
 * Cheapest test first; the edge owns a packet only if it can prove it, and
 * every exit counts its reason. No policy in the maps means: pass everything.
 */
#include "edge.bpf.h"
#include "flow.bpf.h"
#include "maps.bpf.h"
#include "packet.bpf.h"
#include "policy.bpf.h"
#include "proof.bpf.h"
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

/* The server's kernel did the handshake: its socket table is the proof. */
static __always_inline enum edge426_reason
judge_backend(struct xdp_md *ctx, const struct segment *segment, struct edge426_verdict *verdict)
{
	enum payload_class class;
	enum proof proof;

	if (segment->syn || segment->rst)
		return EDGE426_REASON_no_data;
	class = packet_classify(ctx, segment);
	if (!may_be_http(class))
		return reason_of(class);
	proof = proof_by_socket(ctx, segment);
	if (proof == PROOF_NO_SOCKET)
		return EDGE426_REASON_no_socket;
	if (proof == PROOF_LATER)
		return EDGE426_REASON_not_first;
	if (!verdict_has_responder(ctx))
		return EDGE426_REASON_no_responder;
	return flow_begin(segment, class, 0, verdict);
}

/* The edge did the handshake, or may have: the cookie is the proof where there is no socket. */
static __always_inline enum edge426_reason
judge_edge(struct xdp_md *ctx, const struct edge426_edge *settings,
	   const struct edge426_service *service, struct edge426_load *load,
	   const struct segment *segment, struct edge426_verdict *verdict)
{
	enum payload_class class = packet_classify(ctx, segment);
	__u32 tag = 0, *slot = edge_owned_slot(settings, segment, &tag);
	enum proof proof;

	if (slot && *slot == tag && !may_be_http(class))
		return reason_of(class);
	proof = proof_by_socket(ctx, segment);
	if (proof == PROOF_NO_SOCKET)
		return edge_judge_cookie(ctx, settings, service, load, segment, class, verdict);
	if (proof == PROOF_FIRST && may_be_http(class))
		return verdict_has_responder(ctx) ? flow_begin(segment, class, 0, verdict)
						  : EDGE426_REASON_no_responder;
	if (slot)
		*slot = tag;
	return may_be_http(class) ? EDGE426_REASON_not_first : reason_of(class);
}

/* A packet to a service whose flow is not known. */
static __always_inline enum edge426_reason judge_unknown(struct xdp_md *ctx, __u32 index,
							 const struct segment *segment,
							 struct edge426_verdict *verdict)
{
	struct edge426_service *service = bpf_map_lookup_elem(&services, &index);
	struct edge426_load *load = bpf_map_lookup_elem(&loads, &index);
	struct edge426_edge *settings = edge_settings();

	if (!service || !load || !settings)
		return EDGE426_REASON_not_protected;
	if (service->handshake == EDGE426_HANDSHAKE_BACKEND)
		return judge_backend(ctx, segment, verdict);
	if (segment->syn && !segment->has_ack)
		return edge_answer_syn(ctx, index, segment);
	if (segment->syn || segment->rst)
		return EDGE426_REASON_no_data;
	return judge_edge(ctx, settings, service, load, segment, verdict);
}

/* A packet of a known flow. */
static __always_inline enum edge426_reason judge_known(struct xdp_md *ctx,
						       struct edge426_flow *flow,
						       const struct segment *segment,
						       struct edge426_verdict *verdict)
{
	enum edge426_reason reason = flow_drive(ctx, flow, segment, verdict);

	if (reason == EDGE426_REASON_acked && flow->flags & EDGE426_FLOW_EDGE &&
	    segment->payload_len == 0)
		reason = edge_acknowledge(ctx, segment, verdict);
	if (verdict_needs_responder(reason) && !verdict_has_responder(ctx))
		return flow_forget(segment, EDGE426_REASON_no_responder);
	return reason;
}

/*
 * A flow that is let go, or ends with a new SYN, is judged as if it had not
 * been there: the edge may have to answer the SYN or to hand the flow over.
 */
static __always_inline int is_over(enum edge426_reason reason)
{
	return reason == EDGE426_REASON_new_connection || reason == EDGE426_REASON_other_in_flow ||
	       reason == EDGE426_REASON_let_go;
}

static __always_inline enum edge426_reason judge(struct xdp_md *ctx, struct segment *segment,
						 struct edge426_verdict *verdict)
{
	int parsed = packet_read_segment(ctx, segment);
	enum edge426_reason reason = EDGE426_REASON_not_protected;
	struct edge426_flow *flow;
	__s32 index;

	if (parsed != HEADERS_OK)
		return parsed == HEADERS_NOT_TCP ? EDGE426_REASON_not_tcp
						 : EDGE426_REASON_malformed;
	verdict->answer = policy_active_half();
	index = policy_find_service(segment, verdict->answer);
	if (index < 0)
		return EDGE426_REASON_not_protected;
	flow = bpf_map_lookup_elem(&flows, &segment->key);
	if (flow) {
		reason = judge_known(ctx, flow, segment, verdict);
		if (!is_over(reason) || policy_has_backend_handshake(index))
			return reason;
	}
	return judge_unknown(ctx, index, segment, verdict);
}

SEC("xdp.frags")
int edge426_xdp(struct xdp_md *ctx)
{
	struct edge426_verdict verdict = {};
	struct segment segment = {};
	enum edge426_reason reason = judge(ctx, &segment, &verdict);

	return verdict_execute(ctx, &verdict, reason);
}

char LICENSE[] SEC("license") = "GPL";
