/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses and prefixes of them, from text and back. */
#include "text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "policy.h"
#include "prefix.h"

/* The address alone; the length that belongs to it is left in `bits`. */
static int read_address(const char *text, struct prefix *prefix)
{
	bool v6 = strchr(text, ':');

	memset(prefix, 0, sizeof(*prefix));
	prefix->family = v6 ? 6 : 4;
	prefix->bits = v6 ? 128 : 32;
	return inet_pton(v6 ? AF_INET6 : AF_INET, text, prefix->address) == 1 ? 0 : -EINVAL;
}

/* Address and length as they are written, host bits and all. */
static int read_prefix(const char *text, struct prefix *prefix)
{
	const char *slash = strchrnul(text, '/');
	size_t len = (size_t)(slash - text);
	char address[INET6_ADDRSTRLEN];
	__u32 bits;

	if (len >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, len);
	address[len] = '\0';
	if (read_address(address, prefix))
		return -EINVAL;
	if (!*slash)
		return 0;
	if (text_parse_number(slash + 1, prefix->bits, &bits))
		return -EINVAL;
	prefix->bits = (__u8)bits;
	return 0;
}

/* ::ffff:192.0.2.1 is how programs write IPv4; no packet has it, RFC 4291 2.5.5.2. */
static bool is_mapped(const struct prefix *prefix)
{
	static const __u8 mapped[12] = {[10] = 0xff, [11] = 0xff};

	return prefix->family == 6 && prefix->bits >= 8 * sizeof(mapped) &&
	       !memcmp(prefix->address, mapped, sizeof(mapped));
}

static struct prefix unmap(const struct prefix *mapped)
{
	struct prefix prefix = {.family = 4, .bits = (__u8)(mapped->bits - 96)};

	memcpy(prefix.address, mapped->address + 12, 4);
	return prefix;
}

void text_print_prefix(const struct prefix *prefix, char text[TEXT_PREFIX_LEN])
{
	bool v6 = prefix->family == 6;
	char address[INET6_ADDRSTRLEN] = "";

	if (!prefix->family) {
		snprintf(text, TEXT_PREFIX_LEN, "any");
		return;
	}
	inet_ntop(v6 ? AF_INET6 : AF_INET, prefix->address, address, sizeof(address));
	if (prefix->bits == (v6 ? 128 : 32))
		snprintf(text, TEXT_PREFIX_LEN, "%s", address);
	else
		snprintf(text, TEXT_PREFIX_LEN, "%s/%u", address, prefix->bits);
}

int text_parse_prefix(const char *text, struct prefix *prefix)
{
	struct prefix written, masked;

	if (!strcmp(text, "any")) {
		memset(prefix, 0, sizeof(*prefix));
		return 0;
	}
	if (read_prefix(text, &written) || is_mapped(&written))
		return -EINVAL;
	masked = written;
	prefix_clear_host_bits(&masked);
	if (memcmp(&written, &masked, sizeof(written)))
		return -EINVAL;
	*prefix = written;
	return 0;
}

void text_explain_prefix(const char *text, char allowed[TEXT_ALLOWED_LEN])
{
	const char *what = "a prefix without host bits";
	char likely[TEXT_PREFIX_LEN];
	struct prefix prefix;

	if (read_prefix(text, &prefix)) {
		snprintf(allowed, TEXT_ALLOWED_LEN, "%s", TEXT_PREFIX_ALLOWED);
		return;
	}
	if (is_mapped(&prefix)) {
		what = "IPv4 written as IPv4";
		prefix = unmap(&prefix);
	}
	prefix_clear_host_bits(&prefix);
	text_print_prefix(&prefix, likely);
	snprintf(allowed, TEXT_ALLOWED_LEN, "%s, likely %s", what, likely);
}
