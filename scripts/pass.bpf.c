/* SPDX-License-Identifier: GPL-2.0-only */
/* For the client's end of the veth: passes everything; see topology_attach_pass. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

/* With .frags the server may go on to send what its segmentation offload makes. */
SEC("xdp.frags")
int pass(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
