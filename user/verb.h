/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Verbs as a table: finds the one that is named, or prints what there is. An
 * object (policy, service) is a verb with a table of its own.
 */
#ifndef EDGE426_VERB_H
#define EDGE426_VERB_H

#include <stddef.h>

/* Exit status of every verb. */
enum verb_exit {
	VERB_DONE = 0,
	VERB_FAILED = 1,
	VERB_USAGE = 2,
	VERB_INVALID_POLICY = 3,
};

struct verb {
	const char *name;
	const char *summary;
	int (*run)(int argc, char **argv); /* argv[0]: the whole name, "edge426 policy show" */
};

struct verb_table {
	const char *synopsis;
	const struct verb *verbs;
	size_t len;
	const struct verb *bare; /* what no name, or an option in its place, means; or NULL */
};

int verb_run(const struct verb_table *table, int argc, char **argv);

#endif
