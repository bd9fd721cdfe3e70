/* SPDX-License-Identifier: GPL-2.0-only */
/* The loop over targets that the verbs share. */
#include "visit.h"

#include <unistd.h>

#include "log.h"
#include "netdev.h"
#include "verb.h"

static int visit_locked(struct store *store, const struct target *target, visit_fn *visit,
			void *context, struct failure *failure)
{
	bool here = store->state->netns == netdev_namespace();
	char label[PINS_DIR_LEN];

	target_label(target, here ? store->state->ifindex : 0, label);
	return visit(context, store, label, failure);
}

static int visit_one(const struct target *target, bool lock, visit_fn *visit, void *context,
		     struct failure *failure)
{
	struct store store;
	int err = store_open(target->dir, &store, failure), fd = -1;

	if (err)
		return err;
	if (lock)
		fd = err = store_lock(&store, failure);
	if (err >= 0)
		err = visit_locked(&store, target, visit, context, failure);
	if (fd >= 0)
		close(fd);
	store_close(&store);
	return err;
}

int visit_stores(struct targets *targets, bool lock, visit_fn *visit, void *context)
{
	struct failure failure = {0};
	int status = VERB_DONE;

	if (targets_require(targets, &failure)) {
		log_error("%s", failure.text);
		status = VERB_FAILED;
	}
	for (size_t i = 0; i < targets->len; i++) {
		if (!visit_one(&targets->list[i], lock, visit, context, &failure))
			continue;
		log_error("%s", failure.text);
		status = VERB_FAILED;
	}
	targets_free(targets);
	return status;
}
