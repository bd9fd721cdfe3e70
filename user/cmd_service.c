/* SPDX-License-Identifier: GPL-2.0-only */
/* service add, del and list: the running policy, one service at a time. A bare `service` lists. */
#include <argp.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "options.h"
#include "output.h"
#include "store.h"
#include "target.h"
#include "text.h"
#include "verb.h"
#include "visit.h"

/* What add and del do to a policy, each in its way. */
struct change {
	const char *verb; /* as messages say it */
	char sign;
	int (*make)(struct policy *policy, const struct service *service, struct failure *failure);
};

struct options {
	struct targets targets;
	bool takes_name;
	bool takes_port;
	bool has_handshake; /* it was said, and is not to be chosen here */
	struct service service;
	bool json;
	json_t *root; /* what --json prints */
	const struct change *change;
	bool refused; /* the change, as the policy would not be valid */
};

static int set_port(const char *arg, struct options *options)
{
	return text_parse_port(arg, &options->service.port);
}

static int set_address(const char *arg, struct options *options)
{
	return text_parse_prefix(arg, &options->service.address);
}

static int set_handshake(const char *arg, struct options *options)
{
	options->has_handshake = true;
	return text_parse_handshake(arg, &options->service.handshake);
}

static int set_syn_threshold(const char *arg, struct options *options)
{
	return text_parse_syn_threshold(arg, &options->service.syn_threshold);
}

static int set_calm_seconds(const char *arg, struct options *options)
{
	return text_parse_calm_seconds(arg, &options->service.calm_seconds);
}

static const struct value {
	int key;
	const char *name;
	int (*set)(const char *arg, struct options *options);
	const char *allowed;
	void (*explain)(const char *arg, char allowed[TEXT_ALLOWED_LEN]); /* better, or NULL */
} values[] = {
	{'p', "port", set_port, TEXT_PORT_ALLOWED, NULL},
	{'a', "address", set_address, TEXT_PREFIX_ALLOWED, text_explain_prefix},
	{'s', "handshake", set_handshake, TEXT_HANDSHAKE_ALLOWED, NULL},
	{'t', "syn-threshold", set_syn_threshold, TEXT_SYN_THRESHOLD_ALLOWED, NULL},
	{'c', "calm-seconds", set_calm_seconds, TEXT_CALM_SECONDS_ALLOWED, NULL},
};

static void refuse_value(const struct value *value, const char *arg, struct argp_state *state)
{
	char allowed[TEXT_ALLOWED_LEN];

	snprintf(allowed, sizeof(allowed), "%s", value->allowed);
	if (value->explain)
		value->explain(arg, allowed);
	argp_error(state, "--%s '%s': allowed is %s", value->name, arg, allowed);
}

static error_t parse_value(int key, const char *arg, struct options *options,
			   struct argp_state *state)
{
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		if (values[i].key != key)
			continue;
		if (values[i].set(arg, options))
			refuse_value(&values[i], arg, state);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static void parse_name(const char *arg, struct options *options, struct argp_state *state)
{
	if (!options->takes_name || options->service.name[0])
		argp_error(state, "'%s' is too much", arg);
	if (text_check_name(arg))
		argp_error(state, "name '%s': allowed are %s", arg, TEXT_NAME_ALLOWED);
	snprintf(options->service.name, sizeof(options->service.name), "%s", arg);
}

static void check_options(const struct options *options, struct argp_state *state)
{
	if (options->takes_name && !options->service.name[0])
		argp_error(state, "the service's NAME is missing");
	if (options->takes_port && !options->service.port)
		argp_error(state, "--port is missing");
}

static error_t options_parse(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &options->targets;
		return 0;
	case 'n':
		options->service.flags |= EDGE426_SERVICE_NO_BACKEND;
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
	return parse_value(key, arg, options, state);
}

static const struct argp_option add_options[] = {
	{"port", 'p', "N", 0, "Port of the service", 2},
	{"address", 'a', "PREFIX", 0, "IPv4 or IPv6 address or prefix (default any)", 2},
	{"handshake", 's', "HOW", 0,
	 "backend (default): the server does it; edge: edge426 does; auto: edge426 does under a "
	 "flood",
	 2},
	{"no-backend", 'n', NULL, 0, "Nothing listens on the port; the handshake is edge", 2},
	{"syn-threshold", 't', "N", 0,
	 "auto: handshakes waiting for their end that make it edge (default 100)", 2},
	{"calm-seconds", 'c', "N", 0,
	 "auto: seconds with fewer until it is backend again (default 60)", 2},
	{0},
};

static const struct argp_option list_options[] = {
	{"json", 'j', NULL, 0, "Print JSON", 2},
	{0},
};

static const struct argp add_argp = {
	.options = add_options,
	.parser = options_parse,
	.children = options_children,
	.args_doc = "NAME",
	.doc = "Add a service to the running policy, at once.",
};

static const struct argp del_argp = {
	.parser = options_parse,
	.children = options_children,
	.args_doc = "NAME",
	.doc = "Remove a service from the running policy, at once.",
};

static const struct argp list_argp = {
	.options = list_options,
	.parser = options_parse,
	.children = options_children,
	.doc = "List the services of the running policy.",
};

/* The running policy, or the default one when there is none yet. */
static int read_policy(struct store *store, struct policy *policy, struct failure *failure)
{
	int err = store_read_policy(store, policy, failure);

	if (err != -ENOENT)
		return err;
	err = policy_init(policy);
	return err ? failure_set(failure, -err, "Can't make a policy: %s", strerror(-err)) : 0;
}

/* policy.c says what is wrong; the sentence for the operator says with what. */
static void tell_refused(const struct options *options, const char *label, struct failure *failure)
{
	struct failure reason = *failure;

	failure_set(failure, 0, "Can't %s service '%s' on '%s': %.300s", options->change->verb,
		    options->service.name, label, reason.text);
}

static int change_one(void *context, struct store *store, const char *label,
		      struct failure *failure)
{
	struct options *options = context;
	struct policy policy = {0};
	int err = read_policy(store, &policy, failure);

