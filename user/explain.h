/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A copy of the XDP program that judges frames nobody sent. It looks at a
 * policy that runs, or at one of its own; what it counts and remembers is in
 * maps of its own, so that a running edge426 does not notice. It needs no
 * interface.
 */
#ifndef EDGE426_EXPLAIN_H
#define EDGE426_EXPLAIN_H

#include <edge426/abi.h>
#include <edge426/reasons.h>
#include <stdbool.h>
#include <stddef.h>

#include "failure.h"
#include "policy.h"
#include "store.h"

struct edge_xdp;
struct segment;

struct explain {
	struct edge_xdp *xdp;
	struct store store; /* the copy's maps; those of the policy are the running ones', if any */
	__u64 *values;	    /* of `reasons`: one for each reason and CPU */
	int cpus;
	__u64 count[EDGE426_REASON_COUNT];
	__u8 *out; /* what the kernel hands back of a frame */
};

/* What became of one frame. */
struct explain_outcome {
	enum edge426_reason reason;
	__u32 service; /* 1 + slot; 0: none. See EDGE426_SERVICE_ENDED */
	__u32 class;   /* 1 + an enum payload_class; 0: it was not asked for */
	bool monitored;
	__u8 kind;	   /* EDGE426_SEND_*, EDGE426_TC_*; 0: no message to anybody */
	bool passes;	   /* the frame goes on to the server's kernel as it came */
	bool sent_back;	   /* it goes back to the client, as it is here: */
	const __u8 *frame; /* borrowed until the next one */
	size_t len;
};

/*
 * Under the policy that runs in `running`, whose maps may be closed after
 * that; under none yet when it is NULL. The handshakes that `auto` has seen
 * are where they are in `running` now.
 */
int explain_open(struct explain *explain, const struct store *running, struct failure *failure);

/* A policy for maps of the copy's own. The host's TCP counts as it is here; NULL: no interface. */
int explain_publish(struct explain *explain, const struct policy *policy, const char *interface,
		    struct failure *failure);

/* Takes over how far the segment's source has used up its limit in `running`. */
void explain_copy_source(struct explain *explain, const struct store *running,
			 const struct segment *segment);

/* Judges one frame; `proof` is EDGE426_EXPLAIN_*. -EMSGSIZE when it is too short or too long. */
int explain_run(struct explain *explain, const __u8 *frame, size_t len, __u32 proof,
		struct explain_outcome *outcome, struct failure *failure);

void explain_close(struct explain *explain); /* takes a zeroed struct */

#endif
