/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The contract between the packet programs and user space: map keys and
 * values, limits and names. Whoever changes a layout here raises
 * EDGE426_ABI_VERSION. It holds no logic.
 *
 * Every map is zero when nobody has written to it, and a zeroed set of maps
 * passes every packet: that is what makes the programs loadable by bpftool.
 *
 * A policy lives twice, in the halves 0 and 1 of `ports`, `services`,
 * `addresses`, `answers` and `policy_text`. `state.active` names the half
 * that counts. A new policy is written to the other half, then `active` is
 * flipped: a packet reads `active` once and sees one policy whole.
 */
#ifndef EDGE426_ABI_H
#define EDGE426_ABI_H

#include <linux/types.h>

#define EDGE426_ABI_VERSION 2

#define EDGE426_SERVICES_MAX 4096	  /* of one policy */
#define EDGE426_FLOWS_MAX 131072	  /* plaintext flows remembered */
#define EDGE426_QUEUES_MAX 256		  /* RX queues of one interface */
#define EDGE426_ANSWER_MAX 524		  /* octets: 536 - 12, RFC 9293 MUST-15 with timestamps */
#define EDGE426_POLICY_TEXT_MAX (1 << 20) /* octets of one policy's text */
#define EDGE426_DISCARD_MAX (1 << 20)	  /* octets a client may send after its answer */
#define EDGE426_HELD_MAX 64		  /* segments held before a flow is let go */

/* Names under which the maps and programs are pinned. */
#define EDGE426_MAP_STATE "state"
#define EDGE426_MAP_PORTS "ports"
#define EDGE426_MAP_SERVICES "services"
#define EDGE426_MAP_ADDRESSES "addresses"
#define EDGE426_MAP_ANSWERS "answers"
#define EDGE426_MAP_POLICY_TEXT "policy_text"
#define EDGE426_MAP_FLOWS "flows"
#define EDGE426_MAP_XSKS "xsks"
#define EDGE426_MAP_REASONS "reasons"
#define EDGE426_MAP_WORKERS "workers"
#define EDGE426_MAP_EDGE "edge"
#define EDGE426_MAP_LOADS "loads"
#define EDGE426_MAP_OWNED "owned"
#define EDGE426_PROG_XDP "edge426_xdp"
#define EDGE426_PROG_TC "edge426_tc"

/* `state`: array of one, mmapable. Written by user space, read by all. */
struct edge426_state {
	__u32 abi_version; /* 0: the maps were made by another loader, nobody has claimed them */
	__u32 active;	   /* half of the policy maps that counts: 0 or 1 */
	__u64 generation;  /* 0: no policy yet; grows by one with each policy */
	__u32 services;	   /* how many the running policy has */
	__u32 owner;	   /* EDGE426_OWNER_* who attached */
	__u32 owner_pid;   /* process that attached; 0 when none */
	__u32 worker_pid;  /* process of the last responder; lock tells if it lives */
	__u32 queues;	   /* queues the responder serves */
	__u32 zero_copy;   /* of these, in zero-copy mode */
	__u32 ifindex;	   /* of the interface, in its namespace */
	__u32 xdp_mode;	   /* EDGE426_XDP_* */
	__u64 netns;	   /* inode of the interface's network namespace */
};

#define EDGE426_OWNER_NONE 0   /* attached by another loader, bpftool say */
#define EDGE426_OWNER_ATTACH 1 /* stays until `detach` */
#define EDGE426_OWNER_RUN 2    /* ends with the process */

#define EDGE426_XDP_NATIVE 1
#define EDGE426_XDP_GENERIC 2

/* `ports`: array, mmapable, index = half * 65536 + port (host order). */
struct edge426_port {
	__u16 service; /* 1 + index of the service for any address; 0: none */
	__u16 flags;   /* EDGE426_PORT_* */
};

#define EDGE426_PORTS 65536
#define EDGE426_PORT_BY_ADDRESS 1 /* `addresses` has entries for this port: ask it first */

/* `addresses`: longest-prefix trie; the value is a __u32, 1 + index of the service. */
struct edge426_address_key {
	__u32 prefix_len; /* EDGE426_ADDRESS_BITS + bits of the address prefix */
	__u8 half;
	__u8 family;	  /* 4 or 6 */
	__be16 port;	  /* network order */
	__u8 address[16]; /* network order; IPv4 in the first four octets, rest 0 */
};

#define EDGE426_ADDRESS_BITS 32 /* bits of the key before the address */

/* `services`: array, mmapable, index = half * EDGE426_SERVICES_MAX + service. */
struct edge426_service {
	__u32 handshake;     /* EDGE426_HANDSHAKE_* */
	__u32 flags;	     /* EDGE426_SERVICE_* */
	__u32 syn_threshold; /* auto: handshakes that wait for their end and are too many */
	__u32 calm_seconds;  /* auto: without so many, until the backend is trusted again */
};

