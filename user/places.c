/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A sweep over the ports. The services are sorted so that those which would
 * make the same entry stand together, the one that wins first; between two
 * ports at which a service begins or ends, the first active one of each such
 * group counts.
 */
#include "places.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define WORD_BITS 64
#define WORDS (EDGE426_SERVICE_SLOTS / WORD_BITS)
#define BUCKETS 4096			    /* of the sets found so far; a power of two */
#define SETS_MAX (2 * EDGE426_SERVICES_MAX) /* one for each begin and end of a service */

_Static_assert(SETS_MAX <= 65535, "a set's number fits edge426_port.set");

/* A service that counts on the interface. */
struct place {
	const struct service *service;
	__u32 slot; /* 1 + its index in the policy */
	__u32 next; /* the place behind the last of its group */
};

/* A service begins at this port, or has ended before it. */
struct boundary {
	__u32 port;
	__u32 place;
};

/* The winners of one stretch of ports, in the order of places. */
struct winners {
	__u16 place[EDGE426_SERVICE_SLOTS];
	size_t len;
	__u16 any; /* 1 + place of the service for any address and VLAN; not among the others */
	__u16 flags;
};

/* One set: which winners it was made of, and the next with the same hash. */
struct set {
	__u16 *place;
	size_t len;
	__u16 next; /* set number; 0: none */
};

struct sweep {
	struct place places[EDGE426_SERVICE_SLOTS];
	__u32 places_len;
	struct boundary boundaries[2 * EDGE426_SERVICE_SLOTS];
	__u32 boundaries_len;
	__u64 active[WORDS]; /* bit = place */
	struct winners winners;
	struct set sets[SETS_MAX + 1]; /* from 1 */
	__u16 sets_len;
	__u16 buckets[BUCKETS]; /* set number; 0: none */
	size_t room;		/* of the entries in `made` */
	struct places made;
};

static int compare_numbers(__u32 a, __u32 b)
{
	return (a > b) - (a < b);
}

/* By what makes an entry: VLAN and address. */
static int compare_entries(const struct service *a, const struct service *b)
{
	int order = compare_numbers(a->vlan, b->vlan);

	return order ? order : memcmp(&a->address, &b->address, sizeof(a->address));
}

static int compare_places(const void *left, const void *right)
{
	const struct place *place_a = left, *place_b = right;
	const struct service *a = place_a->service, *b = place_b->service;
	int order = compare_entries(a, b);

	if (!order)
		order = compare_numbers(!a->interface[0], !b->interface[0]);
	if (!order)
		order = compare_numbers((__u32)a->port_end - a->port, (__u32)b->port_end - b->port);
	return order ? order : compare_numbers(place_a->slot, place_b->slot);
}

static int compare_boundaries(const void *left, const void *right)
{
	const struct boundary *a = left, *b = right;

	return compare_numbers(a->port, b->port);
}

static bool counts(const struct service *service, const char *interface)
{
	return !service->interface[0] || !strcmp(service->interface, interface);
}

static int refuse_unknown(const struct service *service, struct failure *failure)
{
	return failure_set(
		failure, EINVAL,
		"Can't publish the policy: service '%s' is for interface '%s', and which "
		"one this is, is not known here: edge426 run or attach notes it, and "
		"only its own network namespace can tell its name",
		service->name, service->interface);
}

static int refuse_len(size_t len, struct failure *failure)
{
	return failure_set(failure, ENOSPC,
			   "Can't publish the policy: it has %zu services, allowed are %d", len,
			   EDGE426_SERVICES_MAX);
}

static int refuse_memory(struct failure *failure)
{
	return failure_set(failure, ENOMEM, "Can't publish the policy: out of memory");
}

static void mark_groups(struct sweep *sweep)
{
	struct place *places = sweep->places;

	for (__u32 i = sweep->places_len; i-- > 0;) {
		bool is_last = i + 1 == sweep->places_len ||
			       compare_entries(places[i].service, places[i + 1].service);

		places[i].next = is_last ? i + 1 : places[i + 1].next;
	}
}

static int collect(struct sweep *sweep, const struct policy *policy, const char *interface,
		   struct failure *failure)
{
	if (policy->services_len > EDGE426_SERVICES_MAX)
		return refuse_len(policy->services_len, failure);
	for (__u32 i = 0; i < policy->services_len; i++) {
		const struct service *service = &policy->services[i];

		if (!interface && service->interface[0])
			return refuse_unknown(service, failure);
		if (counts(service, interface))
			sweep->places[sweep->places_len++] =
				(struct place){.service = service, .slot = i + 1};
	}
	qsort(sweep->places, sweep->places_len, sizeof(*sweep->places), compare_places);
	mark_groups(sweep);
	return 0;
}

