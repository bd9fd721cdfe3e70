/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading rows, comparing policies, printing them and reading them back. */
#include "policy_rows.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guard.h"

static size_t row_len(const struct row *row)
{
	return row->len ? row->len : strlen(row->text);
}

/* Reads a row; what it says is checked. Nothing of the policy may change on failure. */
static void check_row(const struct row *row)
{
	const void *flush = guard_copy(row->text, row_len(row));
	struct failure failure = {.text = "(valid)"};
	struct policy policy, before;
	int err;

	memset(&policy, 0xee, sizeof(policy));
	before = policy;
	err = policy_read_text("p", flush, row_len(row), NULL, &policy, &failure);
	cr_expect_str_eq(failure.text, row->failure ? row->failure : "(valid)", "%s: %s", row->name,
			 failure.text);
	cr_expect_eq(err, row->failure ? -EINVAL : 0, "%s", row->name);
	if (err)
		cr_expect(!memcmp(&policy, &before, sizeof(policy)), "%s", row->name);
	else
		policy_free(&policy);
}

void check_rows(const struct row *rows, size_t len)
{
	for (size_t i = 0; i < len; i++)
		check_row(&rows[i]);
}

static void check_row_truncations(const struct row *row)
{
	for (size_t len = 0; len < row_len(row); len++) {
		struct failure failure = {0};
		struct policy policy;
		int err;

		err = policy_read_text("p", (char *)guard_copy(row->text, len), len, NULL, &policy,
				       &failure);
		cr_expect(err == 0 || err == -EINVAL, "%s at %zu", row->name, len);
		if (err)
			cr_expect_eq(strncmp(failure.text, "p:", 2), 0, "%s at %zu: %s", row->name,
				     len, failure.text);
		else
			policy_free(&policy);
	}
}

void check_truncations(const struct row *rows, size_t len)
{
	for (size_t i = 0; i < len; i++)
		check_row_truncations(&rows[i]);
}

struct policy read_valid(const char *text, size_t len)
{
	struct failure failure = {.text = "(valid)"};
	struct policy policy = {0};

	cr_assert_eq(policy_read_text("p", text, len, NULL, &policy, &failure), 0, "%s",
		     failure.text);
	return policy;
}

struct policy read_row(const struct row *row)
{
	return read_valid(row->text, row_len(row));
}

static void expect_equal_strings(const struct strings *a, const struct strings *b, const char *name)
{
	cr_assert_eq(a->len, b->len, "%s", name);
	for (size_t i = 0; i < a->len; i++)
		cr_expect_str_eq(a->list[i], b->list[i], "%s", name);
}

static void expect_equal_services(const struct service *a, const struct service *b,
				  const char *name)
{
	cr_expect_str_eq(a->name, b->name, "%s", name);
	cr_expect_eq(a->port, b->port, "%s", name);
	cr_expect_eq(a->port_end, b->port_end, "%s", name);
	cr_expect(!memcmp(&a->address, &b->address, sizeof(a->address)), "%s", name);
	cr_expect_str_eq(a->interface, b->interface, "%s", name);
	cr_expect_eq(a->vlan, b->vlan, "%s", name);
	cr_expect_eq(a->handshake, b->handshake, "%s", name);
	cr_expect_eq(a->flags, b->flags, "%s", name);
	cr_expect_eq(a->syn_threshold, b->syn_threshold, "%s", name);
	cr_expect_eq(a->calm_seconds, b->calm_seconds, "%s", name);
	cr_expect_eq(a->action, b->action, "%s", name);
	cr_expect_eq(a->other, b->other, "%s", name);
	cr_expect_eq(a->mode, b->mode, "%s", name);
	cr_expect_eq(a->percent, b->percent, "%s", name);
	cr_expect_eq(a->limit_rate, b->limit_rate, "%s", name);
	cr_expect_eq(a->limit_burst, b->limit_burst, "%s", name);
	expect_equal_strings(&a->exempt_paths, &b->exempt_paths, name);
	expect_equal_strings(&a->exempt_hosts, &b->exempt_hosts, name);
}

static void expect_equal_answers(const struct answer_text *a, const struct answer_text *b,
				 const char *name)
{
	cr_assert_eq(a->upgrades, b->upgrades, "%s", name);
	for (size_t i = 0; i < a->upgrades; i++)
		cr_expect_str_eq(a->upgrade[i], b->upgrade[i], "%s", name);
	if (a->content_type || b->content_type)
		cr_expect_str_eq(a->content_type, b->content_type, "%s", name);
	if (a->body || b->body)
		cr_expect_str_eq(a->body, b->body, "%s", name);
}

void expect_equal(const struct policy *a, const struct policy *b, const char *name)
{
	cr_assert_eq(a->services_len, b->services_len, "%s", name);
	for (size_t i = 0; i < a->services_len; i++)
		expect_equal_services(&a->services[i], &b->services[i], name);
	cr_assert_eq(a->allow_len, b->allow_len, "%s", name);
	for (size_t i = 0; i < a->allow_len; i++) {
		cr_expect(!memcmp(&a->allow[i].prefix, &b->allow[i].prefix, sizeof(struct prefix)),
			  "%s", name);
		cr_expect_eq(a->allow[i].until, b->allow[i].until, "%s", name);
	}
	expect_equal_answers(&a->answer, &b->answer, name);
}

size_t check_round_trip(const struct policy *policy, const char *name)
{
	struct failure failure = {.text = "(printed)"};
	char *text, *again;
	size_t len, again_len;
	struct policy back;

	cr_assert_eq(policy_print_text(policy, &text, &len, &failure), 0, "%s", failure.text);
	back = read_valid(text, len);
	expect_equal(policy, &back, name);
	cr_assert_eq(policy_print_text(&back, &again, &again_len, &failure), 0);
	cr_expect_str_eq(again, text, "%s", name);
	cr_expect_eq(len, strlen(text), "%s", name);
	free(again);
	free(text);
	policy_free(&back);
	return len;
}

const char *make_file(const char *text, size_t len)
{
	static char path[32];
	int fd = memfd_create("policy", MFD_CLOEXEC);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, text, len), (ssize_t)len);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return path;
}
