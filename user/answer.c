/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The HTTP message of the answer: rendering it once for each policy, and
 * keeping a worker's copy of it fresh once a second. It never sends
 * Strict-Transport-Security, which plaintext must not carry (RFC 6797 7.2).
 */
#include "answer.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../bpf/checksum.h"
#include "policy.h"
#include "text.h"

#define STATUS_LINE "HTTP/1.1 426 Upgrade Required\r\n"
#define DATE_NAME "Date: "
#define DATE_OFFSET (sizeof(STATUS_LINE DATE_NAME) - 1)
#define LAST_SECOND 253402300799 /* of the year 9999, which has four digits yet */

static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
				   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* strftime() would speak the language of the locale. */
void answer_format_date(time_t now, char date[ANSWER_DATE_LEN])
{
	char text[96]; /* room for what the compiler must think of seven ints */
	struct tm tm;

	if (now < 0)
		now = 0;
	if (now > LAST_SECOND)
		now = LAST_SECOND;
	gmtime_r(&now, &tm);
	snprintf(text, sizeof(text), "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday],
		 tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
		 tm.tm_sec);
	memcpy(date, text, ANSWER_DATE_LEN);
}

static int refuse_value(const char *what, const char *value, const char *allowed,
			struct failure *failure)
{
	char quoted[TEXT_QUOTE_LEN];

	text_quote(value, strlen(value), quoted);
	return failure_set(failure, EINVAL, "%s %s is not allowed: %s", what, quoted, allowed);
}

static int check_text(const struct answer_text *text, struct failure *failure)
{
	size_t i;

	if (!text->upgrades || text->upgrades > POLICY_UPGRADES_MAX)
		return failure_set(failure, EINVAL, "%zu protocols are not allowed: 1 to %d",
				   text->upgrades, POLICY_UPGRADES_MAX);
	for (i = 0; i < text->upgrades; i++)
		if (text_check_protocol(text->upgrade[i]))
			return refuse_value("protocol", text->upgrade[i], TEXT_PROTOCOL_ALLOWED,
					    failure);
	if (text_check_field(text->content_type))
		return refuse_value("content_type", text->content_type, TEXT_FIELD_ALLOWED,
				    failure);
	return 0;
}

static void write_head(const struct answer_text *text, FILE *out)
{
	char date[ANSWER_DATE_LEN];
	size_t i;

	answer_format_date(0, date);
	fprintf(out, STATUS_LINE DATE_NAME "%.*s\r\nUpgrade: ", ANSWER_DATE_LEN, date);
	for (i = 0; i < text->upgrades; i++)
		fprintf(out, "%s%s", i ? ", " : "", text->upgrade[i]);
	fprintf(out,
		"\r\nConnection: close, Upgrade\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n",
		text->content_type, strlen(text->body));
}

/* The header as text; free() it. NULL when there is no memory. */
static char *make_head(const struct answer_text *text, size_t *len)
{
	char *head = NULL;
	FILE *out = open_memstream(&head, len);
	bool failed;

	if (!out)
		return NULL;
	write_head(text, out);
	failed = ferror(out);
	if (!fclose(out) && !failed)
		return head;
	free(head);
	return NULL;
}

static void fill_slot(const char *head, size_t head_len, const char *body, size_t body_len,
		      struct edge426_answer *answer)
{
	__u64 generation = answer->generation;

	memset(answer, 0, sizeof(*answer));
	answer->generation = generation;
	answer->head_len = (__u16)head_len;
	answer->len = (__u16)(head_len + body_len);
	answer->date_offset = DATE_OFFSET;
	memcpy(answer->octets, head, head_len);
	memcpy(answer->octets + head_len, body, body_len);
}

int answer_render(const struct answer_text *text, struct edge426_answer *answer,
		  struct failure *failure)
{
	size_t head_len = 0, body_len = strlen(text->body);
	char *head;
	int err;

	err = check_text(text, failure);
	if (err)
		return err;
	head = make_head(text, &head_len);
	if (!head)
		return failure_set(failure, ENOMEM, "Can't make the answer: out of memory");
	if (head_len + body_len > EDGE426_ANSWER_MAX)
		err = failure_set(failure, EMSGSIZE,
				  "an answer of %zu octets is not allowed: at most %d, "
				  "header (%zu) and body (%zu) together",
				  head_len + body_len, EDGE426_ANSWER_MAX, head_len, body_len);
	else
		fill_slot(head, head_len, text->body, body_len, answer);
	free(head);
	return err;
}

/* Octet by octet: memcpy() takes no volatile, and this runs once a second. */
static void copy_slot(const volatile struct edge426_answer *slot, struct answer *copy)
{
	size_t i;

	copy->head_len = slot->head_len;
	copy->len = slot->len;
	copy->date_offset = slot->date_offset;
	for (i = 0; i < sizeof(copy->octets); i++)
		copy->octets[i] = slot->octets[i];
}

static bool lengths_hold(const struct answer *copy)
{
	return copy->head_len && copy->head_len <= copy->len && copy->len <= EDGE426_ANSWER_MAX &&
	       copy->date_offset + ANSWER_DATE_LEN <= copy->head_len;
}

static void set_date(time_t now, struct answer *copy)
{
	char date[ANSWER_DATE_LEN];

	answer_format_date(now, date);
	memcpy(copy->octets + copy->date_offset, date, sizeof(date));
	copy->date = now;
	copy->head_sum = checksum_add(0, copy->octets, copy->head_len);
	copy->sum = checksum_add(0, copy->octets, copy->len);
}

/*
 * The writer sets the generation to 0, writes, and sets a generation that no
 * policy had before. So the same generation before and after the copy means
 * that nobody wrote meanwhile; the fence keeps the second look behind the copy.
 */
int answer_refresh(const volatile struct edge426_answer *slot, time_t now, struct answer *answer)
{
	struct answer copy;

	copy.generation = __atomic_load_n(&slot->generation, __ATOMIC_ACQUIRE);
	if (!copy.generation)
		return -EAGAIN;
	if (copy.generation == answer->generation && now == answer->date)
		return 0;
	copy_slot(slot, &copy);
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (__atomic_load_n(&slot->generation, __ATOMIC_RELAXED) != copy.generation)
		return -EAGAIN;
	if (!lengths_hold(&copy))
		return -EAGAIN;
	set_date(now, &copy);
	*answer = copy;
	return 0;
}
