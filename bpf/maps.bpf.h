/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every map. Layouts and who means what are in edge426/abi.h; all are pinned
 * under their names, so they outlive the process that made them.
 */
#ifndef EDGE426_MAPS_BPF_H
#define EDGE426_MAPS_BPF_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>
#include <edge426/abi.h>
#include <edge426/reasons.h>

/* Which half of the policy counts, and who serves. Written by user space. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct edge426_state);
} state SEC(".maps");

/* Port to service: the one look-up that unprotected traffic costs. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2 * EDGE426_PORTS);
	__type(key, __u32);
	__type(value, struct edge426_port);
} ports SEC(".maps");

/*
 * What a policy has in lists: each half's list is a map of its own, made by
 * user space as large as it needs. These say what such a map looks like, in
 * sizes and not in types: of an inner map's types clang 14 tells no more than
 * the names.
 */
struct addresses_of_half {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct edge426_address_key));
	__uint(value_size, sizeof(__u32));
};

struct allow_of_half {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct edge426_allow_key));
	__uint(value_size, sizeof(struct edge426_allow));
};

struct allow_exact_of_half {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct edge426_allow_key));
	__uint(value_size, sizeof(struct edge426_allow));
};

struct paths_of_half {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct edge426_path_key));
	__uint(value_size, sizeof(__u32));
};

struct hosts_of_half {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct edge426_host_key));
	__uint(value_size, sizeof(__u32));
};

/* Address prefixes and VLANs, asked only for ports whose entry says so. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, __u32);
	__array(values, struct addresses_of_half);
} addresses SEC(".maps");

/* What `addresses` has said of destinations of late. Written by the XDP program. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, EDGE426_PLACES_MAX);
	__type(key, __u32);
	__type(value, struct edge426_place);
} places SEC(".maps");

/* Sources that are as if edge426 were not there. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, __u32);
	__array(values, struct allow_of_half);
} allow SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, __u32);
	__array(values, struct allow_exact_of_half);
} allow_exact SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct edge426_allow_lengths);
} allow_lengths SEC(".maps");

/* Exemptions, asked only for services that have some. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, __u32);
	__array(values, struct paths_of_half);
} paths SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, __u32);
	__array(values, struct hosts_of_half);
} hosts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2 * EDGE426_SERVICE_SLOTS);
	__type(key, __u32);
	__type(value, struct edge426_service);
} services SEC(".maps");

/* Read by the responder, not by the programs. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct edge426_answer);
} answers SEC(".maps");

/* Read by the command line, not by the programs. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct edge426_policy_text);
} policy_text SEC(".maps");

/* Plaintext flows that were proven and taken over. Written by the XDP program alone. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, EDGE426_FLOWS_MAX);
	__type(key, struct edge426_flow_key);
	__type(value, struct edge426_flow);
} flows SEC(".maps");

/* Queue to AF_XDP socket; an entry goes when its socket closes. */
struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, EDGE426_QUEUES_MAX);
	__type(key, __u32);
	__type(value, __u32);
} xsks SEC(".maps");

/* Written by the responder's threads, one entry a queue. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, EDGE426_QUEUES_MAX);
	__type(key, __u32);
	__type(value, struct edge426_worker);
} workers SEC(".maps");

/* Handshakes of each service; steers `handshake: auto`. Written by the XDP program. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2 * EDGE426_SERVICE_SLOTS);
	__type(key, __u32);
	__type(value, struct edge426_load);
} loads SEC(".maps");

/* Secrets of the cookies and how this host does TCP. Written by the responder's process. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct edge426_edge);
} edge SEC(".maps");

/* A cache of whose connections are the kernel's. Written by the XDP program. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct edge426_owned);
} owned SEC(".maps");

/* How far sources have used their limit. Written by the XDP program. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, EDGE426_SOURCES_MAX);
	__type(key, struct edge426_source_key);
	__type(value, __u64);
} sources SEC(".maps");

/* The XDP program's own, for the time of one packet. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct edge426_scratch);
} scratch SEC(".maps");

/* Of a copy of the XDP program that explains; not used otherwise. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct edge426_explain);
} explain SEC(".maps");

#include "stats.bpf.h"

#endif
