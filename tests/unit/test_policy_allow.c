/* SPDX-License-Identifier: GPL-2.0-only */
/* The allow list: from YAML, from files, by hand, and who is on it. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "allow_file.h"
#include "guard.h"
#include "policy.h"
#include "policy_rows.h"
#include "text.h"

#define S "services: []\nallow:\n"
#define LIKELY "a prefix without host bits, likely "
#define L50 "#234567890123456789012345678901234567890123456789\x7f"
#define L250 L50 L50 L50 L50 L50
#define ENTRY "a prefix, or a mapping with address and until, or with file"

static const struct row valid[] = {
	{"none", "services: []\nallow: []\n", NULL, 0},
	{"before the services", "allow: [10.0.0.0/8]\nservices: []\n", NULL, 0},
	{"addresses and prefixes", S "- 10.0.0.0/8\n- 192.0.2.7\n- 2001:db8::/32\n- ::1\n", NULL,
	 0},
	{"all", S "- 0.0.0.0/0\n- ::/0\n", NULL, 0},
	{"with an end", S "- {address: 192.0.2.7, until: \"2026-12-01T12:00:00Z\"}\n", NULL, 0},
	{"with an end, plain", S "- address: 192.0.2.7\n  until: 2026-12-01T12:00:00-08:00\n", NULL,
	 0},
	{"a mapping without an end", S "- {address: 192.0.2.7}\n", NULL, 0},
	{"an end that is past", S "- {address: 192.0.2.7, until: 1999-12-31T23:59:59Z}\n", NULL, 0},
	{"the same twice", S "- 10.0.0.0/8\n- 10.0.0.0/8\n", NULL, 0},
};

static const struct row invalid[] = {
	{"without a value", "services: []\nallow:\n",
	 "p:2:7: allow '' is not allowed: a list of allow entries", 0},
	{"a mapping", "services: []\nallow: {}\n",
	 "p:2:8: allow as a mapping is not allowed: a list of allow entries", 0},
	{"twice", S "- ::1\nallow: []\n",
	 "p:4:1: key 'allow' is not allowed twice: once for each mapping", 0},
	{"host bits", S "- 10.0.0.0/8\n- 10.0.0.1/8\n",
	 "p:4:3: allow entry '10.0.0.1/8' is not allowed: " LIKELY "10.0.0.0/8", 0},
	{"host bits in a mapping", S "- {until: 2026-12-01T12:00:00Z, address: 10.0.0.1/8}\n",
	 "p:3:42: address '10.0.0.1/8' is not allowed: " LIKELY "10.0.0.0/8", 0},
	{"any", S "- any\n", "p:3:3: allow entry 'any' is not allowed: " TEXT_PREFIX_ALLOWED, 0},
	{"a name", S "- {address: localhost}\n",
	 "p:3:13: address 'localhost' is not allowed: " TEXT_PREFIX_ALLOWED, 0},
	{"a list in the list", S "- [10.0.0.0/8]\n",
	 "p:3:3: allow entry as a list is not allowed: " ENTRY, 0},
	{"a list of addresses", S "- {address: [10.0.0.0/8]}\n",
	 "p:3:13: address as a list is not allowed: " TEXT_PREFIX_ALLOWED, 0},
	{"no address", S "- {}\n", "p:3:3: key 'address' is missing: it is required", 0},
	{"an end alone", S "- {until: 2026-12-01T12:00:00Z}\n",
	 "p:3:3: key 'address' is missing: it is required", 0},
	{"unknown key", S "- {prefix: ::1}\n",
	 "p:3:4: key 'prefix' is not allowed: one of address, until, file", 0},
	{"no time", S "- {address: 10.0.0.0/8, until: tomorrow}\n",
	 "p:3:32: until 'tomorrow' is not allowed: a date and time like 2026-12-01T12:00:00Z", 0},
	{"30 February", S "- {address: 10.0.0.0/8, until: 2027-02-30T12:00:00Z}\n",
	 "p:3:32: until '2027-02-30T12:00:00Z' is not allowed: " TEXT_UNTIL_ALLOWED, 0},
	{"an end as a list", S "- {address: 10.0.0.0/8, until: []}\n",
	 "p:3:32: until as a list is not allowed: " TEXT_UNTIL_ALLOWED, 0},
	{"file and address", S "- {address: 10.0.0.0/8, file: /dev/null}\n",
	 "p:3:31: file is not allowed beside address and until: its lines have their own", 0},
	{"file and until", S "- {file: /dev/null, until: 2026-12-01T12:00:00Z}\n",
	 "p:3:10: file is not allowed beside address and until: its lines have their own", 0},
	{"file without a name", S "- file: ''\n",
	 "p:3:9: file '' is not allowed: a file's name without control characters", 0},
	{"file with terminal escapes", S "- file: \"/\\e[2J\"\n",
	 "p:3:9: file '/\\x1b[2J' is not allowed: a file's name without control characters", 0},
	{"file with C1 terminal escapes", S "- file: \"/\\x9b2J\"\n",
	 "p:3:9: file '/\\xc2\\x9b2J' is not allowed: a file's name without control characters", 0},
	{"files as a list", S "- file: [a]\n",
	 "p:3:9: file as a list is not allowed: a file's name without control characters", 0},
	{"file that is not there", S "- 10.0.0.0/8\n- file: /nowhere/a\n",
	 "p:4:9: file '/nowhere/a' can't be read: No such file or directory", 0},
	{"file that is a directory", S "- file: /proc\n",
	 "p:3:9: file '/proc' can't be read: not a regular file", 0},
	{"file that never ends", S "- file: /dev/zero\n",
	 "p:3:9: file '/dev/zero' can't be read: not a regular file", 0},
};

Test(policy_allow, what_is_valid)
{
	check_rows(valid, ARRAY_LEN(valid));
}

Test(policy_allow, what_is_not_and_why)
{
	check_rows(invalid, ARRAY_LEN(invalid));
}

/* A file's name cut short is another one: messages about it are the policy's all the same. */
Test(policy_allow, every_truncation_is_read_or_refused)
{
	check_truncations(valid, ARRAY_LEN(valid));
	check_truncations(invalid, ARRAY_LEN(invalid));
}

