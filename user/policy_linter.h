/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of policy_lint.h share; of no use to others. */
#ifndef EDGE426_POLICY_LINTER_H
#define EDGE426_POLICY_LINTER_H

#include "policy.h"

struct linter {
	const struct policy *policy;
	__u64 now;
	void (*warn)(void *context, const char *sentence);
	void *context;
	size_t warnings;
};

void linter_say(struct linter *linter, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Services that others leave nothing, or not all, policy_lint_places.c. */
void linter_look_at_places(struct linter *linter);

#endif
