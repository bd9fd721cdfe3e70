/* SPDX-License-Identifier: GPL-2.0-only */
/* The lists of a policy as keys and values of maps, and the allow list back from them. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "lists.h"
#include "text.h"

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))
#define ENTRIES 6 /* of one row */

/*
 * An allow list in its order; `counts` is the until that the packet program
 * goes by at each entry: the trie shows it the longest prefix alone.
 */
static const struct {
	const char *name;
	struct {
		const char *prefix;
		__u64 until, counts;
	} entries[ENTRIES];
} allows[] = {
	{"for good", {{"10.0.0.0/8", 0, 0}}},
	{"for a time", {{"10.0.0.0/8", 5, 5}}},
	{"a longer time around", {{"10.0.0.0/8", 9, 9}, {"10.1.0.0/16", 5, 9}}},
	{"a shorter time around", {{"10.0.0.0/8", 5, 5}, {"10.1.0.0/16", 9, 9}}},
	{"for good around", {{"10.0.0.0/8", 0, 0}, {"10.1.0.0/16", 5, 0}}},
	{"for good within", {{"10.0.0.0/8", 5, 5}, {"10.1.0.0/16", 0, 0}}},
	{"the outermost counts longest",
	 {{"10.0.0.0/8", 9, 9}, {"10.1.0.0/16", 5, 9}, {"10.1.1.0/24", 7, 9}}},
	{"beside each other", {{"10.0.0.0/16", 9, 9}, {"10.1.0.0/16", 5, 5}}},
	{"behind one that was around the one before",
	 {{"10.0.0.0/16", 9, 9}, {"10.0.1.0/24", 5, 9}, {"10.1.0.0/16", 5, 5}}},
	{"back to the outer one",
	 {{"10.0.0.0/8", 3, 3},
	  {"10.1.0.0/16", 9, 9},
	  {"10.1.1.1", 5, 9},
	  {"10.2.0.0/16", 1, 3},
	  {"11.0.0.0/8", 1, 1}}},
	{"the same address, other lengths",
	 {{"0.0.0.0/0", 4, 4}, {"0.0.0.0/1", 3, 4}, {"0.0.0.0", 5, 5}, {"128.0.0.0/1", 1, 4}}},
	{"half an octet", {{"10.0.0.0/9", 9, 9}, {"10.127.0.0/16", 5, 9}, {"10.128.0.0/16", 5, 5}}},
	{"families apart",
	 {{"0.0.0.0/0", 9, 9}, {"::/0", 5, 5}, {"::1", 3, 5}, {"fd00::/8", 7, 7}}},
};

static size_t fill_allow(size_t row, struct allow entries[ENTRIES])
{
	size_t len = 0;

	for (; len < ENTRIES && allows[row].entries[len].prefix; len++) {
		entries[len] = (struct allow){.until = allows[row].entries[len].until};
		cr_assert_eq(
			text_parse_prefix(allows[row].entries[len].prefix, &entries[len].prefix),
			0);
	}
	return len;
}

Test(lists, say_until_when_an_allow_entry_counts)
{
	for (size_t i = 0; i < ARRAY_LEN(allows); i++) {
		struct allow entries[ENTRIES];
		struct policy policy = {.allow = entries, .allow_len = fill_allow(i, entries)};
		const struct edge426_allow *values;
		struct allow_lists lists = {0};

		cr_assert_eq(lists_make_allow(&policy, &lists), 0);
		cr_assert_eq(lists.exact.len, policy.allow_len);
		cr_assert_eq(lists.trie.len, 0);
		values = lists.exact.values;
		for (size_t j = 0; j < policy.allow_len; j++) {
			cr_expect_eq(values[j].until, allows[i].entries[j].until, "%s: entry %zu",
				     allows[i].name, j);
			cr_expect_eq(values[j].counts_until, allows[i].entries[j].counts,
				     "%s: entry %zu counts until %llu", allows[i].name, j,
				     values[j].counts_until);
		}
		lists_free_allow(&lists);
	}
}

Test(lists, give_the_allow_list_back)
{
	for (size_t i = 0; i < ARRAY_LEN(allows); i++) {
		struct allow entries[ENTRIES] = {0}, *read = NULL;
		size_t len = 0;
		struct policy policy = {.allow = entries, .allow_len = fill_allow(i, entries)};
		struct allow_lists lists = {0};

		cr_assert_eq(lists_make_allow(&policy, &lists), 0);
		cr_assert_eq(lists_read_allow(&lists, &read, &len), 0);
		cr_assert_eq(len, policy.allow_len);
		for (size_t j = 0; j < policy.allow_len; j++) {
			cr_expect(!memcmp(&read[j].prefix, &entries[j].prefix,
					  sizeof(entries[j].prefix)),
				  "%s: prefix %zu", allows[i].name, j);
			cr_expect_eq(read[j].until, entries[j].until, "%s: until %zu",
				     allows[i].name, j);
		}
		free(read);
		lists_free_allow(&lists);
	}
}