Test(policy_allow, valid_texts_come_back)
{
	for (size_t i = 0; i < ARRAY_LEN(valid); i++) {
		struct policy policy = read_row(&valid[i]);

		check_round_trip(&policy, valid[i].name);
		policy_free(&policy);
	}
}

static const struct {
	const char *name;
	const char *text;
	const char *expected; /* the entries, or what is wrong */
	int err;
	size_t len; /* 0: up to the NUL */
} files[] = {
	{"nothing", "", "", 0, 0},
	{"an empty line", "\n", "", 0, 0},
	{"comments", "# a\n\t # b\n#", "", 0, 0},
	{"an address", "10.0.0.1\n", "10.0.0.1;", 0, 0},
	{"no newline at the end", "10.0.0.1", "10.0.0.1;", 0, 0},
	{"CRLF", "10.0.0.1\r\n\r\n::1\r\n", "10.0.0.1;::1;", 0, 0},
	{"CR at the end", "10.0.0.1\r", "10.0.0.1;", 0, 0},
	{"blanks", " \t10.0.0.0/8\t \n", "10.0.0.0/8;", 0, 0},
	{"a comment behind", "10.0.0.0/8#a\n::/0 # b \xff\n", "10.0.0.0/8;::/0;", 0, 0},
	{"an end", "10.0.0.1 2026-12-01T12:00:00Z\n", "10.0.0.1 2026-12-01T12:00:00Z;", 0, 0},
	{"an end with an offset", "10.0.0.1\t2026-12-01T12:00:00+02:00#\n",
	 "10.0.0.1 2026-12-01T10:00:00Z;", 0, 0},
	{"in the file's order", "::1\n10.0.0.2\n10.0.0.1\n10.0.0.2\n",
	 "::1;10.0.0.2;10.0.0.1;10.0.0.2;", 0, 0},
	{"255 octets", "::1  " L250 "\r\n", "::1;", 0, 0},
	{"256 octets", "\n::1   " L250 "\r\n",
	 "f:2:1: a line of 256 octets is not allowed: at most 255", -EINVAL, 0},
	{"host bits", "::1\n\n 10.0.0.1/8\n",
	 "f:3:2: prefix '10.0.0.1/8' is not allowed: " LIKELY "10.0.0.0/8", -EINVAL, 0},
	{"any", "any", "f:1:1: prefix 'any' is not allowed: " TEXT_PREFIX_ALLOWED, -EINVAL, 0},
	{"a name", "localhost\n", "f:1:1: prefix 'localhost' is not allowed: " TEXT_PREFIX_ALLOWED,
	 -EINVAL, 0},
	{"comma", "::1, ::2\n", "f:1:1: prefix '::1,' is not allowed: " TEXT_PREFIX_ALLOWED,
	 -EINVAL, 0},
	{"two addresses", "::1 ::2\n", "f:1:5: until '::2' is not allowed: " TEXT_UNTIL_ALLOWED,
	 -EINVAL, 0},
	{"no time", "::1 \t2027-02-29T00:00:00Z\n",
	 "f:1:6: until '2027-02-29T00:00:00Z' is not allowed: " TEXT_UNTIL_ALLOWED, -EINVAL, 0},
	{"more than an end", "::1 2026-12-01T12:00:00Z a b\n",
	 "f:1:26: text 'a' is not allowed: a prefix and perhaps its end on one line", -EINVAL, 0},
	{"NUL octet", "::1\n::2\0\n", "f:2:4: a NUL octet is not allowed: text only", -EINVAL, 9},
	{"NUL octet in a comment", "#a\0", "f:1:3: a NUL octet is not allowed: text only", -EINVAL,
	 3},
	{"terminal escapes", "\x1b[2J\n",
	 "f:1:1: prefix '\\x1b[2J' is not allowed: " TEXT_PREFIX_ALLOWED, -EINVAL, 0},
	{"CR inside", "::1\r::2\n",
	 "f:1:1: prefix '::1\\x0d::2' is not allowed: " TEXT_PREFIX_ALLOWED, -EINVAL, 0},
	{"UTF-16", "\xff\xfe:\0", "f:1:4: a NUL octet is not allowed: text only", -EINVAL, 4},
};

