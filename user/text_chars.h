/* SPDX-License-Identifier: GPL-2.0-only */
/* Kinds of octets, whatever the locale: what the text*.c files share. */
#ifndef EDGE426_TEXT_CHARS_H
#define EDGE426_TEXT_CHARS_H

#include <stdbool.h>
#include <string.h>

static inline bool char_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool char_is_alnum(char c)
{
	return char_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* RFC 9110 5.6.2 */
static inline bool char_is_token(char c)
{
	return c && (char_is_alnum(c) || strchr("!#$%&'*+-.^_`|~", c));
}

static inline bool char_is_visible(char c)
{
	return c > ' ' && c <= '~';
}

static inline char char_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

#endif
