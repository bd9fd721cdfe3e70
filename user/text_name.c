/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of all kinds: which octets they may have, and how many. */
#include "text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "policy.h"
#include "text_chars.h"

#define LABEL_MAX 63 /* octets of one label of a host name, RFC 1035 2.3.4 */

_Static_assert(POLICY_NAME_MAX == 63, "TEXT_NAME_ALLOWED");
_Static_assert(IF_NAMESIZE == 16, "TEXT_INTERFACE_ALLOWED");
_Static_assert(EDGE426_PATH_MAX == 64, "TEXT_PATH_ALLOWED");

int text_check_name(const char *text)
{
	size_t len;

	for (len = 0; text[len]; len++)
		if (len == POLICY_NAME_MAX ||
		    !(char_is_alnum(text[len]) || text[len] == '-' || text[len] == '_'))
			return -EINVAL;
	return len ? 0 : -EINVAL;
}

static size_t token_len(const char *text)
{
	size_t len = 0;

	while (char_is_token(text[len]))
		len++;
	return len;
}

int text_check_protocol(const char *text)
{
	const char *version;
	size_t len = token_len(text);

	if (!len)
		return -EINVAL;
	if (!text[len])
		return 0;
	if (text[len] != '/')
		return -EINVAL;
	version = text + len + 1;
	len = token_len(version);
	return len && !version[len] ? 0 : -EINVAL;
}

int text_check_field(const char *text)
{
	size_t len = strlen(text);
	size_t i;

	if (!len || text[0] == ' ' || text[len - 1] == ' ')
		return -EINVAL;
	for (i = 0; i < len; i++)
		if (!char_is_visible(text[i]) && text[i] != ' ')
			return -EINVAL;
	return 0;
}

/* As the kernel's dev_valid_name. */
int text_check_interface(const char *text)
{
	size_t len;

	if (!strcmp(text, ".") || !strcmp(text, ".."))
		return -EINVAL;
	for (len = 0; text[len]; len++)
		if (len == IF_NAMESIZE - 1 || !char_is_visible(text[len]) ||
		    strchr("/:", text[len]))
			return -EINVAL;
	return len ? 0 : -EINVAL;
}

int text_parse_interface(const char *text, char interface[IF_NAMESIZE])
{
	bool any = !strcmp(text, "any");

	if (!any && text_check_interface(text))
		return -EINVAL;
	snprintf(interface, IF_NAMESIZE, "%s", any ? "" : text);
	return 0;
}

int text_check_path(const char *text)
{
	size_t len;

	if (text[0] != '/')
		return policy_find_preset(text) ? 0 : -EINVAL;
	for (len = 0; text[len]; len++)
		if (len == EDGE426_PATH_MAX || !char_is_visible(text[len]))
			return -EINVAL;
	return strstr(text, "..") || strcasestr(text, "%2e") ? -EINVAL : 0; /* request.h */
}

/* "[2001:db8::1]", RFC 3986 3.2.2; `len` octets. */
static bool is_ipv6_literal(const char *text, size_t len)
{
	char address[INET6_ADDRSTRLEN];
	struct in6_addr parsed;

	if (len < 2 || text[len - 1] != ']' || len - 2 >= sizeof(address))
		return false;
	memcpy(address, text + 1, len - 2);
	address[len - 2] = '\0';
	return inet_pton(AF_INET6, address, &parsed) == 1;
}

static size_t label_len(const char *text)
{
	size_t len = 0;

	while (char_is_alnum(text[len]) || text[len] == '-' || text[len] == '_')
		len++;
	return len;
}

/* Labels between dots. One that ends in a number is an IPv4 address or nothing. */
static bool is_host_name(const char *text)
{
	const char *label = text;
	struct in_addr parsed;
	size_t len;

	for (;;) {
		len = label_len(label);
		if (!len || len > LABEL_MAX)
			return false;
		if (label[len] != '.')
			break;
		label += len + 1;
	}
	if (label[len])
		return false;
	return label[strspn(label, "0123456789")] || inet_pton(AF_INET, text, &parsed) == 1;
}

int text_parse_host(const char *text, char host[EDGE426_HOST_MAX + 1])
{
	size_t len = strlen(text);
	size_t i;

	if (len > EDGE426_HOST_MAX)
		return -EINVAL;
	if (text[0] == '[' ? !is_ipv6_literal(text, len) : !is_host_name(text))
		return -EINVAL;
	for (i = 0; i <= len; i++)
		host[i] = char_lower(text[i]);
	return 0;
}
