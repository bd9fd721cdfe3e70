/* SPDX-License-Identifier: GPL-2.0-only */
/* Joins the running policy with what watch.c says of each of its services. */
#include "handshakes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

int handshakes_read(const struct store *store, const struct policy *policy, bool is_served,
		    struct handshakes *handshakes, struct failure *failure)
{
	struct handshakes read = {.list = calloc(policy->services_len + 1, sizeof(*read.list))};

	if (!read.list)
		return failure_set(failure, ENOMEM, "Can't list the services: out of memory");
	for (; read.len < policy->services_len; read.len++)
		fill(store, is_served, &policy->services[read.len], read.len, &read.list[read.len]);
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

json_t *handshakes_json(const struct handshake *handshake)
{
	const char *why = handshake->why;

	return json_pack("{s:s, s:s, s:s, s:o}", "name", handshake->name, "handshake",
			 text_print_handshake(handshake->wanted), "at",
			 handshake->state.at_edge ? "edge" : "backend", "fallback",
			 *why ? json_string(why) : json_null());
}
