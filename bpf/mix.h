/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A cheap mixing of words into a hash that nobody has to trust: for places in
 * tables. The upper bits of the word added last do not reach the lower ones of
 * the hash: whoever takes these adds another word, or 0, after it. Pure.
 */
#ifndef EDGE426_MIX_H
#define EDGE426_MIX_H

#include <linux/types.h>

static inline __attribute__((always_inline)) __u64 mix_add(__u64 mixed, __u64 word)
{
	mixed = (mixed ^ word) * 0x9e3779b97f4a7c15ULL; /* 2^64 by the golden ratio */
	return mixed ^ mixed >> 32;
}

#endif