	if (!err) {
		err = options->change->make(&policy, &options->service, failure);
		options->refused = options->refused || err;
		if (err)
			tell_refused(options, label, failure);
	}
	if (!err)
		err = store_publish_policy(store, &policy, failure);
	if (!err)
		printf("%s: %c service %s\n", label, options->change->sign, options->service.name);
	policy_free(&policy);
	return err;
}

static int add_run(int argc, char **argv)
{
	static const struct change add = {"add", '+', policy_add_service};
	struct options options = {.takes_name = true, .takes_port = true, .change = &add};
	int status;

	argp_parse(&add_argp, argc, argv, 0, NULL, &options);
	policy_complete_service(&options.service, options.has_handshake);
	status = visit_stores(&options.targets, true, change_one, &options);
	return options.refused ? VERB_INVALID_POLICY : status;
}

static int remove_service(struct policy *policy, const struct service *service,
			  struct failure *failure)
{
	return policy_remove_service(policy, service->name, failure);
}

static int del_run(int argc, char **argv)
{
	static const struct change del = {"remove", '-', remove_service};
	struct options options = {.takes_name = true, .change = &del};

	argp_parse(&del_argp, argc, argv, 0, NULL, &options);
	return visit_stores(&options.targets, true, change_one, &options);
}

/* The keys as in the policy, and as there only those that say something. */
static void print_service(const struct service *service)
{
	const char *backend = text_print_backend(service->flags);
	char address[TEXT_PREFIX_LEN];

	text_print_prefix(&service->address, address);
	printf("  %-20s port %-5u address %s handshake %s", service->name, service->port, address,
	       text_print_handshake(service->handshake));
	if (backend)
		printf(" backend %s", backend);
	if (service->handshake == EDGE426_HANDSHAKE_AUTO)
		printf(" syn_threshold %u calm_seconds %u", service->syn_threshold,
		       service->calm_seconds);
	putchar('\n');
}

static void print_services(const struct policy *policy, const char *label)
{
	printf("%s:\n", label);
	for (size_t i = 0; i < policy->services_len; i++)
		print_service(&policy->services[i]);
}

static json_t *service_json(const struct service *service)
{
	bool has_backend = !(service->flags & EDGE426_SERVICE_NO_BACKEND);
	char address[TEXT_PREFIX_LEN];
	json_t *row;

	text_print_prefix(&service->address, address);
	row = json_pack("{s:s, s:i, s:s, s:s, s:b}", "name", service->name, "port", service->port,
			"address", address, "handshake", text_print_handshake(service->handshake),
			"backend", has_backend);
	if (service->handshake == EDGE426_HANDSHAKE_AUTO) {
		json_object_set_new(row, "syn_threshold", json_integer(service->syn_threshold));
		json_object_set_new(row, "calm_seconds", json_integer(service->calm_seconds));
	}
	return row;
}

static json_t *services_json(const struct policy *policy)
{
	json_t *array = json_array();

	for (size_t i = 0; i < policy->services_len; i++)
		json_array_append_new(array, service_json(&policy->services[i]));
	return array;
}

static int list_one(void *context, struct store *store, const char *label, struct failure *failure)
{
	struct options *options = context;
	struct policy policy = {0};
	int err = read_policy(store, &policy, failure);

	if (!err && options->json)
		json_object_set_new(options->root, label, services_json(&policy));
	else if (!err)
		print_services(&policy, label);
	policy_free(&policy);
	return err;
}

static int list_run(int argc, char **argv)
{
	struct options options = {.root = json_object()};
	int status;

	argp_parse(&list_argp, argc, argv, 0, NULL, &options);
	status = visit_stores(&options.targets, true, list_one, &options);
	if (status == VERB_DONE && options.json)
		output_json(options.root, false);
	json_decref(options.root);
	return status;
}

static const struct verb verbs[] = {
	{"add", "add a service", add_run},
	{"del", "remove a service", del_run},
	{"list", "list the services", list_run},
};

static const struct verb_table table = {
	.synopsis = "edge426 service add|del|list [OPTION...] [NAME]",
	.verbs = verbs,
	.len = sizeof(verbs) / sizeof(verbs[0]),
	.bare = &verbs[2],
};

int cmd_service(int argc, char **argv)
{
	return verb_run(&table, argc, argv);
}
