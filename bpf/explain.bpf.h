/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For a copy of the XDP program that judges packets nobody sent: what it
 * assumes in place of asking the kernel, and what it met on its way. In the
 * program that is attached `explaining` is 0, and the kernel leaves all of it
 * out when it loads it.
 */
#ifndef EDGE426_EXPLAIN_BPF_H
#define EDGE426_EXPLAIN_BPF_H

#include "maps.bpf.h"

const volatile __u32 explaining;

static __always_inline struct edge426_explain *explain_entry(void)
{
	__u32 zero = 0;

	return explaining ? bpf_map_lookup_elem(&explain, &zero) : NULL;
}

static __always_inline __u32 explain_proof(void)
{
	struct edge426_explain *entry = explain_entry();

	return entry ? entry->proof : EDGE426_EXPLAIN_NONE;
}

static __always_inline void explain_service(__s32 index)
{
	struct edge426_explain *entry = explain_entry();

	if (entry)
		entry->service = index < 0 ? 0 : 1 + index % EDGE426_SERVICE_SLOTS;
}

static __always_inline void explain_class(__u32 class)
{
	struct edge426_explain *entry = explain_entry();

	if (entry)
		entry->class = 1 + class;
}

static __always_inline void explain_monitored(void)
{
	struct edge426_explain *entry = explain_entry();

	if (entry)
		entry->monitored = 1;
}

#endif
