/* SPDX-License-Identifier: GPL-2.0-only */
/* What a listening socket tells about the handshakes it would do. Both programs ask it. */
#ifndef EDGE426_LISTENER_BPF_H
#define EDGE426_LISTENER_BPF_H

#include "kernel.bpf.h"
#include "tcp_options.h"

#define SOCK_RCVBUF_LOCK 2 /* include/net/sock.h: the application chose the buffer */

/* What the listener says about whether and how the edge answers for it. */
struct listener {
	__u32 handshakes; /* that wait for their end in the kernel */
	__u32 space;	  /* octets of window it begins with, tcp_full_space() */
	__u8 space_fixed; /* by the application, SO_RCVBUF */
	__u8 is_mptcp;
};

static __always_inline void listener_read(struct tcp_sock *tcp, struct listener *listener)
{
	struct sock *sk = &tcp->inet_conn.icsk_inet.sk;

	listener->handshakes = tcp->inet_conn.icsk_accept_queue.qlen.counter;
	listener->space = (__u32)sk->sk_rcvbuf >> 1; /* TCP_DEFAULT_SCALING_RATIO */
	listener->space_fixed = (BPF_CORE_READ_BITFIELD(sk, sk_userlocks) & SOCK_RCVBUF_LOCK) != 0;
	if (bpf_core_field_exists(tcp->is_mptcp))
		listener->is_mptcp = BPF_CORE_READ_BITFIELD(tcp, is_mptcp);
}

static __always_inline __u8 listener_wscale_of(__u32 space)
{
	__u8 wscale = 0;

	while (wscale < TCP_OPTION_WSCALE_MAX && space >> 16 >> wscale)
		wscale++;
	return wscale;
}

/* The kernel's scale for this listener; `usual` where the application has no say. */
static __always_inline __u8 listener_wscale(const struct listener *listener, __u8 usual)
{
	return listener->space_fixed ? listener_wscale_of(listener->space) : usual;
}

#endif
