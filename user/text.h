/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Strict text to values: what the policy file and the command line share.
 * Pure; the whole string must be the value. Each answers 0 or -EINVAL and
 * leaves the output untouched on failure; what is allowed stands in the
 * *_ALLOWED text, for messages.
 */
#ifndef EDGE426_TEXT_H
#define EDGE426_TEXT_H

#include <edge426/abi.h>
#include <linux/types.h>
#include <net/if.h>
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
#define TEXT_PORTS_ALLOWED "a port from 1 to 65535, or a range of them like 8000-8100"
#define TEXT_VLAN_ALLOWED "a VLAN id from 1 to 4094"
#define TEXT_INTERFACE_ALLOWED "an interface's name, 1 to 15 visible ASCII characters but / and :"
#define TEXT_ACTION_ALLOWED "one of respond, reset, reset-syn, drop, pass"
#define TEXT_OTHER_ALLOWED "one of pass, reset, drop"
#define TEXT_MODE_ALLOWED "one of enforce, monitor, bypass"
#define TEXT_PERCENT_ALLOWED "a number from 0 to 100"
#define TEXT_RATE_ALLOWED "a number from 1 to 1000000"
#define TEXT_LIMIT_ALLOWED "answers per second to one source from 1 to 1000000, RATE or RATE/BURST"
#define TEXT_PATH_ALLOWED                                                                          \
	"a path of 1 to 64 visible ASCII characters that begins with /, without .. and %2e, "      \
	"or one of acme, crl-ocsp, k8s-probe"
#define TEXT_HOST_ALLOWED "a host name, an IPv4 address or an IPv6 address in brackets, no port"
#define TEXT_UNTIL_ALLOWED "a date and time like 2026-12-01T12:00:00Z"
#define TEXT_DURATION_ALLOWED "a number from 1 s to 10 years with s, m, h or d, like 15m"

/* Digits only: no sign, no blank, no leading zero; at most `max`. */
int text_parse_number(const char *text, __u32 max, __u32 *number);
int text_parse_port(const char *text, __u16 *port);
int text_parse_syn_threshold(const char *text, __u32 *handshakes);
int text_parse_calm_seconds(const char *text, __u32 *seconds);
int text_parse_ports(const char *text, __u16 *first, __u16 *last); /* "443", "8000-8100" */
int text_parse_vlan(const char *text, __u16 *vlan);
int text_parse_percent(const char *text, __u32 *percent);
int text_parse_rate(const char *text, __u32 *rate); /* 1 to POLICY_LIMIT_RATE_MAX */
int text_parse_burst(const char *text, __u32 *burst);
int text_check_name(const char *text);
int text_check_interface(const char *text); /* what the kernel takes for one, visible ASCII only */
int text_parse_interface(const char *text, char interface[IF_NAMESIZE]); /* "any": the empty name */
int text_check_path(const char *text);	   /* a prefix of paths, or the name of a preset */
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

#define TEXT_PORTS_LEN 12 /* room for any range with its NUL */
void text_print_ports(__u16 first, __u16 last, char text[TEXT_PORTS_LEN]);

/* "10": answers per second, and as many at once; "10/20": at once another number. */
int text_parse_limit(const char *text, __u32 *rate, __u32 *burst);

/* A host as requests name it, without a port; `host` gets it in lower case. */
int text_parse_host(const char *text, char host[EDGE426_HOST_MAX + 1]);

/* RFC 3339 in whole seconds, with "Z" or an offset, to seconds since the epoch; never 0. */
int text_parse_until(const char *text, __u64 *until);

#define TEXT_UNTIL_MAX 253402300799ULL /* 9999-12-31T23:59:59Z */
#define TEXT_UNTIL_LEN 24	       /* room for any time up to then with its NUL */
void text_print_until(__u64 until, char text[TEXT_UNTIL_LEN]);

/* "90s", "15m", "12h", "7d"; a plain number is seconds. */
int text_parse_duration(const char *text, __u32 *seconds);

/* Names of EDGE426_ACTION_*, of those that `other` takes, of EDGE426_MODE_*. */
int text_parse_action(const char *text, __u32 *action);
int text_parse_other(const char *text, __u32 *action);
int text_parse_mode(const char *text, __u32 *mode);
const char *text_print_action(__u32 action); /* each NULL: no such value */
const char *text_print_other(__u32 action);
const char *text_print_mode(__u32 mode);

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
