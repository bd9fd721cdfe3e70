/* SPDX-License-Identifier: GPL-2.0-only */
/* The lists of a policy as keys and values of maps, and the allow list back from them. */
#include <arpa/inet.h>
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
		cr_assert_eq(lists.trie.len, policy.allow_len);
		cr_assert_eq(lists.exact.len, 0);
		values = lists.trie.values;
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
	cr_assert_eq(lists.trie.len, policy.allow_len);
	values = lists.trie.values;
	cr_expect_eq(values[63].counts_until, 1);
	cr_expect_eq(values[128].counts_until, 9);
	lists_free_allow(&lists);
}

/* How many entries of which lengths there are, and for which of these the hash is asked. */
#define LENGTHS 6
static const struct {
	const char *name;
	struct {
		__u8 bits;
		size_t entries;
	} lengths[LENGTHS];
	__u32 in_hash[EDGE426_ALLOW_LENGTHS];
	__u32 count;
	size_t in_trie;
} mixtures[] = {
	{"few", {{32, LISTS_TRIE_FEW}}, {0}, 0, LISTS_TRIE_FEW},
	{"one too many", {{32, LISTS_TRIE_FEW + 1}}, {32}, 1, 0},
	{"many and few", {{32, 1000}, {24, 100}, {16, 100}}, {32}, 1, 200},
	{"many of two", {{24, 1000}, {32, 900}, {8, 1}}, {32, 24}, 2, 1},
	{"many of five",
	 {{28, 500}, {29, 400}, {30, 600}, {31, 700}, {32, 800}},
	 {32, 31, 30, 28},
	 4,
	 400},
};

/* Entries of one length, each another prefix, behind `at`. */
static size_t add_entries(struct allow *entries, size_t at, __u8 bits, size_t count)
{
	for (size_t i = 0; i < count; i++, at++) {
		__be32 address = htonl((__u32)i << (32 - bits));

		entries[at] = (struct allow){.prefix = {.family = 4, .bits = bits}};
		memcpy(entries[at].prefix.address, &address, sizeof(address));
	}
	return at;
}

Test(lists, say_which_lengths_the_hash_is_asked_for)
{
	for (size_t i = 0; i < ARRAY_LEN(mixtures); i++) {
		struct policy policy = {.allow = calloc(4096, sizeof(struct allow))};
		struct allow_lists lists = {0};

		for (size_t j = 0; j < LENGTHS && mixtures[i].lengths[j].entries; j++)
			policy.allow_len = add_entries(policy.allow, policy.allow_len,
						       mixtures[i].lengths[j].bits,
						       mixtures[i].lengths[j].entries);
		cr_assert_eq(lists_make_allow(&policy, &lists), 0);
		cr_expect_eq(lists.trie.len, mixtures[i].in_trie, "%s", mixtures[i].name);
		cr_expect_eq(lists.exact.len, policy.allow_len - mixtures[i].in_trie, "%s",
			     mixtures[i].name);
		cr_expect_eq(lists.lengths[0].count, mixtures[i].count, "%s", mixtures[i].name);
		for (__u32 at = 0; at < mixtures[i].count; at++)
			cr_expect_eq(lists.lengths[0].prefix_len[at],
				     EDGE426_ALLOW_BITS + mixtures[i].in_hash[at], "%s",
				     mixtures[i].name);
		lists_free_allow(&lists);
		free(policy.allow);
	}
}

Test(lists, say_which_bits_of_an_address_a_length_means)
{
	static const __u8 wanted[][16] = {{0xff, 0xff, 0xff, 0xe0}, {0xff, 0xfe}};
	struct policy policy = {.allow = calloc(4096, sizeof(struct allow))};
	struct allow_lists lists = {0};

	policy.allow_len = add_entries(policy.allow, 0, 15, 1000);
	policy.allow_len = add_entries(policy.allow, policy.allow_len, 27, 1000);
	cr_assert_eq(lists_make_allow(&policy, &lists), 0);
	cr_assert_eq(lists.lengths[0].count, 2);
	for (int at = 0; at < 2; at++)
		cr_expect(!memcmp(lists.lengths[0].mask[at], wanted[at], 16), "mask %d", at);
	lists_free_allow(&lists);
	free(policy.allow);
}

/* Which values of an octet a prefix in the trie has: IPv4's first, IPv6's fourth. */
static const struct {
	const char *prefix;
	unsigned int first, last;
} runs[] = {
	{"10.1.2.3", 10, 10},	       {"10.0.0.0/8", 10, 10},
	{"10.0.0.0/7", 10, 11},	       {"128.0.0.0/1", 128, 255},
	{"0.0.0.0/0", 0, 255},	       {"2001:db8::1", 0xb8, 0xb8},
	{"2001:db8::/32", 0xb8, 0xb8}, {"2001:d80::/28", 0x80, 0x8f},
	{"2001::/16", 0, 255},	       {"::/0", 0, 255},
};

Test(lists, say_which_addresses_the_trie_may_have)
{
	for (size_t i = 0; i < ARRAY_LEN(runs); i++) {
		struct allow entry = {0};
		struct policy policy = {.allow = &entry, .allow_len = 1};
		struct allow_lists lists = {0};

		cr_assert_eq(text_parse_prefix(runs[i].prefix, &entry.prefix), 0);
		cr_assert_eq(lists_make_allow(&policy, &lists), 0);
		for (unsigned int value = 0; value < 256; value++)
			cr_expect_eq(lists.lengths[entry.prefix.family == 6].in_trie[value / 64] >>
						     value % 64 &
					     1,
				     value >= runs[i].first && value <= runs[i].last, "%s: %u",
				     runs[i].prefix, value);
		cr_expect_eq(lists.lengths[entry.prefix.family != 6].in_trie[0], 0);
		lists_free_allow(&lists);
	}
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
