/* SPDX-License-Identifier: GPL-2.0-only */
/* policy check, apply and show. A bare `policy` shows. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "log.h"
#include "options.h"
#include "store.h"
#include "target.h"
#include "verb.h"
#include "visit.h"

struct options {
	struct targets targets;
	const char *file;
	bool takes_file;
};

static error_t options_parse(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &options->targets;
		return 0;
	case ARGP_KEY_ARG:
		if (!options->takes_file || options->file)
			argp_error(state, "'%s' is too much", arg);
		options->file = arg;
		return 0;
	case ARGP_KEY_END:
		if (options->takes_file && !options->file)
			argp_error(state, "FILE is missing; - is standard input");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_child check_children[] = {{&log_argp, 0, NULL, 9}, {0}};

static const struct argp check_argp = {
	.parser = options_parse,
	.children = check_children,
	.args_doc = "FILE",
	.doc = "Check a policy file, see edge426-policy(5); needs no privilege and changes "
	       "nothing.",
};

static const struct argp apply_argp = {
	.parser = options_parse,
	.children = options_children,
	.args_doc = "FILE",
	.doc = "Make the file the policy of the interfaces, at once and while traffic flows. An "
	       "invalid file changes nothing.",
};

static const struct argp show_argp = {
	.parser = options_parse,
	.children = options_children,
	.doc = "Print the running policy, in the form that apply reads.",
};

/* 0, or the exit status; a file that cannot be read is no invalid policy. */
static int read_file(const char *file, struct policy *policy)
{
	struct failure failure = {0};
	int err = policy_read_file(file, policy, &failure);

	if (!err)
		return VERB_DONE;
	log_error("%s", failure.text);
	return err == -EINVAL ? VERB_INVALID_POLICY : VERB_FAILED;
}

static int check_run(int argc, char **argv)
{
	struct options options = {.takes_file = true};
	struct policy policy = {0};
	int status;

	argp_parse(&check_argp, argc, argv, 0, NULL, &options);
	status = read_file(options.file, &policy);
	if (status == VERB_DONE)
		printf("%s: valid, %zu service%s\n", options.file, policy.services_len,
		       policy.services_len == 1 ? "" : "s");
	policy_free(&policy);
	return status;
}

static int apply_one(void *context, struct store *store, const char *label, struct failure *failure)
{
	const struct policy *policy = context;
	int err = store_publish_policy(store, policy, failure);

	if (!err)
		printf("%s: applied: generation %llu, %zu service%s\n", label,
		       (unsigned long long)store->state->generation, policy->services_len,
		       policy->services_len == 1 ? "" : "s");
	return err;
}

static int apply_run(int argc, char **argv)
{
	struct options options = {.takes_file = true};
	struct policy policy = {0};
	int status;

	argp_parse(&apply_argp, argc, argv, 0, NULL, &options);
	status = read_file(options.file, &policy);
	if (status == VERB_DONE)
		status = visit_stores(&options.targets, true, apply_one, &policy);
	policy_free(&policy);
	return status;
}

/* What `show` has met so far: one text, which all interfaces must share. */
struct shown {
	char *text;
	size_t len;
};

static int show_one(void *context, struct store *store, const char *label, struct failure *failure)
{
	struct shown *shown = context;
	struct policy policy = {0};
	char *text = NULL;
	size_t len = 0;
	int err = store_read_policy(store, &policy, failure);

	if (!err)
		err = policy_print_text(&policy, &text, &len, failure);
	policy_free(&policy);
	if (err)
		return err;
	if (!shown->text) {
		*shown = (struct shown){text, len};
		return 0;
	}
	if (len != shown->len || memcmp(text, shown->text, len))
		err = failure_set(failure, EINVAL,
				  "Can't show one policy for all: that of '%s' differs; choose "
				  "with --interface",
				  label);
	free(text);
	return err;
}

static int show_run(int argc, char **argv)
{
	struct options options = {0};
	struct shown shown = {0};
	int status;

	argp_parse(&show_argp, argc, argv, 0, NULL, &options);
	status = visit_stores(&options.targets, true, show_one, &shown);
	if (status == VERB_DONE)
		fwrite(shown.text, 1, shown.len, stdout);
	free(shown.text);
	return status;
}

static const struct verb verbs[] = {
	{"check", "check a policy file", check_run},
	{"apply", "make a file the running policy", apply_run},
	{"show", "print the running policy", show_run},
};

static const struct verb_table table = {
	.synopsis = "edge426 policy check|apply|show [OPTION...] [FILE]",
	.verbs = verbs,
	.len = sizeof(verbs) / sizeof(verbs[0]),
	.bare = &verbs[2],
};

int cmd_policy(int argc, char **argv)
{
	return verb_run(&table, argc, argv);
}
