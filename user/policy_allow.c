/* SPDX-License-Identifier: GPL-2.0-only */
/* The allow list in memory: sorted, each prefix once. */
#include "policy.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <edge426/abi.h>

#include "policy_check.h"
#include "prefix.h"
#include "text.h"

/* Of equal prefixes, first the one that counts longest: 0, for good, is more than any time. */
static int compare(const void *a, const void *b)
{
	const struct allow *one = a, *other = b;
	int order = prefix_compare(&one->prefix, &other->prefix);

	if (order)
		return order;
	return one->until - 1 < other->until - 1 ? 1 : one->until != other->until ? -1 : 0;
}

static int refuse_many(struct failure *failure)
{
	return failure_set(failure, ENOSPC, "too many allow entries: at most %d",
			   EDGE426_ALLOW_MAX);
}

int policy_set_allow(struct policy *policy, struct allow *entries, size_t len,
		     struct failure *failure)
{
	size_t kept = 0;
	size_t i;

	if (len > EDGE426_ALLOW_MAX)
		return refuse_many(failure);
	if (len)
		qsort(entries, len, sizeof(*entries), compare);
	for (i = 0; i < len; i++)
		if (!kept || prefix_compare(&entries[kept - 1].prefix, &entries[i].prefix))
			entries[kept++] = entries[i];
	free(policy->allow);
	policy->allow = entries;
	policy->allow_len = kept;
	return 0;
}

/* The place of the first entry that does not come before the prefix. */
static size_t find_place(const struct policy *policy, const struct prefix *prefix)
{
	size_t from = 0, to = policy->allow_len;
	size_t middle;

	while (from < to) {
		middle = from + (to - from) / 2;
		if (prefix_compare(&policy->allow[middle].prefix, prefix) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

static bool is_at(const struct policy *policy, size_t at, const struct prefix *prefix)
{
	return at < policy->allow_len && !prefix_compare(&policy->allow[at].prefix, prefix);
}

static int insert(struct policy *policy, size_t at, const struct allow *entry,
		  struct failure *failure)
{
	struct allow *entries;

	if (policy->allow_len == EDGE426_ALLOW_MAX)
		return refuse_many(failure);
	entries = reallocarray(policy->allow, policy->allow_len + 1, sizeof(*entries));
	if (!entries)
		return failure_set(failure, ENOMEM, "Can't add an allow entry: out of memory");
	policy->allow = entries;
	memmove(entries + at + 1, entries + at, (policy->allow_len - at) * sizeof(*entries));
	entries[at] = *entry;
	policy->allow_len++;
	return 0;
}

int policy_add_allow(struct policy *policy, const struct allow *entry, struct failure *failure)
{
	size_t at;

	if (!entry->prefix.family || policy_check_prefix(&entry->prefix))
		return failure_set(failure, EINVAL,
				   "allow entry is not allowed: " TEXT_PREFIX_ALLOWED);
	if (entry->until > TEXT_UNTIL_MAX)
		return failure_set(failure, EINVAL, "until '%llu' is not allowed: at most %llu",
				   entry->until, TEXT_UNTIL_MAX);
	at = find_place(policy, &entry->prefix);
	if (!is_at(policy, at, &entry->prefix))
		return insert(policy, at, entry, failure);
	policy->allow[at].until = entry->until;
	return 0;
}

int policy_remove_allow(struct policy *policy, const struct prefix *prefix, struct failure *failure)
{
	size_t at = find_place(policy, prefix);
	char text[TEXT_PREFIX_LEN];

	if (!is_at(policy, at, prefix)) {
		text_print_prefix(prefix, text);
		return failure_set(failure, ENOENT, "no allow entry has the prefix %s", text);
	}
	policy->allow_len--;
	memmove(policy->allow + at, policy->allow + at + 1,
		(policy->allow_len - at) * sizeof(*policy->allow));
	return 0;
}

const struct allow *policy_find_allow(const struct policy *policy, __u8 family,
				      const __u8 address[16], __u64 now)
{
	struct prefix around = {.family = family};
	const struct allow *entry;
	size_t at;
	int bits;

	memcpy(around.address, address, family == 6 ? 16 : 4);
	for (bits = family == 6 ? 128 : 32; bits >= 0; bits--) {
		around.bits = (__u8)bits;
		prefix_clear_host_bits(&around);
		at = find_place(policy, &around);
		if (!is_at(policy, at, &around))
			continue;
		entry = &policy->allow[at];
		if (!entry->until || entry->until > now)
			return entry;
	}
	return NULL;
}
