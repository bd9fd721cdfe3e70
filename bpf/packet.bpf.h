/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads a packet: its headers into values, its first octets into a class. The
 * functions are not static, so that the verifier walks each once and not once
 * for every way that leads to it.
 */
#ifndef EDGE426_PACKET_BPF_H
#define EDGE426_PACKET_BPF_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "classify.h"
#include "segment.h"

/* An enum headers_result; the segment is filled on HEADERS_OK. */
__noinline int packet_read_segment(struct xdp_md *ctx, struct segment *segment)
{
	struct cursor cursor = {(void *)(long)ctx->data, (void *)(long)ctx->data_end};
	struct headers headers;
	enum headers_result result;

	if (!segment)
		return HEADERS_MALFORMED;
	result = headers_parse(&cursor, bpf_xdp_get_buff_len(ctx), &headers);
	if (result == HEADERS_OK)
		segment_read(&headers, &cursor, segment);
	return result;
}

/* An enum payload_class; the octets may lie in the fragments of a multi-buffer frame. */
__noinline int packet_classify_octets(struct xdp_md *ctx, __u32 offset, __u32 len)
{
	__u8 octets[CLASSIFY_MAX] = {};

	if (len == 0)
		return PAYLOAD_NEED_MORE;
	if (len > CLASSIFY_MAX)
		len = CLASSIFY_MAX;
	if (bpf_xdp_load_bytes(ctx, offset, octets, len))
		return PAYLOAD_OTHER;
	return classify_payload(octets, len);
}

/* The first octet alone tells TLS and most else; only a candidate is copied. */
static __always_inline enum payload_class packet_classify(struct xdp_md *ctx,
							  const struct segment *segment)
{
	if (segment->payload_len == 0)
		return PAYLOAD_NONE;
	if (segment->first_octet >= 0) {
		enum octet_class first = classify_octet(segment->first_octet);

		if (first == OCTET_TLS)
			return PAYLOAD_TLS;
		if (first == OCTET_OTHER)
			return PAYLOAD_OTHER;
	}
	return packet_classify_octets(ctx, segment->payload_offset, segment->payload_len);
}

#endif
