/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The first octets of a connection: TLS, an HTTP request, something else, or
 * too few to tell. It looks at the beginning of the request line only; whether
 * the octets are the first of their connection is not its question. Pure.
 *
 * HTTP is METHOD SP target: METHOD of [A-Z][A-Z_-]{1,19} (RFC 9112 3.1, any
 * method, registered or not), target in origin, absolute, asterisk or, for
 * CONNECT, authority form (3.2). Empty lines before it are passed over (2.2).
 */
#ifndef EDGE426_CLASSIFY_H
#define EDGE426_CLASSIFY_H

#include <linux/types.h>

#define CLASSIFY_MAX 48 /* octets that are enough to tell */
#define CLASSIFY_METHOD_MAX 20
#define CLASSIFY_EMPTY_MAX 8 /* octets of CR and LF before the request line */

enum payload_class {
	PAYLOAD_TLS,
	PAYLOAD_HTTP,
	PAYLOAD_HTTP_HEAD, /* HTTP whose answer has no body */
	PAYLOAD_OTHER,
	PAYLOAD_NEED_MORE,
	PAYLOAD_NONE, /* there is no payload; the classifier never says so */
};

enum octet_class {
	OCTET_TLS,     /* TLS record types; SSLv2 headers have the top bit set */
	OCTET_LETTER,  /* may begin a method */
	OCTET_NEWLINE, /* may be an empty line before one */
	OCTET_OTHER,
};

static inline int classify_is_upper(__u8 octet)
{
	return octet >= 'A' && octet <= 'Z';
}

/* One octet is enough for TLS: no HTTP method begins so. */
static inline enum octet_class classify_octet(__u8 octet)
{
	if ((octet >= 0x14 && octet <= 0x17) || octet & 0x80)
		return OCTET_TLS;
	if (classify_is_upper(octet))
		return OCTET_LETTER;
	if (octet == '\r' || octet == '\n')
		return OCTET_NEWLINE;
	return OCTET_OTHER;
}

static inline int classify_is_method_octet(__u8 octet)
{
	return classify_is_upper(octet) || octet == '-' || octet == '_';
}

static inline __u8 classify_lower(__u8 octet)
{
	return classify_is_upper(octet) ? octet + ('a' - 'A') : octet;
}

/* Whether octets[at ..] begins with `word`, in either case; as far as it is there. */
static inline enum payload_class classify_word(const __u8 *octets, __u32 at, __u32 len,
					       const char *word, __u32 word_len)
{
	__u32 i;

	for (i = 0; i < word_len; i++) {
		if (at + i >= len || at + i >= CLASSIFY_MAX)
			return PAYLOAD_NEED_MORE;
		if (classify_lower(octets[at + i]) != (__u8)word[i])
			return PAYLOAD_OTHER;
	}
	return PAYLOAD_HTTP;
}

/* "http://" or "https://"; the scheme is case-insensitive, RFC 3986 3.1. */
static inline enum payload_class classify_absolute(const __u8 *octets, __u32 at, __u32 len)
{
	enum payload_class scheme = classify_word(octets, at, len, "http", 4);

	if (scheme != PAYLOAD_HTTP)
		return scheme;
	at += 4;
	if (at >= len || at >= CLASSIFY_MAX)
		return PAYLOAD_NEED_MORE;
	if (classify_lower(octets[at]) == 's')
		at++;
	return classify_word(octets, at, len, "://", 3);
}

/* A host name, an IPv4 address or a bracketed IPv6 address, RFC 9112 3.2.3. */
static inline int classify_begins_authority(__u8 octet)
{
	__u8 lower = classify_lower(octet);

	return (lower >= 'a' && lower <= 'z') || (octet >= '0' && octet <= '9') || octet == '[';
}

static inline enum payload_class classify_target(const __u8 *octets, __u32 at, __u32 len,
						 int is_connect)
{
	if (at >= len || at >= CLASSIFY_MAX)
		return PAYLOAD_NEED_MORE;
	if (is_connect)
		return classify_begins_authority(octets[at]) ? PAYLOAD_HTTP : PAYLOAD_OTHER;
	if (octets[at] == '/' || octets[at] == '*')
		return PAYLOAD_HTTP;
	return classify_absolute(octets, at, len);
}

/* Octets of CR and LF at the beginning; more than CLASSIFY_EMPTY_MAX are no empty lines. */
static inline __u32 classify_skip_empty(const __u8 *octets, __u32 len)
{
	__u32 at;

	for (at = 0; at < CLASSIFY_EMPTY_MAX && at < len; at++)
		if (classify_octet(octets[at]) != OCTET_NEWLINE)
			break;
	return at;
}

static inline __u32 classify_skip_method(const __u8 *octets, __u32 at, __u32 len)
{
	__u32 i;

	for (i = 0; i <= CLASSIFY_METHOD_MAX; i++, at++)
		if (at >= len || at >= CLASSIFY_MAX || !classify_is_method_octet(octets[at]))
			break;
	return at;
}

/* Whether octets[at ..] is `method`, in upper case as methods are, of `method_len` octets. */
static inline int classify_is_method(const __u8 *octets, __u32 at, __u32 method_len,
				     const char *method, __u32 len)
{
	__u32 i;

	if (method_len != len)
		return 0;
	for (i = 0; i < len; i++)
		if (at + i >= CLASSIFY_MAX || octets[at + i] != (__u8)method[i])
			return 0;
	return 1;
}

/* `len` octets, of which CLASSIFY_MAX at most are looked at; 0 octets need more. */
static inline enum payload_class classify_payload(const __u8 *octets, __u32 len)
{
	__u32 start = classify_skip_empty(octets, len);
	enum payload_class target;
	__u32 end, method_len;

	if (start >= len)
		return PAYLOAD_NEED_MORE;
	if (start == 0 && classify_octet(octets[0]) == OCTET_TLS)
		return PAYLOAD_TLS;
	if (classify_octet(octets[start]) != OCTET_LETTER)
		return PAYLOAD_OTHER;
	end = classify_skip_method(octets, start, len);
	method_len = end - start;
	if (method_len > CLASSIFY_METHOD_MAX)
		return PAYLOAD_OTHER;
	if (end >= len)
		return PAYLOAD_NEED_MORE;
	if (end >= CLASSIFY_MAX || octets[end] != ' ' || method_len < 2)
		return PAYLOAD_OTHER;
	target = classify_target(octets, end + 1, len,
				 classify_is_method(octets, start, method_len, "CONNECT", 7));
	if (target == PAYLOAD_HTTP && classify_is_method(octets, start, method_len, "HEAD", 4))
		return PAYLOAD_HTTP_HEAD;
	return target;
}

#endif
