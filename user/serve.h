/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One interface as `run` serves it: attached, a policy, a worker per RX
 * queue; and taken apart again in the right order.
 */
#ifndef EDGE426_SERVE_H
#define EDGE426_SERVE_H

#include "edge.h"
#include "failure.h"
#include "loader.h"
#include "store.h"
#include "target.h"
#include "watch.h"

struct worker;

struct serve {
	struct loader_request request;
	struct store store;
	struct worker **workers;
	__u32 workers_len;
	struct loader_hold hold;
	bool settled;
	char name[IF_NAMESIZE]; /* the interface's now; `request` has the one it was started with */
	struct edge edge;
	struct watch watch;
};

/*
 * Attaches, publishes the policy (NULL: keeps the one in the maps) even while
 * another one waits to be confirmed, starts the workers, puts their sockets into the XSKMAP, and
 * only then says so in the state. Undoes all of it on failure. `target` is borrowed until
 * serve_stop. Until serve_settle what was attached before can be put back, and serve_stop does.
 */
int serve_start(struct serve *serve, const struct target *target,
		const struct loader_request *request, const struct policy *policy,
		struct failure *failure);

void serve_settle(struct serve *serve);

/* -EBUSY while a change waits to be confirmed. */
int serve_publish(struct serve *serve, const struct policy *policy, struct failure *failure);

/*
 * To be called each second: secrets, host settings, a change that was not
 * confirmed in time; `tell` gets what changed with the policy and its services. False when the
 * interface is gone.
 */
bool serve_tick(struct serve *serve, void (*tell)(const char *line));

/* "veth0: native, 1 queue, copy mode, 2 services" */
#define SERVE_LINE_LEN 160
void serve_describe(const struct serve *serve, char line[SERVE_LINE_LEN]);

/* XDP off, or as it was before, then TC, then the sockets. Keeps going after a failure. */
int serve_stop(struct serve *serve, struct failure *failure);

#endif
