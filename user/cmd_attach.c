/* SPDX-License-Identifier: GPL-2.0-only */
/* attach and detach: programs and pinned maps without a responder. */
#include <argp.h>
#include <stdio.h>

#include "cmd.h"
#include "hook.h"
#include "loader.h"
#include "log.h"
#include "options.h"
#include "store.h"
#include "target.h"
#include "verb.h"

struct attach {
	struct targets targets;
	enum loader_mode mode;
};

static void check_attach(const struct attach *attach, struct argp_state *state)
{
	if (!attach->targets.interfaces_len)
		argp_error(state, "--interface is missing");
}

static error_t attach_parse(int key, char *arg, struct argp_state *state)
{
	struct attach *attach = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &attach->targets;
		return 0;
	case 'm':
		attach->mode = options_parse_mode(arg, state);
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "'%s' is too much: only options are taken", arg);
		return 0;
	case ARGP_KEY_END:
		check_attach(attach, state);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_child children[] = {
	{&target_argp, 0, NULL, 1}, {&log_argp, 0, NULL, 9}, {0}};

static const struct argp_option attach_options[] = {
	{"xdp-mode", 'm', "MODE", 0, "auto (default), native or generic", 3},
	{0},
};

static const struct argp attach_argp = {
	.options = attach_options,
	.parser = attach_parse,
	.children = children,
	.doc = "Attach the programs and pin the maps, without a responder: everything passes until "
	       "edge426 run serves. It stays until edge426 detach.",
};

static const struct argp detach_argp = {
	.parser = attach_parse,
	.children = children,
	.doc = "Take edge426's programs off the interfaces and remove the pins, also those that a "
	       "killed process left.",
};

static int attach_one(const struct attach *attach, const struct target *target,
		      struct failure *failure)
{
	struct loader_request request = {.interface = target->interface,
					 .dir = target->dir,
					 .mode = attach->mode,
					 .owner = EDGE426_OWNER_ATTACH};
	struct store store;
	int err = loader_attach(&request, NULL, failure);

	if (!err)
		err = store_open(target->dir, &store, failure);
	if (err)
		return err;
	printf("%s: attached: %s\n", target->interface, hook_mode_name(store.state->xdp_mode));
	store_close(&store);
	return 0;
}

static int detach_one(const struct attach *attach, const struct target *target,
		      struct failure *failure)
{
	int err = loader_detach(target->interface, target->dir, failure);

	(void)attach;
	if (!err)
		printf("%s: detached\n", target->interface);
	return err;
}

typedef int each_fn(const struct attach *attach, const struct target *target,
		    struct failure *failure);

/* An interface that fails does not keep the others from being done. */
static int for_each(struct attach *attach, each_fn *each)
{
	struct failure failure = {0};
	int status = VERB_DONE;

	if (targets_resolve(&attach->targets, &failure)) {
		log_error("%s", failure.text);
		return VERB_FAILED;
	}
	for (size_t i = 0; i < attach->targets.len; i++) {
		if (!each(attach, &attach->targets.list[i], &failure))
			continue;
		log_error("%s", failure.text);
		status = VERB_FAILED;
	}
	targets_free(&attach->targets);
	return status;
}

int cmd_attach(int argc, char **argv)
{
	struct attach attach = {0};

	argp_parse(&attach_argp, argc, argv, 0, NULL, &attach);
	return for_each(&attach, attach_one);
}

int cmd_detach(int argc, char **argv)
{
	struct attach attach = {0};

	argp_parse(&detach_argp, argc, argv, 0, NULL, &attach);
	return for_each(&attach, detach_one);
}