static size_t file_len(size_t row)
{
	return files[row].len ? files[row].len : strlen(files[row].text);
}

static void print_entries(const struct allow_list *list, char text[512])
{
	size_t at = 0;

	text[0] = '\0';
	for (size_t i = 0; i < list->len; i++) {
		char prefix[TEXT_PREFIX_LEN], until[TEXT_UNTIL_LEN] = "";

		text_print_prefix(&list->entries[i].prefix, prefix);
		if (list->entries[i].until)
			text_print_until(list->entries[i].until, until);
		at += (size_t)sprintf(text + at, "%s%s%s;", prefix, *until ? " " : "", until);
	}
}

Test(policy_allow, a_file_has_an_entry_on_each_line)
{
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		const char *flush = (const char *)guard_copy(files[i].text, file_len(i));
		struct failure failure = {.text = ""};
		struct allow_list list = {0};
		char text[512];
		int err = allow_file_parse("f", flush, file_len(i), &list, &failure);

		print_entries(&list, text);
		cr_expect_eq(err, files[i].err, "%s", files[i].name);
		cr_expect_str_eq(err ? failure.text : text, files[i].expected, "%s", files[i].name);
		free(list.entries);
	}
}

Test(policy_allow, every_truncation_of_a_file_is_read_or_refused)
{
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		for (size_t len = 0; len < file_len(i); len++) {
			const char *flush = (const char *)guard_copy(files[i].text, len);
			struct failure failure = {.text = ""};
			struct allow_list list = {0};
			int err = allow_file_parse("f", flush, len, &list, &failure);

			cr_expect(err == 0 || err == -EINVAL, "%s at %zu", files[i].name, len);
			if (err)
				cr_expect_eq(strncmp(failure.text, "f:", 2), 0, "%s at %zu: %s",
					     files[i].name, len, failure.text);
			free(list.entries);
		}
	}
}

/* Reads a policy that names a file, which lies beside it; the path of the file is put in `path`. */
static int read_beside(const char *policy_text, const char *file_text, char path[64],
		       struct policy *policy, struct failure *failure)
{
	char dir[] = "/tmp/edge426-unit.XXXXXX", policy_path[64];
	FILE *out;
	int err;

