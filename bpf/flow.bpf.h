/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A plaintext flow from its takeover to its end: which packet of the client is
 * answered, acknowledged, dropped or turned into the server's RST. The
 * client's retransmission is the only timer, so a request's end is never
 * acknowledged without the answer in the same segment: if that were lost, the
 * client would have nothing left to send again and hang.
 */
#ifndef EDGE426_FLOW_BPF_H
#define EDGE426_FLOW_BPF_H

#include "maps.bpf.h"
#include "packet.bpf.h"
#include "sequence.h"

static __always_inline enum edge426_reason flow_forget(const struct segment *segment,
						       enum edge426_reason reason)
{
	bpf_map_delete_elem(&flows, &segment->key);
	return reason;
}

/* The answer to everything received in order so far. */
static __always_inline enum edge426_reason flow_answer(const struct edge426_flow *flow,
						       const struct segment *segment,
						       struct edge426_verdict *verdict,
						       enum edge426_reason reason)
{
	if (segment->window == 0)
		return EDGE426_REASON_zero_window;
	verdict->kind = EDGE426_SEND_ANSWER;
	verdict->flags = flow->flags & EDGE426_FLOW_HEAD;
	verdict->seq = flow->answer_seq;
	verdict->ack = flow->next;
	return reason;
}

/*
 * A segment sent by us after the answer takes the sequence number that the
 * client expects, which its own acknowledgement tells.
 */
static __always_inline enum edge426_reason flow_send(const struct edge426_flow *flow,
						     const struct segment *segment,
						     struct edge426_verdict *verdict, __u8 kind,
						     enum edge426_reason reason)
{
	verdict->kind = kind;
	verdict->seq = segment->ack;
	verdict->ack = flow->next;
	return reason;
}

/* At TC the packet becomes the RST that the server expects at `first`. */
static __always_inline enum edge426_reason flow_reset_server(struct edge426_flow *flow,
							     const struct segment *segment,
							     struct edge426_verdict *verdict,
							     __u8 kind)
{
	flow->flags |= EDGE426_FLOW_SERVER_RESET;
	verdict->server_seq = flow->first;
	return flow_send(flow, segment, verdict, kind, EDGE426_REASON_reset_server);
}

/* Fills the flow of a request whose first octets have been recognised. */
static __always_inline enum edge426_reason flow_take_over(struct edge426_flow *flow,
							  const struct segment *segment,
							  enum payload_class class,
							  struct edge426_verdict *verdict)
{
	flow->first = segment->seq;
	flow->next = segment->end;
	flow->answer_seq = segment->ack;
	flow->flags &= EDGE426_FLOW_SERVER_RESET | EDGE426_FLOW_EDGE;
	if (class == PAYLOAD_HTTP_HEAD)
		flow->flags |= EDGE426_FLOW_HEAD;
	return flow_answer(flow, segment, verdict, EDGE426_REASON_answered);
}

/*
 * Too few octets so far: nothing has been acknowledged, so the client sends
 * them again, with more behind them, until they tell: then the flow is judged
 * anew from its first octet, with what it has been held before. So it is when
 * no more will come: a client's window may be full of octets that do not tell,
 * and then its fourth retransmission, after some seconds, is like the first.
 */
static __always_inline enum edge426_reason flow_drive_held(struct edge426_flow *flow,
							   const struct segment *segment)
{
	if (segment->payload_len == 0 && !segment->fin)
		return flow->flags & EDGE426_FLOW_SERVER_RESET ? EDGE426_REASON_absorbed
							       : EDGE426_REASON_early_ack;
	if (segment->seq == flow->first && !sequence_after(segment->end, flow->next))
		flow->held += EDGE426_HELD_AGAIN;
	if (segment->fin || flow->held > EDGE426_HELD_MAX)
		flow->held = EDGE426_HELD_MAX;
	if (segment->seq != flow->first) {
		flow->held++;
		return EDGE426_REASON_held;
	}
	return flow->held >= EDGE426_HELD_MAX ? EDGE426_REASON_let_go
					      : EDGE426_REASON_other_in_flow;
}

