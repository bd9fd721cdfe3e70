/* SPDX-License-Identifier: GPL-2.0-only */
/* Counts what there will be, then writes it down. */
#include "lists.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int list_make(size_t room, size_t key_size, size_t value_size, struct list *list)
{
	struct list made = {.keys = calloc(room + 1, key_size),
			    .values = calloc(room + 1, value_size)};

	if (!made.keys || !made.values) {
		list_free(&made);
		return -ENOMEM;
	}
	*list = made;
	return 0;
}

void list_free(struct list *list)
{
	free(list->keys);
	free(list->values);
	*list = (struct list){0};
}

/* Of an octet of a mask: the first `bits` bits, which may be none or more than there are. */
static __u8 mask_octet(int bits)
{
	if (bits <= 0)
		return 0;
	return bits >= 8 ? 0xff : (__u8)(0xff00 >> bits);
}

static bool has_bits(const __u8 address[16], const struct prefix *prefix)
{
	unsigned int octets = prefix->bits / 8, rest = prefix->bits % 8;
	__u8 mask = mask_octet((int)rest);

	return !memcmp(address, prefix->address, octets) &&
	       (!rest || !((address[octets] ^ prefix->address[octets]) & mask));
}

static bool lies_in(const struct prefix *inner, const struct prefix *outer)
{
	return inner->family == outer->family && inner->bits > outer->bits &&
	       has_bits(inner->address, outer);
}

/* 0 is for good. */
static __u64 later(__u64 a, __u64 b)
{
	if (!a || !b)
		return 0;
	return a > b ? a : b;
}

/* The length that most entries have of those that are not chosen yet; -1 when there is none. */
static int most_frequent(const size_t count[129], const bool chosen[129])
{
	int best = -1;

	for (int bits = 0; bits <= 128; bits++)
		if (count[bits] && !chosen[bits] && (best < 0 || count[bits] > count[best]))
			best = bits;
	return best;
}

static void add_length(struct edge426_allow_lengths *lengths, int bits)
{
	__u32 at = lengths->count++;

	lengths->prefix_len[at] = (__u32)(EDGE426_ALLOW_BITS + bits);
	for (int octet = 0; octet < 16; octet++)
		((__u8 *)lengths->mask[at])[octet] = mask_octet(bits - 8 * octet);
}

/* The most frequent ones, until few entries are left; then these, the longest first. */
static void choose_lengths(const size_t count[129], bool chosen[129],
			   struct edge426_allow_lengths *lengths)
{
	size_t left = 0;

	for (int bits = 0; bits <= 128; bits++)
		left += count[bits];
	for (int i = 0; i < EDGE426_ALLOW_LENGTHS && left > LISTS_TRIE_FEW; i++) {
		int bits = most_frequent(count, chosen);

		chosen[bits] = true;
		left -= count[bits];
	}
	for (int bits = 128; bits >= 0; bits--)
		if (chosen[bits])
			add_length(lengths, bits);
}

/* `in_hash`: by family and bits, whose entries go there. */
static void find_lengths(const struct policy *policy, bool in_hash[2][129],
			 struct edge426_allow_lengths lengths[2])
{
	size_t count[2][129] = {{0}};

	for (size_t i = 0; i < policy->allow_len; i++)
		count[policy->allow[i].prefix.family == 6][policy->allow[i].prefix.bits]++;
	for (int six = 0; six < 2; six++)
		choose_lengths(count[six], in_hash[six], &lengths[six]);
}

/* A prefix that ends before or within the octet has all values, or a run of them. */
static void note_in_trie(const struct prefix *prefix, struct edge426_allow_lengths *lengths)
{
	int octet = prefix->family == 6 ? EDGE426_ALLOW_OCTET6 : EDGE426_ALLOW_OCTET4;
	__u8 mask = mask_octet(prefix->bits - 8 * octet);

	for (unsigned int value = 0; value < 256; value++)
		if ((value & mask) == prefix->address[octet])
			lengths->in_trie[value / 64] |= 1ULL << value % 64;
}

static void add_allow(struct list *list, const struct allow *entry, __u64 counts_until)
{
	struct edge426_allow_key *key = (struct edge426_allow_key *)list->keys + list->len;
	struct edge426_allow *value = (struct edge426_allow *)list->values + list->len++;

	key->prefix_len = EDGE426_ALLOW_BITS + entry->prefix.bits;
	key->family = entry->prefix.family;
	memcpy(key->address, entry->prefix.address, sizeof(key->address));
	value->until = entry->until;
	value->counts_until = counts_until;
}

/* An entry that lies around the current one, and until when it counts with those around it. */
struct around {
	const struct allow *entry;
	__u64 counts_until;
};

/*
 * In the order of the list a prefix comes behind all that lie around it. Those
 * around the current one are kept, the shortest first; each lies in the one
 * before it, so that there is one for each length at most.
 */
