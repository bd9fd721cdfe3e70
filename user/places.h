/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the places of a policy's services (ports, address, interface, VLAN) to
 * what the packet program looks up: the port table of one half and the entries
 * of its `addresses`. Pure; publish.c writes the maps.
 *
 * A packet's port decides alone unless its entry says otherwise. Then the
 * entries of the port's set are asked for the frame's VLAN, the longest prefix
 * of the address first; then those for any VLAN, in the same way; then the
 * port's own service counts. Of services that would make the same entry, the
 * one for this interface comes before the one for all, and then the one with
 * fewer ports.
 */
#ifndef EDGE426_PLACES_H
#define EDGE426_PLACES_H

#include <edge426/abi.h>
#include <stddef.h>

#include "failure.h"
#include "policy.h"

/* Owns its memory; a zeroed struct is none. */
struct places {
	struct edge426_port *ports; /* EDGE426_PORTS; NULL when the policy has not been read */
	struct edge426_address_key *keys;
	__u32 *slots; /* one for each key: 1 + the service's place in the policy */
	size_t len;   /* of both */
};

/*
 * `interface` NULL: its name is not known, and a policy with a service for an
 * interface is refused, -EINVAL. -ENOSPC when there are more entries than
 * EDGE426_ADDRESSES_MAX, -ENOMEM. On failure *places is untouched.
 */
int places_build(const struct policy *policy, const char *interface, struct places *places,
		 struct failure *failure);
void places_free(struct places *places);

/*
 * Marks in `ports` the ones at which flows and handshakes may live from
 * another policy: its port table `others` and its text. Without the latter
 * (NULL) a port whose service depends on address or VLAN may have had any.
 */
void places_inherit(struct edge426_port *ports, const struct edge426_port *others,
		    const struct policy *policy);

#endif
