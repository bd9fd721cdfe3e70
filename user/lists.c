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

static bool has_bits(const __u8 address[16], const struct prefix *prefix)
{
	unsigned int octets = prefix->bits / 8, rest = prefix->bits % 8;
	__u8 mask = (__u8)(0xff00 >> rest);

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

/*
 * In the order of the list a prefix comes behind all that lie around it. Those
 * around the current one are kept, the shortest first; each lies in the one
 * before it, so that there is one for each length at most.
 */
static void fill_allow(const struct policy *policy, struct list *list)
{
	size_t around[129] = {0}, depth = 0;
	struct edge426_allow_key *keys = list->keys;
	struct edge426_allow *values = list->values;

	for (size_t i = 0; i < policy->allow_len; i++) {
		const struct allow *entry = &policy->allow[i];

		while (depth && !lies_in(&entry->prefix, &policy->allow[around[depth - 1]].prefix))
			depth--;
		keys[i].prefix_len = EDGE426_ALLOW_BITS + entry->prefix.bits;
		keys[i].family = entry->prefix.family;
		memcpy(keys[i].address, entry->prefix.address, sizeof(keys[i].address));
		values[i].until = values[i].counts_until = entry->until;
		if (depth)
			values[i].counts_until =
				later(entry->until, values[around[depth - 1]].counts_until);
		around[depth++] = i;
	}
	list->len = policy->allow_len;
}

int lists_make_allow(const struct policy *policy, struct list *list)
{
	int err = list_make(policy->allow_len, sizeof(struct edge426_allow_key),
			    sizeof(struct edge426_allow), list);

	if (!err)
		fill_allow(policy, list);
	return err;
}

int lists_read_allow(const struct list *list, struct allow **entries)
{
	const struct edge426_allow_key *keys = list->keys;
	const struct edge426_allow *values = list->values;
	struct allow *read = calloc(list->len + 1, sizeof(*read));

	if (!read)
		return -ENOMEM;
	for (size_t i = 0; i < list->len; i++) {
		read[i].prefix.family = keys[i].family;
		read[i].prefix.bits = (__u8)(keys[i].prefix_len - EDGE426_ALLOW_BITS);
		memcpy(read[i].prefix.address, keys[i].address, sizeof(keys[i].address));
		read[i].until = values[i].until;
	}
	*entries = read;
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
