/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Services are the same by name, allow entries by prefix; the order of
 * services and of exemptions makes no difference.
 */
#include "policy_diff.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "policy_values.h"
#include "prefix.h"

struct diff {
	FILE *out;
	const char *indent;
	size_t lines;
	bool in_line; /* its beginning is out, and one thing that changed */
};

static void begin_line(struct diff *diff, char sign, const char *what, const char *name)
{
	fprintf(diff->out, "%s%c %s%s%s", diff->indent, sign, what, name ? " " : "",
		name ? name : "");
	diff->lines++;
}

/* What stands before one of several things that changed: the beginning, or a comma. */
static void begin_change(struct diff *diff, const char *what, const char *name)
{
	if (!diff->in_line)
		begin_line(diff, '~', what, name);
	fputs(diff->in_line ? ", " : ": ", diff->out);
	diff->in_line = true;
}

static void end_line(struct diff *diff)
{
	if (diff->in_line)
		fputc('\n', diff->out);
	diff->in_line = false;
}

static void diff_values(struct diff *diff, const struct service *from, const struct service *to)
{
	char before[POLICY_VALUE_LEN], after[POLICY_VALUE_LEN];
	size_t i;

	for (i = 0; i < POLICY_VALUES; i++) {
		policy_values[i].print(from, before);
		policy_values[i].print(to, after);
		if (!strcmp(before, after))
			continue;
		begin_change(diff, "service", to->name);
		fprintf(diff->out, "%s %s -> %s", policy_values[i].key, before, after);
	}
}

static bool has_string(const struct strings *strings, const char *text)
{
	size_t i;

	for (i = 0; i < strings->len; i++)
		if (!strcmp(strings->list[i], text))
			return true;
	return false;
}

/* What the one list has and the other has not; how many. */
static size_t print_missing(const struct strings *list, const struct strings *other, char sign,
			    FILE *out)
{
	size_t missing = 0;
	size_t i;

	for (i = 0; i < list->len; i++) {
		if (has_string(other, list->list[i]))
			continue;
		missing++;
		if (out)
			fprintf(out, " %c%s", sign, list->list[i]);
	}
	return missing;
}

static void diff_strings(struct diff *diff, const char *service, const char *key,
			 const struct strings *from, const struct strings *to)
{
	if (!print_missing(to, from, '+', NULL) && !print_missing(from, to, '-', NULL))
		return;
	begin_change(diff, "service", service);
	fputs(key, diff->out);
	print_missing(to, from, '+', diff->out);
	print_missing(from, to, '-', diff->out);
}

static void diff_service(struct diff *diff, const struct service *from, const struct service *to)
{
	diff_values(diff, from, to);
	diff_strings(diff, to->name, "exempt_paths", &from->exempt_paths, &to->exempt_paths);
	diff_strings(diff, to->name, "exempt_hosts", &from->exempt_hosts, &to->exempt_hosts);
	end_line(diff);
}

/*
 * The service of that name, from *at on and around. Two policies mostly have
 * their services in one order, so that it is found at once.
 */
static const struct service *find_from(const struct policy *policy, const char *name, size_t *at)
{
	const struct service *service;
	size_t i;

	for (i = 0; i < policy->services_len; i++) {
		service = &policy->services[(*at + i) % policy->services_len];
		if (strcmp(service->name, name))
			continue;
		*at = (size_t)(service - policy->services) + 1;
		return service;
	}
	return NULL;
}

/* One line for each service that the other policy has not. */
static void diff_names(struct diff *diff, const struct policy *policy, const struct policy *other,
		       char sign)
{
	size_t i, at = 0;

	for (i = 0; i < policy->services_len; i++) {
		if (find_from(other, policy->services[i].name, &at))
			continue;
		begin_line(diff, sign, "service", policy->services[i].name);
		fputc('\n', diff->out);
	}
}

static void diff_common(struct diff *diff, const struct policy *from, const struct policy *to)
{
	const struct service *before;
	size_t i, at = 0;

	for (i = 0; i < to->services_len; i++) {
		before = find_from(from, to->services[i].name, &at);
		if (before)
			diff_service(diff, before, &to->services[i]);
	}
}

struct allow_changes {
	size_t added, removed, changed;
};

/* Both lists are sorted. */
static struct allow_changes compare_allow(const struct policy *from, const struct policy *to)
{
	struct allow_changes changes = {0};
	size_t i = 0, k = 0;
	int order;

	while (i < from->allow_len && k < to->allow_len) {
		order = prefix_compare(&from->allow[i].prefix, &to->allow[k].prefix);
		if (!order && from->allow[i].until != to->allow[k].until)
			changes.changed++;
		else if (order < 0)
			changes.removed++;
		else if (order > 0)
			changes.added++;
		i += order <= 0;
		k += order >= 0;
	}
	changes.removed += from->allow_len - i;
	changes.added += to->allow_len - k;
	return changes;
}

static void print_count(struct diff *diff, size_t count, const char *what)
{
	if (!count)
		return;
	if (!diff->in_line)
		begin_line(diff, '~', "allow", NULL);
	diff->in_line = true;
	fprintf(diff->out, " %zu %s", count, what);
}

static void diff_allow(struct diff *diff, const struct policy *from, const struct policy *to)
{
	struct allow_changes changes = compare_allow(from, to);

	print_count(diff, changes.added, "added");
	print_count(diff, changes.removed, "removed");
	print_count(diff, changes.changed, "changed");
	end_line(diff);
}

/* NULL for the parts of a zeroed policy. */
static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool same_upgrade(const struct answer_text *a, const struct answer_text *b)
{
	size_t i;

	if (a->upgrades != b->upgrades)
		return false;
	for (i = 0; i < a->upgrades; i++)
		if (strcmp(a->upgrade[i], b->upgrade[i]))
			return false;
	return true;
}

static void diff_part(struct diff *diff, const char *part, bool same)
{
	if (same)
		return;
	begin_change(diff, "answer", "default");
	fputs(part, diff->out);
}

static void diff_answer(struct diff *diff, const struct answer_text *from,
			const struct answer_text *to)
{
	diff_part(diff, "upgrade", same_upgrade(from, to));
	diff_part(diff, "content_type", same_text(from->content_type, to->content_type));
	diff_part(diff, "body", same_text(from->body, to->body));
	end_line(diff);
}

size_t policy_diff(const struct policy *from, const struct policy *to, const char *indent,
		   FILE *out)
{
	struct diff diff = {.out = out, .indent = indent};

	diff_names(&diff, to, from, '+');
	diff_names(&diff, from, to, '-');
	diff_common(&diff, from, to);
	diff_allow(&diff, from, to);
	diff_answer(&diff, &from->answer, &to->answer);
	return diff.lines;
}
