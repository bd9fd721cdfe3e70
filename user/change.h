/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A change of the running policy, as the verbs that make one share it: read,
 * change, check, publish, print what is different now. For verbs only: it
 * prints.
 */
#ifndef EDGE426_CHANGE_H
#define EDGE426_CHANGE_H

#include "policy.h"
#include "visit.h"

#define CHANGE_WHAT_LEN 320

struct change {
	char what[CHANGE_WHAT_LEN]; /* as in "Can't WHAT on 'eth0': reason" */
	/* Does it to a policy in memory; 0 or -errno, the failure being the reason alone. */
	int (*make)(void *context, struct policy *policy, struct failure *failure);
	void *context;
	bool refused; /* set: the policy would not be valid */
};

/*
 * Makes the change everywhere, or, where it cannot be made to each of the
 * policies, nowhere. The exit status; the targets are freed.
 */
int change_policies(struct targets *targets, struct change *change);

/* The running policy, or the default one when there is none yet. */
int change_read_policy(struct store *store, struct policy *policy, struct failure *failure);

/* The same without its allow list, for verbs that change nothing. */
int change_read_services(struct store *store, struct policy *policy, struct failure *failure);

/* -EBUSY while a change of this interface waits to be confirmed. */
int change_check_waiting(const struct visited *visited, const char *what, struct failure *failure);

/* The lines of policy_diff in memory, to be freed; their number. -ENOMEM. */
int change_print_diff(const struct policy *from, const struct policy *to, const char *indent,
		      char **lines, size_t *len, struct failure *failure);

#endif
