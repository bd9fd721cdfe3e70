/* SPDX-License-Identifier: GPL-2.0-only */
/* What one can do with prefixes of addresses. Pure; text of them is text.h's. */
#ifndef EDGE426_PREFIX_H
#define EDGE426_PREFIX_H

#include <linux/types.h>
#include <stdbool.h>

struct prefix;

void prefix_clear_host_bits(struct prefix *prefix);

/* The order of a policy's allow list: by family, address, bits; as memcmp. */
int prefix_compare(const struct prefix *a, const struct prefix *b);

/* The first address behind the prefix; false when there is none, it goes up to the last. */
bool prefix_end(const struct prefix *prefix, __u8 end[16]);

#endif
