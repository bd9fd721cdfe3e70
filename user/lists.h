/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a policy has in lists, as keys and values of the maps `allow`, `paths`
 * and `hosts`, and the allow list back from them. Pure; inner.c writes them.
 */
#ifndef EDGE426_LISTS_H
#define EDGE426_LISTS_H

#include <edge426/abi.h>
#include <stddef.h>

#include "policy.h"

/* Owns its memory; a zeroed struct is an empty list. */
struct list {
	void *keys;
	void *values;
	size_t len; /* of both */
};

/* An empty list with room for so many entries. -ENOMEM. */
int list_make(size_t room, size_t key_size, size_t value_size, struct list *list);
void list_free(struct list *list);

/* So many entries of a family are found in the trie as fast as in the hash. */
#define LISTS_TRIE_FEW 256

/* The allow list as its two maps and the lengths of one half have it. */
struct allow_lists {
	struct list trie, exact;
	struct edge426_allow_lengths lengths[2]; /* IPv4, IPv6 */
};

/* -ENOMEM. */
int lists_make_allow(const struct policy *policy, struct allow_lists *lists);
void lists_free_allow(struct allow_lists *lists);
int lists_make_paths(const struct policy *policy, struct list *list); /* presets as their paths */
int lists_make_hosts(const struct policy *policy, struct list *list);

/*
 * The entries of both maps, which are not checked; free() them. In no order.
 * -ENOMEM. The lengths are not looked at.
 */
int lists_read_allow(const struct allow_lists *lists, struct allow **entries, size_t *len);

#endif
