/* SPDX-License-Identifier: GPL-2.0-only */
/* bypass on, off and show: the switch beside the policy. A bare `bypass` shows. */
#include <argp.h>
#include <jansson.h>
#include <stdio.h>

#include "cmd.h"
#include "options.h"
#include "output.h"
#include "store.h"
#include "target.h"
#include "verb.h"
#include "visit.h"

struct options {
	struct targets targets;
	bool on;
	bool json;
	json_t *root; /* what --json prints */
};

static error_t options_parse(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &options->targets;
		return 0;
	case 'j':
		options->json = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "'%s' is too much: only options are taken", arg);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_option show_options[] = {
	{"json", 'j', NULL, 0, "Print JSON", 2},
	{0},
};

static const struct argp on_argp = {
	.parser = options_parse,
	.children = options_children,
	.doc = "Take nothing new, at once, whatever the policy says: requests and handshakes go "
	       "to the server. What was taken before is led to its end. It stays until edge426 "
	       "bypass off.",
};

static const struct argp off_argp = {
	.parser = options_parse,
	.children = options_children,
	.doc = "Let the policy count again.",
};

static const struct argp show_argp = {
	.options = show_options,
	.parser = options_parse,
	.children = options_children,
	.doc = "Print whether the policy is bypassed.",
};

static bool is_on(const struct store *store)
{
	return __atomic_load_n(&store->state->bypass, __ATOMIC_RELAXED) != 0;
}

static void print_bypass(const struct visited *visited)
{
	printf("%s: bypass %s\n", visited->label, is_on(visited->store) ? "on" : "off");
}

static int set_one(void *context, const struct visited *visited, struct failure *failure)
{
	const struct options *options = context;

	(void)failure;
	store_set_bypass(visited->store, options->on);
	print_bypass(visited);
	return 0;
}

static int show_one(void *context, const struct visited *visited, struct failure *failure)
{
	struct options *options = context;

	(void)failure;
	if (options->json)
		json_object_set_new(options->root, visited->label,
				    json_pack("{s:b}", "bypass", is_on(visited->store)));
	else
		print_bypass(visited);
	return 0;
}

static int on_run(int argc, char **argv)
{
	struct options options = {.on = true};

	argp_parse(&on_argp, argc, argv, 0, NULL, &options);
	return visit_stores(&options.targets, true, set_one, &options);
}

static int off_run(int argc, char **argv)
{
	struct options options = {0};

	argp_parse(&off_argp, argc, argv, 0, NULL, &options);
	return visit_stores(&options.targets, true, set_one, &options);
}

static int show_run(int argc, char **argv)
{
	struct options options = {.root = json_object()};

	argp_parse(&show_argp, argc, argv, 0, NULL, &options);
	return visit_listing(&options.targets, options.json, options.root, show_one, &options);
}

static const struct verb verbs[] = {
	{"on", "take nothing new", on_run},
	{"off", "let the policy count again", off_run},
	{"show", "whether it is on", show_run},
};

static const struct verb_table table = {
	.synopsis = "edge426 bypass on|off|show [OPTION...]",
	.verbs = verbs,
	.len = sizeof(verbs) / sizeof(verbs[0]),
	.bare = &verbs[2],
};

int cmd_bypass(int argc, char **argv)
{
	return verb_run(&table, argc, argv);
}
