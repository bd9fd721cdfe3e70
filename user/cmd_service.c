/* SPDX-License-Identifier: GPL-2.0-only */
/* service add, set, del and list: the running policy, one service at a time. A bare one lists. */
#include <argp.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "change.h"
#include "cmd.h"
#include "log.h"
#include "options.h"
#include "output.h"
#include "service_options.h"
#include "text.h"
#include "verb.h"
#include "visit.h"

struct options {
	struct targets targets;
	struct service_options service; /* of add and set */
	bool takes_name;
	bool adds;
	bool sets;
	char name[POLICY_NAME_MAX + 1];
	bool json;
	json_t *root; /* what --json prints */
};

static void parse_name(const char *arg, struct options *options, struct argp_state *state)
{
	if (!options->takes_name || options->name[0])
		argp_error(state, "'%s' is too much", arg);
	if (text_check_name(arg))
		argp_error(state, "name '%s': allowed are %s", arg, TEXT_NAME_ALLOWED);
	snprintf(options->name, sizeof(options->name), "%s", arg);
}

static void check_options(const struct options *options, struct argp_state *state)
{
	if (options->takes_name && !options->name[0])
		argp_error(state, "the service's NAME is missing");
	if (options->adds && !options->service.arg[SERVICE_PORT])
		argp_error(state, "--port is missing");
	if (options->sets && !options->service.said)
		argp_error(state, "what to set is missing: --port, --action, ...");
}

