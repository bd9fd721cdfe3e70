/* SPDX-License-Identifier: GPL-2.0-only */
/* One end of a connection, an address with a port, as text and as data. Pure. */
#ifndef EDGE426_ENDPOINT_H
#define EDGE426_ENDPOINT_H

#include <linux/types.h>

#define ENDPOINT_ALLOWED "ADDRESS:PORT, an IPv6 address in brackets"

struct endpoint {
	__u8 family;	  /* 4 or 6 */
	__u8 address[16]; /* network order; IPv4 in the first four octets, rest 0 */
	__u16 port;	  /* host order; 0: none was said */
};

/*
 * "192.0.2.1:443", "[2001:db8::1]:443"; the same without a port, brackets or
 * not. IPv4 written as IPv6 is refused, no packet has it. -EINVAL.
 */
int endpoint_parse(const char *text, struct endpoint *endpoint);

#define ENDPOINT_LEN 56 /* room for any with its NUL */
void endpoint_print(const struct endpoint *endpoint, char text[ENDPOINT_LEN]);

#endif
