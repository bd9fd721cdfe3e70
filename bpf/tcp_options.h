/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The options of a TCP header: finds the timestamps (RFC 7323 3.2). Stops at
 * the first option that cannot be right, as RFC 9293 MUST-7 allows. Pure.
 */
#ifndef EDGE426_TCP_OPTIONS_H
#define EDGE426_TCP_OPTIONS_H

#include <linux/types.h>

#define TCP_OPTIONS_MAX 40 /* octets: 15 words of header less 5 */
#define TCP_OPTION_END 0
#define TCP_OPTION_NOP 1
#define TCP_OPTION_TIMESTAMPS 8
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

#endif
