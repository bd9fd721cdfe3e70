/* SPDX-License-Identifier: GPL-2.0-only */
/* The last colon stands before the port, unless an IPv6 address has no brackets. */
#include "endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

/* Where the address stands in the text, and the port, or NULL. */
struct parts {
	const char *address;
	size_t len;
	const char *port;
	bool in_brackets;
};

static bool split_brackets(const char *text, struct parts *parts)
{
	const char *end = strchr(text, ']');

	if (!end || (end[1] && end[1] != ':'))
		return false;
	*parts = (struct parts){text + 1, (size_t)(end - text - 1), NULL, true};
	if (end[1])
		parts->port = end + 2;
	return true;
}

static bool split(const char *text, struct parts *parts)
{
	const char *colon = strchr(text, ':');

	if (text[0] == '[')
		return split_brackets(text, parts);
	*parts = (struct parts){text, strlen(text), NULL, false};
	if (!colon || strchr(colon + 1, ':'))
		return true;
	parts->len = (size_t)(colon - text);
	parts->port = colon + 1;
	return true;
}

static bool parse_address(const struct parts *parts, struct endpoint *endpoint)
{
	char text[INET6_ADDRSTRLEN];

	if (parts->len >= sizeof(text))
		return false;
	memcpy(text, parts->address, parts->len);
	text[parts->len] = '\0';
	if (!parts->in_brackets && inet_pton(AF_INET, text, endpoint->address) == 1) {
		endpoint->family = 4;
		return true;
	}
	endpoint->family = 6;
	return inet_pton(AF_INET6, text, endpoint->address) == 1 &&
	       !IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)endpoint->address);
}

int endpoint_parse(const char *text, struct endpoint *endpoint)
{
	struct endpoint parsed = {0};
	struct parts parts;

	if (!split(text, &parts) || !parse_address(&parts, &parsed))
		return -EINVAL;
	if (parts.port && text_parse_port(parts.port, &parsed.port))
		return -EINVAL;
	*endpoint = parsed;
	return 0;
}

void endpoint_print(const struct endpoint *endpoint, char text[ENDPOINT_LEN])
{
	char address[INET6_ADDRSTRLEN] = "";

	inet_ntop(endpoint->family == 6 ? AF_INET6 : AF_INET, endpoint->address, address,
		  sizeof(address));
	snprintf(text, ENDPOINT_LEN, endpoint->family == 6 ? "[%s]:%u" : "%s:%u", address,
		 endpoint->port);
}
