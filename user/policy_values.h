/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The values of a service as words for people, whether it says them or not:
 * "any" where it is for all, "unset" where there is nothing to say. Pure.
 */
#ifndef EDGE426_POLICY_VALUES_H
#define EDGE426_POLICY_VALUES_H

#include "policy.h"
#include "text.h"

#define POLICY_VALUE_LEN TEXT_PREFIX_LEN
#define POLICY_VALUES (SERVICE_KEYS - 3) /* all keys but the name and the two lists */

struct policy_value {
	const char *key;
	void (*print)(const struct service *service, char text[POLICY_VALUE_LEN]);
};

/* In the order of enum service_key. */
extern const struct policy_value policy_values[POLICY_VALUES];

#endif