/* The action is drop: the client gets nothing, the server's half its RST. */
static __always_inline enum edge426_reason flow_drop(const struct edge426_flow *flow,
						     const struct segment *segment,
						     struct edge426_verdict *verdict,
						     enum edge426_reason reason)
{
	if (segment->payload_len && !(flow->flags & EDGE426_FLOW_SERVER_RESET)) {
		verdict->kind = EDGE426_TC_RESET;
		verdict->server_seq = flow->first;
	}
	return reason;
}

/* The action is reset: nothing needs to be remembered, the kernel resets what comes later. */
static __always_inline enum edge426_reason flow_reset_both(const struct segment *segment,
							   struct edge426_verdict *verdict,
							   enum edge426_reason reason)
{
	verdict->kind = EDGE426_TC_RESET_BOTH;
	verdict->seq = segment->ack;
	verdict->ack = segment->end;
	verdict->server_seq = segment->seq;
	return reason;
}

/* Only the RST that fits exactly counts (RFC 5961 3.2); the kernel judges the others. */
static __always_inline enum edge426_reason flow_drive_rst(struct edge426_flow *flow,
							  const struct segment *segment,
							  struct edge426_verdict *verdict)
{
	int exact = segment->seq == flow->next;

	if (flow->flags & EDGE426_FLOW_SERVER_RESET)
		return exact ? flow_forget(segment, EDGE426_REASON_absorbed)
			     : EDGE426_REASON_absorbed;
	if (!exact)
		return EDGE426_REASON_stray_rst;
	flow_reset_server(flow, segment, verdict, EDGE426_TC_RESET);
	return flow_forget(segment, EDGE426_REASON_reset_server);
}

static __always_inline enum edge426_reason flow_drive_ack(struct edge426_flow *flow,
							  const struct segment *segment,
							  struct edge426_verdict *verdict)
{
	int has_answer = sequence_after(segment->ack, flow->answer_seq);

	if (has_answer && segment->seq == flow->next - 1)
		return flow_send(flow, segment, verdict, EDGE426_SEND_ACK,
				 EDGE426_REASON_keepalive);
	if (flow->flags & EDGE426_FLOW_SERVER_RESET)
		return EDGE426_REASON_absorbed;
	if (!has_answer)
		return EDGE426_REASON_early_ack;
	return flow_reset_server(flow, segment, verdict, EDGE426_TC_RESET);
}

/* Data or FIN of a client that has its answer: acknowledged, thrown away, bounded. */
static __always_inline enum edge426_reason flow_discard(struct edge426_flow *flow,
							const struct segment *segment, __u32 fresh,
							struct edge426_verdict *verdict)
{
	if (!(flow->flags & EDGE426_FLOW_SERVER_RESET))
		return flow_reset_server(flow, segment, verdict, EDGE426_TC_ACK_RESET);
	flow->discarded += fresh;
	if (flow->discarded > EDGE426_DISCARD_MAX) {
		flow_send(flow, segment, verdict, EDGE426_SEND_RESET, EDGE426_REASON_reset_client);
		return flow_forget(segment, EDGE426_REASON_reset_client);
	}
	return flow_send(flow, segment, verdict, EDGE426_SEND_ACK, EDGE426_REASON_acked);
}

/*
 * Data or FIN. Only octets in order count. A first segment that is sent again
 * is classified again: what a damaged copy of it looked like must not stay.
 */
static __always_inline enum edge426_reason flow_drive_data(struct edge426_flow *flow,
							   const struct segment *segment,
							   enum payload_class class,
							   struct edge426_verdict *verdict)
{
	__u32 fresh = 0;