#define EDGE426_HANDSHAKE_BACKEND 0 /* the server's kernel does the handshake */
#define EDGE426_HANDSHAKE_EDGE 1    /* the XDP program does, with a cookie */
#define EDGE426_HANDSHAKE_AUTO 2    /* the backend, and the edge under a flood */

#define EDGE426_SERVICE_NO_BACKEND 1 /* no listener is needed; what is not HTTP is reset */

/*
 * `loads`: array, mmapable, index as in `services`: what happens to a
 * service's handshakes. Written by the XDP program, not atomically: the
 * figures steer and inform, nothing is proven by them. Times are of
 * bpf_ktime_get_coarse_ns (CLOCK_MONOTONIC_COARSE).
 */
struct edge426_load {
	__u64 edge_until;   /* auto: the edge answers SYNs until then */
	__u64 window_start; /* of the second being counted */
	__u32 syns;	    /* answered in it */
	__u32 completed;    /* handshakes completed in it */
	__u32 to_edge;	    /* auto: how often the edge took over */
	__u32 to_backend;   /* auto: how often it gave back */
	__u32 fallback;	    /* EDGE426_FALLBACK_*: why the last SYN went to the backend */
	__u32 pad;
};

#define EDGE426_FALLBACK_NONE 0
#define EDGE426_FALLBACK_MPTCP 1 /* the listener is an MPTCP socket; the hand-over refuses it */
#define EDGE426_FALLBACK_HOST 2	 /* edge426_edge.unable says why */

#define EDGE426_KEYS 4 /* a power of two; current, previous and the one being made are used */

/*
 * `edge`: array of one, mmapable: the secrets and what the host's TCP would
 * put into a SYN-ACK. Written by the responder's process each second; not
 * `ready` means that every SYN passes.
 */
struct edge426_edge {
	__u64 key[EDGE426_KEYS][2]; /* SipHash keys, the one that makes cookies at `current` */
	__u64 seed;		    /* of the hash of `owned` */
	__u32 current;		    /* the key before it, in a circle, is accepted too */
	__u32 ready;
	__u32 unable; /* EDGE426_UNABLE_*: bits */
	__u32 flags;  /* EDGE426_TCP_* */
	__u32 wscale; /* the window scale that the kernel would choose */
	__u32 mtu;    /* of the interface */
};

#define EDGE426_UNABLE_SYNCOOKIES 1 /* net.ipv4.tcp_syncookies is 0 */
#define EDGE426_UNABLE_KFUNC 2	    /* the kernel has no bpf_sk_assign_tcp_reqsk */
#define EDGE426_UNABLE_CONNTRACK 4  /* nf_conntrack_tcp_loose is 0 */

#define EDGE426_TCP_TIMESTAMPS 1     /* net.ipv4.tcp_timestamps */
#define EDGE426_TCP_SACK 2	     /* net.ipv4.tcp_sack */
#define EDGE426_TCP_WINDOW_SCALING 4 /* net.ipv4.tcp_window_scaling */
#define EDGE426_TCP_ECN 8	     /* net.ipv4.tcp_ecn */

#define EDGE426_KEY_SECONDS 60 /* between rotations: a cookie lives 60 to 120 s */

/*
 * `owned`: array of one: connections known to be the kernel's, by a hash of
 * their addresses and ports. A cache: an entry saves the look-up in the
 * kernel's socket table, a SYN takes the entry of its place away.
 */
#define EDGE426_OWNED_SLOTS 65536
struct edge426_owned {
	__u32 tag[EDGE426_OWNED_SLOTS];
};

/*
 * `answers`: array of two, mmapable, index = half. The whole HTTP message as
 * octets, `date_offset` saying where the 29 octets of the Date value start.
 * `generation` is 0 while the slot is being written and the policy's
 * generation otherwise: a reader copies, then looks whether it still holds.
 */
struct edge426_answer {
	__u64 generation;
	__u16 head_len; /* octets up to and with the empty line: what HEAD gets */
	__u16 len;	/* octets of header and body */
	__u16 date_offset;
	__u16 pad;
	__u8 octets[EDGE426_ANSWER_MAX];
	__u8 pad_end[4];
};

/* `policy_text`: array of two, mmapable, index = half: the policy as `policy show` prints it. */
struct edge426_policy_text {
	__u32 len;
	__u8 octets[EDGE426_POLICY_TEXT_MAX - 4];
};

/* `flows`: LRU hash. IPv4 addresses as ::ffff:a.b.c.d; all in network order. */
struct edge426_flow_key {
	__u8 client[16];
	__u8 server[16];
	__be16 client_port;
	__be16 server_port;
};

