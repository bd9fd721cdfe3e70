/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The client's own frame turned into what goes back to it from the driver:
 * SYN-ACK, ACK or RST.
 */
#ifndef EDGE426_EDGE_REPLY_BPF_H
#define EDGE426_EDGE_REPLY_BPF_H

#include "maps.bpf.h"
#include "reply.h"

#define LINK_MAX 22 /* octets: Ethernet and two VLAN tags */

/* Not static, so that the verifier walks it once. */
__noinline int edge_read_options(struct xdp_md *ctx, __u32 tcp_offset, __u32 payload_offset,
				 struct syn_options *options)
{
	__u32 len = payload_offset - tcp_offset - sizeof(struct tcphdr);
	__u8 octets[TCP_OPTIONS_MAX + TCP_OPTION_TIMESTAMPS_LEN] = {};

	if (!options)
		return -1;
	if (len == 0)
		return 0;
	if (len > TCP_OPTIONS_MAX)
		return -1;
	if (bpf_xdp_load_bytes(ctx, tcp_offset + sizeof(struct tcphdr), octets, len))
		return -1;
	tcp_options_read_syn(octets, len, options);
	return 0;
}

/*
 * A frame of `len` octets: grown at its head, for there may be no room at the
 * tail. One in several buffers is left alone: on veth, Linux 6.18 frees pages
 * it does not own when the program shrinks it (bpf_xdp_frags_shrink_tail).
 */
static __always_inline int edge_resize(struct xdp_md *ctx, __u32 len)
{
	__u32 now = bpf_xdp_get_buff_len(ctx);
	int more = (int)len - (int)now;

	if (now != ctx->data_end - ctx->data)
		return -1;
	return more > 0 ? bpf_xdp_adjust_head(ctx, -more) : bpf_xdp_adjust_tail(ctx, more);
}

static __always_inline int edge_write_packet(struct xdp_md *ctx, const struct segment *syn,
					     const struct reply *reply)
{
	union {
		struct reply4 ip4;
		struct reply6 ip6;
	} packet = {};
	__u32 len;

	if (syn->family == 4)
		len = reply_build4(reply, syn, &packet.ip4);
	else
		len = reply_build6(reply, syn, &packet.ip6);
	if (len == 0 || len > sizeof(packet) || edge_resize(ctx, syn->ip_offset + len))
		return -1;
	return bpf_xdp_store_bytes(ctx, syn->ip_offset, &packet, len);
}

/* The client's frame becomes the reply's. Not static, so that the verifier walks it once. */
__noinline int edge_write_reply(struct xdp_md *ctx, const struct segment *syn,
				const struct reply *reply)
{
	__u8 link[LINK_MAX + 2] = {}, turned[2 * ETH_ALEN];
	__u32 link_len;

	if (!syn || !reply)
		return -1;
	link_len = syn->ip_offset;
	if (link_len < ETH_HLEN || link_len > LINK_MAX ||
	    bpf_xdp_load_bytes(ctx, 0, link, link_len))
		return -1;
	if (edge_write_packet(ctx, syn, reply))
		return -1;
	__builtin_memcpy(turned, link + ETH_ALEN, ETH_ALEN);
	__builtin_memcpy(turned + ETH_ALEN, link, ETH_ALEN);
	__builtin_memcpy(link, turned, sizeof(turned));
	return bpf_xdp_store_bytes(ctx, 0, link, link_len);
}

/*
 * The ACK of a FIN, from the verdict for the responder: the client's frame has
 * room for it, so it goes back from here and spares the way through user space.
 */
static __always_inline enum edge426_reason
edge_acknowledge(struct xdp_md *ctx, const struct segment *fin, struct edge426_verdict *verdict)
{
	struct reply reply = {.seq = verdict->seq, .ack = verdict->ack, .window = 0xffff};
	struct syn_options options = {};
	__be32 tsecr;

	if (edge_read_options(ctx, fin->tcp_offset, fin->payload_offset, &options))
		return EDGE426_REASON_acked;
	__builtin_memcpy(&tsecr, options.tsecr, sizeof(tsecr));
	__builtin_memcpy(reply.client_tsval, options.tsval, sizeof(reply.client_tsval));
	reply.tsval = bpf_ntohl(tsecr);
	reply.timestamps = options.has_timestamps;
	verdict->kind = 0;
	return edge_write_reply(ctx, fin, &reply) ? EDGE426_REASON_reply_failed
						  : EDGE426_REASON_acked_back;
}

/* RST, which a client takes at exactly the sequence number that it expects, RFC 5961 3.2. */
static __always_inline enum edge426_reason
edge_reset(struct xdp_md *ctx, const struct segment *segment, __u32 seq, enum edge426_reason reason)
{
	struct reply reply = {.seq = seq, .ack = segment->end + segment->syn, .rst = 1};

	return edge_write_reply(ctx, segment, &reply) ? EDGE426_REASON_reply_failed : reason;
}

#endif
