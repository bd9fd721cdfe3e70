/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a reason to what happens to the packet: the only place that knows
 * XDP_*. A verdict travels in the metadata before the frame, to the responder
 * or to the TC program. Whatever cannot be carried out passes.
 */
#ifndef EDGE426_VERDICT_BPF_H
#define EDGE426_VERDICT_BPF_H

#include "checksum.h"
#include "maps.bpf.h"

#define CUT_CHUNK 64 /* octets summed at a time; they lie on the stack */
#define CUT_CHUNKS_MAX (65536 / CUT_CHUNK)

static __always_inline int verdict_has_responder(struct xdp_md *ctx)
{
	__u32 queue = ctx->rx_queue_index;

	return bpf_map_lookup_elem(&xsks, &queue) != NULL;
}

/* What the sum over the cut octets carries from chunk to chunk. */
struct cut {
	struct xdp_md *ctx;
	__u32 offset, len;
	__u32 sum;
	int failed;
};

/* A bpf_loop callback: one chunk; 1 ends the loop. */
static long verdict_sum_chunk(__u32 i, struct cut *cut)
{
	__u32 part = cut->len < CUT_CHUNK ? cut->len : CUT_CHUNK;
	__u8 chunk[CUT_CHUNK] = {};

	(void)i;
	if (part == 0)
		return 1;
	if (bpf_xdp_load_bytes(cut->ctx, cut->offset, chunk, part)) {
		cut->failed = 1;
		return 1;
	}
	cut->sum = bpf_csum_diff(NULL, 0, (__be32 *)chunk, sizeof(chunk), cut->sum);
	cut->offset += part;
	cut->len -= part;
	return 0;
}

/*
 * The responder's memory holds EDGE426_FRAME_MAX octets of a frame. What is
 * cut off is summed first, so that the checksum can still be verified.
 */
static __always_inline int verdict_cut(struct xdp_md *ctx, __u32 payload_end,
				       struct edge426_verdict *verdict)
{
	__u32 len = bpf_xdp_get_buff_len(ctx);
	struct cut cut = {.ctx = ctx, .offset = EDGE426_FRAME_MAX};

	if (len <= EDGE426_FRAME_MAX)
		return 0;
	if (payload_end > EDGE426_FRAME_MAX) {
		cut.len = payload_end - EDGE426_FRAME_MAX;
		verdict->cut_len = cut.len;
		bpf_loop(CUT_CHUNKS_MAX, verdict_sum_chunk, &cut, 0);
		verdict->cut_sum = (__u16)~checksum_fold(cut.sum);
	}
	if (cut.failed)
		return -1;
	return bpf_xdp_adjust_tail(ctx, (int)EDGE426_FRAME_MAX - (int)len);
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
static __always_inline int verdict_respond(struct xdp_md *ctx, __u32 payload_end,
					   struct edge426_verdict *verdict,
					   enum edge426_reason reason)
{
	struct edge426_verdict *metadata;

	if (verdict_cut(ctx, payload_end, verdict))
		return verdict_pass(EDGE426_REASON_no_metadata);
	metadata = verdict_take_metadata(ctx, sizeof(*metadata));
	if (!metadata)
		return verdict_pass(EDGE426_REASON_no_metadata);
	*metadata = *verdict;
	count(reason);
	return bpf_redirect_map(&xsks, ctx->rx_queue_index, XDP_PASS);
}

static __always_inline int verdict_to_tc(struct xdp_md *ctx, const struct edge426_verdict *verdict,
					 enum edge426_reason reason)
{
	struct edge426_tc_metadata *metadata = verdict_take_metadata(ctx, sizeof(*metadata));

	if (!metadata)
		return verdict_pass(EDGE426_REASON_no_metadata);
	__builtin_memset(metadata, 0, sizeof(*metadata));
	metadata->verdict = *verdict;
	return verdict_pass(reason);
}

static __always_inline int verdict_needs_responder(enum edge426_reason reason)
{
	switch (reason) {
	case EDGE426_REASON_answered:
	case EDGE426_REASON_answered_again:
	case EDGE426_REASON_acked:
	case EDGE426_REASON_keepalive:
	case EDGE426_REASON_reset_client:
	case EDGE426_REASON_reset_other:
		return 1;
	default:
		return 0;
	}
}

static __always_inline int verdict_execute(struct xdp_md *ctx, __u32 payload_end,
					   struct edge426_verdict *verdict,
					   enum edge426_reason reason)
{
	verdict->magic = EDGE426_MAGIC;
	if (verdict_needs_responder(reason))
		return verdict_respond(ctx, payload_end, verdict, reason);
	switch (reason) {
	case EDGE426_REASON_reset_server:
	case EDGE426_REASON_handed_over:
		return verdict_to_tc(ctx, verdict, reason);
	case EDGE426_REASON_syn_answered:
	case EDGE426_REASON_acked_back:
		return verdict_send_back(reason);
	case EDGE426_REASON_held:
	case EDGE426_REASON_zero_window:
	case EDGE426_REASON_out_of_order:
	case EDGE426_REASON_absorbed:
	case EDGE426_REASON_reply_failed:
	case EDGE426_REASON_handshake_ended:
	case EDGE426_REASON_ahead:
		return verdict_drop(reason);
	default:
		return verdict_pass(reason);
	}
}

#endif