/* Sequence numbers in host order; "ours" is the direction server to client. */
struct edge426_flow {
	__u32 first;	  /* the client's first data octet */
	__u32 next;	  /* the client's next octet expected in order */
	__u32 answer_seq; /* first octet of our answer */
	__u32 discarded;  /* octets thrown away after the answer */
	__u16 flags;	  /* EDGE426_FLOW_* */
	__u16 held;	  /* segments dropped while too few octets could tell */
};

#define EDGE426_FLOW_HELD 1	    /* not yet known to be HTTP */
#define EDGE426_FLOW_HEAD 2	    /* the method is HEAD: no body */
#define EDGE426_FLOW_SERVER_RESET 4 /* the server's socket is gone, or there never was one */
#define EDGE426_FLOW_EDGE 8	    /* the edge did the handshake */

/*
 * The verdict of the XDP program about a frame, in the XDP metadata just
 * before it: to the responder (over AF_XDP) what to send, to the TC program
 * what to make of the packet. All in host order, except where said.
 */
struct edge426_verdict {
	union {
		struct {
			__u32 seq; /* sequence number of what is sent to the client */
			__u32 ack; /* its acknowledgement number */
		};
		struct { /* TC, hand-over: what the handshake agreed on */
			__u16 mss;
			__u8 client_wscale; /* both EDGE426_NO_WSCALE when not agreed on */
			__u8 server_wscale;
			__u8 sack;
			__u8 ecn;
			__u8 hand_over_pad[2];
		};
	};
	union {
		__u32 server_seq; /* TC: sequence number of the reset for the server */
		struct {
			/* Set by the responder itself, for a frame that lies in several chunks: */
			__u16 cut_len; /* octets past the first chunk */
			__u16 cut_sum; /* their one's complement sum, as in memory (RFC 1071) */
		};
	};
	__u8 kind;   /* EDGE426_SEND_*, EDGE426_TC_* */
	__u8 flags;  /* EDGE426_FLOW_HEAD */
	__u8 answer; /* index in `answers` */
	__u8 magic;  /* EDGE426_MAGIC */
};

#define EDGE426_MAGIC 0x26
#define EDGE426_NO_WSCALE 15

/*
 * The metadata of a packet for the TC program. Generic XDP on Linux 6.9 and
 * later may copy the packet and lose the length of its link header
 * (skb_pp_cow_data); TC then sees everything 14 octets late: the verdict
 * where `unset` ought to be, and the Ethernet header 18 octets on. `unset` is
 * zero, a verdict's kind is not: that tells the two apart.
 */
struct edge426_tc_metadata {
	__u8 unset[14];
	struct edge426_verdict verdict;
	__u8 pad[2];
} __attribute__((packed));

#define EDGE426_TC_LATE_LINK 18 /* where the Ethernet header lies in the late case */

/* Kinds; 0 is none. */
#define EDGE426_SEND_ANSWER 1  /* responder: the answer, with FIN */
#define EDGE426_SEND_ACK 2     /* responder: an acknowledgement without data */
#define EDGE426_SEND_RESET 3   /* responder: RST to the client */
#define EDGE426_TC_RESET 4     /* TC: the packet becomes the server's RST */
#define EDGE426_TC_ACK_RESET 5 /* TC: acknowledge to the client, then the same */
#define EDGE426_TC_HAND_OVER 6 /* TC: the kernel makes the connection of our cookie its own */

/* `workers`: array, mmapable, index = queue: counters of the responder, see reasons.h. */
#define EDGE426_WORKER_COUNTERS 16
struct edge426_worker {
	__u64 count[EDGE426_WORKER_COUNTERS];
};

_Static_assert(sizeof(struct edge426_state) == 56, "state");
_Static_assert(sizeof(struct edge426_port) == 4, "port");
_Static_assert(sizeof(struct edge426_address_key) == 24, "address key");
_Static_assert(__builtin_offsetof(struct edge426_address_key, address) ==
		       4 + EDGE426_ADDRESS_BITS / 8,
	       "address bits");
_Static_assert(sizeof(struct edge426_service) == 16, "service");
_Static_assert(sizeof(struct edge426_load) == 40, "load");
_Static_assert(sizeof(struct edge426_edge) == 96, "edge");
_Static_assert(sizeof(struct edge426_answer) == 16 + EDGE426_ANSWER_MAX + 4, "answer");
_Static_assert(sizeof(struct edge426_policy_text) == EDGE426_POLICY_TEXT_MAX, "policy text");
_Static_assert(sizeof(struct edge426_flow_key) == 36, "flow key");
_Static_assert(sizeof(struct edge426_flow) == 20, "flow");
_Static_assert(sizeof(struct edge426_verdict) == 16, "verdict");
_Static_assert(sizeof(struct edge426_tc_metadata) == 32, "TC metadata");
_Static_assert(sizeof(struct edge426_worker) == 128, "worker");

#endif
