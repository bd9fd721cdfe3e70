/* SPDX-License-Identifier: GPL-2.0-only */
/* One change of several running policies: tried on all of them first, then made. */
#include "change.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy_diff.h"
#include "verb.h"

/* One policy before and after the change, and the lines that tell them apart. */
struct step {
	struct policy before;
	struct policy after;
	char *lines;
	size_t len;
};

static int default_policy(struct policy *policy, struct failure *failure)
{
	int err = policy_init(policy);

	return err ? failure_set(failure, -err, "Can't make a policy: %s", strerror(-err)) : 0;
}

int change_read_policy(struct store *store, struct policy *policy, struct failure *failure)
{
	int err = store_read_policy(store, policy, failure);

	return err == -ENOENT ? default_policy(policy, failure) : err;
}

int change_read_services(struct store *store, struct policy *policy, struct failure *failure)
{
	int err = store_read_services(store, policy, failure);

	return err == -ENOENT ? default_policy(policy, failure) : err;
}

int change_check_waiting(const struct visited *visited, const char *what, struct failure *failure)
{
	unsigned int seconds = store_waits(visited->store);

	if (!seconds)
		return 0;
	return failure_set(failure, EBUSY,
			   "Can't %s on '%s': a change waits to be confirmed, for %u s more; "
			   "edge426 policy confirm or edge426 policy rollback ends that",
			   what, visited->label, seconds);
}

int change_print_diff(const struct policy *from, const struct policy *to, const char *indent,
		      char **lines, size_t *len, struct failure *failure)
{
	char *text = NULL;
	size_t octets = 0, count;
	FILE *out = open_memstream(&text, &octets);

	if (!out)
		return failure_set(failure, ENOMEM, "Can't compare policies: out of memory");
	count = policy_diff(from, to, indent, out);
	if (fclose(out)) {
		free(text);
		return failure_set(failure, ENOMEM, "Can't compare policies: out of memory");
	}
	*lines = text;
	*len = count;
	return 0;
}

static bool is_refusal(int err)
{
	return err == -EINVAL || err == -EEXIST || err == -ENOSPC;
}

/* policy.c says what is wrong; the sentence for the operator says with what. */
static int tell(const struct visited *visited, struct change *change, int err,
		struct failure *failure)
{
	struct failure reason = *failure;

	change->refused = change->refused || is_refusal(err);
	return failure_set(failure, -err, "Can't %s on '%s': %.300s", change->what, visited->label,
			   reason.text);
}

static int make(const struct visited *visited, struct change *change, struct policy *after,
		struct failure *failure)
{
	int err = change->make(change->context, after, failure);

	if (!err)
		err = store_check_policy(after, failure);
	return err ? tell(visited, change, err, failure) : 0;
}

static int prepare(const struct visited *visited, struct change *change, struct step *step,
		   struct failure *failure)
{
	char indent[PINS_DIR_LEN + 2];
	int err = change_check_waiting(visited, change->what, failure);

	snprintf(indent, sizeof(indent), "%s: ", visited->label);
	if (!err)
		err = change_read_policy(visited->store, &step->before, failure);
	if (!err)
		err = change_read_policy(visited->store, &step->after, failure);
	if (!err)
		err = make(visited, change, &step->after, failure);
	return err ? err
		   : change_print_diff(&step->before, &step->after, indent, &step->lines,
				       &step->len, failure);
}

static void end(struct step *step)
{
	policy_free(&step->before);
	policy_free(&step->after);
	free(step->lines);
}

static int try_one(void *context, const struct visited *visited, struct failure *failure)
{
	struct step step = {0};
	int err = prepare(visited, context, &step, failure);

	end(&step);
	return err;
}

static int publish(const struct visited *visited, const struct step *step, struct failure *failure)
{
	struct publish_options options = {.interface = visited->interface};
	int err;

	if (!step->len) {
		printf("%s: no change\n", visited->label);
		return 0;
	}
	err = store_publish_policy(visited->store, &step->after, &options, failure);
	if (!err)
		fputs(step->lines, stdout);
	return err;
}

static int change_one(void *context, const struct visited *visited, struct failure *failure)
{
	struct step step = {0};
	int err = prepare(visited, context, &step, failure);

	if (!err)
		err = publish(visited, &step, failure);
	end(&step);
	return err;
}

/* Alone it is made or not; among several it is tried on all before. */
int change_policies(struct targets *targets, struct change *change)
{
	int status = visit_resolve(targets);

	if (status == VERB_DONE && targets->len > 1)
		status = visit_resolved(targets, true, try_one, change);
	if (status == VERB_DONE)
		status = visit_resolved(targets, true, change_one, change);
	targets_free(targets);
	return change->refused ? VERB_INVALID_POLICY : status;
}
