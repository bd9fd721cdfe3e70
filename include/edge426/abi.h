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
 * `addresses`, `allow`, `paths`, `hosts`, `answers` and `policy_text`.
 * `state.active` names the half that counts. A new policy is written to the
 * other half, then `active` is flipped: a packet reads `active` once and sees
 * one policy whole.
 *
 * `addresses`, `allow`, `allow_exact`, `paths` and `hosts` are arrays of two maps, index =
 * half: the inner map is made for one policy, as large as it needs, and goes
 * with it. An empty place means that the policy has no such entries.
 */
#ifndef EDGE426_ABI_H
#define EDGE426_ABI_H

#include <linux/types.h>

#define EDGE426_ABI_VERSION 3

#define EDGE426_SERVICES_MAX 4095	  /* of one policy */
#define EDGE426_SERVICE_SLOTS 4096	  /* of one half: the last is EDGE426_SERVICE_ENDED */
#define EDGE426_ADDRESSES_MAX 65536	  /* entries of one policy's `addresses` */
#define EDGE426_ALLOW_MAX (1 << 18)	  /* entries of one policy's allow list */
#define EDGE426_PATH_MAX 64		  /* octets of an exempt path's prefix */
#define EDGE426_HOST_MAX 253		  /* octets of an exempt host's name, RFC 1035 2.3.4 */
#define EDGE426_SOURCES_MAX 65536	  /* sources whose answers are counted */
#define EDGE426_LOOK_MAX 1024		  /* octets of a request that exemptions look at */
#define EDGE426_FLOWS_MAX 131072	  /* plaintext flows remembered */
#define EDGE426_QUEUES_MAX 256		  /* RX queues of one interface */
#define EDGE426_ANSWER_MAX 524		  /* octets: 536 - 12, RFC 9293 MUST-15 with timestamps */
#define EDGE426_POLICY_TEXT_MAX (1 << 22) /* octets of one policy's text, without `allow` */
#define EDGE426_DISCARD_MAX (1 << 20)	  /* octets a client may send after its answer */
#define EDGE426_HELD_MAX 64		  /* segments held before a flow is let go */
#define EDGE426_HELD_AGAIN 16 /* what a first segment that brings nothing new counts for */

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
#define EDGE426_MAP_ALLOW "allow"
#define EDGE426_MAP_PATHS "paths"
#define EDGE426_MAP_HOSTS "hosts"
#define EDGE426_MAP_SOURCES "sources"
#define EDGE426_MAP_SCRATCH "scratch"
#define EDGE426_MAP_EXPLAIN "explain"
#define EDGE426_MAP_PLACES "places"
#define EDGE426_MAP_ALLOW_EXACT "allow_exact"
#define EDGE426_MAP_ALLOW_LENGTHS "allow_lengths"
#define EDGE426_PROG_XDP "edge426_xdp"
#define EDGE426_PROG_TC "edge426_tc"

