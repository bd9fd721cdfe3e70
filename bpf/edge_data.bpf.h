/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * After the SYN-ACK of the edge: bare ACKs absorbed, the first data met before
 * the server's kernel knows of the connection. What the policy passes is
 * handed over at TC.
 */
#ifndef EDGE426_EDGE_DATA_BPF_H
#define EDGE426_EDGE_DATA_BPF_H

#include "edge.bpf.h"
#include "edge_reply.bpf.h"
#include "flow.bpf.h"
#include "rule.bpf.h"

#define PSH_AT 13 /* where in the TCP header, RFC 9293 3.1 */
#define PSH 0x08

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
 * To TC with what the cookie says was agreed on; from here on the kernel owns
 * the connection, if it takes it. Why it is handed over is the reason that is
 * counted.
 */
static __always_inline enum edge426_reason edge_hand_over(struct xdp_md *ctx,
							  const struct edge426_edge *settings,
							  const struct segment *segment,
							  enum edge426_reason reason,
							  struct edge426_verdict *verdict)
{
	struct agreed agreed;

	edge_own(settings, segment, EDGE_HANDED_OVER);
	cookie_unpack(segment->family, segment->ack - 1, &agreed);
	verdict->kind = EDGE426_TC_HAND_OVER;
	verdict->mss = agreed.mss;
	verdict->client_wscale = agreed.wscale;
	verdict->server_wscale = settings->wscale;
	verdict->sack = agreed.sack;
	verdict->ecn = agreed.ecn;
	edge_push(ctx, segment);
	return reason;
}

/*
 * The client's frame goes back as RST. One of several buffers is not rewritten
 * here, see edge_resize; the responder makes the RST.
 */
static __always_inline enum edge426_reason edge_reset_client(struct xdp_md *ctx,
							     const struct segment *segment,
							     enum edge426_reason reason,
							     struct edge426_verdict *verdict)
{
	if (bpf_xdp_get_buff_len(ctx) == ctx->data_end - ctx->data)
		return edge_reset(ctx, segment, segment->ack, reason);
	verdict->kind = EDGE426_SEND_RESET;
	verdict->seq = segment->ack;
	verdict->ack = segment->end;
	return reason;
}

/* First data, proven by the cookie: no server knows of the connection. */
static __always_inline enum edge426_reason
edge_judge_data(struct xdp_md *ctx, const struct edge426_edge *settings, __u32 index,
		const struct segment *segment, const struct first *first,
		struct edge426_verdict *verdict)
{
	enum edge426_reason reason =
		rule_judge(ctx, index, segment, first->class, first_is_last(first, segment));

	if (reason == EDGE426_REASON_other)
		reason = EDGE426_REASON_handed_over;
	if (flow_begins(reason))
		return flow_begin(segment, reason, first,
				  EDGE426_FLOW_EDGE | EDGE426_FLOW_SERVER_RESET, verdict);
	if (verdict_sends_back(reason))
		return edge_reset_client(ctx, segment, reason, verdict);
	if (verdict_drops(reason))
		return reason;
	return edge_hand_over(ctx, settings, segment, reason, verdict);
}

/* The client's first segment after our SYN-ACK. */
static __always_inline enum edge426_reason
edge_judge_first(struct xdp_md *ctx, const struct edge426_edge *settings, struct edge426_load *load,
		 __u32 index, const struct segment *segment, const struct first *first,
		 struct edge426_verdict *verdict)
{
	if (segment->payload_len == 0 && !segment->fin) {
		load->completed++;
		return EDGE426_REASON_handshake_ended;
	}
	return edge_judge_data(ctx, settings, index, segment, first, verdict);
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
		  struct edge426_load *load, __u32 index, const struct segment *segment,
		  const struct first *first, struct edge426_verdict *verdict)
{
	switch (edge_match(segment)) {
	case COOKIE_FIRST:
		return edge_judge_first(ctx, settings, load, index, segment, first, verdict);
	case COOKIE_PROBE:
		return edge_answer_probe(segment, verdict);
	case COOKIE_OURS:
		return EDGE426_REASON_ahead;
	default:
		return EDGE426_REASON_no_socket;
	}
}

#endif