	cr_assert_not_null(mkdtemp(dir));
	snprintf(policy_path, sizeof(policy_path), "%s/policy", dir);
	snprintf(path, 64, "%s/sub.txt", dir);
	out = fopen(policy_path, "w");
	fputs(policy_text, out);
	fclose(out);
	out = fopen(path, "w");
	fputs(file_text, out);
	fclose(out);
	err = policy_read_file(policy_path, policy, failure);
	unlink(policy_path);
	unlink(path);
	rmdir(dir);
	return err;
}

Test(policy_allow, a_file_is_looked_for_beside_the_policy)
{
	static const struct row row = {"beside",
				       "services: []\nallow: [10.0.0.0/8, 192.0.2.1, '::2',"
				       " {address: '::1', until: 2026-12-01T12:00:00Z}]\n",
				       NULL, 0};
	struct failure failure = {.text = ""};
	struct policy policy = {0}, wanted;
	char path[64];

	cr_assert_eq(read_beside(S "- ::2\n- file: sub.txt\n- 192.0.2.1\n",
				 "::1 2026-12-01T12:00:00Z\n10.0.0.0/8\n", path, &policy, &failure),
		     0, "%s", failure.text);
	wanted = read_row(&row);
	expect_equal(&policy, &wanted, "beside");
	policy_free(&wanted);
	policy_free(&policy);
}

Test(policy_allow, what_is_wrong_in_a_file_has_its_line)
{
	struct failure failure = {.text = ""};
	struct policy policy = {0};
	char path[64], expected[256];

	cr_expect_eq(read_beside(S "- file: ./sub.txt\n", "::1\n::2 x\n", path, &policy, &failure),
		     -EINVAL);
	snprintf(expected, sizeof(expected), "%.*s./sub.txt:2:5: until 'x' is not allowed: %s",
		 (int)(strlen(path) - strlen("sub.txt")), path, TEXT_UNTIL_ALLOWED);
	cr_expect_str_eq(failure.text, expected);
}

/* Nobody writes: an open that waits for a writer would never come back. */
Test(policy_allow, a_fifo_is_refused_at_once, .timeout = 5)
{
	char dir[] = "/tmp/edge426-unit.XXXXXX", path[64], expected[128];
	struct failure failure = {.text = ""};
	struct allow_list list = {0};

	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/allow", dir);
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_expect_eq(allow_file_read(path, &list, &failure), -EBADFD);
	snprintf(expected, sizeof(expected), "file '%s' can't be read: not a regular file", path);
	cr_expect_str_eq(failure.text, expected);
	unlink(path);
	rmdir(dir);
}

Test(policy_allow, a_file_may_be_as_large_as_allowed)
{
	char *text = malloc(POLICY_ALLOW_FILE_MAX + 1), expected[128];
	struct failure failure = {.text = ""};
	struct allow_list list = {0};
	const char *path;

	memset(text, '#', POLICY_ALLOW_FILE_MAX + 1);
	for (size_t i = 0; i < POLICY_ALLOW_FILE_MAX; i += ALLOW_FILE_LINE_MAX + 1)
		text[i] = '\n';
	memcpy(text + POLICY_ALLOW_FILE_MAX - 4, "\n::1", 4);
	path = make_file(text, POLICY_ALLOW_FILE_MAX);
	cr_expect_eq(allow_file_read(path, &list, &failure), 0, "%s", failure.text);
	cr_expect_eq(list.len, 1);
	path = make_file(text, POLICY_ALLOW_FILE_MAX + 1);
	cr_expect_eq(allow_file_read(path, &list, &failure), -EFBIG);
	snprintf(expected, sizeof(expected), "file '%s' can't be read: more than 33554432 octets",
		 path);
	cr_expect_str_eq(failure.text, expected);
	free(list.entries);
	free(text);
}

static double seconds_since(clock_t start)
{
	return (double)(clock() - start) / CLOCKS_PER_SEC;
}

/* Addresses that are all different, in no order; a line for each. */
static char *many_lines(unsigned int count, size_t *len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, len);

	for (unsigned int i = 0; i < count; i++) {
		unsigned int mixed = i * 2654435761U;

		fprintf(out, "%u.%u.%u.%u 2026-12-01T12:00:00Z\n", mixed >> 24, mixed >> 16 & 255,
			mixed >> 8 & 255, mixed & 255);
	}
	fclose(out);
	return text;
}

