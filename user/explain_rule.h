/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which entry of the policy it was that the packet program met: the program
 * says why it left a packet, here that gets a name. Nothing is decided again.
 * Pure.
 */
#ifndef EDGE426_EXPLAIN_RULE_H
#define EDGE426_EXPLAIN_RULE_H

#include "explain.h"

/* Octets of the longest value: a host, or why the host is unable. */
#define EXPLAIN_VALUE_LEN 256
#define EXPLAIN_NOTE_LEN 128

struct explain_rule {
	const char *kind; /* what --json calls it; NULL: the policy has no part in it */
	const char *name; /* for people */
	char value[EXPLAIN_VALUE_LEN];
	char note[EXPLAIN_NOTE_LEN]; /* may be empty */
};

/* What is looked at beside the packet. */
struct explain_view {
	const struct policy *policy;
	bool bypass;  /* of all services */
	__u32 unable; /* EDGE426_UNABLE_* */
	__u64 now;    /* seconds since the epoch */
};

/* A packet with what became of it. */
struct explain_case {
	const struct segment *segment;
	const __u8 *payload; /* as long as the segment says */
	const struct explain_outcome *outcome;
};

/* The service it went to; NULL: none, or one that a policy before had. */
const struct service *explain_find_service(const struct policy *policy,
					   const struct explain_outcome *outcome);

void explain_find_rule(const struct explain_view *view, const struct explain_case *met,
		       struct explain_rule *rule);

#endif