/* `state`: array of one, mmapable. Written by user space, read by all. */
struct edge426_state {
	__u32 abi_version; /* 0: the maps were made by another loader, nobody has claimed them */
	__u32 bypass;	   /* not 0: nothing new is taken, whatever the services' modes */
	__u64 active;	   /* which half counts, see below */
	__s64 wall_offset; /* ns: CLOCK_REALTIME less CLOCK_BOOTTIME, when last looked at */
	__u64 generation;  /* 0: no policy yet; grows by one with each policy */
	__u32 tags[2];	   /* of each half: tells its policy from those that the half had before */
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

/*
 * `active` is one word, so that it changes in one step: bit 0 is the half; the
 * word without it is the time (ns of CLOCK_BOOTTIME) from which on the other
 * half counts, unless the policy is confirmed before; 0: never.
 */
#define EDGE426_ACTIVE_HALF 1ULL

#define EDGE426_OWNER_NONE 0   /* attached by another loader, bpftool say */
#define EDGE426_OWNER_ATTACH 1 /* stays until `detach` */
#define EDGE426_OWNER_RUN 2    /* ends with the process */

#define EDGE426_XDP_NATIVE 1
#define EDGE426_XDP_GENERIC 2

/* `ports`: array, mmapable, index = half * EDGE426_PORTS + port (host order). */
struct edge426_port {
	__u16 service; /* 1 + slot of the service for any address and VLAN; 0: none */
	__u16 flags;   /* EDGE426_PORT_* */
	__u16 set;     /* ports with the same entries in `addresses` share one number */
	__u16 pad;
};

#define EDGE426_PORTS 65536
#define EDGE426_PORT_BY_ADDRESS 1 /* `addresses` has entries of its set for any VLAN */
#define EDGE426_PORT_BY_VLAN                                                                       \
	2 /* `addresses` has entries of its set for one VLAN: ask them first                       \
	   */
#define EDGE426_PORT_HAD_SERVICE 4 /* a policy before had a service here: flows of it may live */
#define EDGE426_PORT_HAD_EDGE 8	   /* of which handshakes of the edge may be on their way */

/* Inner map of `addresses`: longest-prefix trie; the value is a __u32, 1 + slot of the service. */
struct edge426_address_key {
	__u32 prefix_len; /* EDGE426_ADDRESS_BITS + bits of the address prefix */
	__u16 set;	  /* of the port */
	__u16 vlan;	  /* VLAN id, host order; 0: any */
	__u8 family;	  /* 4 or 6 */
	__u8 pad[3];
	__u8 address[16]; /* network order; IPv4 in the first four octets, rest 0 */
};

#define EDGE426_ADDRESS_BITS 64 /* bits of the key before the address */

/*
 * `places`: per-CPU array, a cache of what `addresses` has said: few
 * destinations get most packets. An entry is of one policy, by its tag; a zero
 * tag is of none. The index is a hash of the destination.
 */
#define EDGE426_PLACES_MAX 1024 /* a power of two */

struct edge426_place {
	__u8 address[16]; /* IPv4 as ::ffff:a.b.c.d */
	__be16 port;
	__u16 vlan;
	__u32 tag;
	__u32 service; /* 1 + slot; 0: none */
	__u32 family;  /* 4 or 6: a mapped address in an IPv6 header is not the IPv4 one */
};

/*
 * The allow list. Inner map of `allow`: longest-prefix trie over source
 * addresses. Inner map of `allow_exact`: hash of the same keys and values. The
 * prefixes of a family's most frequent lengths are in the hash, which is asked
 * for each of these, until few are left for the trie, which takes some times as
 * long when it is large.
 */
struct edge426_allow_key {
	__u32 prefix_len; /* EDGE426_ALLOW_BITS + bits of the address prefix */
	__u8 family;	  /* 4 or 6 */
	__u8 pad[3];
	__u8 address[16]; /* network order; IPv4 in the first four octets, rest 0 */
};

#define EDGE426_ALLOW_BITS 32 /* bits of the key before the address */

/*
 * Seconds since the epoch (CLOCK_REALTIME); 0: for good. The trie tells the
 * longest prefix alone, so `counts_until` is the latest end of the entry and
 * of all shorter ones around it: it is what the packet program looks at.
 */
struct edge426_allow {
	__u64 until; /* as the policy says */
	__u64 counts_until;
};

/*
 * `allow_lengths`: array, mmapable, index = 2 * half + (0: IPv4, 1: IPv6): the
 * lengths of the prefixes in `allow_exact`, the longest first, and which
 * addresses need not be looked for in `allow`.
 */
#define EDGE426_ALLOW_LENGTHS 4

struct edge426_allow_lengths {
	__u32 count;
	__u32 prefix_len[EDGE426_ALLOW_LENGTHS]; /* as in the key */
	__u32 pad;
	__u64 mask[EDGE426_ALLOW_LENGTHS][2]; /* of the key's address */
	__u64 in_trie[4]; /* a bit for each value of one octet of the address: the trie may have it
			   */
};

#define EDGE426_ALLOW_OCTET4 0 /* that octet, of IPv4 and of IPv6 */
#define EDGE426_ALLOW_OCTET6 3

/* Inner map of `paths`: longest-prefix trie; the value is a __u32 that means nothing. */
struct edge426_path_key {
	__u32 prefix_len; /* EDGE426_PATH_BITS + 8 * octets of the prefix */
	__u32 service;	  /* slot */
	__u8 octets[EDGE426_PATH_MAX];
};

#define EDGE426_PATH_BITS 32 /* bits of the key before the path */

/* Inner map of `hosts`: hash; the value is a __u32 that means nothing. */
struct edge426_host_key {
	__u32 service;	/* slot */
	__u8 name[256]; /* in lower case, without port, padded with 0 */
};

/* `services`: array, mmapable, index = half * EDGE426_SERVICE_SLOTS + slot. */
struct edge426_service {
	__u32 handshake;     /* EDGE426_HANDSHAKE_* */
	__u32 flags;	     /* EDGE426_SERVICE_* */
	__u32 syn_threshold; /* auto: handshakes that wait for their end and are too many */
	__u32 calm_seconds;  /* auto: without so many, until the backend is trusted again */
	__u8 action;	     /* EDGE426_ACTION_*: for plaintext HTTP */
	__u8 other;   /* EDGE426_ACTION_PASS, _RESET or _DROP: for what is neither TLS nor HTTP */
	__u8 mode;    /* EDGE426_MODE_* */
	__u8 percent; /* 0 to 100: of the sources that are enforced, see percent.h */
	__u32 limit_every; /* ns between two answers to one source; 0: no limit */
	__u64 limit_burst; /* ns: how far a source may be ahead of that */
};

/*
 * The slot behind the policy's services stands for places that had a service
 * in a policy before: `handshake: edge`, `mode: bypass`. It takes nothing new
 * and leads to their end the flows and handshakes that are there.
 */
#define EDGE426_SERVICE_ENDED 4095

#define EDGE426_ACTION_RESPOND 0   /* the answer */
#define EDGE426_ACTION_RESET 1	   /* RST, to the server's half too */
#define EDGE426_ACTION_RESET_SYN 2 /* RST to the SYN */
#define EDGE426_ACTION_DROP 3	   /* silence; RST to the server's half */
#define EDGE426_ACTION_PASS 4	   /* to the server */

#define EDGE426_MODE_ENFORCE 0
#define EDGE426_MODE_MONITOR 1 /* count what would have been done, change nothing */
#define EDGE426_MODE_BYPASS 2  /* pass */

#define EDGE426_HANDSHAKE_BACKEND 0 /* the server's kernel does the handshake */
#define EDGE426_HANDSHAKE_EDGE 1    /* the XDP program does, with a cookie */
#define EDGE426_HANDSHAKE_AUTO 2    /* the backend, and the edge under a flood */

#define EDGE426_SERVICE_NO_BACKEND 1 /* no listener is needed; `other` is not pass */
#define EDGE426_SERVICE_PATHS 2	     /* `paths` has entries of it */
#define EDGE426_SERVICE_HOSTS 4	     /* `hosts` has entries of it */

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

/*
 * `sources`: LRU hash, the sources of services with a limit. The value is a
 * __u64, the time (ns of CLOCK_MONOTONIC) at which the source has used up its
 * answers: the theoretical arrival time of GCRA (ITU-T I.371).
 */
struct edge426_source_key {
	__u8 address[16]; /* IPv4 as ::ffff:a.b.c.d; of IPv6 the first 64 bits, rest 0 */
	__be16 port;	  /* of the service */
	__u8 pad[2];
};

/* `scratch`: per-CPU array of one, what the XDP program has no room for on its stack. */
struct edge426_scratch {
	__u8 octets[EDGE426_LOOK_MAX]; /* the beginning of the request */
	struct edge426_host_key host;
	struct edge426_path_key path;
};

/*
 * `explain`: array of one, for a copy of the XDP program that has `explaining`
 * set and maps of its own: in, what it is to assume; out, what it met.
 */
struct edge426_explain {
	__u32 proof;	 /* in: EDGE426_EXPLAIN_* */
	__u32 service;	 /* out: 1 + slot of the packet's service; 0: none */
	__u32 class;	 /* out: 1 + an enum payload_class; 0: not asked for */
	__u32 monitored; /* out: the source is not of the enforced share, or the mode is monitor */
};

#define EDGE426_EXPLAIN_FIRST 0 /* these are the first octets of a real connection */
#define EDGE426_EXPLAIN_LATER 1 /* the connection is past them */
#define EDGE426_EXPLAIN_NONE 2	/* the kernel has no such connection */

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
#define EDGE426_FLOW_DROP 16	    /* the action is drop: nothing goes back to the client */

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
	__u8 answer; /* bit 0: index in `answers`; the rest: low bits of that half's tag */
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

/* What `answer` is for a half and its tag. */
#define EDGE426_ANSWER_OF(half, tag) ((__u8)((tag) << 1 | (half)))

/* Kinds; 0 is none. */
#define EDGE426_SEND_ANSWER 1  /* responder: the answer, with FIN */
#define EDGE426_SEND_ACK 2     /* responder: an acknowledgement without data */
#define EDGE426_SEND_RESET 3   /* responder: RST to the client */
#define EDGE426_TC_RESET 4     /* TC: the packet becomes the server's RST */
#define EDGE426_TC_ACK_RESET 5 /* TC: acknowledge to the client, then the same */
#define EDGE426_TC_HAND_OVER 6 /* TC: the kernel makes the connection of our cookie its own */
#define EDGE426_TC_RESET_BOTH                                                                      \
	7 /* TC: RST to the client, then the packet becomes the server's RST */

/* `workers`: array, mmapable, index = queue: counters of the responder, see reasons.h. */
#define EDGE426_WORKER_COUNTERS 16
struct edge426_worker {
	__u64 count[EDGE426_WORKER_COUNTERS];
};

_Static_assert(sizeof(struct edge426_state) == 80, "state");
_Static_assert(sizeof(struct edge426_port) == 8, "port");
_Static_assert(sizeof(struct edge426_address_key) == 28, "address key");
_Static_assert(__builtin_offsetof(struct edge426_address_key, address) ==
		       4 + EDGE426_ADDRESS_BITS / 8,
	       "address bits");
_Static_assert(sizeof(struct edge426_place) == 32, "place");
_Static_assert(sizeof(struct edge426_allow_key) == 24, "allow key");
_Static_assert(__builtin_offsetof(struct edge426_allow_key, address) == 4 + EDGE426_ALLOW_BITS / 8,
	       "allow bits");
_Static_assert(sizeof(struct edge426_allow) == 16, "allow");
_Static_assert(sizeof(struct edge426_allow_lengths) == 120, "allow lengths");
_Static_assert(sizeof(struct edge426_path_key) == 72, "path key");
_Static_assert(__builtin_offsetof(struct edge426_path_key, octets) == 4 + EDGE426_PATH_BITS / 8,
	       "path bits");
_Static_assert(sizeof(struct edge426_host_key) == 260, "host key");
_Static_assert(sizeof(struct edge426_service) == 32, "service");
_Static_assert(EDGE426_SERVICE_ENDED == EDGE426_SERVICE_SLOTS - 1, "ended service");
_Static_assert(EDGE426_SERVICES_MAX == EDGE426_SERVICE_ENDED, "services");
_Static_assert(sizeof(struct edge426_source_key) == 20, "source key");
_Static_assert(sizeof(struct edge426_explain) == 16, "explain");
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