/* The sanitizers slow it down by much; what would be quadratic would take minutes. */
Test(policy_allow, a_hundred_thousand_entries_take_no_time)
{
	clock_t start = clock();
	struct failure failure = {.text = ""};
	struct allow_list list = {0};
	struct policy policy = {0};
	size_t len;
	char *text = many_lines(100000, &len);

	cr_assert_eq(allow_file_parse("f", text, len, &list, &failure), 0, "%s", failure.text);
	cr_assert_eq(policy_set_allow(&policy, list.entries, list.len, &failure), 0);
	cr_expect_eq(policy.allow_len, 100000);
	cr_expect_lt(seconds_since(start), 3);
	free(text);
	policy_free(&policy);
}

Test(policy_allow, one_entry_more_than_allowed_is_refused)
{
	size_t len;
	char *text = many_lines(EDGE426_ALLOW_MAX + 1, &len);
	struct allow one = {.prefix = {6, 128, {[15] = 1}}};
	struct failure failure = {.text = ""};
	struct allow_list list = {0};
	struct policy policy = {0};

	cr_expect_eq(allow_file_parse("f", text, len, &list, &failure), -EINVAL);
	cr_expect_str_eq(failure.text,
			 "f:262145:1: the entry is one too many: at most 262144 allow entries");
	cr_expect_eq(list.len, EDGE426_ALLOW_MAX);
	cr_expect_eq(policy_set_allow(&policy, list.entries, list.len + 1, &failure), -ENOSPC);
	cr_assert_eq(policy_set_allow(&policy, list.entries, list.len, &failure), 0);
	cr_expect_eq(policy_add_allow(&policy, &one, &failure), -ENOSPC);
	cr_expect_str_eq(failure.text, "too many allow entries: at most 262144");
	free(text);
	policy_free(&policy);
}

/* 4 bits of address, 0 to 4 of prefix: few enough that the slow way can be asked too. */
static struct allow entry_of(unsigned int address, unsigned int bits, __u64 until)
{
	unsigned int mask = 0xf0U >> bits & 0xf;

	return (struct allow){.prefix = {4, (__u8)(28 + bits), {10, 0, 0, (__u8)(address & mask)}},
			      .until = until};
}

static const struct allow *find_slowly(const struct policy *policy, const __u8 address[16],
				       __u64 now)
{
	const struct allow *best = NULL;

	for (size_t i = 0; i < policy->allow_len; i++) {
		const struct allow *entry = &policy->allow[i];
		unsigned int ignored = 32U - entry->prefix.bits;

		if (entry->prefix.family == 4 &&
		    entry->prefix.address[3] >> ignored == address[3] >> ignored &&
		    !memcmp(entry->prefix.address, address, 3) &&
		    (!entry->until || entry->until > now) &&
		    (!best || entry->prefix.bits > best->prefix.bits))
			best = entry;
	}
	return best;
}

static size_t count_wrongly_found(const struct policy *policy)
{
	size_t count = 0;

	for (unsigned int i = 0; i < 32 * 5; i++) {
		const __u8 address[16] = {10, 0, 0, (__u8)(i % 32)};

		count += policy_find_allow(policy, 4, address, i / 32) !=
			 find_slowly(policy, address, i / 32);
		count += policy_find_allow(policy, 6, address, i / 32) != NULL;
	}
	return count;
}

static size_t count_unsorted(const struct policy *policy)
{
	size_t count = 0;

	for (size_t i = 1; i < policy->allow_len; i++) {
		const struct prefix *a = &policy->allow[i - 1].prefix;
		const struct prefix *b = &policy->allow[i].prefix;
		int order = memcmp(a->address, b->address, sizeof(a->address));

		count += order > 0 || (!order && a->bits >= b->bits);
	}
	return count;
}

