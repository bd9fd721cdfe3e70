/* SPDX-License-Identifier: GPL-2.0-only */
/* An XDP program of somebody else that holds the hook; passes everything. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

SEC("xdp")
int somebody_else(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
