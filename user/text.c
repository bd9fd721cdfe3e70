/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Strict text to values and back: numbers and the words of the policy. Names,
 * prefixes and times are in text_*.c. Nothing here depends on the locale, and
 * nothing guesses: a value that is not wholly right is refused.
 */
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy.h"
#include "text_chars.h"

#define NO_BACKEND "none"
#define DIGITS_MAX 10 /* of the numbers here */

_Static_assert(POLICY_SYN_THRESHOLD_MAX == 1000000, "TEXT_SYN_THRESHOLD_ALLOWED");
_Static_assert(POLICY_CALM_SECONDS_MAX == 86400, "TEXT_CALM_SECONDS_ALLOWED");
_Static_assert(POLICY_VLAN_MAX == 4094, "TEXT_VLAN_ALLOWED");
_Static_assert(POLICY_LIMIT_RATE_MAX == 1000000, "TEXT_RATE_ALLOWED, TEXT_LIMIT_ALLOWED");
_Static_assert(POLICY_LIMIT_BURST_MAX == 1000000, "TEXT_RATE_ALLOWED, TEXT_LIMIT_ALLOWED");

/* A word of the policy and what it stands for; a table ends with a NULL. */
struct word {
	const char *text;
	__u32 value;
};

static const struct word handshakes[] = {
	{"backend", EDGE426_HANDSHAKE_BACKEND},
	{"edge", EDGE426_HANDSHAKE_EDGE},
	{"auto", EDGE426_HANDSHAKE_AUTO},
	{0},
};

static const struct word actions[] = {
	{"respond", EDGE426_ACTION_RESPOND},	 {"reset", EDGE426_ACTION_RESET},
	{"reset-syn", EDGE426_ACTION_RESET_SYN}, {"drop", EDGE426_ACTION_DROP},
	{"pass", EDGE426_ACTION_PASS},		 {0},
};

static const struct word others[] = {
	{"pass", EDGE426_ACTION_PASS},
	{"reset", EDGE426_ACTION_RESET},
	{"drop", EDGE426_ACTION_DROP},
	{0},
};

static const struct word modes[] = {
	{"enforce", EDGE426_MODE_ENFORCE},
	{"monitor", EDGE426_MODE_MONITOR},
	{"bypass", EDGE426_MODE_BYPASS},
	{0},
};

static int parse_word(const struct word *words, const char *text, __u32 *value)
{
	for (; words->text; words++) {
		if (strcmp(text, words->text))
			continue;
		*value = words->value;
		return 0;
	}
	return -EINVAL;
}

static const char *print_word(const struct word *words, __u32 value)
{
	for (; words->text; words++)
		if (words->value == value)
			return words->text;
	return NULL;
}

int text_parse_number(const char *text, __u32 max, __u32 *number)
{
	__u64 value = 0;
	const char *c;

	if (!char_is_digit(text[0]) || (text[0] == '0' && text[1]))
		return -EINVAL;
	for (c = text; char_is_digit(*c) && value <= max; c++)
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

static int parse_count16(const char *text, __u16 max, __u16 *count)
{
	__u32 number;

	if (parse_count(text, max, &number))
		return -EINVAL;
	*count = (__u16)number;
	return 0;
}

int text_parse_port(const char *text, __u16 *port)
{
	return parse_count16(text, 65535, port);
}

/*
 * The part before the separator, and in *rest the one behind it; NULL when
 * there is no separator. -EINVAL for a part longer than any number.
 */
static int split(const char *text, char separator, char first[DIGITS_MAX + 1], const char **rest)
{
	const char *at = strchrnul(text, separator);
	size_t len = (size_t)(at - text);

	if (len > DIGITS_MAX)
		return -EINVAL;
	memcpy(first, text, len);
	first[len] = '\0';
	*rest = *at ? at + 1 : NULL;
	return 0;
}

int text_parse_ports(const char *text, __u16 *first, __u16 *last)
{
	char part[DIGITS_MAX + 1];
	const char *rest;
	__u16 from, to;

	if (split(text, '-', part, &rest) || text_parse_port(part, &from))
		return -EINVAL;
	to = from;
	if (rest && (text_parse_port(rest, &to) || to < from))
		return -EINVAL;
	*first = from;
	*last = to;
	return 0;
}

void text_print_ports(__u16 first, __u16 last, char text[TEXT_PORTS_LEN])
{
	if (first == last)
		snprintf(text, TEXT_PORTS_LEN, "%u", first);
	else
		snprintf(text, TEXT_PORTS_LEN, "%u-%u", first, last);
}

int text_parse_vlan(const char *text, __u16 *vlan)
{
	return parse_count16(text, POLICY_VLAN_MAX, vlan);
}

int text_parse_percent(const char *text, __u32 *percent)
{
	return text_parse_number(text, 100, percent);
}

int text_parse_rate(const char *text, __u32 *rate)
{
	return parse_count(text, POLICY_LIMIT_RATE_MAX, rate);
}

int text_parse_burst(const char *text, __u32 *burst)
{
	return parse_count(text, POLICY_LIMIT_BURST_MAX, burst);
}

int text_parse_limit(const char *text, __u32 *rate, __u32 *burst)
{
	char part[DIGITS_MAX + 1];
	const char *rest;
	__u32 each, at_once;

	if (split(text, '/', part, &rest) || text_parse_rate(part, &each))
		return -EINVAL;
	at_once = each;
	if (rest && text_parse_burst(rest, &at_once))
		return -EINVAL;
	*rate = each;
	*burst = at_once;
	return 0;
}

int text_parse_syn_threshold(const char *text, __u32 *count)
{
	return parse_count(text, POLICY_SYN_THRESHOLD_MAX, count);
}

int text_parse_calm_seconds(const char *text, __u32 *seconds)
{
	return parse_count(text, POLICY_CALM_SECONDS_MAX, seconds);
}

int text_parse_handshake(const char *text, __u32 *handshake)
{
	return parse_word(handshakes, text, handshake);
}

const char *text_print_handshake(__u32 handshake)
{
	return print_word(handshakes, handshake);
}

int text_parse_action(const char *text, __u32 *action)
{
	return parse_word(actions, text, action);
}

const char *text_print_action(__u32 action)
{
	return print_word(actions, action);
}

int text_parse_other(const char *text, __u32 *action)
{
	return parse_word(others, text, action);
}

const char *text_print_other(__u32 action)
{
	return print_word(others, action);
}

int text_parse_mode(const char *text, __u32 *mode)
{
	return parse_word(modes, text, mode);
}

const char *text_print_mode(__u32 mode)
{
	return print_word(modes, mode);
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
		if (text[i] == ' ' || (char_is_visible(text[i]) && text[i] != '\\'))
			quoted[at++] = text[i];
		else
			at += (size_t)sprintf(quoted + at, "\\x%02x", (unsigned char)text[i]);
	}
	sprintf(quoted + at, "%s'", i < len ? "..." : "");
}
