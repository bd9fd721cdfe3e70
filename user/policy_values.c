/* SPDX-License-Identifier: GPL-2.0-only */
/* A printer for each key of a service that has one value. */
#include "policy_values.h"

#include <stdio.h>

#include <edge426/abi.h>

#define UNSET "unset"

static void print_word(const char *word, char text[POLICY_VALUE_LEN])
{
	snprintf(text, POLICY_VALUE_LEN, "%s", word ? word : UNSET);
}

static void print_number(__u32 number, char text[POLICY_VALUE_LEN])
{
	snprintf(text, POLICY_VALUE_LEN, "%u", number);
}

static void print_port(const struct service *service, char text[POLICY_VALUE_LEN])
{
	char ports[TEXT_PORTS_LEN];

	text_print_ports(service->port, service->port_end, ports);
	print_word(ports, text);
}

static void print_address(const struct service *service, char text[POLICY_VALUE_LEN])
{
	text_print_prefix(&service->address, text);
}

static void print_interface(const struct service *service, char text[POLICY_VALUE_LEN])
{
	print_word(service->interface[0] ? service->interface : "any", text);
}

static void print_vlan(const struct service *service, char text[POLICY_VALUE_LEN])
{
	if (service->vlan)
		print_number(service->vlan, text);
	else
		print_word("any", text);
}

static void print_handshake(const struct service *service, char text[POLICY_VALUE_LEN])
{
	print_word(text_print_handshake(service->handshake), text);
}

static void print_backend(const struct service *service, char text[POLICY_VALUE_LEN])
{
	print_word(text_print_backend(service->flags), text);
}

static void print_threshold(__u32 threshold, char text[POLICY_VALUE_LEN])
{
	if (threshold)
		print_number(threshold, text);
	else
		print_word(UNSET, text);
}

static void print_syn_threshold(const struct service *service, char text[POLICY_VALUE_LEN])
{
	print_threshold(service->syn_threshold, text);
}

static void print_calm_seconds(const struct service *service, char text[POLICY_VALUE_LEN])
{
	print_threshold(service->calm_seconds, text);
}

static void print_action(const struct service *service, char text[POLICY_VALUE_LEN])
{
	print_word(text_print_action(service->action), text);
}

static void print_other(const struct service *service, char text[POLICY_VALUE_LEN])
{
	print_word(text_print_other(service->other), text);
}

static void print_mode(const struct service *service, char text[POLICY_VALUE_LEN])
{
	print_word(text_print_mode(service->mode), text);
}

static void print_percent(const struct service *service, char text[POLICY_VALUE_LEN])
{
	print_number(service->percent, text);
}

static void print_limit(const struct service *service, char text[POLICY_VALUE_LEN])
{
	if (service->limit_rate)
		snprintf(text, POLICY_VALUE_LEN, "%u/%u", service->limit_rate,
			 service->limit_burst);
	else
		print_word(UNSET, text);
}

const struct policy_value policy_values[POLICY_VALUES] = {
	{"port", print_port},
	{"address", print_address},
	{"interface", print_interface},
	{"vlan", print_vlan},
	{"handshake", print_handshake},
	{"backend", print_backend},
	{"syn_threshold", print_syn_threshold},
	{"calm_seconds", print_calm_seconds},
	{"action", print_action},
	{"other", print_other},
	{"mode", print_mode},
	{"percent", print_percent},
	{"limit", print_limit},
};
