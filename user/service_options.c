/* SPDX-License-Identifier: GPL-2.0-only */
/* Options to the keys of a service, by one table. Whether the keys go together is policy.c's. */
#include "service_options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "options.h"
#include "text.h"

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))
#define BIT(key) (1U << (key))

/* Options without a letter. */
enum {
	OPTION_BACKEND = 256,
	OPTION_INTERFACE,
	OPTION_VLAN,
	OPTION_ACTION,
	OPTION_OTHER,
	OPTION_MODE,
	OPTION_PERCENT,
	OPTION_LIMIT,
	OPTION_EXEMPT_PATH,
	OPTION_EXEMPT_HOST,
};

static int set_port(const char *arg, struct service *service)
{
	return text_parse_ports(arg, &service->port, &service->port_end);
}

static int set_address(const char *arg, struct service *service)
{
	return text_parse_prefix(arg, &service->address);
}

static int set_interface(const char *arg, struct service *service)
{
	return text_parse_interface(arg, service->interface);
}

static int set_vlan(const char *arg, struct service *service)
{
	if (strcmp(arg, "any"))
		return text_parse_vlan(arg, &service->vlan);
	service->vlan = 0;
	return 0;
}

static int set_handshake(const char *arg, struct service *service)
{
	return text_parse_handshake(arg, &service->handshake);
}

/* --no-backend, or --backend and the way back. */
static int set_backend(const char *arg, struct service *service)
{
	bool none = !strcmp(arg, "no-backend");

	service->flags &= ~(__u32)EDGE426_SERVICE_NO_BACKEND;
	service->flags |= none ? EDGE426_SERVICE_NO_BACKEND : 0;
	return 0;
}

static int set_syn_threshold(const char *arg, struct service *service)
{
	return text_parse_syn_threshold(arg, &service->syn_threshold);
}

static int set_calm_seconds(const char *arg, struct service *service)
{
	return text_parse_calm_seconds(arg, &service->calm_seconds);
}

static int set_action(const char *arg, struct service *service)
{
	return text_parse_action(arg, &service->action);
}

static int set_other(const char *arg, struct service *service)
{
	return text_parse_other(arg, &service->other);
}

static int set_mode(const char *arg, struct service *service)
{
	return text_parse_mode(arg, &service->mode);
}

static int set_percent(const char *arg, struct service *service)
{
	return text_parse_percent(arg, &service->percent);
}

static int set_limit(const char *arg, struct service *service)
{
	if (strcmp(arg, "none"))
		return text_parse_limit(arg, &service->limit_rate, &service->limit_burst);
	service->limit_rate = service->limit_burst = 0;
	return 0;
}

/* Flags without a value have their own name as the value. */
static const struct value {
	int key;
	const char *name;
	enum service_key says;
	int (*set)(const char *arg, struct service *service);
	const char *allowed;
	void (*explain)(const char *arg, char allowed[TEXT_ALLOWED_LEN]); /* better, or NULL */
} values[] = {
	{'p', "port", SERVICE_PORT, set_port, TEXT_PORTS_ALLOWED, NULL},
	{'a', "address", SERVICE_ADDRESS, set_address, TEXT_PREFIX_ALLOWED, text_explain_prefix},
	{OPTION_INTERFACE, "on-interface", SERVICE_INTERFACE, set_interface,
	 TEXT_INTERFACE_ALLOWED ", or any", NULL},
	{OPTION_VLAN, "vlan", SERVICE_VLAN, set_vlan, TEXT_VLAN_ALLOWED ", or any", NULL},
	{'s', "handshake", SERVICE_HANDSHAKE, set_handshake, TEXT_HANDSHAKE_ALLOWED, NULL},
	{'n', "no-backend", SERVICE_BACKEND, set_backend, NULL, NULL},
	{OPTION_BACKEND, "backend", SERVICE_BACKEND, set_backend, NULL, NULL},
	{'t', "syn-threshold", SERVICE_SYN_THRESHOLD, set_syn_threshold, TEXT_SYN_THRESHOLD_ALLOWED,
	 NULL},
	{'c', "calm-seconds", SERVICE_CALM_SECONDS, set_calm_seconds, TEXT_CALM_SECONDS_ALLOWED,
	 NULL},
	{OPTION_ACTION, "action", SERVICE_ACTION, set_action, TEXT_ACTION_ALLOWED, NULL},
	{OPTION_OTHER, "other", SERVICE_OTHER, set_other, TEXT_OTHER_ALLOWED, NULL},
	{OPTION_MODE, "mode", SERVICE_MODE, set_mode, TEXT_MODE_ALLOWED, NULL},
	{OPTION_PERCENT, "percent", SERVICE_PERCENT, set_percent, TEXT_PERCENT_ALLOWED, NULL},
	{OPTION_LIMIT, "limit", SERVICE_LIMIT, set_limit, TEXT_LIMIT_ALLOWED ", or none", NULL},
};

static void refuse_value(const struct value *value, const char *arg, struct argp_state *state)
{
	char allowed[TEXT_ALLOWED_LEN];

	snprintf(allowed, sizeof(allowed), "%s", value->allowed);
	if (value->explain)
		value->explain(arg, allowed);
	options_refuse(value->name, arg, allowed, state);
}

/* Checked now, on a service that nobody sees; what was said stays text. */
static void note_value(const struct value *value, const char *arg, struct service_options *options,
		       struct argp_state *state)
{
	struct service checked = {0};
	const char *before = options->arg[value->says];

	if (!arg) {
		if (before && strcmp(before, value->name))
			argp_error(state, "--backend and --no-backend exclude each other");
		arg = value->name;
	}
	if (value->set(arg, &checked))
		refuse_value(value, arg, state);
	options->arg[value->says] = arg;
	options->said |= BIT(value->says);
}

