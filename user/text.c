/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Strict text to values and back. Nothing here depends on the locale, and
 * nothing guesses: a value that is not wholly right is refused.
 */
#include "text.h"

#include <arpa/inet.h>
#include <edge426/abi.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "policy.h"

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

static const char *const handshake_names[] = {
	[EDGE426_HANDSHAKE_BACKEND] = "backend",
	[EDGE426_HANDSHAKE_EDGE] = "edge",
	[EDGE426_HANDSHAKE_AUTO] = "auto",
};

#define NO_BACKEND "none"

_Static_assert(POLICY_SYN_THRESHOLD_MAX == 1000000, "TEXT_SYN_THRESHOLD_ALLOWED");
_Static_assert(POLICY_CALM_SECONDS_MAX == 86400, "TEXT_CALM_SECONDS_ALLOWED");

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* RFC 9110 5.6.2 */
static bool is_token(char c)
{
	return c && (is_alnum(c) || strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_visible(char c)
{
	return c > ' ' && c <= '~';
}

int text_parse_number(const char *text, __u32 max, __u32 *number)
{
	__u64 value = 0;
	const char *c;

	if (!is_digit(text[0]) || (text[0] == '0' && text[1]))
		return -EINVAL;
	for (c = text; is_digit(*c) && value <= max; c++)
		value = 10 * value + (__u64)(*c - '0');
	if (*c || value > max)
		return -EINVAL;
	*number = (__u32)value;
	return 0;
}

/* The same without zero. */
static int parse_count(const char *text, __u32 max, __u32 *count)
{
	__u32 number;

	if (text_parse_number(text, max, &number) || !number)
		return -EINVAL;
	*count = number;
	return 0;
}

int text_parse_port(const char *text, __u16 *port)
{
	__u32 number;

	if (parse_count(text, 65535, &number))
		return -EINVAL;
	*port = (__u16)number;
	return 0;
}

int text_parse_syn_threshold(const char *text, __u32 *handshakes)
{
	return parse_count(text, POLICY_SYN_THRESHOLD_MAX, handshakes);
}

int text_parse_calm_seconds(const char *text, __u32 *seconds)
{
	return parse_count(text, POLICY_CALM_SECONDS_MAX, seconds);
}

int text_check_name(const char *text)
{
	size_t len;

	for (len = 0; text[len]; len++)
		if (len == POLICY_NAME_MAX ||
		    !(is_alnum(text[len]) || text[len] == '-' || text[len] == '_'))
			return -EINVAL;
	return len ? 0 : -EINVAL;
}

static size_t token_len(const char *text)
{
	size_t len = 0;

	while (is_token(text[len]))
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
		if (!is_visible(text[i]) && text[i] != ' ')
			return -EINVAL;
	return 0;
}

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

static void clear_host_bits(struct prefix *prefix)
{
	size_t whole = prefix->bits / 8;

	if (whole == sizeof(prefix->address))
		return;
	prefix->address[whole] &= (__u8)(0xff00 >> prefix->bits % 8);
	memset(prefix->address + whole + 1, 0, sizeof(prefix->address) - whole - 1);
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
	clear_host_bits(&masked);
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
	clear_host_bits(&prefix);
	text_print_prefix(&prefix, likely);
	snprintf(allowed, TEXT_ALLOWED_LEN, "%s, likely %s", what, likely);
}

int text_parse_handshake(const char *text, __u32 *handshake)
{
	__u32 i;

	for (i = 0; i < ARRAY_LEN(handshake_names); i++) {
		if (strcmp(text, handshake_names[i]))
			continue;
		*handshake = i;
		return 0;
	}
	return -EINVAL;
}

const char *text_print_handshake(__u32 handshake)
{
	return handshake < ARRAY_LEN(handshake_names) ? handshake_names[handshake] : NULL;
}

int text_parse_backend(const char *text, __u32 *flags)
{
	if (strcmp(text, NO_BACKEND))
		return -EINVAL;
	*flags |= EDGE426_SERVICE_NO_BACKEND;
	return 0;
}

const char *text_print_backend(__u32 flags)
{
	return flags & EDGE426_SERVICE_NO_BACKEND ? NO_BACKEND : NULL;
}

void text_quote(const char *text, size_t len, char quoted[TEXT_QUOTE_LEN])
{
	const size_t tail = sizeof("\\xNN...'"); /* room for one more octet and the end */
	size_t at = 0;
	size_t i;

	quoted[at++] = '\'';
	for (i = 0; i < len && at + tail <= TEXT_QUOTE_LEN; i++) {
		if (text[i] == ' ' || (is_visible(text[i]) && text[i] != '\\'))
			quoted[at++] = text[i];
		else
			at += (size_t)sprintf(quoted + at, "\\x%02x", (unsigned char)text[i]);
	}
	sprintf(quoted + at, "%s'", i < len ? "..." : "");
}
