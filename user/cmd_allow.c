/* SPDX-License-Identifier: GPL-2.0-only */
/* allow add, del and list: sources that are as if edge426 were not there. A bare `allow` lists. */
#include <argp.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "allow_file.h"
#include "change.h"
#include "cmd.h"
#include "log.h"
#include "options.h"
#include "output.h"
#include "prefix.h"
#include "text.h"
#include "verb.h"
#include "visit.h"

#define OPTION_FOR 256

struct options {
	struct targets targets;
	bool takes_prefixes;
	bool takes_end;
	struct allow_list list; /* as said */
	struct policy said;	/* its allow list: the same, sorted, each prefix once */
	const char *file;
	__u64 until; /* seconds since the epoch; 0: for good */
	bool json;
	json_t *root; /* what --json prints */
};

static __u64 now(void)
{
	return (__u64)time(NULL);
}

static void parse_prefix(const char *arg, struct options *options, struct argp_state *state)
{
	char allowed[TEXT_ALLOWED_LEN];
	struct allow entry = {0};
	int err;

	if (!options->takes_prefixes)
		argp_error(state, "'%s' is too much: only options are taken", arg);
	if (text_parse_prefix(arg, &entry.prefix) || !entry.prefix.family) {
		text_explain_prefix(arg, allowed);
		argp_error(state, "'%s': allowed is %s", arg, allowed);
	}
	err = allow_list_add(&options->list, &entry);
	if (err)
		argp_failure(state, VERB_FAILED, -err, "Can't note '%s'", arg);
}

static void parse_end(const char *name, const char *arg, struct options *options,
		      struct argp_state *state)
{
	if (options->until)
		argp_error(state, "one end is enough: --until or --for");
	if (!strcmp(name, "for"))
		options->until = now() + options_parse_duration(name, arg, state);
	else if (text_parse_until(arg, &options->until))
		options_refuse(name, arg, TEXT_UNTIL_ALLOWED, state);
	else if (options->until <= now())
		argp_error(state, "--until '%s' is over already", arg);
}

static void check_options(const struct options *options, struct argp_state *state)
{
	if (!options->takes_prefixes || options->list.len || options->file)
		return;
	argp_error(state, "a PREFIX is missing: an address like 192.0.2.1, or 2001:db8::/32%s",
		   options->takes_end ? "; or --file" : "");
}

