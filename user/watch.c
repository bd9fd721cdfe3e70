/* SPDX-License-Identifier: GPL-2.0-only */
/* Compares what the XDP program notes of each service with what it noted before. */
#include "watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "edge.h"

static __u64 coarse_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (__u64)now.tv_sec * 1000000000 + (__u64)now.tv_nsec;
}

struct watch_state watch_service(const struct store *store, const struct service *service,
				 size_t index)
{
	const struct edge426_load *load =
		&store->loads[store_half(store) * EDGE426_SERVICE_SLOTS + index];
	struct watch_state state = {0};

	if (service->handshake == EDGE426_HANDSHAKE_BACKEND)
		return state;
	if (load->fallback == EDGE426_FALLBACK_MPTCP)
		state.fallback = load->fallback; /* only a SYN can tell */
	if (!store->edge->ready || store->edge->unable)
		state.fallback = EDGE426_FALLBACK_HOST;
	if (service->mode != EDGE426_MODE_ENFORCE)
		state.fallback = WATCH_FALLBACK_MODE;
	if (store->state->bypass)
		state.fallback = WATCH_FALLBACK_BYPASS;
	state.at_edge = !state.fallback && (service->handshake == EDGE426_HANDSHAKE_EDGE ||
					    load->edge_until > coarse_now());
	return state;
}

void watch_print_fallback(const struct store *store, __u32 fallback, char text[WATCH_LINE_LEN])
{
	static const char *const reasons[] = {
		[EDGE426_FALLBACK_NONE] = "",
		[EDGE426_FALLBACK_MPTCP] = "the listener is an MPTCP socket",
		[WATCH_FALLBACK_MODE] = "the service's mode is not enforce",
		[WATCH_FALLBACK_BYPASS] = "bypass is on",
	};
	char unable[EDGE_UNABLE_LEN];

	if (fallback == EDGE426_FALLBACK_HOST) {
		edge_print_unable(store->edge->unable, unable);
		snprintf(text, WATCH_LINE_LEN, "%s", unable[0] ? unable : "no responder serves");
	} else {
		snprintf(text, WATCH_LINE_LEN, "%s", reasons[fallback]);
	}
}

static void tell_service(const struct store *store, const struct service *service,
			 struct watch_state state, const char *interface,
			 void (*tell)(const char *line))
{
	char line[WATCH_LINE_LEN + POLICY_NAME_MAX + 64], why[WATCH_LINE_LEN];

	watch_print_fallback(store, state.fallback, why);
	if (state.at_edge)
		snprintf(line, sizeof(line), "%s: service %s: the edge does the handshakes",
			 interface, service->name);
	else
		snprintf(line, sizeof(line), "%s: service %s: the backend does the handshakes%s%s",
			 interface, service->name, why[0] ? ": " : "", why);
	tell(line);
}

/* A new policy is a new list of services; what it was before says nothing about it. */
static void follow_policy(struct watch *watch, struct store *store)
{
	struct failure ignored;
	struct policy policy = {0};
	int lock, err;

	if (store->state->generation == watch->generation)
		return;
	lock = store_lock(store, &ignored);
	if (lock < 0)
		return;
	err = store_read_services(store, &policy, &ignored);
	watch_end(watch);
	watch->generation = store->state->generation;
	close(lock);
	if (err)
		return;
	watch->policy = policy;
	watch->states = calloc(policy.services_len + 1, sizeof(*watch->states));
}

static bool differ(struct watch_state a, struct watch_state b)
{
	return a.at_edge != b.at_edge || a.fallback != b.fallback;
}

void watch_look(struct watch *watch, struct store *store, const char *interface,
		void (*tell)(const char *line))
{
	bool is_new = watch->generation != store->state->generation;

	follow_policy(watch, store);
	for (size_t i = 0; watch->states && i < watch->policy.services_len; i++) {
		const struct service *service = &watch->policy.services[i];
		struct watch_state state = watch_service(store, service, i);
		bool is_news = is_new ? state.fallback != 0 : differ(state, watch->states[i]);

		watch->states[i] = state;
		if (is_news)
			tell_service(store, service, state, interface, tell);
	}
}

void watch_end(struct watch *watch)
{
	policy_free(&watch->policy);
	free(watch->states);
	*watch = (struct watch){0};
}
