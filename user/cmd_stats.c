/* SPDX-License-Identifier: GPL-2.0-only */
/* stats: every reason with its count, those of the packet programs and those of the responder. */
#include <argp.h>
#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#include "cmd.h"
#include "options.h"
#include "output.h"
#include "store.h"
#include "target.h"
#include "verb.h"
#include "visit.h"

struct options {
	struct targets targets;
	bool json;
	bool watch;
	json_t *root;
};

struct reason {
	const char *name;
	const char *text;
};

#define REASON_ROW(name, text) {#name, text},
static const struct reason packet_reasons[] = {EDGE426_REASONS(REASON_ROW)};
static const struct reason worker_reasons[] = {EDGE426_WORKER_REASONS(REASON_ROW)};

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
	case 'w':
		options->watch = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "'%s' is too much: stats takes options only", arg);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_option stats_options[] = {
	{"json", 'j', NULL, 0, "Print JSON", 2},
	{"watch", 'w', NULL, 0, "Print again every second", 2},
	{0},
};

static const struct argp argp = {
	.options = stats_options,
	.parser = options_parse,
	.children = options_children,
	.doc = "Print how many packets were left for which reason, and what the responder did.",
};

static void print_counts(const struct reason *reasons, const __u64 *count, size_t len)
{
	for (size_t i = 0; i < len; i++)
		printf("%14llu  %-15s %s\n", (unsigned long long)count[i], reasons[i].name,
		       reasons[i].text);
}

static json_t *counts_json(const struct reason *reasons, const __u64 *count, size_t len)
{
	json_t *object = json_object();

	for (size_t i = 0; i < len; i++)
		json_object_set_new(object, reasons[i].name, json_integer((json_int_t)count[i]));
	return object;
}

static int stats_one(void *context, const struct visited *visited, struct failure *failure)
{
	__u64 packets[EDGE426_REASON_COUNT], responder[EDGE426_WORKER_COUNT];
	struct options *options = context;
	int err = store_read_reasons(visited->store, packets, failure);

	if (err)
		return err;
	store_read_workers(visited->store, responder);
	if (options->json) {
		json_t *object = json_pack(
			"{s:o, s:o}", "packets",
			counts_json(packet_reasons, packets, EDGE426_REASON_COUNT), "responder",
			counts_json(worker_reasons, responder, EDGE426_WORKER_COUNT));

		json_object_set_new(options->root, visited->label, object);
		return 0;
	}
	printf("%s: packets\n", visited->label);
	print_counts(packet_reasons, packets, EDGE426_REASON_COUNT);
	printf("%s: responder\n", visited->label);
	print_counts(worker_reasons, responder, EDGE426_WORKER_COUNT);
	return 0;
}

static int print_once(struct options *options)
{
	struct targets targets = options->targets; /* visiting uses them up */
	int status;

	options->root = json_object();
	if (options->watch && !options->json && isatty(STDOUT_FILENO))
		printf("\033[H\033[J"); /* home, clear */
	status = visit_stores(&targets, false, stats_one, options);
	if (status == VERB_DONE && options->json)
		output_json(options->root, options->watch);
	json_decref(options->root);
	return status;
}

int cmd_stats(int argc, char **argv)
{
	struct options options = {0};
	int status;

	argp_parse(&argp, argc, argv, 0, NULL, &options);
	status = print_once(&options);
	while (options.watch && status == VERB_DONE && !fflush(stdout) && !ferror(stdout)) {
		sleep(1);
		status = print_once(&options);
	}
	return status;
}
