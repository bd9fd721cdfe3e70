/* SPDX-License-Identifier: GPL-2.0-only */
/* policy check, apply, confirm, rollback, diff and show. A bare `policy` shows. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "cmd.h"
#include "log.h"
#include "options.h"
#include "policy_diff.h"
#include "policy_lint.h"
#include "store.h"
#include "target.h"
#include "verb.h"
#include "visit.h"

#define INDENT "  "

struct options {
	struct targets targets;
	const char *file;
	bool takes_file;
	unsigned int confirm_seconds;
	struct policy policy; /* of the file */
	size_t waited;	      /* interfaces on which a change waited */
};

static void parse_file(char *arg, struct options *options, struct argp_state *state)
{
	if (!options->takes_file || options->file)
		argp_error(state, "'%s' is too much", arg);
	options->file = arg;
}

static error_t options_parse(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &options->targets;
		return 0;
	case 'c':
		options->confirm_seconds = options_parse_duration("confirm-within", arg, state);
		return 0;
	case ARGP_KEY_ARG:
		parse_file(arg, options, state);
		return 0;
	case ARGP_KEY_END:
		if (options->takes_file && !options->file)
			argp_error(state, "FILE is missing; - is standard input");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_option apply_options[] = {
	{"confirm-within", 'c', "TIME", 0,
	 "Go back to the policy before, unless edge426 policy confirm comes within TIME (60s, 5m)",
	 2},
	{0},
};

static const struct argp_child check_children[] = {{&log_argp, 0, NULL, 9}, {0}};

static const struct argp check_argp = {
	.parser = options_parse,
	.children = check_children,
	.args_doc = "FILE",
	.doc = "Check a policy file, see edge426-policy(5), and warn of what is doubtful in it; "
	       "needs no privilege and changes nothing.",
};

static const struct argp apply_argp = {
	.options = apply_options,
	.parser = options_parse,
	.children = options_children,
	.args_doc = "FILE",
	.doc = "Make the file the policy of the interfaces, at once and while traffic flows, and "
	       "print what is different. An invalid file changes nothing.\vWith --confirm-within "
	       "the packet programs themselves go back when the time is over: no process has to "
	       "live for that. Until then no other change is accepted.",
};

static const struct argp confirm_argp = {
	.parser = options_parse,
	.children = options_children,
	.doc = "Keep the policy that was applied with --confirm-within.",
};

static const struct argp rollback_argp = {
	.parser = options_parse,
	.children = options_children,
	.doc = "Go back now from the policy that was applied with --confirm-within.",
};

static const struct argp diff_argp = {
	.parser = options_parse,
	.children = options_children,
	.args_doc = "FILE",
	.doc = "Print what applying the file would change. Nothing is changed.",
};

static const struct argp show_argp = {
	.parser = options_parse,
	.children = options_children,
	.doc = "Print the running policy, in the form that apply reads.",
};

static void warn(void *context, const char *sentence)
{
	const struct options *options = context;

	fprintf(stderr, "%s: warning: %s\n", options->file, sentence);
}

/* 0, or the exit status; what cannot be read is as little a policy as what is wrong. */
static int read_file(struct options *options)
{
	struct failure failure = {0};
	int err = policy_read_file(options->file, &options->policy, &failure);

	if (!err)
		err = store_check_policy(&options->policy, &failure);
	if (!err)
		return VERB_DONE;
	log_error("%s", failure.text);
	return err == -ENOMEM ? VERB_FAILED : VERB_INVALID_POLICY;
}

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

static int check_run(int argc, char **argv)
{
	struct options options = {.takes_file = true};
	int status;

	argp_parse(&check_argp, argc, argv, 0, NULL, &options);
	status = read_file(&options);
	if (status == VERB_DONE) {
		printf("%s: valid, %zu service%s\n", options.file, options.policy.services_len,
		       plural(options.policy.services_len));
		policy_lint(&options.policy, warn, &options);
	}
	policy_free(&options.policy);
	return status;
}

static void print_difference(const struct policy *from, const struct policy *to)
{
	if (!policy_diff(from, to, INDENT, stdout))
		printf(INDENT "no change\n");
}

static void print_applied(const struct options *options, const struct visited *visited,
			  const struct policy *before)
{
	printf("%s: applied: generation %llu, %zu service%s\n", visited->label,
	       (unsigned long long)visited->store->state->generation, options->policy.services_len,
	       plural(options->policy.services_len));
	print_difference(before, &options->policy);
	if (options->confirm_seconds)
		printf("%s: goes back in %u s unless confirmed: edge426 policy confirm\n",
		       visited->label, options->confirm_seconds);
}

static int try_one(void *context, const struct visited *visited, struct failure *failure)
{
	(void)context;
	return change_check_waiting(visited, "apply the policy", failure);
}

static int apply_one(void *context, const struct visited *visited, struct failure *failure)
{
	const struct options *options = context;
	const struct publish_options publish = {
		.interface = visited->interface,
		.confirm_seconds = options->confirm_seconds,
	};
	struct policy before = {0};
	int err = try_one(context, visited, failure);

	if (!err)
		err = change_read_policy(visited->store, &before, failure);
	if (!err)
		err = store_publish_policy(visited->store, &options->policy, &publish, failure);
	if (!err)
		print_applied(options, visited, &before);
	policy_free(&before);
	return err;
}

/* What can be known before is asked everywhere before any interface changes. */
static int apply_everywhere(struct options *options)
{
	int status = visit_resolve(&options->targets);

	if (status == VERB_DONE && options->targets.len > 1)
		status = visit_resolved(&options->targets, true, try_one, options);
	if (status == VERB_DONE)
		status = visit_resolved(&options->targets, true, apply_one, options);
	targets_free(&options->targets);
	return status;
}

static int apply_run(int argc, char **argv)
{
	struct options options = {.takes_file = true};
	int status;

	argp_parse(&apply_argp, argc, argv, 0, NULL, &options);
	status = read_file(&options);
	if (status == VERB_DONE) {
		policy_lint(&options.policy, warn, &options);
		status = apply_everywhere(&options);
	}
	policy_free(&options.policy);
	return status;
}

static int diff_one(void *context, const struct visited *visited, struct failure *failure)
{
	const struct options *options = context;
	struct policy now = {0};
	int err = change_read_policy(visited->store, &now, failure);

	if (err)
		return err;
	printf("%s:\n", visited->label);
	print_difference(&now, &options->policy);
	policy_free(&now);
	return 0;
}

static int diff_run(int argc, char **argv)
{
	struct options options = {.takes_file = true};
	int status;

	argp_parse(&diff_argp, argc, argv, 0, NULL, &options);
	status = read_file(&options);
	if (status == VERB_DONE)
		status = visit_stores(&options.targets, true, diff_one, &options);
	policy_free(&options.policy);
	return status;
}

/* Where others wait, an interface on which nothing waits is in order. */
static int confirm_one(void *context, const struct visited *visited, struct failure *failure)
{
	struct options *options = context;
	int err;

	if (!store_waits(visited->store))
		return 0;
	options->waited++;
	err = store_confirm(visited->store, failure);
	if (!err)
		printf("%s: confirmed: generation %llu\n", visited->label,
		       (unsigned long long)visited->store->state->generation);
	return err;
}

static int roll_back(const struct visited *visited, struct policy *from, struct policy *to,
		     struct failure *failure)
{
	int err = change_read_policy(visited->store, from, failure);

	if (!err)
		err = store_roll_back(visited->store, failure);
	return err ? err : change_read_policy(visited->store, to, failure);
}

static int rollback_one(void *context, const struct visited *visited, struct failure *failure)
{
	struct options *options = context;
	struct policy from = {0}, to = {0};
	int err;

	if (!store_waits(visited->store))
		return 0;
	options->waited++;
	err = roll_back(visited, &from, &to, failure);
	if (!err) {
		printf("%s: rolled back: %zu service%s\n", visited->label, to.services_len,
		       plural(to.services_len));
		print_difference(&from, &to);
	}
	policy_free(&from);
	policy_free(&to);
	return err;
}

static int end_waiting(const struct argp *argp, const char *verb, visit_fn *visit, int argc,
		       char **argv)
{
	struct options options = {0};
	int status;

	argp_parse(argp, argc, argv, 0, NULL, &options);
	status = visit_stores(&options.targets, true, visit, &options);
	if (status != VERB_DONE || options.waited)
		return status;
	log_error("Can't %s: no change waits to be confirmed; one that was not in time has gone "
		  "back by itself",
		  verb);
	return VERB_FAILED;
}

static int confirm_run(int argc, char **argv)
{
	return end_waiting(&confirm_argp, "confirm", confirm_one, argc, argv);
}

static int rollback_run(int argc, char **argv)
{
	return end_waiting(&rollback_argp, "roll back", rollback_one, argc, argv);
}

/* What `show` has met so far: one text, which all interfaces must share. */
struct shown {
	char *text;
	size_t len;
};

static int print_running(struct store *store, char **text, size_t *len, struct failure *failure)
{
	struct policy policy = {0};
	int err = store_read_policy(store, &policy, failure);

	if (!err)
		err = policy_print_text(&policy, text, len, failure);
	policy_free(&policy);
	return err;
}

static int show_one(void *context, const struct visited *visited, struct failure *failure)
{
	struct shown *shown = context;
	char *text = NULL;
	size_t len = 0;
	int err = print_running(visited->store, &text, &len, failure);

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
				  visited->label);
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
	{"confirm", "keep what was applied with --confirm-within", confirm_run},
	{"rollback", "go back from it now", rollback_run},
	{"diff", "what applying a file would change", diff_run},
	{"show", "print the running policy", show_run},
};

static const struct verb_table table = {
	.synopsis = "edge426 policy check|apply|confirm|rollback|diff|show [OPTION...] [FILE]",
	.verbs = verbs,
	.len = sizeof(verbs) / sizeof(verbs[0]),
	.bare = &verbs[5],
};

int cmd_policy(int argc, char **argv)
{
	return verb_run(&table, argc, argv);
}
