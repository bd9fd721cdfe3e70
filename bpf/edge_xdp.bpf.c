/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The way of a packet: parse, service, known flow, payload, proof, verdict.
 * Cheapest test first; the edge owns a packet only if it can prove it, and
 * every exit counts its reason. No policy in the maps means: pass everything.
 */
#include "flow.bpf.h"
#include "maps.bpf.h"
#include "packet.bpf.h"
#include "policy.bpf.h"
#include "proof.bpf.h"
#include "verdict.bpf.h"

/* A packet to a service whose flow is not known: is it the beginning of one? */
static __always_inline enum edge426_reason
judge_first(struct xdp_md *ctx, const struct segment *segment, struct edge426_verdict *verdict)
{
	enum payload_class class;
	enum proof proof;

	if (segment->payload_len == 0 || segment->syn || segment->rst)
		return EDGE426_REASON_no_data;
	class = packet_classify(ctx, segment);
	if (class == PAYLOAD_TLS)
		return EDGE426_REASON_tls;
	if (class == PAYLOAD_OTHER)
		return EDGE426_REASON_other;
	proof = proof_by_socket(ctx, segment);
	if (proof == PROOF_NO_SOCKET)
		return EDGE426_REASON_no_socket;
	if (proof == PROOF_LATER)
		return EDGE426_REASON_not_first;
	if (!verdict_has_responder(ctx))
		return EDGE426_REASON_no_responder;
	return flow_begin(segment, class, verdict);
}

static __always_inline enum edge426_reason judge(struct xdp_md *ctx, struct segment *segment,
						 struct edge426_verdict *verdict)
{
	int parsed = packet_read_segment(ctx, segment);
	enum edge426_reason reason;
	struct edge426_flow *flow;

	if (parsed != HEADERS_OK)
		return parsed == HEADERS_NOT_TCP ? EDGE426_REASON_not_tcp
						 : EDGE426_REASON_malformed;
	verdict->answer = policy_active_half();
	if (!policy_find_service(segment, verdict->answer))
		return EDGE426_REASON_not_protected;
	flow = bpf_map_lookup_elem(&flows, &segment->key);
	if (!flow)
		return judge_first(ctx, segment, verdict);
	reason = flow_drive(ctx, flow, segment, verdict);
	if (verdict_needs_responder(reason) && !verdict_has_responder(ctx))
		return flow_forget(segment, EDGE426_REASON_no_responder);
	return reason;
}

SEC("xdp.frags")
int edge426_xdp(struct xdp_md *ctx)
{
	struct edge426_verdict verdict = {};
	struct segment segment = {};
	enum edge426_reason reason = judge(ctx, &segment, &verdict);

	return verdict_execute(ctx, segment.payload_offset + segment.payload_len, &verdict, reason);
}

char LICENSE[] SEC("license") = "GPL";
