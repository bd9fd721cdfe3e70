/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * First-data proof by the kernel's socket table: are these the first octets
 * the client sent on this connection, and is the connection real? The table is
 * the truth; nothing is remembered here.
 */
#ifndef EDGE426_PROOF_BPF_H
#define EDGE426_PROOF_BPF_H

#include "explain.bpf.h"
#include "kernel.bpf.h"
#include "maps.bpf.h"
#include "segment.h"

enum proof {
	PROOF_FIRST = EDGE426_EXPLAIN_FIRST,	/* first octets of a real connection */
	PROOF_LATER = EDGE426_EXPLAIN_LATER,	/* the connection is past them */
	PROOF_NO_SOCKET = EDGE426_EXPLAIN_NONE, /* no such connection: none, or a listener only */
	PROOF_BESIDE,				/* the first octets have yet to come; others did */
};

/* A referenced socket of any state, or NULL; bpf_sk_release it. */
static __always_inline struct bpf_sock *proof_lookup(struct xdp_md *ctx,
						     const struct segment *segment)
{
	const struct edge426_flow_key *key = &segment->key;
	struct bpf_sock_tuple tuple = {};

	if (segment->family == 4) {
		__builtin_memcpy(&tuple.ipv4.saddr, key->client + SEGMENT_IP4_AT, 4);
		__builtin_memcpy(&tuple.ipv4.daddr, key->server + SEGMENT_IP4_AT, 4);
		tuple.ipv4.sport = key->client_port;
		tuple.ipv4.dport = key->server_port;
		return bpf_skc_lookup_tcp(ctx, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);
	}
	__builtin_memcpy(tuple.ipv6.saddr, key->client, 16);
	__builtin_memcpy(tuple.ipv6.daddr, key->server, 16);
	tuple.ipv6.sport = key->client_port;
	tuple.ipv6.dport = key->server_port;
	return bpf_skc_lookup_tcp(ctx, &tuple, sizeof(tuple.ipv6), BPF_F_CURRENT_NETNS, 0);
}

/*
 * The kernel waits for the handshake's end, and the client has proven nothing
 * yet: a spoofed SYN gets as far as that. It must acknowledge our SYN.
 */
static __always_inline enum proof proof_by_request(struct bpf_sock *sk,
						   const struct segment *segment)
{
	struct tcp_request_sock *request = bpf_skc_to_tcp_request_sock(sk);

	if (!request)
		return PROOF_NO_SOCKET;
	if (request->rcv_isn + 1 != segment->seq || !segment->has_ack)
		return PROOF_BESIDE;
	return request->snt_isn + 1 == segment->ack ? PROOF_FIRST : PROOF_BESIDE;
}

static __always_inline enum proof proof_by_connection(struct bpf_sock *sk,
						      const struct segment *segment)
{
	struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk);

	if (!tcp)
		return PROOF_NO_SOCKET;
	if (tcp->bytes_received)
		return PROOF_LATER;
	return tcp->rcv_nxt == segment->seq ? PROOF_FIRST : PROOF_BESIDE;
}

/*
 * Both states are common: XDP sees the handshake's ACK and the first data of
 * one NAPI batch before TCP has seen either, and the socket is a request still.
 */
static __always_inline enum proof proof_judge(struct bpf_sock *sk, const struct segment *segment)
{
	if (sk->state == BPF_TCP_NEW_SYN_RECV)
		return proof_by_request(sk, segment);
	if (sk->state == BPF_TCP_ESTABLISHED)
		return proof_by_connection(sk, segment);
	return sk->state == BPF_TCP_LISTEN ? PROOF_NO_SOCKET : PROOF_LATER;
}

static __always_inline enum proof proof_by_socket(struct xdp_md *ctx, const struct segment *segment)
{
	struct bpf_sock *sk;
	enum proof proof;

	if (explaining)
		return explain_proof();
	sk = proof_lookup(ctx, segment);
	if (!sk)
		return PROOF_NO_SOCKET;
	proof = proof_judge(sk, segment);
	bpf_sk_release(sk);
	return proof;
}

#endif
