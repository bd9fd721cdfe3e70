/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Services that lose ports, or all packets, to others. Only what is certain:
 * whom a packet goes to is said at struct service.
 */
#include "policy_linter.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy_check.h"
#include "prefix.h"
#include "prefix_cover.h"

/* Services of one place together, a range of ports before those inside it. */
static int compare_places(const void *a, const void *b)
{
	const struct service *one = *(const struct service *const *)a;
	const struct service *other = *(const struct service *const *)b;
	int order = one->vlan - other->vlan;

	if (!order)
		order = prefix_compare(&one->address, &other->address);
	if (!order)
		order = strcmp(one->interface, other->interface);
	if (!order)
		order = one->port - other->port;
	return order ? order : other->port_end - one->port_end;
}

static unsigned int count_ports(const struct service *service)
{
	return 1U + service->port_end - service->port;
}

/* What a service loses to those inside its range, of which the first is named. */
struct loss {
	const struct service *first;
	size_t services;
	unsigned int ports;
};

/* Ranges within ranges within this one are skipped: their ports are counted already. */
static struct loss count_loss(const struct service *const *sorted, size_t len, size_t at)
{
	const struct service *service = sorted[at], *inner = NULL;
	struct loss loss = {0};
	size_t i;

	for (i = at + 1; i < len && policy_same_place(sorted[i], service) &&
			 policy_ports_inside(sorted[i], service);
	     i++) {
		if (inner && policy_ports_inside(sorted[i], inner))
			continue;
		inner = sorted[i];
		loss.first = loss.first ? loss.first : inner;
		loss.services++;
		loss.ports += count_ports(inner);
	}
	return loss;
}

static void look_at_ports(struct linter *linter, const struct service *const *sorted, size_t len,
			  size_t at)
{
	const struct service *service = sorted[at];
	struct loss loss = count_loss(sorted, len, at);
	char more[48] = "";

	if (!loss.services)
		return;
	if (loss.services > 1)
		snprintf(more, sizeof(more), " and %zu more", loss.services - 1);
	if (loss.ports == count_ports(service))
		linter_say(linter,
			   "service '%s' never matches: all of its %u ports go to service '%s'%s, "
			   "as the narrowest range wins",
			   service->name, count_ports(service), loss.first->name, more);
	else
		linter_say(linter,
			   "service '%s' loses %u of its %u ports to service '%s'%s: "
			   "the narrowest range wins",
			   service->name, loss.ports, count_ports(service), loss.first->name, more);
}

/* `any` is shorter than a prefix of no bits. */
static int length_of(const struct prefix *prefix)
{
	return prefix->family ? prefix->bits : -1;
}

/* Wherever the one is and the other is too, packets go to the other, for its address. */
static bool wins_by_address(const struct service *other, const struct service *service)
{
	return other->vlan == service->vlan &&
	       length_of(&other->address) > length_of(&service->address) &&
	       policy_ports_inside(service, other) &&
	       (!other->interface[0] || !strcmp(other->interface, service->interface));
}

static bool loses_family(const struct service *const *sorted, size_t len,
			 const struct service *service, const struct prefix *whole)
{
	struct prefix_cover cover;
	size_t i;

	prefix_cover_begin(&cover, whole);
	for (i = 0; i < len; i++)
		if (wins_by_address(sorted[i], service))
			prefix_cover_add(&cover, &sorted[i]->address);
	return prefix_cover_is_whole(&cover);
}

static void look_at_addresses(struct linter *linter, const struct service *const *sorted,
			      size_t len, size_t at)
{
	static const struct prefix v4 = {.family = 4}, v6 = {.family = 6};
	const struct service *service = sorted[at];
	bool loses;

	if (service->address.family)
		loses = loses_family(sorted, len, service, &service->address);
	else
		loses = loses_family(sorted, len, service, &v4) &&
			loses_family(sorted, len, service, &v6);
	if (loses)
		linter_say(
			linter,
			"service '%s' never matches: services of longer prefixes have all of its "
			"addresses",
			service->name);
}

/* Without the memory to sort, nothing is said. */
void linter_look_at_places(struct linter *linter)
{
	size_t len = linter->policy->services_len;
	const struct service **sorted;
	size_t i;

	sorted = len ? calloc(len, sizeof(const struct service *)) : NULL;
	if (!sorted)
		return;
	for (i = 0; i < len; i++)
		sorted[i] = &linter->policy->services[i];
	qsort(sorted, len, sizeof(const struct service *), compare_places);
	for (i = 0; i < len; i++) {
		look_at_ports(linter, sorted, len, i);
		look_at_addresses(linter, sorted, len, i);
	}
	free(sorted);
}
