/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether many prefixes together have all addresses of one. Pure. */
#ifndef EDGE426_PREFIX_COVER_H
#define EDGE426_PREFIX_COVER_H

#include <linux/types.h>
#include <stdbool.h>

struct prefix;

struct prefix_cover {
	const struct prefix *whole; /* what is to be covered, of one family */
	__u8 next[16];		    /* the first address that is not yet */
	bool ended;		    /* there is none */
};

void prefix_cover_begin(struct prefix_cover *cover, const struct prefix *whole);

/* In the order of prefix_compare; prefixes of the other family do not count. */
void prefix_cover_add(struct prefix_cover *cover, const struct prefix *prefix);
bool prefix_cover_is_whole(const struct prefix_cover *cover);

#endif
