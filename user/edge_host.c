/* SPDX-License-Identifier: GPL-2.0-only */
/* What the host's settings come to: a window scale, a text. Pure; edge.c reads them. */
#include <stdio.h>

#include "edge.h"

#define WSCALE_MAX 14 /* RFC 7323 2.3 */
#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	__u32 bit;
	const char *text;
} unable_texts[] = {
	{EDGE426_UNABLE_SYNCOOKIES, "net.ipv4.tcp_syncookies is 0"},
	{EDGE426_UNABLE_CONNTRACK, "net.netfilter.nf_conntrack_tcp_loose is 0"},
	{EDGE426_UNABLE_KFUNC, "the kernel has no bpf_sk_assign_tcp_reqsk (Linux 6.9)"},
};

__u32 edge_window_scale(unsigned long space)
{
	__u32 scale = 0;

	while (scale < WSCALE_MAX && space >> 16 >> scale)
		scale++;
	return scale;
}

void edge_print_unable(__u32 unable, char text[EDGE_UNABLE_LEN])
{
	size_t at = 0;

	text[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(unable_texts); i++)
		if (unable & unable_texts[i].bit)
			at += (size_t)snprintf(text + at, EDGE_UNABLE_LEN - at, "%s%s",
					       at ? ", " : "", unable_texts[i].text);
}
