/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The options of a TCP header: what a SYN offers, where the timestamps are
 * (RFC 7323 3.2). Stops at the first option that cannot be right, as RFC 9293
 * MUST-7 allows. Pure.
 */
#ifndef EDGE426_TCP_OPTIONS_H
#define EDGE426_TCP_OPTIONS_H

#include <linux/types.h>

#define TCP_OPTIONS_MAX 40 /* octets: 15 words of header less 5 */
#define TCP_OPTION_END 0
#define TCP_OPTION_NOP 1
#define TCP_OPTION_MSS 2
#define TCP_OPTION_MSS_LEN 4
#define TCP_OPTION_WSCALE 3
#define TCP_OPTION_WSCALE_LEN 3
#define TCP_OPTION_WSCALE_MAX 14 /* RFC 7323 2.3 */
#define TCP_OPTION_SACK_PERMITTED 4
#define TCP_OPTION_SACK_PERMITTED_LEN 2
#define TCP_OPTION_TIMESTAMPS 8
#define TCP_OPTION_MD5 19 /* RFC 2385 */
#define TCP_OPTION_AO 29  /* RFC 5925 */
#define TCP_OPTION_TIMESTAMPS_LEN 10

struct tcp_timestamps {
	__u8 tsval[4]; /* network order */
	__u8 tsecr[4];
};

/*
 * Offset of the timestamps option in `options`, or -1. `len` up to
 * TCP_OPTIONS_MAX. It steps octet by octet and waits for the next option,
 * which the verifier follows far easier than jumps of unknown length.
 */
static inline __attribute__((always_inline)) int tcp_options_find_timestamps(const __u8 *options,
									     __u32 len)
{
	__u32 next = 0;
	__u32 at;

	for (at = 0; at + 1 < TCP_OPTIONS_MAX && at + 1 < len; at++) {
		if (at != next)
			continue;
		if (options[at] == TCP_OPTION_END)
			return -1;
		if (options[at] == TCP_OPTION_NOP) {
			next = at + 1;
			continue;
		}
		if (options[at + 1] < 2 || at + options[at + 1] > len)
			return -1;
		if (options[at] == TCP_OPTION_TIMESTAMPS &&
		    options[at + 1] == TCP_OPTION_TIMESTAMPS_LEN)
			return (int)at;
		next = at + options[at + 1];
	}
	return -1;
}

/* What a SYN offers; whatever it does not is zero. */
struct syn_options {
	__u16 mss; /* 0: none */
	__u8 wscale;
	__u8 has_wscale;
	__u8 has_sack;
	__u8 has_timestamps;
	__u8 is_signed; /* with MD5 or AO: only the kernel can answer */
	__u8 tsval[4];	/* network order */
	__u8 tsecr[4];
};

/* One option, whose octets are all there; `len` by its length octet. */
static inline __attribute__((always_inline)) void tcp_options_take(const __u8 *option, __u32 len,
								   struct syn_options *options)
{
	__u8 kind = option[0];

	if (kind == TCP_OPTION_MSS && len == TCP_OPTION_MSS_LEN)
		options->mss = option[2] << 8 | option[3];
	if (kind == TCP_OPTION_SACK_PERMITTED && len == TCP_OPTION_SACK_PERMITTED_LEN)
		options->has_sack = 1;
	if (kind == TCP_OPTION_MD5 || kind == TCP_OPTION_AO)
		options->is_signed = 1;
	if (kind == TCP_OPTION_WSCALE && len == TCP_OPTION_WSCALE_LEN) {
		options->has_wscale = 1;
		options->wscale =
			option[2] < TCP_OPTION_WSCALE_MAX ? option[2] : TCP_OPTION_WSCALE_MAX;
	}
	if (kind == TCP_OPTION_TIMESTAMPS && len == TCP_OPTION_TIMESTAMPS_LEN) {
		options->has_timestamps = 1;
		__builtin_memcpy(options->tsval, option + 2, 4);
		__builtin_memcpy(options->tsecr, option + 6, 4);
	}
}

/*
 * Reads `len` octets of options, up to TCP_OPTIONS_MAX, in a buffer that has
 * TCP_OPTION_TIMESTAMPS_LEN octets more, which may be anything.
 */
static inline __attribute__((always_inline)) void
tcp_options_read_syn(const __u8 *octets, __u32 len, struct syn_options *options)
{
	__u32 next = 0;
	__u32 at;

	for (at = 0; at + 1 < TCP_OPTIONS_MAX && at + 1 < len; at++) {
		if (at != next)
			continue;
		if (octets[at] == TCP_OPTION_END)
			return;
		if (octets[at] == TCP_OPTION_NOP) {
			next = at + 1;
			continue;
		}
		if (octets[at + 1] < 2 || at + octets[at + 1] > len)
			return;
		tcp_options_take(octets + at, octets[at + 1], options);
		next = at + octets[at + 1];
	}
}

#endif
