/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The checks of a service: a function for each key, in the order of the keys,
 * then its name and its place among the others.
 */
#include "policy_check.h"

#include <errno.h>
#include <string.h>

#include <edge426/abi.h>

#include "text.h"

#define OF_THE_EDGE "only with edge, which answers SYNs itself"

/* A prefix made by other hands than text.h: through text and back, it must be the same. */
int policy_check_prefix(const struct prefix *prefix)
{
	char text[TEXT_PREFIX_LEN];
	struct prefix again;

	text_print_prefix(prefix, text);
	if (text_parse_prefix(text, &again))
		return -EINVAL;
	return memcmp(prefix, &again, sizeof(again)) ? -EINVAL : 0;
}

static bool has_no_backend(const struct service *service)
{
	return service->flags & EDGE426_SERVICE_NO_BACKEND;
}

/* `text` may lack its NUL; `size` is the room for it. */
static int check_text(const char *key, const char *text, size_t size, int (*check)(const char *),
		      const char *allowed, struct failure *failure)
{
	char quoted[TEXT_QUOTE_LEN];

	if (memchr(text, '\0', size) && !check(text))
		return 0;
	text_quote(text, strnlen(text, size), quoted);
	return failure_set(failure, EINVAL, "%s %s is not allowed: %s", key, quoted, allowed);
}

static int check_number(const char *key, __u32 number, bool allowed, const char *what,
			struct failure *failure)
{
	if (allowed)
		return 0;
	return failure_set(failure, EINVAL, "%s '%u' is not allowed: %s", key, number, what);
}

static int check_name(const struct service *service, struct failure *failure)
{
	return check_text("name", service->name, sizeof(service->name), text_check_name,
			  TEXT_NAME_ALLOWED, failure);
}

static int check_port(const struct service *service, struct failure *failure)
{
	char ports[TEXT_PORTS_LEN];

	if (service->port && service->port_end >= service->port)
		return 0;
	text_print_ports(service->port, service->port_end, ports);
	return failure_set(failure, EINVAL, "port '%s' is not allowed: " TEXT_PORTS_ALLOWED, ports);
}

static int check_address(const struct service *service, struct failure *failure)
{
	if (!policy_check_prefix(&service->address))
		return 0;
	return failure_set(failure, EINVAL, "address is not allowed: " TEXT_PREFIX_ALLOWED);
}

static int check_interface(const struct service *service, struct failure *failure)
{
	if (!service->interface[0])
		return 0;
	return check_text("interface", service->interface, sizeof(service->interface),
			  text_check_interface, TEXT_INTERFACE_ALLOWED, failure);
}

static int check_vlan(const struct service *service, struct failure *failure)
{
	return check_number("vlan", service->vlan, service->vlan <= POLICY_VLAN_MAX,
			    TEXT_VLAN_ALLOWED, failure);
}

static int check_handshake(const struct service *service, struct failure *failure)
{
	return check_number("handshake", service->handshake,
			    text_print_handshake(service->handshake), TEXT_HANDSHAKE_ALLOWED,
			    failure);
}

/* With `backend` and `auto` the server's kernel does handshakes, always or in peace. */
static int check_backend(const struct service *service, struct failure *failure)
{
	if (service->flags & ~(__u32)EDGE426_SERVICE_NO_BACKEND)
		return failure_set(failure, EINVAL,
				   "backend '%u' is not allowed: " TEXT_BACKEND_ALLOWED,
				   service->flags);
	if (!service->flags || service->handshake == EDGE426_HANDSHAKE_EDGE)
		return 0;
	return failure_set(failure, EINVAL,
			   "backend '%s' is not allowed with handshake '%s': only with edge, "
			   "as there is no listener to do the handshake",
			   text_print_backend(service->flags),
			   text_print_handshake(service->handshake));
}

struct threshold {
	const char *key;
	__u32 max;
	const char *allowed;
};

