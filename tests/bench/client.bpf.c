/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A client that is one XDP program: SYN, request, FIN, next port, each as the
 * answer to the packet that arrives, sent back in place. Packets carry the
 * connection's numbers; a slot remembers the rest. It has no timers: a slot
 * whose packet is lost rests until the loader begins its next connection. It
 * acknowledges an answer together with the FIN behind it, never alone: what
 * arrives between is the cheapest that a server can be asked for.
 */
#include <linux/bpf.h>
/* The helpers need linux/bpf.h. */
#include <bpf/bpf_helpers.h>

#include "client.h"
#include "headers.h"

/*
 * Fixed at load, but not const: clang 14 takes a copy of a const volatile
 * structure for a copy of its zeros.
 */
struct client_config config;
volatile int stopping; /* no new connections; set while running */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, CLIENT_SLOTS_MAX);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct client_slot);
} slots SEC(".maps");

/* What the server sent. */
struct arrival {
	__u32 slot;
	__u32 seq, ack, end;
	__u32 payload_len;
	__u16 port;
	__u8 syn, fin, rst, http;
};

/* Whether the packet is for one of our addresses, which no socket owns. */
static __always_inline int read_arrival(struct xdp_md *ctx, struct arrival *arrival)
{
	struct cursor cursor = {(void *)(long)ctx->data, (void *)(long)ctx->data_end};
	struct headers headers;
	const __u64 *first;
	__u32 to;

	if (headers_parse(&cursor, cursor.end - cursor.pos, &headers) != HEADERS_OK || !headers.ip4)
		return 0;
	to = bpf_ntohl(headers.ip4->daddr);
	if ((to & ~CLIENT_SLOT_MASK) != bpf_ntohl(config.ip.saddr))
		return 0;
	first = cursor_peek(&cursor, CLIENT_HTTP_LEN);
	arrival->slot = to & CLIENT_SLOT_MASK;
	arrival->seq = bpf_ntohl(headers.tcp->seq);
	arrival->ack = bpf_ntohl(headers.tcp->ack_seq);
	arrival->payload_len = headers.payload_len;
	arrival->port = bpf_ntohs(headers.tcp->dest);
	arrival->syn = headers.tcp->syn;
	arrival->fin = headers.tcp->fin;
	arrival->rst = headers.tcp->rst;
	arrival->end = arrival->seq + headers.payload_len + arrival->fin;
	arrival->http = first && *first == CLIENT_HTTP;
	return 1;
}

/* 1 when something is to be sent; so all below. */
static __always_inline int begin_next(struct client_slot *slot, struct client_segment *next)
{
	slot->port = client_port_after(slot->port);
	slot->state = stopping ? CLIENT_IDLE : CLIENT_SYN_SENT;
	*next = client_syn(&config, next->slot, slot->port, bpf_ktime_get_coarse_ns());
	return slot->state != CLIENT_IDLE;
}

static __always_inline int send_request(struct client_slot *slot, const struct arrival *arrival,
					struct client_segment *next)
{
	slot->state = CLIENT_REQUESTED;
	next->ack = arrival->seq + 1;
	next->tail_len = sizeof(struct client_request);
	next->tail_sum = config.request_sum;
	next->psh = 1;
	return 1;
}

static __always_inline int send_fin(struct client_slot *slot, struct client_segment *next)
{
	slot->state = CLIENT_CLOSING;
	slot->final = next->seq + 1;
	next->fin = 1;
	return 1;
}

static __always_inline int end_by_reset(struct client_slot *slot, struct client_segment *next)
{
	if (slot->state < CLIENT_ANSWERED) {
		slot->refused++;
	} else {
		slot->answered++;
		slot->resets++;
	}
	return begin_next(slot, next);
}

static __always_inline int end_in_order(struct client_slot *slot, struct client_segment *next)
{
	slot->answered++;
	return begin_next(slot, next);
}

static __always_inline int take_answer(struct client_slot *slot, const struct arrival *arrival,
				       struct client_segment *next)
{
	if (slot->state == CLIENT_REQUESTED) {
		slot->state = CLIENT_ANSWERED;
		slot->not_http += !arrival->http;
	}
	return arrival->fin ? send_fin(slot, next) : 0;
}

/* One step of the connection; `next` comes with numbers that fit what has arrived. */
static __always_inline int advance(struct client_slot *slot, const struct arrival *arrival,
				   struct client_segment *next)
{
	slot->events++;
	if (arrival->port != slot->port || slot->state == CLIENT_IDLE)
		goto stray;
	if (arrival->rst)
		return end_by_reset(slot, next);
	if (arrival->syn && slot->state <= CLIENT_REQUESTED)
		return send_request(slot, arrival, next);
	if (arrival->end != arrival->seq && slot->state >= CLIENT_REQUESTED)
		return take_answer(slot, arrival, next);
	if (slot->state == CLIENT_CLOSING && arrival->ack == slot->final)
		return end_in_order(slot, next);
	if (slot->state == CLIENT_REQUESTED)
		return 0; /* the request acknowledged alone */
stray:
	slot->strays++;
	return 0;
}

/*
 * The frame grows at its head: veth leaves no room at the tail. It leaves by
 * the interface it came by, but redirected: after XDP_TX, veth wakes the other
 * end only if that has an XDP program too, and nginx must be measured without.
 */
static __always_inline int send_back(struct xdp_md *ctx, const struct client_segment *next)
{
	int had = (int)bpf_xdp_get_buff_len(ctx);
	__u8 *frame, *end;

	if (bpf_xdp_adjust_head(ctx, had - (int)(CLIENT_TAIL_AT + next->tail_len)))
		return XDP_DROP;
	frame = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	if (frame + CLIENT_TAIL_AT > end)
		return XDP_DROP;
	client_write_headers(&config, next, frame);
	if (next->syn) {
		if (frame + CLIENT_TAIL_AT + sizeof(struct client_options) > end)
			return XDP_DROP;
		*(struct client_options *)(frame + CLIENT_TAIL_AT) = config.options;
	} else if (next->psh) {
		if (frame + CLIENT_TAIL_AT + sizeof(struct client_request) > end)
			return XDP_DROP;
		*(struct client_request *)(frame + CLIENT_TAIL_AT) = config.request;
	}
	return (int)bpf_redirect(ctx->ingress_ifindex, 0);
}

SEC("xdp")
int client(struct xdp_md *ctx)
{
	struct client_segment next = {.has_ack = 1};
	struct arrival arrival = {};
	struct client_slot *slot;

	if (!read_arrival(ctx, &arrival))
		return XDP_PASS;
	slot = bpf_map_lookup_elem(&slots, &arrival.slot);
	if (!slot)
		return XDP_DROP;
	next.slot = arrival.slot;
	next.port = arrival.port;
	next.seq = arrival.ack;
	next.ack = arrival.end;
	return advance(slot, &arrival, &next) ? send_back(ctx, &next) : XDP_DROP;
}

char LICENSE[] SEC("license") = "GPL";
