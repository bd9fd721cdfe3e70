/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The Internet checksum (RFC 1071) as partial sums: 16-bit words as they lie
 * in memory, added in 32 bits. Byte order cancels out, so nothing is swapped.
 * Pure.
 */
#ifndef EDGE426_CHECKSUM_H
#define EDGE426_CHECKSUM_H

#include <linux/types.h>

/* Reads what was written as headers; a plain __u16 the compiler may read too early. */
typedef __u16 checksum_word __attribute__((may_alias));

/* Keeps the upper half small, so that more can be added without an overflow. */
static inline __u32 checksum_settle(__u32 sum)
{
	return (sum & 0xffff) + (sum >> 16);
}

/* Adds `len` octets; an odd last one counts as if a zero followed. len up to 65,536. */
static inline __u32 checksum_add(__u32 sum, const void *data, __u32 len)
{
	const __u8 *octets = data;
	__u64 wide = sum;
	__u32 i;

	for (i = 0; i + 1 < len; i += 2)
		wide += *(const checksum_word *)(octets + i);
	if (len & 1) {
		union {
			__u8 octet[2];
			__u16 word;
		} last = {.octet = {octets[len - 1], 0}};

		wide += last.word;
	}
	wide = (wide & 0xffffffff) + (wide >> 32);
	return checksum_settle(checksum_settle((__u32)wide));
}

/* The value for a checksum field. */
static inline __u16 checksum_fold(__u32 sum)
{
	return (__u16)~checksum_settle(checksum_settle(sum));
}

/*
 * The checksum field after a 16-bit word of what it covers went from `from`
 * to `to`, all as in memory (RFC 1624, equation 3).
 */
static inline __u16 checksum_replace(__u16 check, __u16 from, __u16 to)
{
	return checksum_fold((__u16)~check + (__u16)~from + (__u32)to);
}

#endif
