/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who does the handshakes of the running policy's services, as `status` shows
 * it: those that are simply the backend's have nothing to tell and are left
 * out of the text.
 */
#ifndef EDGE426_HANDSHAKES_H
#define EDGE426_HANDSHAKES_H

#include <jansson.h>

#include "watch.h"

/* One service. */
struct handshake {
	char name[POLICY_NAME_MAX + 1];
	__u32 wanted; /* EDGE426_HANDSHAKE_* of the policy */
	struct watch_state state;
	char why[WATCH_LINE_LEN]; /* the backend does them in place of the edge; or empty */
};

/* Zeroed is an empty list. */
struct handshakes {
	struct handshake *list;
	size_t len;
};

/* `policy` is the running one; `is_served`: a responder lives. -ENOMEM. */
int handshakes_read(const struct store *store, const struct policy *policy, bool is_served,
		    struct handshakes *handshakes, struct failure *failure);
void handshakes_free(struct handshakes *handshakes);

void handshakes_print(const struct handshakes *handshakes);
json_t *handshakes_json(const struct handshake *handshake); /* of one service */

#endif
