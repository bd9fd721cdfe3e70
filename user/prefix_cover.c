/* SPDX-License-Identifier: GPL-2.0-only */
/* One pass over sorted prefixes, with the first address that none of them has. */
#include "prefix_cover.h"

#include <string.h>

#include "policy.h"
#include "prefix.h"

void prefix_cover_begin(struct prefix_cover *cover, const struct prefix *whole)
{
	cover->whole = whole;
	cover->ended = false;
	memcpy(cover->next, whole->address, sizeof(cover->next));
}

/* One that begins behind `next` leaves a gap, as do all that come after it. */
void prefix_cover_add(struct prefix_cover *cover, const struct prefix *prefix)
{
	__u8 end[16];

	if (cover->ended || prefix->family != cover->whole->family ||
	    memcmp(prefix->address, cover->next, sizeof(cover->next)) > 0)
		return;
	if (!prefix_end(prefix, end))
		cover->ended = true;
	else if (memcmp(end, cover->next, sizeof(end)) > 0)
		memcpy(cover->next, end, sizeof(end));
}

bool prefix_cover_is_whole(const struct prefix_cover *cover)
{
	__u8 end[16];

	if (cover->ended)
		return true;
	return prefix_end(cover->whole, end) && memcmp(cover->next, end, sizeof(end)) >= 0;
}
