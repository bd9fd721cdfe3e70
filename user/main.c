/* SPDX-License-Identifier: GPL-2.0-only */
/* The verb table, nothing else. */
#include <argp.h>
#include <stdio.h>

#include "cmd.h"
#include "log.h"
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
	{"policy", "check, apply or show the policy", cmd_policy},
	{"service", "add, del or list services of the running policy", cmd_service},
	{"stats", "what became of the packets", cmd_stats},
	{"version", "print the version", cmd_version},
};

static const struct verb_table table = {
	.synopsis = "edge426 VERB [OPTION...]",
	.verbs = verbs,
	.len = sizeof(verbs) / sizeof(verbs[0]),
};

int main(int argc, char **argv)
{
	static char name[] = "edge426";

	argp_err_exit_status = VERB_USAGE;
	log_init();
	argv[0] = name;
	return verb_run(&table, argc, argv);
}
