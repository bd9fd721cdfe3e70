/* SPDX-License-Identifier: GPL-2.0-only */
/* The verb table, and what holds for all verbs: output that is lost is a failure. */
#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "log.h"
#include "output.h"
#include "verb.h"

static int cmd_version(int argc, char **argv)
{
	static const struct argp argp = {.doc = "Print the version of edge426."};

	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	printf("edge426 %s\n", EDGE426_VERSION);
	return VERB_DONE;
}

static const struct verb verbs[] = {
	{"run", "attach and answer plaintext HTTP until a signal comes", cmd_run},
	{"attach", "attach without a responder; everything passes until one runs", cmd_attach},
	{"detach", "take everything off an interface", cmd_detach},
	{"status", "where edge426 is attached and who serves", cmd_status},
	{"policy", "check, apply, compare or show the policy, and go back", cmd_policy},
	{"service", "add, set, del or list services of the running policy", cmd_service},
	{"allow", "add, del or list sources that are let through", cmd_allow},
	{"exempt", "add, del or list exempt paths and hosts of services", cmd_exempt},
	{"bypass", "take nothing new, for as long as it is on", cmd_bypass},
	{"explain", "what the policy does to a request or a capture, and why", cmd_explain},
	{"stats", "what became of the packets", cmd_stats},
	{"version", "print the version", cmd_version},
};

static const struct verb_table table = {
	.synopsis = "edge426 VERB [OPTION...]",
	.verbs = verbs,
	.len = sizeof(verbs) / sizeof(verbs[0]),
};

/* A verb that has failed has said so already. */
static int finish(int status)
{
	struct failure failure = {0};

	if (!output_finish(&failure) || status != VERB_DONE)
		return status;
	log_error("%s", failure.text);
	return VERB_FAILED;
}

int main(int argc, char **argv)
{
	static char name[] = "edge426", version[] = "version";

	argp_err_exit_status = VERB_USAGE;
	log_init();
	argv[0] = name;
	if (argc > 1 && !strcmp(argv[1], "--version"))
		argv[1] = version;
	return finish(verb_run(&table, argc, argv));
}
