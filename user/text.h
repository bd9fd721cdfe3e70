/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Strict text to values: what the policy file and the command line share.
 * Pure; the whole string must be the value. Each answers 0 or -EINVAL and
 * leaves the output untouched on failure; what is allowed stands in the
 * *_ALLOWED text, for messages.
 */
#ifndef EDGE426_TEXT_H
#define EDGE426_TEXT_H

#include <linux/types.h>
#include <stddef.h>

struct prefix;

#define TEXT_PORT_ALLOWED "a port from 1 to 65535"
#define TEXT_NAME_ALLOWED "1 to 63 letters, digits, - and _"
#define TEXT_PREFIX_ALLOWED "an IPv4 or IPv6 address, or a prefix of one without host bits"
#define TEXT_HANDSHAKE_ALLOWED "one of backend, edge, auto"
#define TEXT_BACKEND_ALLOWED "only none"
#define TEXT_SYN_THRESHOLD_ALLOWED "a number from 1 to 1000000"
#define TEXT_CALM_SECONDS_ALLOWED "a number from 1 to 86400"
#define TEXT_PROTOCOL_ALLOWED "a protocol as NAME or NAME/VERSION, like TLS/1.2"
#define TEXT_FIELD_ALLOWED "visible ASCII characters, with blanks between them only"

/* Digits only: no sign, no blank, no leading zero; at most `max`. */
int text_parse_number(const char *text, __u32 max, __u32 *number);
int text_parse_port(const char *text, __u16 *port);
int text_parse_syn_threshold(const char *text, __u32 *handshakes);
int text_parse_calm_seconds(const char *text, __u32 *seconds);
int text_check_name(const char *text);
int text_check_protocol(const char *text); /* of Upgrade, RFC 9110 7.8 */
int text_check_field(const char *text);	   /* a field's value, RFC 9110 5.5; not empty */

/*
 * "192.0.2.1", "192.0.2.0/24", "2001:db8::/32", "any". Host bits set are
 * refused, and so is IPv4 as IPv6, ::ffff:192.0.2.1, which no packet has.
 */
int text_parse_prefix(const char *text, struct prefix *prefix);

/* What is allowed in place of a text that is refused, with the prefix that was likely meant. */
#define TEXT_ALLOWED_LEN 128
void text_explain_prefix(const char *text, char allowed[TEXT_ALLOWED_LEN]);

#define TEXT_PREFIX_LEN 64 /* room for any prefix with its NUL */
void text_print_prefix(const struct prefix *prefix, char text[TEXT_PREFIX_LEN]);

/* Names of EDGE426_HANDSHAKE_*. */
int text_parse_handshake(const char *text, __u32 *handshake);
const char *text_print_handshake(__u32 handshake); /* NULL: no such handshake */

/* The backend's part of EDGE426_SERVICE_*; other flags stay as they are. */
int text_parse_backend(const char *text, __u32 *flags);
const char *text_print_backend(__u32 flags); /* NULL: there is one, which has no name */

/*
 * A value as messages show it: in quotes, on one line, safe for a terminal
 * (other than visible ASCII as \xNN), cut when long.
 */
#define TEXT_QUOTE_LEN 64
void text_quote(const char *text, size_t len, char quoted[TEXT_QUOTE_LEN]);

#endif
