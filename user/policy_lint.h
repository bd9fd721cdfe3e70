/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is valid in a policy and still doubtful: one sentence for each. Pure but
 * for the clock, which says what allow entries have ended.
 */
#ifndef EDGE426_POLICY_LINT_H
#define EDGE426_POLICY_LINT_H

#include "policy.h"

/* Calls `warn` for each; the number of calls. */
size_t policy_lint(const struct policy *policy, void (*warn)(void *context, const char *sentence),
		   void *context);

/* The same as if it were `now`, in seconds since the epoch. */
size_t policy_lint_at(const struct policy *policy, __u64 now,
		      void (*warn)(void *context, const char *sentence), void *context);

#endif