/* One prefix for each length: the deepest nesting there is. */
Test(lists, take_allow_entries_as_deep_as_an_address_is_long)
{
	struct allow entries[129] = {0};
	struct policy policy = {.allow = entries, .allow_len = ARRAY_LEN(entries)};
	const struct edge426_allow *values;
	struct allow_lists lists = {0};

	for (size_t i = 0; i < ARRAY_LEN(entries); i++)
		entries[i] = (struct allow){
			.prefix = {.family = 6, .bits = (__u8)i},
			.until = i == 64 ? 9 : 1,
		};
	cr_assert_eq(lists_make_allow(&policy, &lists), 0);
	cr_assert_eq(lists.exact.len, EDGE426_ALLOW_LENGTHS);
	cr_assert_eq(lists.trie.len, policy.allow_len - EDGE426_ALLOW_LENGTHS);
	values = lists.trie.values; /* of the lengths 4 and on: equals are chosen shortest first */
	cr_expect_eq(values[63 - 4].counts_until, 1);
	cr_expect_eq(values[128 - 4].counts_until, 9);
	lists_free_allow(&lists);
}

/* The hash is asked for each length, the longest first; the rarer ones are in the trie. */
static const struct {
	const char *name;
	const char *prefixes[ENTRIES];
	__u32 bits[2][EDGE426_ALLOW_LENGTHS]; /* of IPv4, of IPv6, in the hash */
	__u32 count[2];
	size_t in_trie;
} lengths[] = {
	{"one", {"10.0.0.1", "10.0.0.2"}, {{32}, {0}}, {1, 0}, 0},
	{"four",
	 {"10.0.0.0/8", "10.0.0.0/9", "10.0.0.0/10", "10.0.0.0/11"},
	 {{11, 10, 9, 8}, {0}},
	 {4, 0},
	 0},
	{"five: the last of the rarest is left",
	 {"10.0.0.0/8", "10.0.0.0/9", "10.0.0.0/10", "10.0.0.0/11", "10.0.0.0/12", "::/0"},
	 {{11, 10, 9, 8}, {0}},
	 {4, 1},
	 1},
	{"five, the most frequent of which is the last",
	 {"10.0.0.0/8", "10.0.0.0/9", "10.0.0.0/10", "10.0.0.0/11", "10.0.0.0/12", "10.16.0.0/12"},
	 {{12, 10, 9, 8}, {0}},
	 {4, 0},
	 1},
	{"the whole Internet", {"0.0.0.0/0", "::/0"}, {{0}, {0}}, {1, 1}, 0},
	{"both families",
	 {"10.0.0.0/8", "fd00::/8", "fd00::/48", "fd00::1"},
	 {{8}, {128, 48, 8}},
	 {1, 3},
	 0},
};

Test(lists, say_which_lengths_the_hash_is_asked_for)
{
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		struct allow entries[ENTRIES] = {0};
		struct policy policy = {.allow = entries};
		struct allow_lists lists = {0};

		while (policy.allow_len < ENTRIES && lengths[i].prefixes[policy.allow_len]) {
			cr_assert_eq(text_parse_prefix(lengths[i].prefixes[policy.allow_len],
						       &entries[policy.allow_len].prefix),
				     0);
			policy.allow_len++;
		}
		cr_assert_eq(lists_make_allow(&policy, &lists), 0);
		cr_expect_eq(lists.trie.len, lengths[i].in_trie, "%s", lengths[i].name);
		cr_expect_eq(lists.exact.len, policy.allow_len - lengths[i].in_trie, "%s",
			     lengths[i].name);
		for (int six = 0; six < 2; six++) {
			cr_expect_eq(lists.lengths[six].count, lengths[i].count[six], "%s",
				     lengths[i].name);
			for (__u32 at = 0; at < lengths[i].count[six]; at++)
				cr_expect_eq(lists.lengths[six].prefix_len[at],
					     EDGE426_ALLOW_BITS + lengths[i].bits[six][at], "%s",
					     lengths[i].name);
		}
		lists_free_allow(&lists);
	}
}

