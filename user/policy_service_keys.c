/* SPDX-License-Identifier: GPL-2.0-only */
/* The keys of a service: each value to its place in the struct, then the checks. */
#include "policy_reader.h"

#include <errno.h>
#include <string.h>

#include "text.h"

#define PATHS_ALLOWED "a list of at most 32 paths"
#define HOSTS_ALLOWED "a list of at most 32 hosts"

_Static_assert(POLICY_EXEMPTIONS_MAX == 32, "PATHS_ALLOWED, HOSTS_ALLOWED");

static int read_name(struct reader *reader)
{
	if (!reader_is_scalar(reader) || text_check_name(reader_scalar(reader)))
		return reader_refuse_value(reader, TEXT_NAME_ALLOWED);
	strcpy(reader->service.name, reader_scalar(reader));
	return 0;
}

static int read_port(struct reader *reader)
{
	struct service *service = &reader->service;

	if (!reader_is_scalar(reader) ||
	    text_parse_ports(reader_scalar(reader), &service->port, &service->port_end))
		return reader_refuse_value(reader, TEXT_PORTS_ALLOWED);
	return 0;
}

static int read_address(struct reader *reader)
{
	char allowed[TEXT_ALLOWED_LEN];

	if (!reader_is_scalar(reader))
		return reader_refuse_value(reader, TEXT_PREFIX_ALLOWED);
	if (!text_parse_prefix(reader_scalar(reader), &reader->service.address))
		return 0;
	text_explain_prefix(reader_scalar(reader), allowed);
	return reader_refuse_value(reader, allowed);
}

static int read_interface(struct reader *reader)
{
	if (!reader_is_scalar(reader) ||
	    text_parse_interface(reader_scalar(reader), reader->service.interface))
		return reader_refuse_value(reader, TEXT_INTERFACE_ALLOWED);
	return 0;
}

static int read_vlan(struct reader *reader)
{
	if (!reader_is_scalar(reader) ||
	    text_parse_vlan(reader_scalar(reader), &reader->service.vlan))
		return reader_refuse_value(reader, TEXT_VLAN_ALLOWED);
	return 0;
}

/* Words and numbers alike. */
static int read_value(struct reader *reader, int (*parse)(const char *, __u32 *), __u32 *value,
		      const char *allowed)
{
	if (!reader_is_scalar(reader) || parse(reader_scalar(reader), value))
		return reader_refuse_value(reader, allowed);
	return 0;
}

static int read_handshake(struct reader *reader)
{
	return read_value(reader, text_parse_handshake, &reader->service.handshake,
			  TEXT_HANDSHAKE_ALLOWED);
}

static int read_backend(struct reader *reader)
{
	return read_value(reader, text_parse_backend, &reader->service.flags, TEXT_BACKEND_ALLOWED);
}

static int read_syn_threshold(struct reader *reader)
{
	return read_value(reader, text_parse_syn_threshold, &reader->service.syn_threshold,
			  TEXT_SYN_THRESHOLD_ALLOWED);
}

static int read_calm_seconds(struct reader *reader)
{
	return read_value(reader, text_parse_calm_seconds, &reader->service.calm_seconds,
			  TEXT_CALM_SECONDS_ALLOWED);
}

static int read_action(struct reader *reader)
{
	return read_value(reader, text_parse_action, &reader->service.action, TEXT_ACTION_ALLOWED);
}

static int read_other(struct reader *reader)
{
	return read_value(reader, text_parse_other, &reader->service.other, TEXT_OTHER_ALLOWED);
}

static int read_mode(struct reader *reader)
{
	return read_value(reader, text_parse_mode, &reader->service.mode, TEXT_MODE_ALLOWED);
}

static int read_percent(struct reader *reader)
{
	return read_value(reader, text_parse_percent, &reader->service.percent,
			  TEXT_PERCENT_ALLOWED);
}

static int read_rate(struct reader *reader)
{
	return read_value(reader, text_parse_rate, &reader->service.limit_rate, TEXT_RATE_ALLOWED);
}

static int read_burst(struct reader *reader)
{
	return read_value(reader, text_parse_burst, &reader->service.limit_burst,
			  TEXT_RATE_ALLOWED);
}

