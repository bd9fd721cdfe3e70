/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The answer as octets: from the policy's text to the HTTP message in a slot
 * of the map `answers`, and from such a slot to what a worker sends. Pure.
 */
#ifndef EDGE426_ANSWER_H
#define EDGE426_ANSWER_H

#include <edge426/abi.h>
#include <time.h>

#include "failure.h"

struct answer_text;

#define ANSWER_DATE_LEN 29 /* octets of an IMF-fixdate, RFC 9110 5.6.7 */

/*
 * Writes the message (RFC 9110 15.5.22): status line, Date, Upgrade,
 * Connection: close, Upgrade, Content-Type, Content-Length, body. The Date is
 * a placeholder; `generation` stays as it was. -EMSGSIZE over
 * EDGE426_ANSWER_MAX (the failure names size and limit); -EINVAL for octets
 * that a field value must not have (RFC 9110 5.5).
 */
int answer_render(const struct answer_text *text, struct edge426_answer *answer,
		  struct failure *failure);

/* Writes the 29 octets of the date; no NUL. */
void answer_format_date(time_t now, char date[ANSWER_DATE_LEN]);

/*
 * What a worker sends: a private copy of a slot with today's date and the
 * one's complement sums (as in memory, not folded to 16 bits necessarily)
 * of header alone and header with body, so that no answer is summed twice.
 */
struct answer {
	__u64 generation;
	time_t date; /* second for which the octets are right */
	__u16 head_len;
	__u16 len;
	__u16 date_offset;
	__u32 head_sum; /* of octets[0 .. head_len) */
	__u32 sum;	/* of octets[0 .. len) */
	__u8 octets[EDGE426_ANSWER_MAX];
};

/*
 * Brings `answer` up to date with the slot and the clock. The slot may be
 * written by another process meanwhile: it is copied and looked at again, and
 * its lengths are checked. -EAGAIN when it holds nothing usable right now;
 * `answer` is untouched then.
 */
int answer_refresh(const volatile struct edge426_answer *slot, time_t now, struct answer *answer);

#endif
