/* SPDX-License-Identifier: GPL-2.0-only */
/* The window scale that the kernel would choose, and why the edge cannot answer, as text. */
#include <criterion/criterion.h>
#include <string.h>

#include "edge.h"

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

/* tcp_select_initial_window(): the binary logarithm less 15, at most 14. */
static const struct {
	const char *name;
	unsigned long space;
	__u32 scale;
} scales[] = {
	{"no space", 0, 0},
	{"as much as 16 bits hold", 65535, 0},
	{"one octet more", 65536, 1},
	{"the last that a scale of 1 holds", 131071, 1},
	{"one octet more than that", 131072, 2},
	{"the kernel's rmem_max", 212992, 2},
	{"four mebibytes", 4194304, 7},
	{"the kernel's tcp_rmem", 6291456, 7},
	{"one octet less than 8 MiB", 8388607, 7},
	{"8 MiB", 8388608, 8},
	{"32 MiB", 33554432, 10},
	{"one octet less than half a gibibyte", 536870911, 13},
	{"half a gibibyte", 536870912, 14},
	{"a gibibyte, where the protocol ends", 1073741824, 14},
	{"all that a long holds", -1UL, 14},
};

Test(edge, chooses_the_kernels_window_scale)
{
	for (size_t i = 0; i < ARRAY_LEN(scales); i++) {
		__u32 scale = edge_window_scale(scales[i].space);

		cr_expect_eq(scale, scales[i].scale, "%s: %u", scales[i].name, scale);
	}
}

#define SYNCOOKIES "net.ipv4.tcp_syncookies is 0"
#define CONNTRACK "net.netfilter.nf_conntrack_tcp_loose is 0"
#define KFUNC "the kernel has no bpf_sk_assign_tcp_reqsk (Linux 6.9)"

static const struct {
	__u32 unable;
	const char *text;
} texts[] = {
	{0, ""},
	{EDGE426_UNABLE_SYNCOOKIES, SYNCOOKIES},
	{EDGE426_UNABLE_CONNTRACK, CONNTRACK},
	{EDGE426_UNABLE_KFUNC, KFUNC},
	{EDGE426_UNABLE_SYNCOOKIES | EDGE426_UNABLE_CONNTRACK, SYNCOOKIES ", " CONNTRACK},
	{EDGE426_UNABLE_CONNTRACK | EDGE426_UNABLE_KFUNC, CONNTRACK ", " KFUNC},
	{EDGE426_UNABLE_SYNCOOKIES | EDGE426_UNABLE_KFUNC, SYNCOOKIES ", " KFUNC},
	{EDGE426_UNABLE_SYNCOOKIES | EDGE426_UNABLE_CONNTRACK | EDGE426_UNABLE_KFUNC,
	 SYNCOOKIES ", " CONNTRACK ", " KFUNC},
	{1U << 31, ""}, /* a bit of a later version */
};

/* The text is whole: room for all of them, or the longest row is cut. */
Test(edge, prints_why_it_is_unable)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		char text[EDGE_UNABLE_LEN];

		memset(text, 'x', sizeof(text));
		edge_print_unable(texts[i].unable, text);
		cr_expect_str_eq(text, texts[i].text, "bits %x: '%s'", texts[i].unable, text);
	}
}
