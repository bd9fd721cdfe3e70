/* SPDX-License-Identifier: GPL-2.0-only */
/* The loop over targets that the verbs share. */
#include "visit.h"

#include <unistd.h>

#include "log.h"
#include "netdev.h"
#include "output.h"
#include "verb.h"

/* As it was named, unless it has another name by now. */
static const char *name_interface(const struct target *target, int ifindex, bool here,
				  char name[IF_NAMESIZE])
{
	if (target->interface[0] && (!here || netdev_index(target->interface)))
		return target->interface;
	return here && netdev_name(ifindex, name) ? name : NULL;
}

static int visit_open(struct store *store, const struct target *target, visit_fn *visit,
		      void *context, struct failure *failure)
{
	bool here = store->state->netns == netdev_namespace();
	int ifindex = here ? (int)store->state->ifindex : 0;
	char label[PINS_DIR_LEN], name[IF_NAMESIZE];
	struct visited visited = {
		.store = store,
		.label = label,
		.interface = name_interface(target, ifindex, here, name),
	};

	target_label(target, (__u32)ifindex, label);
	return visit(context, &visited, failure);
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
	if (fd >= 0)
		store_settle(&store);
	if (err >= 0)
		err = visit_open(&store, target, visit, context, failure);
	if (fd >= 0)
		close(fd);
	store_close(&store);
	return err;
}

int visit_resolve(struct targets *targets)
{
	struct failure failure = {0};

	if (!targets_require(targets, &failure))
		return VERB_DONE;
	log_error("%s", failure.text);
	return VERB_FAILED;
}

int visit_resolved(const struct targets *targets, bool lock, visit_fn *visit, void *context)
{
	struct failure failure = {0};
	int status = VERB_DONE;

	for (size_t i = 0; i < targets->len; i++) {
		if (!visit_one(&targets->list[i], lock, visit, context, &failure))
			continue;
		log_error("%s", failure.text);
		status = VERB_FAILED;
	}
	return status;
}

int visit_stores(struct targets *targets, bool lock, visit_fn *visit, void *context)
{
	int status = visit_resolve(targets);

	if (status == VERB_DONE)
		status = visit_resolved(targets, lock, visit, context);
	targets_free(targets);
	return status;
}

int visit_listing(struct targets *targets, bool json, json_t *root, visit_fn *visit, void *context)
{
	int status = visit_stores(targets, true, visit, context);

	if (status == VERB_DONE && json)
		output_json(root, false);
	json_decref(root);
	return status;
}