Test(lists, say_which_bits_of_an_address_a_length_means)
{
	static const __u8 wanted[][16] = {{0xff, 0xff, 0xff, 0xe0}, {0xfe}};
	struct allow entries[2] = {{.prefix = {.family = 4, .bits = 7}},
				   {.prefix = {.family = 4, .bits = 27}}};
	struct policy policy = {.allow = entries, .allow_len = 2};
	struct allow_lists lists = {0};

	cr_assert_eq(lists_make_allow(&policy, &lists), 0);
	for (int at = 0; at < 2; at++)
		cr_expect(!memcmp(lists.lengths[0].mask[at], wanted[at], 16), "mask %d", at);
	lists_free_allow(&lists);
}

/* Services 0 to 2; the one in the middle is exempt from nothing. */
static char *first_paths[] = {"/a", "acme"}, *last_paths[] = {"/", "k8s-probe", "/b/"};
static char *first_hosts[] = {"a.example"}, *last_hosts[] = {"b.example", "c.example"};
static struct service services[] = {
	{.exempt_paths = {first_paths, 2}, .exempt_hosts = {first_hosts, 1}},
	{.port = 1},
	{.exempt_paths = {last_paths, 3}, .exempt_hosts = {last_hosts, 2}},
};
static const struct policy policy_of_three = {.services = services, .services_len = 3};

Test(lists, have_presets_as_their_paths)
{
	static const struct {
		__u32 service;
		const char *path;
	} wanted[] = {
		{0, "/a"},     {0, "/.well-known/acme-challenge/"},
		{2, "/"},      {2, "/healthz"},
		{2, "/livez"}, {2, "/readyz"},
		{2, "/b/"},
	};
	const struct edge426_path_key *keys;
	struct list list = {0};

	cr_assert_eq(lists_make_paths(&policy_of_three, &list), 0);
	cr_assert_eq(list.len, ARRAY_LEN(wanted));
	keys = list.keys;
	for (size_t i = 0; i < list.len; i++) {
		char octets[EDGE426_PATH_MAX + 1] = {0};

		memcpy(octets, keys[i].octets, sizeof(keys[i].octets));
		cr_expect_str_eq(octets, wanted[i].path, "'%s'", octets);
		cr_expect_eq(keys[i].service, wanted[i].service, "%s", wanted[i].path);
		cr_expect_eq(keys[i].prefix_len, EDGE426_PATH_BITS + 8 * strlen(wanted[i].path),
			     "%s", wanted[i].path);
	}
	list_free(&list);
}

Test(lists, have_the_longest_path_whole)
{
	char path[EDGE426_PATH_MAX + 1] = {0}, *paths[] = {path};
	struct service service = {.exempt_paths = {paths, 1}};
	struct policy policy = {.services = &service, .services_len = 1};
	const struct edge426_path_key *key;
	struct list list = {0};

	memset(path, '/', EDGE426_PATH_MAX);
	cr_assert_eq(lists_make_paths(&policy, &list), 0);
	key = list.keys;
	cr_expect_eq(key->prefix_len, EDGE426_PATH_BITS + 8 * EDGE426_PATH_MAX);
	cr_expect(!memcmp(key->octets, path, EDGE426_PATH_MAX));
	list_free(&list);
}

Test(lists, have_hosts_padded_with_zero)
{
	static const struct {
		__u32 service;
		const char *name;
	} wanted[] = {{0, "a.example"}, {2, "b.example"}, {2, "c.example"}};
	const struct edge426_host_key *keys;
	struct list list = {0};

	cr_assert_eq(lists_make_hosts(&policy_of_three, &list), 0);
	cr_assert_eq(list.len, ARRAY_LEN(wanted));
	keys = list.keys;
	for (size_t i = 0; i < list.len; i++) {
		__u8 name[sizeof(keys->name)] = {0};

		memcpy(name, wanted[i].name, strlen(wanted[i].name));
		cr_expect_eq(keys[i].service, wanted[i].service, "%s", wanted[i].name);
		cr_expect(!memcmp(keys[i].name, name, sizeof(name)), "%s", wanted[i].name);
	}
	list_free(&list);
}

Test(lists, of_an_empty_policy_are_empty)
{
	struct policy policy = {0};
	struct allow_lists allow = {0};
	struct list list = {0};

	cr_assert_eq(lists_make_allow(&policy, &allow), 0);
	cr_expect_eq(allow.exact.len, 0);
	cr_expect_eq(allow.trie.len, 0);
	lists_free_allow(&allow);
	cr_assert_eq(lists_make_paths(&policy, &list), 0);
	cr_expect_eq(list.len, 0);
	list_free(&list);
	cr_assert_eq(lists_make_hosts(&policy, &list), 0);
	cr_expect_eq(list.len, 0);
	list_free(&list);
}
