/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who does a service's handshakes right now, the edge or the server's kernel,
 * and why; and what of it changed since the last look. Reads the maps, changes
 * nothing, prints nothing.
 */
#ifndef EDGE426_WATCH_H
#define EDGE426_WATCH_H

#include <stdbool.h>

#include "store.h"

#define WATCH_LINE_LEN 320

/* The state of one service's handshakes. */
struct watch_state {
	bool at_edge;
	__u32 fallback; /* EDGE426_FALLBACK_*, WATCH_*, for a service that would be at the edge */
};

/* `index` is the service's place in the running policy. */
struct watch_state watch_service(const struct store *store, const struct service *service,
				 size_t index);

/* Beside EDGE426_FALLBACK_*: the policy itself leaves handshakes to the server. */
#define WATCH_FALLBACK_MODE 16
#define WATCH_FALLBACK_BYPASS 17

/* Why, for people: "the listener is an MPTCP socket", …; the empty text for no fallback. */
void watch_print_fallback(const struct store *store, __u32 fallback, char text[WATCH_LINE_LEN]);

/* What was seen last; zeroed is "nothing yet". */
struct watch {
	__u64 generation;
	struct policy policy;
	struct watch_state *states; /* one for each service */
};

/* Calls `tell` for each service whose state differs from the last look. */
void watch_look(struct watch *watch, struct store *store, const char *interface,
		void (*tell)(const char *line));
void watch_end(struct watch *watch);

#endif
