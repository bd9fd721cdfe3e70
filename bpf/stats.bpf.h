/* SPDX-License-Identifier: GPL-2.0-only */
/* One count for each exit of a packet program; shared by both programs. */
#ifndef EDGE426_STATS_BPF_H
#define EDGE426_STATS_BPF_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>
#include <edge426/reasons.h>

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, EDGE426_REASON_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} reasons SEC(".maps");

static __always_inline void count(enum edge426_reason reason)
{
	__u32 key = reason;
	__u64 *counter = bpf_map_lookup_elem(&reasons, &key);

	if (counter)
		*counter += 1;
}

#endif
