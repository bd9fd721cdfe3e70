/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The two packet programs as objects: load into the kernel over maps that
 * exist or are made, and pin. Attaching them is hook.h's.
 */
#ifndef EDGE426_PROGRAM_H
#define EDGE426_PROGRAM_H

#include "failure.h"

struct edge_xdp;
struct edge_tc;
struct store;

struct programs {
	struct edge_xdp *xdp;
	struct edge_tc *tc;
};

/* Over the maps of `store`, or over new ones that are then pinned in `dir` when it is NULL. */
int programs_load_xdp(struct programs *programs, const char *dir, const struct store *store,
		      struct failure *failure);

/* Over those maps of `store` that it shares with the XDP program. */
int programs_load_tc(struct programs *programs, const char *dir, const struct store *store,
		     struct failure *failure);

int programs_xdp_fd(const struct programs *programs);
int programs_tc_fd(const struct programs *programs);

/* What is pinned or attached lives on. Takes a zeroed struct. */
void programs_close(struct programs *programs);

#endif
