/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What makes one policy different from another, a line for each thing:
 * "+ service https", "- service old", "~ service api: action respond -> reset",
 * "~ allow 3 added 1 removed", "~ answer default: body". Pure.
 */
#ifndef EDGE426_POLICY_DIFF_H
#define EDGE426_POLICY_DIFF_H

#include <stdio.h>

#include "policy.h"

/* Prints each line after `indent`; the number of lines. */
size_t policy_diff(const struct policy *from, const struct policy *to, const char *indent,
		   FILE *out);

#endif
