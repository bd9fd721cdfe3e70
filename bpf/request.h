/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where in a request the path of its target stands and which host it is for,
 * octet by octet: RFC 9112 3.2 (origin, absolute and asterisk form; CONNECT
 * has no path) and 7.2 of RFC 9110 (Host). The caller knows already that it is
 * HTTP; nothing is checked here that the server has to check. Pure.
 */
#ifndef EDGE426_REQUEST_H
#define EDGE426_REQUEST_H

#include <linux/types.h>

#include "classify.h"

enum request_state {
	REQUEST_EMPTY_LINES,
	REQUEST_METHOD,
	REQUEST_TARGET,	   /* its first octet */
	REQUEST_SCHEME,	   /* or the authority of CONNECT */
	REQUEST_SLASHES,   /* of "://" */
	REQUEST_AUTHORITY, /* of the absolute form */
	REQUEST_PATH,	   /* with the query */
	REQUEST_VERSION,   /* and what else the line has; from here on the path is known */
	REQUEST_NAME,	   /* of a field */
	REQUEST_VALUE,	   /* of a field that is not Host */
	REQUEST_BLANKS,	   /* before the value of Host */
	REQUEST_HOST,
	REQUEST_DONE, /* the host is known, or there is none */
};

/* What the caller has to do with the octet. */
enum request_event {
	REQUEST_NOTHING,
	REQUEST_HOST_BEGINS, /* what has been noted of a host was none, RFC 3986 3.2.1 */
	REQUEST_HOST_OCTET,  /* it is the one before `host_len` */
	REQUEST_ENDS,	     /* no further octet is needed */
};

struct request {
	__u32 at;	/* octets looked at */
	__u32 path_at;	/* where the path begins */
	__u32 path_len; /* 0: the target has none, or not yet */
	__u32 host_len;
	__u8 state;	    /* enum request_state */
	__u8 matched;	    /* octets of "host:", of ".." and of "%2e", of "//" */
	__u8 in_query;	    /* the path's part before '?' is over */
	__u8 climbs;	    /* the path has "..", or a dot that is percent-encoded */
	__u8 has_port;	    /* the host's name is over */
	__u8 in_brackets;   /* of an IPv6 address */
	__u8 has_authority; /* the absolute form told the host, RFC 9112 3.2.2 */
	__u8 wants_host;    /* the caller needs more than the path */
};

static inline __attribute__((always_inline)) int request_is_line_end(__u8 octet)
{
	return octet == '\r' || octet == '\n';
}

/* The target is over: on to the fields if the host is still to be found there. */
static inline __attribute__((always_inline)) enum request_event
request_end_target(struct request *request)
{
	request->state = REQUEST_VERSION;
	request->matched = 0;
	if (request->has_authority)
		request->state = REQUEST_DONE;
	return request->has_authority || !request->wants_host ? REQUEST_ENDS : REQUEST_NOTHING;
}

static inline __attribute__((always_inline)) enum request_event
request_begin_path(struct request *request)
{
	request->state = REQUEST_PATH;
	request->path_at = request->at;
	request->path_len = 1;
	request->matched = 0;
	return REQUEST_NOTHING;
}

/* The octets of a name, without the port, of a Host field or an authority. */
static inline __attribute__((always_inline)) enum request_event
request_add_host(struct request *request, __u8 octet)
{
	if (octet == '[')
		request->in_brackets = 1;
	if (octet == ']')
		request->in_brackets = 0;
	if (octet == ':' && !request->in_brackets)
		request->has_port = 1;
	if (request->has_port)
		return REQUEST_NOTHING;
	request->host_len++;
	return REQUEST_HOST_OCTET;
}

static inline __attribute__((always_inline)) enum request_event
request_step_authority(struct request *request, __u8 octet)
{
	if (octet == '@') {
		request->host_len = 0;
		request->has_port = 0;
		request->in_brackets = 0;
		return REQUEST_HOST_BEGINS;
	}
	if (octet != '/' && octet != '?' && octet != ' ' && !request_is_line_end(octet))
		return request_add_host(request, octet);
	request->has_authority = 1;
	return octet == '/' ? request_begin_path(request) : request_end_target(request);
}

/* Whether the path climbs: ".." anywhere, or "%2e", which servers decode to a dot. */
static inline __attribute__((always_inline)) void request_watch_dots(struct request *request,
								     __u8 octet)
{
	__u8 before = request->matched;

	request->matched = 0;
	if (octet == '.')
		request->matched = 1;
	else if (octet == '%')
		request->matched = 2;
	else if (octet == '2' && before == 2)
		request->matched = 3;
	if ((octet == '.' && before == 1) || (classify_lower(octet) == 'e' && before == 3))
		request->climbs = 1;
}

