/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What holds for a service wherever it comes from: of itself, and beside the
 * other services of a policy. *wrong is the key whose value is to blame. Pure.
 */
#ifndef EDGE426_POLICY_CHECK_H
#define EDGE426_POLICY_CHECK_H

#include <stdbool.h>

#include "policy.h"

/* -EINVAL */
int policy_check_values(const struct service *service, enum service_key *wrong,
			struct failure *failure);

/* `but` is a service that goes for this one, or NULL. -EEXIST */
int policy_check_unique(const struct policy *policy, const struct service *service,
			const struct service *but, enum service_key *wrong,
			struct failure *failure);

/* -EINVAL for a prefix that text.h would not make, family 0 is right. */
int policy_check_prefix(const struct prefix *prefix);

/* The same address, VLAN and interface: only the ports tell the two apart. */
bool policy_same_place(const struct service *a, const struct service *b);

/* All ports of the one are ports of the other. */
bool policy_ports_inside(const struct service *inner, const struct service *outer);

#endif
