/* SPDX-License-Identifier: GPL-2.0-only */
/* Joins the running policy with what watch.c says of each of its services. */
#include "handshakes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "text.h"

/* A killed process cannot take back that its edge was ready. */
static void fill(const struct store *store, bool is_served, const struct service *service,
		 size_t index, struct handshake *handshake)
{
	memcpy(handshake->name, service->name, sizeof(handshake->name));
	handshake->wanted = service->handshake;
	handshake->state = watch_service(store, service, index);
	if (!is_served && service->handshake != EDGE426_HANDSHAKE_BACKEND)
		handshake->state = (struct watch_state){.fallback = EDGE426_FALLBACK_HOST};
	watch_print_fallback(store, handshake->state.fallback, handshake->why);
}

static int read_policy(struct store *store, struct policy *policy, struct failure *failure)
{
	int lock = store_lock(store, failure), err;

	if (lock < 0)
		return lock;
	err = store_read_policy(store, policy, failure);
	close(lock);
	return err;
}

int handshakes_read(struct store *store, bool is_served, struct handshakes *handshakes,
		    struct failure *failure)
{
	struct handshakes read = {0};
	struct policy policy = {0};
	int err = store->state->generation ? read_policy(store, &policy, failure) : 0;

	if (err)
		return err;
	read.list = calloc(policy.services_len + 1, sizeof(*read.list));
	if (!read.list) {
		policy_free(&policy);
		return failure_set(failure, ENOMEM, "Can't list the services: out of memory");
	}
	for (; read.len < policy.services_len; read.len++)
		fill(store, is_served, &policy.services[read.len], read.len, &read.list[read.len]);
	policy_free(&policy);
	*handshakes = read;
	return 0;
}

void handshakes_free(struct handshakes *handshakes)
{
	free(handshakes->list);
	*handshakes = (struct handshakes){0};
}

void handshakes_print(const struct handshakes *handshakes)
{
	for (size_t i = 0; i < handshakes->len; i++) {
		const struct handshake *one = &handshakes->list[i];

		if (one->wanted == EDGE426_HANDSHAKE_BACKEND)
			continue;
		printf("  handshakes %s: %s%s%s\n", one->name,
		       one->state.at_edge ? "at the edge" : "by the backend",
		       one->why[0] ? ": " : "", one->why);
	}
}

static json_t *one_json(const struct handshake *one)
{
	return json_pack("{s:s, s:s, s:s, s:o}", "name", one->name, "handshake",
			 text_print_handshake(one->wanted), "at",
			 one->state.at_edge ? "edge" : "backend", "fallback",
			 one->why[0] ? json_string(one->why) : json_null());
}

json_t *handshakes_json(const struct handshakes *handshakes)
{
	json_t *array = json_array();

	for (size_t i = 0; i < handshakes->len; i++)
		json_array_append_new(array, one_json(&handshakes->list[i]));
	return array;
}
