/* SPDX-License-Identifier: GPL-2.0-only */
/* Where services are, and whether two are in each other's way. */
#include "policy_check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

#define PLACE_LEN 128 /* room for a place but its ports as text */

bool policy_same_place(const struct service *a, const struct service *b)
{
	return a->vlan == b->vlan && !memcmp(&a->address, &b->address, sizeof(a->address)) &&
	       !strcmp(a->interface, b->interface);
}

bool policy_ports_inside(const struct service *inner, const struct service *outer)
{
	return inner->port >= outer->port && inner->port_end <= outer->port_end;
}

/* Ports in common are well only where one range lies inside the other and is smaller. */
static bool ports_clash(const struct service *a, const struct service *b)
{
	if (a->port_end < b->port || b->port_end < a->port)
		return false;
	return policy_ports_inside(a, b) == policy_ports_inside(b, a);
}

static const struct service *find_clash(const struct policy *policy, const struct service *service,
					const struct service *but)
{
	const struct service *other;
	size_t i;

	for (i = 0; i < policy->services_len; i++) {
		other = &policy->services[i];
		if (other != but && ports_clash(other, service) &&
		    policy_same_place(other, service))
			return other;
	}
	return NULL;
}

/* "address any, VLAN 5, interface eth0" */
static void print_place(const struct service *service, char text[PLACE_LEN])
{
	char address[TEXT_PREFIX_LEN], vlan[16] = "";
	const char *interface = service->interface;

	text_print_prefix(&service->address, address);
	if (service->vlan)
		snprintf(vlan, sizeof(vlan), ", VLAN %u", service->vlan);
	snprintf(text, PLACE_LEN, "address %s%s%s%s", address, vlan,
		 *interface ? ", interface " : "", interface);
}

static int refuse_clash(const struct service *a, const struct service *b, struct failure *failure)
{
	char ports[TEXT_PORTS_LEN], others[TEXT_PORTS_LEN], place[PLACE_LEN];

	text_print_ports(a->port, a->port_end, ports);
	text_print_ports(b->port, b->port_end, others);
	print_place(a, place);
	if (!strcmp(ports, others))
		return failure_set(failure, EEXIST,
				   "services '%s' and '%s' both have port %s and %s: "
				   "one service for each port and address",
				   a->name, b->name, ports, place);
	return failure_set(failure, EEXIST,
			   "services '%s' and '%s' overlap in ports %s and %s of %s: "
			   "one range apart from the other or inside it",
			   a->name, b->name, ports, others, place);
}

int policy_check_unique(const struct policy *policy, const struct service *service,
			const struct service *but, enum service_key *wrong, struct failure *failure)
{
	const struct service *other = policy_find_name(policy, service->name);

	*wrong = SERVICE_NAME;
	if (other && other != but)
		return failure_set(failure, EEXIST,
				   "name '%s' is taken: each service has a name of its own",
				   service->name);
	other = find_clash(policy, service, but);
	if (!other)
		return 0;
	*wrong = SERVICE_PORT;
	return refuse_clash(other, service, failure);
}