static error_t parse_value(int key, const char *arg, struct service_options *options,
			   struct argp_state *state)
{
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		if (values[i].key != key)
			continue;
		note_value(&values[i], arg, options, state);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static error_t service_parse(int key, char *arg, struct argp_state *state)
{
	struct service_options *options = state->input;

	switch (key) {
	case OPTION_EXEMPT_PATH:
		options_add_path("exempt-path", arg, &options->exempt_paths, state);
		options->said |= BIT(SERVICE_EXEMPT_PATHS);
		return 0;
	case OPTION_EXEMPT_HOST:
		options_add_host("exempt-host", arg, &options->exempt_hosts, state);
		options->said |= BIT(SERVICE_EXEMPT_HOSTS);
		return 0;
	}
	return parse_value(key, arg, options, state);
}

static const struct argp_option service_argp_options[] = {
	{"port", 'p', "N[-M]", 0, "Port of the service, or a range of them", 2},
	{"address", 'a', "PREFIX", 0, "IPv4 or IPv6 address or prefix (default any)", 2},
	{"on-interface", OPTION_INTERFACE, "IF", 0, "The service is on this interface only (any)",
	 2},
	{"vlan", OPTION_VLAN, "ID", 0, "Packets of this VLAN only (any)", 2},
	{"handshake", 's', "HOW", 0,
	 "backend (default): the server does it; edge: edge426 does; auto: edge426 does under a "
	 "flood",
	 3},
	{"no-backend", 'n', NULL, 0, "Nothing listens on the port; the handshake is edge", 3},
	{"backend", OPTION_BACKEND, NULL, 0, "A server listens on the port (default)", 3},
	{"syn-threshold", 't', "N", 0,
	 "auto: handshakes waiting for their end that make it edge (default 100)", 3},
	{"calm-seconds", 'c', "N", 0,
	 "auto: seconds with fewer until it is backend again (default 60)", 3},
	{"action", OPTION_ACTION, "ACTION", 0,
	 "What plaintext HTTP meets: respond (default), reset, reset-syn, drop, pass", 4},
	{"other", OPTION_OTHER, "ACTION", 0,
	 "What is neither TLS nor HTTP meets: pass (default), reset (default without a backend), "
	 "drop",
	 4},
	{"mode", OPTION_MODE, "MODE", 0,
	 "enforce (default); monitor: count only; bypass: take nothing", 4},
	{"percent", OPTION_PERCENT, "N", 0, "Share of sources it is enforced on (default 100)", 4},
	{"limit", OPTION_LIMIT, "RATE[/BURST]", 0,
	 "Answers per second to one source, and at once (default none)", 4},
	{"exempt-path", OPTION_EXEMPT_PATH, "PATH", 0,
	 "Prefix of paths, or preset (acme, crl-ocsp, k8s-probe), that goes to the server; may be "
	 "given several times",
	 5},
	{"exempt-host", OPTION_EXEMPT_HOST, "HOST", 0,
	 "Host whose requests go to the server; may be given several times", 5},
	{0},
};

const struct argp service_argp = {.options = service_argp_options, .parser = service_parse};

/* A service owns two such lists, and policy.c frees services. */
static void free_strings(struct strings *strings)
{
	struct service owner = {.exempt_paths = *strings};

	policy_free_service(&owner);
	*strings = (struct strings){0};
}

void service_options_free(struct service_options *options)
{
	free_strings(&options->exempt_paths);
	free_strings(&options->exempt_hosts);
}

static int put_strings(const struct strings *from, struct strings *to)
{
	int err = 0;

	free_strings(to);
	for (size_t i = 0; i < from->len && !err; i++)
		err = policy_add_string(to, from->list[i]);
	return err;
}

/* The values were found good when they were said. */
static int put(const struct service_options *options, struct service *service)
{
	int err = 0;

	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		if (options->arg[values[i].says])
			values[i].set(options->arg[values[i].says], service);
	if (options->said & BIT(SERVICE_EXEMPT_PATHS))
		err = put_strings(&options->exempt_paths, &service->exempt_paths);
	if (!err && options->said & BIT(SERVICE_EXEMPT_HOSTS))
		err = put_strings(&options->exempt_hosts, &service->exempt_hosts);
	return err;
}

int service_options_make(const struct service_options *options, struct service *service)
{
	int err = put(options, service);

	if (!err)
		policy_complete_service(service, options->said | BIT(SERVICE_NAME));
	return err;
}

/* Thresholds go with `auto`. */
static void forget_thresholds(const struct service_options *options, struct service *service)
{
	if (service->handshake == EDGE426_HANDSHAKE_AUTO)
		return;
	if (!(options->said & BIT(SERVICE_SYN_THRESHOLD)))
		service->syn_threshold = 0;
	if (!(options->said & BIT(SERVICE_CALM_SECONDS)))
		service->calm_seconds = 0;
}

/* The limit goes with `respond`. */
static void forget_limit(const struct service_options *options, struct service *service)
{
	if (service->action == EDGE426_ACTION_RESPOND || options->said & BIT(SERVICE_LIMIT))
		return;
	service->limit_rate = 0;
	service->limit_burst = 0;
}

int service_options_change(const struct service_options *options, struct service *service)
{
	__u32 flags = service->flags, all = BIT(SERVICE_KEYS) - 1;
	int err = put(options, service);
	bool loses_backend = service->flags & ~flags & EDGE426_SERVICE_NO_BACKEND;

	if (err)
		return err;
	policy_complete_service(service, loses_backend ? options->said : all);
	forget_thresholds(options, service);
	forget_limit(options, service);
	return 0;
}
