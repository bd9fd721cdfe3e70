/* SPDX-License-Identifier: GPL-2.0-only */
/* Packets with what became of them, as text or as JSON, one by one. For the verb only: it prints.
 */
#ifndef EDGE426_EXPLAIN_PRINT_H
#define EDGE426_EXPLAIN_PRINT_H

#include "explain_rule.h"

/* Why a packet was not given to the program. */
enum explain_skip {
	EXPLAIN_RUN, /* it was */
	EXPLAIN_FROM_SERVER,
	EXPLAIN_CUT,
	EXPLAIN_TOO_SHORT,
	EXPLAIN_TOO_LONG,
	EXPLAIN_SKIPS,
};

/* What was taken for true of its connection. */
enum explain_assumed {
	EXPLAIN_NOTHING,
	EXPLAIN_KERNEL, /* the server's kernel did the handshake */
	EXPLAIN_NO_SYN, /* it is past its first octets, as its SYN is not there */
	EXPLAIN_ASSUMED,
};

/* One packet. */
struct explained {
	const struct segment *segment; /* NULL: there is none that can be read */
	const __u8 *payload;
	const struct explain_outcome *outcome; /* NULL when it was skipped */
	enum explain_skip skip;
	enum explain_assumed assumed;
};

struct explain_printer {
	const struct explain_view *view;
	bool json;
	size_t len; /* packets so far */
	size_t count[EDGE426_REASON_COUNT];
	size_t skipped[EXPLAIN_SKIPS];
};

void explain_print(struct explain_printer *printer, const struct explained *explained);

/* The end of a capture as text: how many packets had which reason. */
void explain_print_summary(const struct explain_printer *printer);

/* The end of JSON, also when there was no packet. */
void explain_print_end(const struct explain_printer *printer);

#endif