static void find_boundaries(struct sweep *sweep)
{
	for (__u32 i = 0; i < sweep->places_len; i++) {
		const struct service *service = sweep->places[i].service;

		sweep->boundaries[sweep->boundaries_len++] = (struct boundary){service->port, i};
		sweep->boundaries[sweep->boundaries_len++] =
			(struct boundary){service->port_end + 1U, i};
	}
	qsort(sweep->boundaries, sweep->boundaries_len, sizeof(*sweep->boundaries),
	      compare_boundaries);
}

/* The first active place at or behind `from`; places_len when there is none. */
static __u32 find_active(const struct sweep *sweep, __u32 from)
{
	__u32 at = from / WORD_BITS;
	__u64 word = at < WORDS ? sweep->active[at] & (~0ULL << from % WORD_BITS) : 0;

	while (!word && ++at < WORDS)
		word = sweep->active[at];
	return word ? at * WORD_BITS + (__u32)__builtin_ctzll(word) : sweep->places_len;
}

static void add_winner(struct winners *winners, const struct service *service, __u32 place)
{
	if (!service->vlan && !service->address.family) {
		winners->any = (__u16)(place + 1);
		return;
	}
	winners->place[winners->len++] = (__u16)place;
	winners->flags |= service->vlan ? EDGE426_PORT_BY_VLAN : EDGE426_PORT_BY_ADDRESS;
}

static void find_winners(struct sweep *sweep)
{
	struct winners *winners = &sweep->winners;
	__u32 at = find_active(sweep, 0);

	winners->len = 0;
	winners->any = winners->flags = 0;
	while (at < sweep->places_len) {
		add_winner(winners, sweep->places[at].service, at);
		at = find_active(sweep, sweep->places[at].next);
	}
}

/* FNV-1a over 16-bit units. */
static __u16 *find_bucket(struct sweep *sweep)
{
	__u32 hash = 2166136261U;

	for (size_t i = 0; i < sweep->winners.len; i++)
		hash = (hash ^ sweep->winners.place[i]) * 16777619U;
	return &sweep->buckets[(hash ^ hash >> 16) % BUCKETS];
}

static __u16 find_set(const struct sweep *sweep, __u16 first)
{
	const struct winners *winners = &sweep->winners;

	for (__u16 set = first; set; set = sweep->sets[set].next)
		if (sweep->sets[set].len == winners->len &&
		    !memcmp(sweep->sets[set].place, winners->place,
			    winners->len * sizeof(*winners->place)))
			return set;
	return 0;
}

static int refuse_entries(struct failure *failure)
{
	return failure_set(
		failure, ENOSPC,
		"Can't publish the policy: its services with an address or a VLAN make more than "
		"%d entries, one for each service in each stretch of ports that has the same "
		"services; let fewer of their ranges of ports overlap",
		EDGE426_ADDRESSES_MAX);
}