Test(policy_allow, entries_are_sorted_unique_and_found)
{
	unsigned int state = 1;

	for (int round = 0; round < 200; round++) {
		struct policy policy = {0}, by_hand = {0};
		struct allow *entries = calloc(12, sizeof(*entries));
		struct failure failure;

		for (int i = 0; i < 12; i++) {
			state = state * 1103515245 + 12345;
			entries[i] = entry_of(state >> 8, (state >> 16) % 5, (state >> 24) % 5);
			if (!round)
				entries[i].until = 0;
			policy_add_allow(&by_hand, &entries[i], &failure);
		}
		cr_assert_eq(policy_set_allow(&policy, entries, 12, &failure), 0);
		cr_expect_eq(count_unsorted(&policy), 0);
		cr_expect_eq(by_hand.allow_len, policy.allow_len);
		cr_expect_eq(count_wrongly_found(&policy), 0);
		cr_expect_eq(count_wrongly_found(&by_hand), 0);
		policy_free(&by_hand);
		policy_free(&policy);
	}
}

Test(policy_allow, of_equal_prefixes_the_one_that_counts_longest_stays)
{
	static const char text[] = S "- {address: '::1', until: 2026-12-01T12:00:00Z}\n"
				     "- {address: '::2', until: 2026-12-01T12:00:00Z}\n"
				     "- {address: '::1', until: 2026-12-02T12:00:00Z}\n"
				     "- ::2\n"
				     "- {address: '::1', until: 2026-11-01T12:00:00Z}\n";
	struct policy policy = read_valid(text, strlen(text));
	char until[TEXT_UNTIL_LEN];

	cr_assert_eq(policy.allow_len, 2);
	text_print_until(policy.allow[0].until, until);
	cr_expect_str_eq(until, "2026-12-02T12:00:00Z");
	cr_expect_eq(policy.allow[1].until, 0);
	policy_free(&policy);
}

Test(policy_allow, entries_are_added_changed_and_removed)
{
	struct allow a = {.prefix = {4, 8, {10}}},
		     b = {.prefix = {4, 32, {10, 0, 0, 1}}, .until = 5};
	struct failure failure = {.text = ""};
	struct policy policy = {0};

	cr_expect_eq(policy_remove_allow(&policy, &a.prefix, &failure), -ENOENT);
	cr_expect_str_eq(failure.text, "no allow entry has the prefix 10.0.0.0/8");
	cr_expect_eq(policy_add_allow(&policy, &b, &failure), 0);
	cr_expect_eq(policy_add_allow(&policy, &a, &failure), 0);
	cr_assert_eq(policy.allow_len, 2);
	cr_expect_eq(policy.allow[0].prefix.bits, 8);
	b.until = 7;
	cr_expect_eq(policy_add_allow(&policy, &b, &failure), 0);
	cr_expect_eq(policy.allow_len, 2);
	cr_expect_eq(policy.allow[1].until, 7);
	cr_expect_eq(policy_remove_allow(&policy, &a.prefix, &failure), 0);
	cr_expect_eq(policy.allow_len, 1);
	cr_expect_eq(policy.allow[0].prefix.bits, 32);
	policy_free(&policy);
}

static const struct allow wrong[] = {
	{.prefix = {0}},
	{.prefix = {4, 33, {10}}},
	{.prefix = {4, 8, {10, 1}}},
	{.prefix = {6, 128, {[10] = 0xff, [11] = 0xff, [12] = 10}}},
	{.prefix = {4, 8, {10}}, .until = TEXT_UNTIL_MAX + 1},
};

Test(policy_allow, what_a_file_could_not_say_is_not_added)
{
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct failure failure;
		struct policy policy = {0};

		cr_expect_eq(policy_add_allow(&policy, &wrong[i], &failure), -EINVAL, "%zu", i);
		cr_expect_eq(policy.allow_len, 0);
	}
}

Test(policy_allow, addresses_of_ipv6_are_found_by_the_longest_prefix)
{
	static const char text[] = S "- ::/0\n- 2001:db8::/32\n- 2001:db8::/127\n- 2001:db8::1\n";
	struct policy policy = read_valid(text, strlen(text));
	const struct {
		const char *address;
		__u8 bits;
	} rows[] = {
		{"2001:db8::1", 128}, {"2001:db8::", 127}, {"2001:db8::2", 32}, {"2001:db9::", 0}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct allow *found;
		struct prefix address;

		cr_assert_eq(text_parse_prefix(rows[i].address, &address), 0);
		found = policy_find_allow(&policy, 6, address.address, 0);
		cr_assert_not_null(found);
		cr_expect_eq(found->prefix.bits, rows[i].bits, "%s", rows[i].address);
	}
	policy_free(&policy);
}
