/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a verdict to what happens to the packet: the only place that knows
 * XDP_*. A verdict travels in the metadata before the frame, to the responder
 * or to the TC program. Whatever cannot be carried out passes.
 */
#ifndef EDGE426_VERDICT_BPF_H
#define EDGE426_VERDICT_BPF_H

#include "explain.bpf.h"
#include "maps.bpf.h"

static __always_inline int verdict_has_responder(struct xdp_md *ctx)
{
	__u32 queue = ctx->rx_queue_index;

	return explaining || bpf_map_lookup_elem(&xsks, &queue) != NULL;
}

/* `len` octets of metadata before the frame; NULL when the driver has no room for them. */
static __always_inline void *verdict_take_metadata(struct xdp_md *ctx, __u32 len)
{
	void *metadata;

	if (bpf_xdp_adjust_meta(ctx, -(int)len))
		return NULL;
	metadata = (void *)(long)ctx->data_meta;
	return metadata + len > (void *)(long)ctx->data ? NULL : metadata;
}

static __always_inline int verdict_pass(enum edge426_reason reason)
{
	count(reason);
	return XDP_PASS;
}

static __always_inline int verdict_drop(enum edge426_reason reason)
{
	count(reason);
	return XDP_DROP;
}

static __always_inline int verdict_send_back(enum edge426_reason reason)
{
	count(reason);
	return XDP_TX;
}

/* To the AF_XDP socket of this queue; when it is gone, to the server. */
static __always_inline int verdict_respond(struct xdp_md *ctx,
					   const struct edge426_verdict *verdict,
					   enum edge426_reason reason)
{
	struct edge426_verdict *metadata = verdict_take_metadata(ctx, sizeof(*metadata));

	if (!metadata)
		return -1;
	*metadata = *verdict;
	count(reason);
	return bpf_redirect_map(&xsks, ctx->rx_queue_index, XDP_PASS);
}

static __always_inline int verdict_to_tc(struct xdp_md *ctx, const struct edge426_verdict *verdict,
					 enum edge426_reason reason)
{
	struct edge426_tc_metadata *metadata = verdict_take_metadata(ctx, sizeof(*metadata));

	if (!metadata)
		return -1;
	__builtin_memset(metadata, 0, sizeof(*metadata));
	metadata->verdict = *verdict;
	return verdict_pass(reason);
}

static __always_inline int verdict_needs_responder(const struct edge426_verdict *verdict)
{
	return verdict->kind >= EDGE426_SEND_ANSWER && verdict->kind <= EDGE426_SEND_RESET;
}

/* Whether the frame itself, rewritten, goes back to the client; for a verdict without a kind. */
static __always_inline int verdict_sends_back(enum edge426_reason reason)
{
	switch (reason) {
	case EDGE426_REASON_syn_answered:
	case EDGE426_REASON_acked_back:
	case EDGE426_REASON_reset_syn:
	case EDGE426_REASON_reset_http:
	case EDGE426_REASON_reset_other:
		return 1;
	default:
		return 0;
	}
}

static __always_inline int verdict_drops(enum edge426_reason reason)
{
	switch (reason) {
	case EDGE426_REASON_held:
	case EDGE426_REASON_zero_window:
	case EDGE426_REASON_out_of_order:
	case EDGE426_REASON_absorbed:
	case EDGE426_REASON_reply_failed:
	case EDGE426_REASON_handshake_ended:
	case EDGE426_REASON_ahead:
	case EDGE426_REASON_dropped_http:
	case EDGE426_REASON_dropped_other:
	case EDGE426_REASON_limited:
		return 1;
	default:
		return 0;
	}
}

/*
 * A verdict with a kind is a message to somebody; for the others the reason
 * says it all. -1, and nothing done, when there is no room for the message.
 */
static __always_inline int verdict_execute(struct xdp_md *ctx, struct edge426_verdict *verdict,
					   enum edge426_reason reason)
{
	verdict->magic = EDGE426_MAGIC;
	if (verdict_needs_responder(verdict))
		return verdict_respond(ctx, verdict, reason);
	if (verdict->kind)
		return verdict_to_tc(ctx, verdict, reason);
	if (verdict_sends_back(reason))
		return verdict_send_back(reason);
	return verdict_drops(reason) ? verdict_drop(reason) : verdict_pass(reason);
}

#endif