static error_t options_parse(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &options->targets;
		return 0;
	case 'u':
		parse_end("until", arg, options, state);
		return 0;
	case OPTION_FOR:
		parse_end("for", arg, options, state);
		return 0;
	case 'f':
		options->file = arg;
		return 0;
	case 'j':
		options->json = true;
		return 0;
	case ARGP_KEY_ARG:
		parse_prefix(arg, options, state);
		return 0;
	case ARGP_KEY_END:
		check_options(options, state);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_option add_options[] = {
	{"until", 'u', "TIME", 0, "The entries count until then: 2026-12-01T12:00:00Z", 2},
	{"for", OPTION_FOR, "DURATION", 0, "The entries count so long from now on: 90s, 15m, 7d",
	 2},
	{"file", 'f', "FILE", 0,
	 "Add the entries of a file too, see edge426-policy(5); an end that stands there counts",
	 2},
	{0},
};

static const struct argp_option list_options[] = {
	{"json", 'j', NULL, 0, "Print JSON", 2},
	{0},
};

static const struct argp add_argp = {
	.options = add_options,
	.parser = options_parse,
	.children = options_children,
	.args_doc = "PREFIX...",
	.doc = "Add sources to the allow list of the running policy, in one change. An entry that "
	       "is there gets the end that is said, and without one it counts for good.",
};

static const struct argp del_argp = {
	.parser = options_parse,
	.children = options_children,
	.args_doc = "PREFIX...",
	.doc = "Remove entries from the allow list of the running policy, in one change.",
};

static const struct argp list_argp = {
	.options = list_options,
	.parser = options_parse,
	.children = options_children,
	.doc = "List the allow list of the running policy.",
};

/* What is said, and of what there is all else: both are sorted. */
static size_t merge(const struct policy *policy, const struct policy *said, struct allow *merged)
{
	size_t len = 0, at = 0;

	for (size_t i = 0; i < policy->allow_len; i++) {
		const struct allow *there = &policy->allow[i];

		while (at < said->allow_len &&
		       prefix_compare(&said->allow[at].prefix, &there->prefix) < 0)
			merged[len++] = said->allow[at++];
		if (at == said->allow_len ||
		    prefix_compare(&said->allow[at].prefix, &there->prefix))
			merged[len++] = *there;
	}
	while (at < said->allow_len)
		merged[len++] = said->allow[at++];
	return len;
}

/* One at a time would be slow for a long file. */
static int make_add(void *context, struct policy *policy, struct failure *failure)
{
	const struct options *options = context;
	size_t room = policy->allow_len + options->said.allow_len;
	struct allow *merged = calloc(room, sizeof(*merged));
	int err;

	if (!merged)
		return failure_set(failure, ENOMEM, "out of memory");
	err = policy_set_allow(policy, merged, merge(policy, &options->said, merged), failure);
	if (err)
		free(merged);
	return err;
}

static int make_del(void *context, struct policy *policy, struct failure *failure)
{
	const struct options *options = context;
	int err = 0;

	for (size_t i = 0; i < options->list.len && !err; i++)
		err = policy_remove_allow(policy, &options->list.entries[i].prefix, failure);
	return err;
}

/* The end that is said counts where the file says none. */
static int collect(struct options *options, struct failure *failure)
{
	struct allow_list *list = &options->list;
	int err = options->file ? allow_file_read(options->file, list, failure) : 0;

	if (err)
		return err;
	for (size_t i = 0; i < list->len; i++)
		if (!list->entries[i].until)
			list->entries[i].until = options->until;
	err = policy_set_allow(&options->said, list->entries, list->len, failure);
	if (!err)
		*list = (struct allow_list){0}; /* the policy has them now */
	return err;
}

static void end(struct options *options)
{
	policy_free(&options->said);
	free(options->list.entries);
}

/* 0, or the exit status. */
static int collect_or_tell(struct options *options)
{
	struct failure failure = {0};
	int err = collect(options, &failure);

	if (!err)
		return VERB_DONE;
	log_error("%s", failure.text);
	return err == -ENOMEM ? VERB_FAILED : VERB_INVALID_POLICY;
}

static int add_run(int argc, char **argv)
{
	struct options options = {.takes_prefixes = true, .takes_end = true};
	struct change change = {
		.what = "add to the allow list", .make = make_add, .context = &options};
	int status;

	argp_parse(&add_argp, argc, argv, 0, NULL, &options);
	status = collect_or_tell(&options);
	if (status == VERB_DONE)
		status = change_policies(&options.targets, &change);
	end(&options);
	return status;
}

static int del_run(int argc, char **argv)
{
	struct options options = {.takes_prefixes = true};
	struct change change = {
		.what = "remove from the allow list", .make = make_del, .context = &options};
	int status;

	argp_parse(&del_argp, argc, argv, 0, NULL, &options);
	status = change_policies(&options.targets, &change);
	end(&options);
	return status;
}

static bool is_expired(const struct allow *entry)
{
	return entry->until && entry->until <= now();
}

static void print_entries(const struct policy *policy, const char *label)
{
	char prefix[TEXT_PREFIX_LEN], until[TEXT_UNTIL_LEN];

	printf("%s:\n", label);
	for (size_t i = 0; i < policy->allow_len; i++) {
		const struct allow *entry = &policy->allow[i];

		text_print_prefix(&entry->prefix, prefix);
		if (!entry->until) {
			printf("  %s\n", prefix);
			continue;
		}
		text_print_until(entry->until, until);
		printf("  %-20s until %s%s\n", prefix, until, is_expired(entry) ? " expired" : "");
	}
}

static json_t *entry_json(const struct allow *entry)
{
	char prefix[TEXT_PREFIX_LEN], until[TEXT_UNTIL_LEN];

	text_print_prefix(&entry->prefix, prefix);
	text_print_until(entry->until, until);
	return json_pack("{s:s, s:o, s:b}", "address", prefix, "until",
			 entry->until ? json_string(until) : json_null(), "expired",
			 is_expired(entry));
}

static json_t *entries_json(const struct policy *policy)
{
	json_t *array = json_array();

	for (size_t i = 0; i < policy->allow_len; i++)
		json_array_append_new(array, entry_json(&policy->allow[i]));
	return array;
}

static int list_one(void *context, const struct visited *visited, struct failure *failure)
{
	struct options *options = context;
	struct policy policy = {0};
	int err = change_read_policy(visited->store, &policy, failure);

	if (!err && options->json)
		json_object_set_new(options->root, visited->label, entries_json(&policy));
	else if (!err)
		print_entries(&policy, visited->label);
	policy_free(&policy);
	return err;
}

static int list_run(int argc, char **argv)
{
	struct options options = {.root = json_object()};

	argp_parse(&list_argp, argc, argv, 0, NULL, &options);
	return visit_listing(&options.targets, options.json, options.root, list_one, &options);
}

static const struct verb verbs[] = {
	{"add", "add sources", add_run},
	{"del", "remove sources", del_run},
	{"list", "list the sources", list_run},
};

static const struct verb_table table = {
	.synopsis = "edge426 allow add|del|list [OPTION...] [PREFIX...]",
	.verbs = verbs,
	.len = sizeof(verbs) / sizeof(verbs[0]),
	.bare = &verbs[2],
};

int cmd_allow(int argc, char **argv)
{
	return verb_run(&table, argc, argv);
}