/* A few entries for most policies, so the room doubles as it fills. */
static int grow(struct sweep *sweep)
{
	struct places *made = &sweep->made;
	size_t room = sweep->room ? 2 * sweep->room : 256;
	struct edge426_address_key *keys = reallocarray(made->keys, room, sizeof(*keys));
	__u32 *slots;

	if (!keys)
		return -ENOMEM;
	made->keys = keys;
	slots = reallocarray(made->slots, room, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	made->slots = slots;
	sweep->room = room;
	return 0;
}

static int add_entry(struct sweep *sweep, const struct place *place, __u8 family,
		     struct failure *failure)
{
	const struct service *service = place->service;
	struct places *made = &sweep->made;

	if (made->len == EDGE426_ADDRESSES_MAX)
		return refuse_entries(failure);
	if (made->len == sweep->room && grow(sweep))
		return refuse_memory(failure);
	made->keys[made->len] = (struct edge426_address_key){
		.prefix_len = EDGE426_ADDRESS_BITS + service->address.bits,
		.set = sweep->sets_len,
		.vlan = service->vlan,
		.family = family,
	};
	memcpy(made->keys[made->len].address, service->address.address,
	       sizeof(service->address.address));
	made->slots[made->len++] = place->slot;
	return 0;
}

/* Any address is 0 bits of both families. */
static int add_entries(struct sweep *sweep, const struct place *place, struct failure *failure)
{
	int err;

	if (place->service->address.family)
		return add_entry(sweep, place, place->service->address.family, failure);
	err = add_entry(sweep, place, 4, failure);
	return err ? err : add_entry(sweep, place, 6, failure);
}

static int add_set(struct sweep *sweep, __u16 *bucket, struct failure *failure)
{
	const struct winners *winners = &sweep->winners;
	struct set *set = &sweep->sets[sweep->sets_len + 1];
	size_t octets = winners->len * sizeof(*winners->place);
	int err = 0;

	set->place = malloc(octets);
	if (!set->place)
		return refuse_memory(failure);
	memcpy(set->place, winners->place, octets);
	set->len = winners->len;
	set->next = *bucket;
	*bucket = ++sweep->sets_len;
	for (size_t i = 0; i < winners->len && !err; i++)
		err = add_entries(sweep, &sweep->places[winners->place[i]], failure);
	return err;
}

/* The number of the winners' set; 0 when the port decides alone. */
static int number_set(struct sweep *sweep, __u16 *number, struct failure *failure)
{
	__u16 *bucket = find_bucket(sweep);
	int err = 0;

	*number = sweep->winners.len ? find_set(sweep, *bucket) : 0;
	if (*number || !sweep->winners.len)
		return 0;
	err = add_set(sweep, bucket, failure);
	*number = sweep->sets_len;
	return err;
}

static int fill_ports(struct sweep *sweep, __u32 from, __u32 to, struct failure *failure)
{
	struct edge426_port port = {0};
	int err;

	find_winners(sweep);
	err = number_set(sweep, &port.set, failure);
	if (err)
		return err;
	port.flags = sweep->winners.flags;
	if (sweep->winners.any)
		port.service = (__u16)sweep->places[sweep->winners.any - 1].slot;
	for (__u32 at = from; at < to; at++)
		sweep->made.ports[at] = port;
	return 0;
}

/* A place is met twice: where it begins, and behind its end. */
static int sweep_ports(struct sweep *sweep, struct failure *failure)
{
	const struct boundary *boundaries = sweep->boundaries;
	__u32 i = 0;
	int err = 0;

	while (i < sweep->boundaries_len && !err) {
		__u32 from = boundaries[i].port;

		for (; i < sweep->boundaries_len && boundaries[i].port == from; i++)
			sweep->active[boundaries[i].place / WORD_BITS] ^=
				1ULL << boundaries[i].place % WORD_BITS;
		if (i < sweep->boundaries_len)
			err = fill_ports(sweep, from, boundaries[i].port, failure);
	}
	return err;
}

static void free_sweep(struct sweep *sweep)
{
	for (__u32 set = 1; set <= sweep->sets_len; set++)
		free(sweep->sets[set].place);
	places_free(&sweep->made);
	free(sweep);
}

int places_build(const struct policy *policy, const char *interface, struct places *places,
		 struct failure *failure)
{
	struct sweep *sweep = calloc(1, sizeof(*sweep));
	int err;

	if (sweep)
		sweep->made.ports = calloc(EDGE426_PORTS, sizeof(*sweep->made.ports));
	if (!sweep || !sweep->made.ports) {
		free(sweep);
		return refuse_memory(failure);
	}
	err = collect(sweep, policy, interface, failure);
	find_boundaries(sweep);
	if (!err)
		err = sweep_ports(sweep, failure);
	if (!err) {
		*places = sweep->made;
		sweep->made = (struct places){0};
	}
	free_sweep(sweep);
	return err;
}

void places_free(struct places *places)
{
	free(places->ports);
	free(places->keys);
	free(places->slots);
	*places = (struct places){0};
}

#define BY_ENTRY (EDGE426_PORT_BY_ADDRESS | EDGE426_PORT_BY_VLAN)

/* At each port, how many services have the edge do handshakes, always or at times. */
static void count_edges(const struct policy *policy, __s16 count[EDGE426_PORTS + 1])
{
	for (size_t i = 0; i < policy->services_len; i++) {
		const struct service *service = &policy->services[i];

		if (service->handshake == EDGE426_HANDSHAKE_BACKEND)
			continue;
		count[service->port]++;
		count[service->port_end + 1]--;
	}
	for (__u32 port = 1; port < EDGE426_PORTS; port++)
		count[port] = (__s16)(count[port] + count[port - 1]);
}

/* `by_edge`: some service that covers the port has handshakes at the edge. */
static bool may_have_edge(const struct edge426_port *port, const struct policy *policy,
			  bool by_edge)
{
	if (port->flags & EDGE426_PORT_HAD_EDGE)
		return true;
	if (!policy)
		return port->service || port->flags & BY_ENTRY;
	if (port->flags & BY_ENTRY)
		return by_edge;
	return port->service && port->service <= policy->services_len &&
	       policy->services[port->service - 1].handshake != EDGE426_HANDSHAKE_BACKEND;
}

void places_inherit(struct edge426_port *ports, const struct edge426_port *others,
		    const struct policy *policy)
{
	__s16 count[EDGE426_PORTS + 1] = {0};

	if (policy)
		count_edges(policy, count);
	for (__u32 i = 0; i < EDGE426_PORTS; i++) {
		const struct edge426_port *other = &others[i];

		if (other->service || other->flags & (BY_ENTRY | EDGE426_PORT_HAD_SERVICE))
			ports[i].flags |= EDGE426_PORT_HAD_SERVICE;
		if (may_have_edge(other, policy, count[i] > 0))
			ports[i].flags |= EDGE426_PORT_HAD_EDGE;
	}
}