static void fill_allow(const struct policy *policy, bool in_hash[2][129], struct allow_lists *lists)
{
	struct around around[129];
	size_t depth = 0;

	for (size_t i = 0; i < policy->allow_len; i++) {
		const struct allow *entry = &policy->allow[i];
		__u64 until = entry->until;

		while (depth && !lies_in(&entry->prefix, &around[depth - 1].entry->prefix))
			depth--;
		if (depth)
			until = later(until, around[depth - 1].counts_until);
		if (in_hash[entry->prefix.family == 6][entry->prefix.bits]) {
			add_allow(&lists->exact, entry, until);
		} else {
			add_allow(&lists->trie, entry, until);
			note_in_trie(&entry->prefix, &lists->lengths[entry->prefix.family == 6]);
		}
		around[depth++] = (struct around){entry, until};
	}
}

static int make_allow(size_t room, struct list *list)
{
	return list_make(room, sizeof(struct edge426_allow_key), sizeof(struct edge426_allow),
			 list);
}

int lists_make_allow(const struct policy *policy, struct allow_lists *lists)
{
	bool in_hash[2][129] = {{false}};
	struct allow_lists made = {0};
	int err = make_allow(policy->allow_len, &made.trie);

	if (!err)
		err = make_allow(policy->allow_len, &made.exact);
	if (err) {
		lists_free_allow(&made);
		return err;
	}
	find_lengths(policy, in_hash, made.lengths);
	fill_allow(policy, in_hash, &made);
	*lists = made;
	return 0;
}

void lists_free_allow(struct allow_lists *lists)
{
	list_free(&lists->trie);
	list_free(&lists->exact);
	*lists = (struct allow_lists){0};
}

static void read_allow(const struct list *list, struct allow *entries)
{
	const struct edge426_allow_key *keys = list->keys;
	const struct edge426_allow *values = list->values;

	for (size_t i = 0; i < list->len; i++) {
		entries[i].prefix.family = keys[i].family;
		entries[i].prefix.bits = (__u8)(keys[i].prefix_len - EDGE426_ALLOW_BITS);
		memcpy(entries[i].prefix.address, keys[i].address, sizeof(keys[i].address));
		entries[i].until = values[i].until;
	}
}

int lists_read_allow(const struct allow_lists *lists, struct allow **entries, size_t *len)
{
	size_t count = lists->trie.len + lists->exact.len;
	struct allow *read = calloc(count + 1, sizeof(*read));

	if (!read)
		return -ENOMEM;
	read_allow(&lists->trie, read);
	read_allow(&lists->exact, read + lists->trie.len);
	*entries = read;
	*len = count;
	return 0;
}

/* A path that stands for itself, in the form of a preset. */
struct path_list {
	const char *own[2];
	const char *const *paths;
};

static void expand_path(const char *text, struct path_list *list)
{
	list->own[0] = text;
	list->own[1] = NULL;
	list->paths = text[0] == '/' ? NULL : policy_find_preset(text);
	if (!list->paths)
		list->paths = list->own;
}

static size_t count_paths(const struct policy *policy)
{
	size_t count = 0;

	for (size_t i = 0; i < policy->services_len; i++) {
		const struct strings *texts = &policy->services[i].exempt_paths;

		for (size_t j = 0; j < texts->len; j++) {
			struct path_list list;

			expand_path(texts->list[j], &list);
			while (*list.paths++)
				count++;
		}
	}
	return count;
}

static void add_path(struct list *list, __u32 service, const char *path)
{
	struct edge426_path_key *key = (struct edge426_path_key *)list->keys + list->len++;
	size_t len = strnlen(path, sizeof(key->octets));

	key->prefix_len = (__u32)(EDGE426_PATH_BITS + 8 * len);
	key->service = service;
	memcpy(key->octets, path, len);
}

static void add_paths(struct list *list, __u32 service, const struct strings *texts)
{
	for (size_t i = 0; i < texts->len; i++) {
		struct path_list expanded;

		expand_path(texts->list[i], &expanded);
		for (; *expanded.paths; expanded.paths++)
			add_path(list, service, *expanded.paths);
	}
}

int lists_make_paths(const struct policy *policy, struct list *list)
{
	int err = list_make(count_paths(policy), sizeof(struct edge426_path_key), sizeof(__u32),
			    list);

	for (__u32 i = 0; i < policy->services_len && !err; i++)
		add_paths(list, i, &policy->services[i].exempt_paths);
	return err;
}

static size_t count_hosts(const struct policy *policy)
{
	size_t count = 0;

	for (size_t i = 0; i < policy->services_len; i++)
		count += policy->services[i].exempt_hosts.len;
	return count;
}

static void add_hosts(struct list *list, __u32 service, const struct strings *names)
{
	for (size_t i = 0; i < names->len; i++) {
		struct edge426_host_key *key = (struct edge426_host_key *)list->keys + list->len++;

		key->service = service;
		memcpy(key->name, names->list[i], strnlen(names->list[i], EDGE426_HOST_MAX));
	}
}

int lists_make_hosts(const struct policy *policy, struct list *list)
{
	int err = list_make(count_hosts(policy), sizeof(struct edge426_host_key), sizeof(__u32),
			    list);

	for (__u32 i = 0; i < policy->services_len && !err; i++)
		add_hosts(list, i, &policy->services[i].exempt_hosts);
	return err;
}