	if (sequence_after(segment->seq, flow->next))
		return EDGE426_REASON_out_of_order;
	if (sequence_before(segment->seq, flow->first - 1))
		return EDGE426_REASON_absorbed;
	if (sequence_after(segment->end, flow->next)) {
		fresh = segment->end - flow->next;
		flow->next = segment->end;
	}
	if (sequence_after(segment->ack, flow->answer_seq))
		return flow_discard(flow, segment, fresh, verdict);
	if (segment->seq == flow->first && (class == PAYLOAD_TLS || class == PAYLOAD_OTHER))
		return EDGE426_REASON_other_in_flow;
	return flow_answer(flow, segment, verdict, EDGE426_REASON_answered_again);
}

/*
 * A packet of a known flow. The class is asked for only where it matters. With
 * new_connection, other_in_flow and let_go the flow is over, the packet is not.
 */
static __always_inline enum edge426_reason flow_drive(struct xdp_md *ctx, struct edge426_flow *flow,
						      const struct segment *segment,
						      struct edge426_verdict *verdict)
{
	enum payload_class class = PAYLOAD_HTTP;

	if (segment->syn)
		return EDGE426_REASON_new_connection;
	if (flow->flags & EDGE426_FLOW_DROP)
		return flow_drop(flow, segment, verdict, EDGE426_REASON_absorbed);
	if (segment->rst)
		return flow_drive_rst(flow, segment, verdict);
	if (flow->flags & EDGE426_FLOW_HELD)
		return flow_drive_held(flow, segment);
	if (segment->seq == flow->first && segment->payload_len)
		class = packet_classify(ctx, segment);
	if (segment->payload_len || segment->fin)
		return flow_drive_data(flow, segment, class, verdict);
	return flow_drive_ack(flow, segment, verdict);
}

/* What is known of first octets, once they are proven to be that. */
struct first {
	enum payload_class class;
	__u16 held;	 /* segments of this connection dropped before as they did not tell */
	__u16 by_cookie; /* the edge may have done its handshake */
};

/* Whether they are to be judged as they are: no more will come, or has for long. */
static __always_inline int first_is_last(const struct first *first, const struct segment *segment)
{
	return segment->fin || first->held >= EDGE426_HELD_MAX;
}

/* Whether a rule takes the connection, so that it has to be remembered. */
static __always_inline int flow_begins(enum edge426_reason rule)
{
	return rule == EDGE426_REASON_answered || rule == EDGE426_REASON_held ||
	       rule == EDGE426_REASON_dropped_http || rule == EDGE426_REASON_dropped_other;
}

/* The flow as the rule has it; without an entry in `flows` yet. */
static __always_inline enum edge426_reason
flow_make(struct edge426_flow *flow, const struct segment *segment, enum edge426_reason rule,
	  const struct first *first, struct edge426_verdict *verdict)
{
	if (rule == EDGE426_REASON_answered)
		return flow_take_over(flow, segment, first->class, verdict);
	if (rule == EDGE426_REASON_held) {
		flow->flags |= EDGE426_FLOW_HELD;
		flow->held = first->held + 1;
		flow->next = segment->end;
		return rule;
	}
	flow->flags |= EDGE426_FLOW_DROP;
	return flow_drop(flow, segment, verdict, rule);
}

/*
 * Proven first data that a rule takes: the flow begins. `flags` is
 * EDGE426_FLOW_EDGE | EDGE426_FLOW_SERVER_RESET when no server knows of the connection.
 */
static __always_inline enum edge426_reason flow_begin(const struct segment *segment,
						      enum edge426_reason rule,
						      const struct first *first, __u16 flags,
						      struct edge426_verdict *verdict)
{
	struct edge426_flow flow = {.first = segment->seq, .flags = flags};
	enum edge426_reason reason = flow_make(&flow, segment, rule, first, verdict);

	if (reason == EDGE426_REASON_zero_window)
		return reason;
	if (!bpf_map_update_elem(&flows, &segment->key, &flow, BPF_ANY))
		return reason;
	verdict->kind = 0;
	return EDGE426_REASON_no_flow;
}

#endif