static const struct reader_key limit_keys[] = {
	{"rate", read_rate, true},
	{"burst", read_burst, false},
	{0},
};

static int read_limit(struct reader *reader)
{
	struct reader_mapping mapping;

	return reader_read_mapping(reader, limit_keys, &mapping);
}

static int add_exemption(struct reader *reader, struct strings *strings, const char *text,
			 const char *allowed)
{
	char quoted[TEXT_QUOTE_LEN];
	int err;

	if (strings->len == POLICY_EXEMPTIONS_MAX)
		return reader_refuse_value(reader, allowed);
	err = policy_add_string(strings, text);
	if (err == -ENOMEM)
		return reader_no_memory(reader);
	if (!err)
		return 0;
	text_quote(text, strlen(text), quoted);
	return reader_refuse(reader, reader->event.start_mark,
			     "%s %s is not allowed twice: once for each service", reader->subject,
			     quoted);
}

static int read_path(struct reader *reader)
{
	if (!reader_is_scalar(reader) || text_check_path(reader_scalar(reader)))
		return reader_refuse_value(reader, TEXT_PATH_ALLOWED);
	return add_exemption(reader, &reader->service.exempt_paths, reader_scalar(reader),
			     PATHS_ALLOWED);
}

static int read_exempt_paths(struct reader *reader)
{
	return reader_read_list(reader, PATHS_ALLOWED, "path", read_path);
}

static int read_host(struct reader *reader)
{
	char host[EDGE426_HOST_MAX + 1];

	if (!reader_is_scalar(reader) || text_parse_host(reader_scalar(reader), host))
		return reader_refuse_value(reader, TEXT_HOST_ALLOWED);
	return add_exemption(reader, &reader->service.exempt_hosts, host, HOSTS_ALLOWED);
}

static int read_exempt_hosts(struct reader *reader)
{
	return reader_read_list(reader, HOSTS_ALLOWED, "host", read_host);
}

static const struct reader_key service_keys[SERVICE_KEYS + 1] = {
	[SERVICE_NAME] = {"name", read_name, true},
	[SERVICE_PORT] = {"port", read_port, true},
	[SERVICE_ADDRESS] = {"address", read_address, false},
	[SERVICE_INTERFACE] = {"interface", read_interface, false},
	[SERVICE_VLAN] = {"vlan", read_vlan, false},
	[SERVICE_HANDSHAKE] = {"handshake", read_handshake, false},
	[SERVICE_BACKEND] = {"backend", read_backend, false},
	[SERVICE_SYN_THRESHOLD] = {"syn_threshold", read_syn_threshold, false},
	[SERVICE_CALM_SECONDS] = {"calm_seconds", read_calm_seconds, false},
	[SERVICE_ACTION] = {"action", read_action, false},
	[SERVICE_OTHER] = {"other", read_other, false},
	[SERVICE_MODE] = {"mode", read_mode, false},
	[SERVICE_PERCENT] = {"percent", read_percent, false},
	[SERVICE_LIMIT] = {"limit", read_limit, false},
	[SERVICE_EXEMPT_PATHS] = {"exempt_paths", read_exempt_paths, false},
	[SERVICE_EXEMPT_HOSTS] = {"exempt_hosts", read_exempt_hosts, false},
};

static int add_service(struct reader *reader, const struct reader_mapping *mapping)
{
	enum service_key wrong;
	struct failure reason;
	int err;

	policy_complete_service(&reader->service, mapping->seen);
	err = policy_try_service(&reader->policy, &reader->service, &wrong, &reason);
	if (err == -ENOMEM)
		return reader_no_memory(reader);
	return err ? reader_refuse(reader, mapping->value_at[wrong], "%s", reason.text) : 0;
}

static int read_service(struct reader *reader)
{
	struct reader_mapping mapping;
	int err;

	err = reader_read_mapping(reader, service_keys, &mapping);
	if (!err)
		err = add_service(reader, &mapping);
	policy_free_service(&reader->service);
	return err;
}

int reader_read_services(struct reader *reader)
{
	return reader_read_list(reader, "a list of services, [] for none", "service", read_service);
}
