/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * exempt add, del and list: paths and hosts of a service whose requests go to
 * the server. A bare `exempt` lists.
 */
#include <argp.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "change.h"
#include "cmd.h"
#include "options.h"
#include "output.h"
#include "text.h"
#include "verb.h"
#include "visit.h"

struct options {
	struct targets targets;
	bool changes;
	struct service said; /* its name and its exemptions alone */
	bool json;
	json_t *root; /* what --json prints */
};

static void parse_name(const char *arg, struct options *options, struct argp_state *state)
{
	if (options->said.name[0])
		argp_error(state, "'%s' is too much%s", arg,
			   options->changes ? ": each path has its --path, each host its --host"
					    : "");
	if (text_check_name(arg))
		argp_error(state, "SERVICE '%s': allowed are %s", arg, TEXT_NAME_ALLOWED);
	snprintf(options->said.name, sizeof(options->said.name), "%s", arg);
}

static void check_options(const struct options *options, struct argp_state *state)
{
	if (!options->changes)
		return;
	if (!options->said.name[0])
		argp_error(state, "the name of the SERVICE is missing");
	if (!options->said.exempt_paths.len && !options->said.exempt_hosts.len)
		argp_error(state, "--path or --host is missing");
}

static error_t options_parse(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &options->targets;
		return 0;
	case 'p':
		options_add_path("path", arg, &options->said.exempt_paths, state);
		return 0;
	case 'o':
		options_add_host("host", arg, &options->said.exempt_hosts, state);
		return 0;
	case 'j':
		options->json = true;
		return 0;
	case ARGP_KEY_ARG:
		parse_name(arg, options, state);
		return 0;
	case ARGP_KEY_END:
		check_options(options, state);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_option change_options[] = {
	{"path", 'p', "PATH", 0,
	 "Prefix of paths, or preset: acme, crl-ocsp, k8s-probe; may be given several times", 2},
	{"host", 'o', "HOST", 0, "Host without a port; may be given several times", 2},
	{0},
};

static const struct argp_option list_options[] = {
	{"json", 'j', NULL, 0, "Print JSON, with the prefixes that presets stand for", 2},
	{0},
};

static const struct argp add_argp = {
	.options = change_options,
	.parser = options_parse,
	.children = options_children,
	.args_doc = "SERVICE",
	.doc = "Let requests of a service with these paths, or for these hosts, go to the server.",
};

static const struct argp del_argp = {
	.options = change_options,
	.parser = options_parse,
	.children = options_children,
	.args_doc = "SERVICE",
	.doc = "Take exemptions of a service back.",
};

static const struct argp list_argp = {
	.options = list_options,
	.parser = options_parse,
	.children = options_children,
	.args_doc = "[SERVICE]",
	.doc = "List the exempt paths and hosts of the services, or of one.",
};

static int no_service(const char *name, struct failure *failure)
{
	return failure_set(failure, ENOENT, "there is no service '%s'", name);
}

/* Those that are there already stay. */
static int add_strings(struct strings *strings, const struct strings *said, const char *what,
		       struct failure *failure)
{
	int err = 0;

	(void)what;
	for (size_t i = 0; i < said->len && (!err || err == -EEXIST); i++)
		err = policy_add_string(strings, said->list[i]);
	if (err == -ENOMEM)
		return failure_set(failure, ENOMEM, "out of memory");
	return 0;
}

static int remove_strings(struct strings *strings, const struct strings *said, const char *what,
			  struct failure *failure)
{
	for (size_t i = 0; i < said->len; i++)
		if (policy_remove_string(strings, said->list[i]))
			return failure_set(failure, ENOENT, "%s '%s' is not exempt", what,
					   said->list[i]);
	return 0;
}

typedef int strings_fn(struct strings *strings, const struct strings *said, const char *what,
		       struct failure *failure);

/* On a copy, which then gets all checks of a service. */
static int change_service(struct policy *policy, const struct service *said, strings_fn *change,
			  struct failure *failure)
{
	const struct service *now = policy_find_name(policy, said->name);
	struct service service = {0};
	int err;

	if (!now)
		return no_service(said->name, failure);
	if (policy_copy_service(now, &service))
		return failure_set(failure, ENOMEM, "out of memory");
	err = change(&service.exempt_paths, &said->exempt_paths, "path", failure);
	if (!err)
		err = change(&service.exempt_hosts, &said->exempt_hosts, "host", failure);
	if (!err)
		err = policy_replace_service(policy, &service, failure);
	policy_free_service(&service);
	return err;
}

static int make_add(void *context, struct policy *policy, struct failure *failure)
{
	const struct options *options = context;

	return change_service(policy, &options->said, add_strings, failure);
}

static int make_del(void *context, struct policy *policy, struct failure *failure)
{
	const struct options *options = context;

	return change_service(policy, &options->said, remove_strings, failure);
}

static int change_run(const struct argp *argp,
		      int (*make)(void *, struct policy *, struct failure *), int argc, char **argv)
{
	struct options options = {.changes = true};
	struct change change = {.make = make, .context = &options};
	int status;

	argp_parse(argp, argc, argv, 0, NULL, &options);
	snprintf(change.what, sizeof(change.what), "change the exemptions of service '%s'",
		 options.said.name);
	status = change_policies(&options.targets, &change);
	policy_free_service(&options.said);
	return status;
}

static int add_run(int argc, char **argv)
{
	return change_run(&add_argp, make_add, argc, argv);
}

static int del_run(int argc, char **argv)
{
	return change_run(&del_argp, make_del, argc, argv);
}

/* A preset with what it stands for. */
static void print_path(const char *name, const char *path)
{
	const char *const *prefixes = policy_find_preset(path);

	printf("  %-20s path %s", name, path);
	for (size_t i = 0; prefixes && prefixes[i]; i++)
		printf("%s%s", i ? ", " : ": ", prefixes[i]);
	putchar('\n');
}

static void print_service(const struct service *service)
{
	for (size_t i = 0; i < service->exempt_paths.len; i++)
		print_path(service->name, service->exempt_paths.list[i]);
	for (size_t i = 0; i < service->exempt_hosts.len; i++)
		printf("  %-20s host %s\n", service->name, service->exempt_hosts.list[i]);
}

static json_t *prefixes_json(const struct strings *paths)
{
	json_t *array = json_array();

	for (size_t i = 0; i < paths->len; i++) {
		const char *const *prefixes = policy_find_preset(paths->list[i]);

		if (!prefixes)
			json_array_append_new(array, json_string(paths->list[i]));
		for (; prefixes && *prefixes; prefixes++)
			json_array_append_new(array, json_string(*prefixes));
	}
	return array;
}

static json_t *service_json(const struct service *service)
{
	return json_pack("{s:o, s:o, s:o}", "paths", output_strings(&service->exempt_paths),
			 "prefixes", prefixes_json(&service->exempt_paths), "hosts",
			 output_strings(&service->exempt_hosts));
}

static bool is_wanted(const struct options *options, const struct service *service)
{
	return !options->said.name[0] || !strcmp(options->said.name, service->name);
}

static json_t *services_json(const struct options *options, const struct policy *policy)
{
	json_t *object = json_object();

	for (size_t i = 0; i < policy->services_len; i++)
		if (is_wanted(options, &policy->services[i]))
			json_object_set_new(object, policy->services[i].name,
					    service_json(&policy->services[i]));
	return object;
}

static void print_services(const struct options *options, const struct policy *policy,
			   const char *label)
{
	printf("%s:\n", label);
	for (size_t i = 0; i < policy->services_len; i++)
		if (is_wanted(options, &policy->services[i]))
			print_service(&policy->services[i]);
}

static int check_wanted(const struct options *options, const struct policy *policy,
			const char *label, struct failure *failure)
{
	const char *name = options->said.name;

	if (!name[0] || policy_find_name(policy, name))
		return 0;
	return failure_set(failure, ENOENT,
			   "Can't list the exemptions of '%s' on '%s': there is no such service",
			   name, label);
}

static int list_one(void *context, const struct visited *visited, struct failure *failure)
{
	struct options *options = context;
	struct policy policy = {0};
	int err = change_read_services(visited->store, &policy, failure);

	if (!err)
		err = check_wanted(options, &policy, visited->label, failure);
	if (!err && options->json)
		json_object_set_new(options->root, visited->label, services_json(options, &policy));
	else if (!err)
		print_services(options, &policy, visited->label);
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
	{"add", "exempt paths and hosts", add_run},
	{"del", "take exemptions back", del_run},
	{"list", "list what is exempt", list_run},
};

static const struct verb_table table = {
	.synopsis = "edge426 exempt add|del|list [OPTION...] [SERVICE]",
	.verbs = verbs,
	.len = sizeof(verbs) / sizeof(verbs[0]),
	.bare = &verbs[2],
};

int cmd_exempt(int argc, char **argv)
{
	return verb_run(&table, argc, argv);
}
