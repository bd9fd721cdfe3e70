/* SPDX-License-Identifier: GPL-2.0-only */
/* Prefixes as bits: host bits, order, end. */
#include "prefix.h"

#include <string.h>

#include "policy.h"

void prefix_clear_host_bits(struct prefix *prefix)
{
	size_t whole = prefix->bits / 8;

	if (whole >= sizeof(prefix->address))
		return;
	prefix->address[whole] &= (__u8)(0xff00 >> prefix->bits % 8);
	memset(prefix->address + whole + 1, 0, sizeof(prefix->address) - whole - 1);
}

int prefix_compare(const struct prefix *a, const struct prefix *b)
{
	int order = a->family - b->family;

	if (!order)
		order = memcmp(a->address, b->address, sizeof(a->address));
	return order ? order : a->bits - b->bits;
}

/* Adds one at the prefix's last bit and carries to the left. */
bool prefix_end(const struct prefix *prefix, __u8 end[16])
{
	unsigned int carry;
	int i;

	memcpy(end, prefix->address, sizeof(prefix->address));
	if (!prefix->bits)
		return false;
	i = (prefix->bits - 1) / 8;
	carry = 0x80U >> (prefix->bits - 1) % 8;
	for (; i >= 0 && carry; i--) {
		carry += end[i];
		end[i] = (__u8)carry;
		carry >>= 8;
	}
	return !carry;
}
