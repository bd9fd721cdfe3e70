/* SPDX-License-Identifier: GPL-2.0-only */
/* Policies in files: of all kinds, of all sizes. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <edge426/abi.h>

#include "policy.h"
#include "policy_rows.h"
#include "text.h"

Test(policy_file, a_file_is_read)
{
	struct failure failure = {.text = ""};
	struct policy policy;

	cr_assert_eq(policy_read_file(make_file(A, strlen(A)), &policy, &failure), 0, "%s",
		     failure.text);
	cr_expect_eq(policy.services_len, 1);
	policy_free(&policy);
}

Test(policy_file, messages_name_the_file)
{
	const char *path = make_file("a: b\n", 5);
	char expected[200];
	struct failure failure;
	struct policy policy;

	cr_expect_eq(policy_read_file(path, &policy, &failure), -EINVAL);
	snprintf(expected, sizeof(expected),
		 "%s:1:1: key 'a' is not allowed: one of " KEYS_OF_POLICY, path);
	cr_expect_str_eq(failure.text, expected);
}

/* Valid but for its size: A, and a comment up to `len` octets. */
static char *text_of_len(size_t len)
{
	char *text = malloc(len);

	cr_assert_not_null(text);
	memset(text, '#', len);
	memcpy(text, A, strlen(A));
	return text;
}

static void check_size(size_t len, int expected)
{
	char *text = text_of_len(len);
	struct failure failure = {.text = ""};
	struct policy policy = {0};

	cr_expect_eq(policy_read_file(make_file(text, len), &policy, &failure), expected, "%s",
		     failure.text);
	policy_free(&policy);
	cr_expect_eq(policy_read_text("p", text, len, NULL, &policy, &failure), expected);
	policy_free(&policy);
	if (expected)
		cr_expect_str_eq(failure.text,
				 "p: a policy this long is not allowed: at most 33554432 octets");
	free(text);
}

Test(policy_file, a_file_as_large_as_allowed_is_read)
{
	check_size(POLICY_FILE_MAX, 0);
}

Test(policy_file, a_larger_one_is_not)
{
	check_size(POLICY_FILE_MAX + 1, -EINVAL);
}

static const struct {
	const char *path;
	int err;
	const char *failure;
} files[] = {
	{"/nowhere/p.yaml", -ENOENT,
	 "Can't read policy '/nowhere/p.yaml': No such file or directory"},
	{"/tmp", -EBADFD, "Can't read policy '/tmp': not a regular file"},
	{"/dev/null", -EBADFD, "Can't read policy '/dev/null': not a regular file"},
};

Test(policy_file, what_is_no_file_is_refused)
{
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct failure failure;
		struct policy policy;

		cr_expect_eq(policy_read_file(files[i].path, &policy, &failure), files[i].err);
		cr_expect_str_eq(failure.text, files[i].failure);
	}
}

/* Nobody writes: an open that waits for a writer would never come back. */
Test(policy_file, a_fifo_is_refused_at_once, .timeout = 5)
{
	char dir[] = "/tmp/edge426-unit.XXXXXX", path[64], expected[128];
	struct failure failure = {.text = ""};
	struct policy policy;

	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/policy", dir);
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_expect_eq(policy_read_file(path, &policy, &failure), -EBADFD);
	snprintf(expected, sizeof(expected), "Can't read policy '%s': not a regular file", path);
	cr_expect_str_eq(failure.text, expected);
	unlink(path);
	rmdir(dir);
}

/* More than a pipe holds, so that one read does not get it all. */
static void write_much(int reading, int writing)
{
	const size_t len = POLICY_FILE_MAX / 2;
	const char *text = text_of_len(len);

	close(reading); /* a reader that stops early ends this process too */
	_exit(write(writing, text, len) == (ssize_t)len ? 0 : 1);
}

Test(policy_file, standard_input_may_be_a_pipe)
{
	struct failure failure = {.text = ""};
	struct policy policy = {0};
	int pipe_fds[2];

	cr_assert_eq(pipe(pipe_fds), 0);
	if (!fork())
		write_much(pipe_fds[0], pipe_fds[1]);
	close(pipe_fds[1]);
	dup2(pipe_fds[0], STDIN_FILENO);
	cr_expect_eq(policy_read_file("-", &policy, &failure), 0, "%s", failure.text);
	cr_expect_eq(policy.services_len, 1);
	policy_free(&policy);
	cr_expect_eq(policy_read_file("-", &policy, &failure), -EINVAL);
	cr_expect_str_eq(failure.text, "standard input:1:1: an empty policy is not allowed: "
				       "key 'services' is required");
	close(pipe_fds[0]);
}
