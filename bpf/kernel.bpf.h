/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's own structs, as far as they are read: names and nesting are the
 * kernel's, offsets come from its BTF at load.
 */
#ifndef EDGE426_KERNEL_BPF_H
#define EDGE426_KERNEL_BPF_H

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

typedef struct {
	int counter;
} atomic_t;

struct sock {
	int sk_rcvbuf;
	__u8 sk_userlocks;
} __attribute__((preserve_access_index));

struct inet_sock {
	struct sock sk;
} __attribute__((preserve_access_index));

struct request_sock_queue {
	atomic_t qlen;
} __attribute__((preserve_access_index));

struct inet_connection_sock {
	struct inet_sock icsk_inet;
	struct request_sock_queue icsk_accept_queue;
} __attribute__((preserve_access_index));

struct tcp_sock {
	struct inet_connection_sock inet_conn;
	__u32 rcv_nxt;
	__u64 bytes_received;
	_Bool is_mptcp;
} __attribute__((preserve_access_index));

struct net_device {
	const unsigned char *dev_addr;
} __attribute__((preserve_access_index));

struct xdp_rxq_info {
	struct net_device *dev;
} __attribute__((preserve_access_index));

struct xdp_buff {
	struct xdp_rxq_info *rxq;
} __attribute__((preserve_access_index));

struct tcp_request_sock {
	__u32 rcv_isn;
	__u32 snt_isn;
} __attribute__((preserve_access_index));

#endif
