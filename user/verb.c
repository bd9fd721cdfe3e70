/* SPDX-License-Identifier: GPL-2.0-only */
/* Looks verbs up; every verb parses its own options. */
#include "verb.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static void print_usage(FILE *out, const struct verb_table *table)
{
	fprintf(out, "Usage: %s\n\n", table->synopsis);
	for (size_t i = 0; i < table->len; i++)
		fprintf(out, "  %-9s %s\n", table->verbs[i].name, table->verbs[i].summary);
	fprintf(out, "\nEach of them explains itself with --help; edge426(8) has the rest.\n");
}

static bool is_help(const char *text)
{
	return !strcmp(text, "help") || !strcmp(text, "--help") || !strcmp(text, "-h") ||
	       !strcmp(text, "-?");
}

static const struct verb *find_verb(const struct verb_table *table, const char *name)
{
	for (size_t i = 0; i < table->len; i++)
		if (!strcmp(table->verbs[i].name, name))
			return &table->verbs[i];
	return NULL;
}

/* `help VERB` is `VERB --help`, also where the verb has verbs of its own. */
static void move_help(int argc, char **argv)
{
	static char help[] = "--help";

	for (int i = 1; i + 1 < argc; i++)
		argv[i] = argv[i + 1];
	argv[argc - 1] = help;
}

int verb_run(const struct verb_table *table, int argc, char **argv)
{
	const struct verb *verb;
	const char *name;
	char full[64];

	if (argc > 2 && is_help(argv[1]))
		move_help(argc, argv);
	name = argc > 1 ? argv[1] : NULL;
	if (name && is_help(name)) {
		print_usage(stdout, table);
		return VERB_DONE;
	}
	if (table->bare && (!name || name[0] == '-'))
		return table->bare->run(argc, argv);
	verb = name ? find_verb(table, name) : NULL;
	if (!verb) {
		if (name)
			fprintf(stderr, "%s: there is no verb '%s'\n", argv[0], name);
		print_usage(stderr, table);
		return VERB_USAGE;
	}
	snprintf(full, sizeof(full), "%s %s", argv[0], verb->name);
	argv[1] = full;
	return verb->run(argc - 1, argv + 1);
}