static inline __attribute__((always_inline)) enum request_event
request_step_path(struct request *request, __u8 octet)
{
	if (octet == ' ' || request_is_line_end(octet))
		return request_end_target(request);
	request->path_len++;
	if (octet == '?')
		request->in_query = 1;
	if (!request->in_query)
		request_watch_dots(request, octet);
	return REQUEST_NOTHING;
}

static inline __attribute__((always_inline)) enum request_event
request_step_target(struct request *request, __u8 octet)
{
	if (octet == '/')
		return request_begin_path(request);
	request->state = REQUEST_SCHEME;
	return REQUEST_NOTHING;
}

/* "scheme://" or, after CONNECT, "host:port". */
static inline __attribute__((always_inline)) enum request_event
request_step_scheme(struct request *request, __u8 octet)
{
	if (octet == ' ' || request_is_line_end(octet))
		return request_end_target(request);
	if (octet == ':') {
		request->state = REQUEST_SLASHES;
		request->matched = 0;
	}
	return REQUEST_NOTHING;
}

static inline __attribute__((always_inline)) enum request_event
request_step_slashes(struct request *request, __u8 octet)
{
	if (octet == ' ' || request_is_line_end(octet))
		return request_end_target(request);
	if (octet != '/')
		request->state = REQUEST_SCHEME;
	else if (++request->matched == 2)
		request->state = REQUEST_AUTHORITY;
	return REQUEST_NOTHING;
}

static inline __attribute__((always_inline)) enum request_event
request_skip_line(struct request *request, __u8 octet)
{
	if (octet == '\n') {
		request->state = REQUEST_NAME;
		request->matched = 0;
	}
	return REQUEST_NOTHING;
}

/* Field names are case-insensitive, RFC 9110 5.1; an empty line ends the fields. */
static inline __attribute__((always_inline)) enum request_event
request_step_name(struct request *request, __u8 octet)
{
	const __u64 name = 'h' | 'o' << 8 | 's' << 16 | 't' << 24 | (__u64)':' << 32;
	__u8 at = request->matched;

	if (at == 0 && request_is_line_end(octet)) {
		request->state = REQUEST_DONE;
		return REQUEST_ENDS;
	}
	if (classify_lower(octet) != (name >> 8 * at & 0xff)) {
		request->state = REQUEST_VALUE;
		return request_skip_line(request, octet);
	}
	request->matched = at + 1;
	if (octet == ':')
		request->state = REQUEST_BLANKS;
	return REQUEST_NOTHING;
}

static inline __attribute__((always_inline)) enum request_event
request_step_host(struct request *request, __u8 octet)
{
	int is_blank = octet == ' ' || octet == '\t';

	if (is_blank && request->state == REQUEST_BLANKS)
		return REQUEST_NOTHING;
	request->state = REQUEST_HOST;
	if (!is_blank && !request_is_line_end(octet))
		return request_add_host(request, octet);
	request->state = REQUEST_DONE;
	return REQUEST_ENDS;
}

static inline __attribute__((always_inline)) enum request_event
request_step_method(struct request *request, __u8 octet)
{
	if (octet == ' ')
		request->state = REQUEST_TARGET;
	else if (!request_is_line_end(octet))
		request->state = REQUEST_METHOD;
	return REQUEST_NOTHING;
}

static inline __attribute__((always_inline)) enum request_event
request_step_in_state(struct request *request, __u8 octet)
{
	switch (request->state) {
	case REQUEST_EMPTY_LINES:
	case REQUEST_METHOD:
		return request_step_method(request, octet);
	case REQUEST_TARGET:
		return request_step_target(request, octet);
	case REQUEST_SCHEME:
		return request_step_scheme(request, octet);
	case REQUEST_SLASHES:
		return request_step_slashes(request, octet);
	case REQUEST_AUTHORITY:
		return request_step_authority(request, octet);
	case REQUEST_PATH:
		return request_step_path(request, octet);
	case REQUEST_NAME:
		return request_step_name(request, octet);
	case REQUEST_BLANKS:
	case REQUEST_HOST:
		return request_step_host(request, octet);
	default:
		return request_skip_line(request, octet);
	}
}

/* The next octet. `request` is zeroed before the first, but for `wants_host`. */
static inline __attribute__((always_inline)) enum request_event
request_step(struct request *request, __u8 octet)
{
	enum request_event event = request_step_in_state(request, octet);

	request->at++;
	return event;
}

/* Whether the whole path has been seen, or that the target has none. */
static inline __attribute__((always_inline)) int request_has_path(const struct request *request)
{
	return request->state >= REQUEST_VERSION || request->in_query;
}

#endif
