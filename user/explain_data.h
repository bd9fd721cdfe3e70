/* SPDX-License-Identifier: GPL-2.0-only */
/* The first octets of a connection, made from what the command line says. Pure. */
#ifndef EDGE426_EXPLAIN_DATA_H
#define EDGE426_EXPLAIN_DATA_H

#include <linux/types.h>
#include <stddef.h>

#include "explain_frame.h"

#define EXPLAIN_RAW_ALLOWED "visible ASCII characters, blanks, \\r, \\n, \\\\ and \\xNN"

struct explain_data {
	__u8 octets[EXPLAIN_DATA_MAX];
	size_t len;
};

/* The request line and a Host field. -ENOSPC. */
int explain_data_request(const char *line, const char *host, struct explain_data *data);

/* Text with escapes. -EINVAL, -ENOSPC; at least one octet. */
int explain_data_raw(const char *text, struct explain_data *data);

/* What a ClientHello begins with: record and handshake header, version, random octets, RFC 8446. */
void explain_data_tls(struct explain_data *data);

#endif