/* 0 is how a service that is not `auto` says nothing. */
static int check_threshold(const struct service *service, __u32 value,
			   const struct threshold *threshold, struct failure *failure)
{
	bool of_auto = service->handshake == EDGE426_HANDSHAKE_AUTO;

	if (of_auto)
		return check_number(threshold->key, value, value && value <= threshold->max,
				    threshold->allowed, failure);
	if (!value)
		return 0;
	return failure_set(failure, EINVAL,
			   "%s '%u' is not allowed with handshake '%s': only with auto",
			   threshold->key, value, text_print_handshake(service->handshake));
}

static int check_syn_threshold(const struct service *service, struct failure *failure)
{
	static const struct threshold threshold = {"syn_threshold", POLICY_SYN_THRESHOLD_MAX,
						   TEXT_SYN_THRESHOLD_ALLOWED};

	return check_threshold(service, service->syn_threshold, &threshold, failure);
}

static int check_calm_seconds(const struct service *service, struct failure *failure)
{
	static const struct threshold threshold = {"calm_seconds", POLICY_CALM_SECONDS_MAX,
						   TEXT_CALM_SECONDS_ALLOWED};

	return check_threshold(service, service->calm_seconds, &threshold, failure);
}

static int refuse_pass(const char *key, struct failure *failure)
{
	return failure_set(failure, EINVAL,
			   "%s 'pass' is not allowed with backend 'none': "
			   "there is nobody to pass to",
			   key);
}

static int check_action(const struct service *service, struct failure *failure)
{
	__u32 action = service->action;

	if (action == EDGE426_ACTION_PASS && has_no_backend(service))
		return refuse_pass("action", failure);
	if (action == EDGE426_ACTION_RESET_SYN && service->handshake != EDGE426_HANDSHAKE_EDGE)
		return failure_set(
			failure, EINVAL,
			"action 'reset-syn' is not allowed with handshake '%s': " OF_THE_EDGE,
			text_print_handshake(service->handshake));
	return check_number("action", action, text_print_action(action), TEXT_ACTION_ALLOWED,
			    failure);
}

static int check_other(const struct service *service, struct failure *failure)
{
	__u32 other = service->other;

	if (other == EDGE426_ACTION_PASS && has_no_backend(service))
		return refuse_pass("other", failure);
	return check_number("other", other, text_print_other(other), TEXT_OTHER_ALLOWED, failure);
}

static int check_mode(const struct service *service, struct failure *failure)
{
	return check_number("mode", service->mode, text_print_mode(service->mode),
			    TEXT_MODE_ALLOWED, failure);
}

static int check_percent(const struct service *service, struct failure *failure)
{
	return check_number("percent", service->percent, service->percent <= 100,
			    TEXT_PERCENT_ALLOWED, failure);
}

static int check_limit(const struct service *service, struct failure *failure)
{
	__u32 rate = service->limit_rate, burst = service->limit_burst;

	if (!rate && !burst)
		return 0;
	if (!rate || rate > POLICY_LIMIT_RATE_MAX || !burst || burst > POLICY_LIMIT_BURST_MAX)
		return failure_set(failure, EINVAL,
				   "limit '%u/%u' is not allowed: " TEXT_LIMIT_ALLOWED, rate,
				   burst);
	if (service->action == EDGE426_ACTION_RESPOND)
		return 0;
	return failure_set(failure, EINVAL,
			   "limit '%u/%u' is not allowed with action '%s': "
			   "only with respond, as it is answers that it limits",
			   rate, burst, text_print_action(service->action));
}

/* Whether a service can have exemptions of requests at all. */
static int check_exempting(const struct service *service, const char *key, struct failure *failure)
{
	if (has_no_backend(service))
		return failure_set(failure, EINVAL,
				   "%s is not allowed with backend 'none': "
				   "there is nobody to pass to",
				   key);
	if (service->action == EDGE426_ACTION_RESET_SYN)
		return failure_set(failure, EINVAL,
				   "%s is not allowed with action 'reset-syn': "
				   "the request is never seen",
				   key);
	return 0;
}

