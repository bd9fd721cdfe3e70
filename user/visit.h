/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What most verbs do: open the maps of each target, do something with them,
 * tell what failed. For verbs only: it prints.
 */
#ifndef EDGE426_VISIT_H
#define EDGE426_VISIT_H

#include <jansson.h>
#include <stdbool.h>

#include "failure.h"
#include "store.h"
#include "target.h"

/* One target, its maps open. */
struct visited {
	struct store *store;
	const char *label;     /* what output calls the interface */
	const char *interface; /* its name; NULL: not known here */
};

/* 0 or -errno with the failure set. */
typedef int visit_fn(void *context, const struct visited *visited, struct failure *failure);

/*
 * Resolves the targets and visits each, under its lock if told to; what time
 * has decided about a change that waits is written down then. A failure is
 * printed and does not keep the others from being visited. The exit status:
 * VERB_DONE or VERB_FAILED, the latter also when there is no target.
 */
int visit_stores(struct targets *targets, bool lock, visit_fn *visit, void *context);

/*
 * The same under the lock, for verbs that list: with `json` what the visits
 * have put into `root` is printed, if all went well. Takes `root` over.
 */
int visit_listing(struct targets *targets, bool json, json_t *root, visit_fn *visit, void *context);

/* The two halves of it, for verbs that go round twice; targets_free ends them. */
int visit_resolve(struct targets *targets);
int visit_resolved(const struct targets *targets, bool lock, visit_fn *visit, void *context);

#endif