static error_t options_parse(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &options->targets;
		if (options->adds || options->sets)
			state->child_inputs[1] = &options->service;
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

static const struct argp_option list_options[] = {
	{"json", 'j', NULL, 0, "Print JSON", 2},
	{0},
};

static const struct argp_child service_children[] = {
	{&target_argp, 0, NULL, 1}, {&service_argp, 0, NULL, 2}, {&log_argp, 0, NULL, 9}, {0}};

static const struct argp add_argp = {
	.parser = options_parse,
	.children = service_children,
	.args_doc = "NAME",
	.doc = "Add a service to the running policy, at once.",
};

static const struct argp set_argp = {
	.parser = options_parse,
	.children = service_children,
	.args_doc = "NAME",
	.doc = "Change a service of the running policy, at once: what an option says, and nothing "
	       "else. Exempt paths and hosts are in place of those before; edge426 exempt adds and "
	       "removes single ones.",
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

static int no_memory(struct failure *failure)
{
	return failure_set(failure, ENOMEM, "out of memory");
}

static int make_add(void *context, struct policy *policy, struct failure *failure)
{
	const struct options *options = context;
	struct service service = {0};
	int err;

	memcpy(service.name, options->name, sizeof(service.name));
	err = service_options_make(&options->service, &service);
	err = err ? no_memory(failure) : policy_add_service(policy, &service, failure);
	policy_free_service(&service);
	return err;
}

static int make_set(void *context, struct policy *policy, struct failure *failure)
{
	const struct options *options = context;
	const struct service *now = policy_find_name(policy, options->name);
	struct service service = {0};
	int err;

	if (!now)
		return failure_set(failure, ENOENT, "there is no service '%s'", options->name);
	err = policy_copy_service(now, &service);
	if (!err)
		err = service_options_change(&options->service, &service);
	err = err ? no_memory(failure) : policy_replace_service(policy, &service, failure);
	policy_free_service(&service);
	return err;
}

static int make_del(void *context, struct policy *policy, struct failure *failure)
{
	const struct options *options = context;

	return policy_remove_service(policy, options->name, failure);
}

static int change_service(struct options *options, const char *verb,
			  int (*make)(void *, struct policy *, struct failure *))
{
	struct change change = {.make = make, .context = options};
	int status;

	snprintf(change.what, sizeof(change.what), "%s service '%s'", verb, options->name);
	status = change_policies(&options->targets, &change);
	service_options_free(&options->service);
	return status;
}

static int add_run(int argc, char **argv)
{
	struct options options = {.takes_name = true, .adds = true};

	argp_parse(&add_argp, argc, argv, 0, NULL, &options);
	return change_service(&options, "add", make_add);
}

static int set_run(int argc, char **argv)
{
	struct options options = {.takes_name = true, .sets = true};

	argp_parse(&set_argp, argc, argv, 0, NULL, &options);
	return change_service(&options, "change", make_set);
}

static int del_run(int argc, char **argv)
{
	struct options options = {.takes_name = true};

	argp_parse(&del_argp, argc, argv, 0, NULL, &options);
	return change_service(&options, "remove", make_del);
}

static void print_strings(const char *key, const struct strings *strings)
{
	if (!strings->len)
		return;
	printf(" %s", key);
	for (size_t i = 0; i < strings->len; i++)
		printf("%c%s", i ? ',' : ' ', strings->list[i]);
}

/* Who does the handshake, and when. */
static void print_handshake(const struct service *service)
{
	const char *backend = text_print_backend(service->flags);

	printf(" handshake %s", text_print_handshake(service->handshake));
	if (backend)
		printf(" backend %s", backend);
	if (service->handshake == EDGE426_HANDSHAKE_AUTO)
		printf(" syn_threshold %u calm_seconds %u", service->syn_threshold,
		       service->calm_seconds);
}

/* What is neither TLS nor HTTP meets this unless the policy says otherwise. */
static __u32 usual_other(const struct service *service)
{
	return service->flags & EDGE426_SERVICE_NO_BACKEND ? EDGE426_ACTION_RESET
							   : EDGE426_ACTION_PASS;
}

static void print_action(const struct service *service)
{
	if (service->action != EDGE426_ACTION_RESPOND)
		printf(" action %s", text_print_action(service->action));
	if (service->other != usual_other(service))
		printf(" other %s", text_print_other(service->other));
	if (service->mode != EDGE426_MODE_ENFORCE)
		printf(" mode %s", text_print_mode(service->mode));
	if (service->percent != 100)
		printf(" percent %u", service->percent);
	if (service->limit_rate)
		printf(" limit %u/%u", service->limit_rate, service->limit_burst);
}

/* The keys as in the policy, and as there only those that say something. */
static void print_service(const struct service *service)
{
	char address[TEXT_PREFIX_LEN], ports[TEXT_PORTS_LEN];

	text_print_prefix(&service->address, address);
	text_print_ports(service->port, service->port_end, ports);
	printf("  %-20s port %-5s address %s", service->name, ports, address);
	if (service->interface[0])
		printf(" interface %s", service->interface);
	if (service->vlan)
		printf(" vlan %u", service->vlan);
	print_handshake(service);
	print_action(service);
	print_strings("exempt_paths", &service->exempt_paths);
	print_strings("exempt_hosts", &service->exempt_hosts);
	putchar('\n');
}

static void print_services(const struct policy *policy, const char *label)
{
	printf("%s:\n", label);
	for (size_t i = 0; i < policy->services_len; i++)
		print_service(&policy->services[i]);
}

static json_t *count_json(__u32 count)
{
	return count ? json_integer(count) : json_null();
}

static json_t *limit_json(const struct service *service)
{
	if (!service->limit_rate)
		return json_null();
	return json_pack("{s:i, s:i}", "rate", (int)service->limit_rate, "burst",
			 (int)service->limit_burst);
}

/* Where it is. */
static void place_json(const struct service *service, json_t *row)
{
	const char *interface = service->interface;
	char address[TEXT_PREFIX_LEN];

	text_print_prefix(&service->address, address);
	json_object_set_new(row, "port", json_integer(service->port));
	json_object_set_new(row, "port_end", json_integer(service->port_end));
	json_object_set_new(row, "address", json_string(address));
	json_object_set_new(row, "interface", *interface ? json_string(interface) : json_null());
	json_object_set_new(row, "vlan", count_json(service->vlan));
}

static void handshake_json(const struct service *service, json_t *row)
{
	bool has_backend = !(service->flags & EDGE426_SERVICE_NO_BACKEND);

	json_object_set_new(row, "handshake",
			    json_string(text_print_handshake(service->handshake)));
	json_object_set_new(row, "backend", json_boolean(has_backend));
	json_object_set_new(row, "syn_threshold", count_json(service->syn_threshold));
	json_object_set_new(row, "calm_seconds", count_json(service->calm_seconds));
}

static void action_json(const struct service *service, json_t *row)
{
	json_object_set_new(row, "action", json_string(text_print_action(service->action)));
	json_object_set_new(row, "other", json_string(text_print_other(service->other)));
	json_object_set_new(row, "mode", json_string(text_print_mode(service->mode)));
	json_object_set_new(row, "percent", json_integer(service->percent));
	json_object_set_new(row, "limit", limit_json(service));
}

/* Always all keys: null where there is nothing to say. */
static json_t *service_json(const struct service *service)
{
	json_t *row = json_pack("{s:s}", "name", service->name);

	place_json(service, row);
	handshake_json(service, row);
	action_json(service, row);
	json_object_set_new(row, "exempt_paths", output_strings(&service->exempt_paths));
	json_object_set_new(row, "exempt_hosts", output_strings(&service->exempt_hosts));
	return row;
}

static json_t *services_json(const struct policy *policy)
{
	json_t *array = json_array();

	for (size_t i = 0; i < policy->services_len; i++)
		json_array_append_new(array, service_json(&policy->services[i]));
	return array;
}

static int list_one(void *context, const struct visited *visited, struct failure *failure)
{
	struct options *options = context;
	struct policy policy = {0};
	int err = change_read_services(visited->store, &policy, failure);

	if (!err && options->json)
		json_object_set_new(options->root, visited->label, services_json(&policy));
	else if (!err)
		print_services(&policy, visited->label);
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
	{"add", "add a service", add_run},
	{"set", "change a service", set_run},
	{"del", "remove a service", del_run},
	{"list", "list the services", list_run},
};

static const struct verb_table table = {
	.synopsis = "edge426 service add|set|del|list [OPTION...] [NAME]",
	.verbs = verbs,
	.len = sizeof(verbs) / sizeof(verbs[0]),
	.bare = &verbs[3],
};

int cmd_service(int argc, char **argv)
{
	return verb_run(&table, argc, argv);
}
