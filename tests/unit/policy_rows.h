/* SPDX-License-Identifier: GPL-2.0-only */
/* Rows of policy texts, and what the tests of policies do with them alike. */
#ifndef EDGE426_POLICY_ROWS_H
#define EDGE426_POLICY_ROWS_H

#include <stddef.h>

#include "policy.h"

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))
#define DEFAULT_BODY "This port speaks HTTPS only. Use https:// in place of http://.\n"
#define X100                                                                                       \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"                                       \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define A "services:\n  - name: a\n    port: 1\n"
#define KEYS_OF_POLICY "services, allow, answers"
#define KEYS_OF_SERVICE                                                                            \
	"name, port, address, interface, vlan, handshake, backend, syn_threshold, calm_seconds, "  \
	"action, other, mode, percent, limit, exempt_paths, exempt_hosts"
#define NO_LISTENER "only with edge, as there is no listener to do the handshake"
#define PORTS "a port from 1 to 65535, or a range of them like 8000-8100"

struct row {
	const char *name;
	const char *text;
	const char *failure; /* NULL: valid */
	size_t len;	     /* 0: up to the NUL */
};

/* Reads each row, and each of its truncations; what it says, or that it says where, is checked. */
void check_rows(const struct row *rows, size_t len);
void check_truncations(const struct row *rows, size_t len);

/* A row that is valid; policy_free it. */
struct policy read_valid(const char *text, size_t len);
struct policy read_row(const struct row *row);

void expect_equal(const struct policy *a, const struct policy *b, const char *name);

/* The text, read back, printed again: the same policy, the same text; its length. */
size_t check_round_trip(const struct policy *policy, const char *name);

/* A file of memory, which goes when the test does; the path is good for any number of opens. */
const char *make_file(const char *text, size_t len);

#endif