struct exemptions {
	const char *key;
	const char *entry;
	int (*check)(const char *);
	const char *allowed;
};

static int check_exemption(const struct strings *strings, size_t at,
			   const struct exemptions *exemptions, struct failure *failure)
{
	const char *text = strings->list[at];
	char quoted[TEXT_QUOTE_LEN];
	size_t i;

	text_quote(text, strlen(text), quoted);
	if (exemptions->check(text))
		return failure_set(failure, EINVAL, "%s %s is not allowed: %s", exemptions->entry,
				   quoted, exemptions->allowed);
	for (i = 0; i < at; i++)
		if (!strcmp(strings->list[i], text))
			return failure_set(failure, EINVAL,
					   "%s %s is not allowed twice: once for each service",
					   exemptions->entry, quoted);
	return 0;
}

static int check_exemptions(const struct service *service, const struct strings *strings,
			    const struct exemptions *exemptions, struct failure *failure)
{
	size_t i;
	int err;

	if (!strings->len)
		return 0;
	err = check_exempting(service, exemptions->key, failure);
	if (!err && strings->len > POLICY_EXEMPTIONS_MAX)
		err = failure_set(failure, EINVAL, "%s with %zu entries is not allowed: at most %d",
				  exemptions->key, strings->len, POLICY_EXEMPTIONS_MAX);
	for (i = 0; i < strings->len && !err; i++)
		err = check_exemption(strings, i, exemptions, failure);
	return err;
}

static int check_exempt_paths(const struct service *service, struct failure *failure)
{
	static const struct exemptions exemptions = {"exempt_paths", "path", text_check_path,
						     TEXT_PATH_ALLOWED};

	return check_exemptions(service, &service->exempt_paths, &exemptions, failure);
}

/* As text_parse_host leaves it, lower case included. */
static int check_host(const char *text)
{
	char host[EDGE426_HOST_MAX + 1];

	return text_parse_host(text, host) || strcmp(text, host) ? -EINVAL : 0;
}

static int check_exempt_hosts(const struct service *service, struct failure *failure)
{
	static const struct exemptions exemptions = {"exempt_hosts", "host", check_host,
						     TEXT_HOST_ALLOWED};

	return check_exemptions(service, &service->exempt_hosts, &exemptions, failure);
}

/* In this order: those behind `handshake`, `action` and `mode` rely on ones that have names. */
static int (*const checks[SERVICE_KEYS])(const struct service *, struct failure *) = {
	[SERVICE_NAME] = check_name,
	[SERVICE_PORT] = check_port,
	[SERVICE_ADDRESS] = check_address,
	[SERVICE_INTERFACE] = check_interface,
	[SERVICE_VLAN] = check_vlan,
	[SERVICE_HANDSHAKE] = check_handshake,
	[SERVICE_BACKEND] = check_backend,
	[SERVICE_SYN_THRESHOLD] = check_syn_threshold,
	[SERVICE_CALM_SECONDS] = check_calm_seconds,
	[SERVICE_ACTION] = check_action,
	[SERVICE_OTHER] = check_other,
	[SERVICE_MODE] = check_mode,
	[SERVICE_PERCENT] = check_percent,
	[SERVICE_LIMIT] = check_limit,
	[SERVICE_EXEMPT_PATHS] = check_exempt_paths,
	[SERVICE_EXEMPT_HOSTS] = check_exempt_hosts,
};

int policy_check_values(const struct service *service, enum service_key *wrong,
			struct failure *failure)
{
	int key, err = 0;

	for (key = 0; key < SERVICE_KEYS && !err; key++) {
		err = checks[key](service, failure);
		if (err)
			*wrong = (enum service_key)key;
	}
	return err;
}
