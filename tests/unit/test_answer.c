/* SPDX-License-Identifier: GPL-2.0-only */
/* The answer as octets: the message, its date, and a worker's copy of a slot. */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "guard.h"
#include "policy.h"

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))
#define GENERATION 5
#define NOW 784111777 /* Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110 */

static const struct {
	time_t now;
	const char *date;
} dates[] = {
	{0, "Thu, 01 Jan 1970 00:00:00 GMT"},
	{NOW, "Sun, 06 Nov 1994 08:49:37 GMT"},
	{951827696, "Tue, 29 Feb 2000 12:34:56 GMT"},
	{1735689599, "Tue, 31 Dec 2024 23:59:59 GMT"},
	{4294967296, "Sun, 07 Feb 2106 06:28:16 GMT"},
	{253402300799, "Fri, 31 Dec 9999 23:59:59 GMT"},
	{253402300800, "Fri, 31 Dec 9999 23:59:59 GMT"},
	{-1, "Thu, 01 Jan 1970 00:00:00 GMT"},
};

Test(answer, a_date_has_29_octets_whatever_the_clock)
{
	for (size_t i = 0; i < ARRAY_LEN(dates); i++) {
		char *flush = (char *)guard_copy(dates[i].date, ANSWER_DATE_LEN);

		memset(flush, 0, ANSWER_DATE_LEN);
		answer_format_date(dates[i].now, flush);
		cr_expect(!memcmp(flush, dates[i].date, ANSWER_DATE_LEN), "%.29s is not %s", flush,
			  dates[i].date);
	}
}

static const char default_message[] = "HTTP/1.1 426 Upgrade Required\r\n"
				      "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
				      "Upgrade: TLS/1.2, HTTP/1.1\r\n"
				      "Connection: close, Upgrade\r\n"
				      "Content-Type: text/plain; charset=utf-8\r\n"
				      "Content-Length: 63\r\n"
				      "\r\n"
				      "This port speaks HTTPS only. "
				      "Use https:// in place of http://.\n";

static void render_default(struct edge426_answer *answer)
{
	struct failure failure;
	struct policy policy;

	memset(answer, 0xee, sizeof(*answer));
	answer->generation = GENERATION;
	cr_assert_eq(policy_init(&policy), 0);
	cr_assert_eq(answer_render(&policy.answer, answer, &failure), 0);
	policy_free(&policy);
}

Test(answer, the_default_is_a_whole_426)
{
	const size_t len = sizeof(default_message) - 1;
	struct edge426_answer answer;

	render_default(&answer);
	cr_expect_eq(answer.len, len);
	cr_expect(!memcmp(answer.octets, default_message, len), "%.*s", (int)answer.len,
		  (char *)answer.octets);
	cr_expect_eq(answer.head_len, len - 63);
	cr_expect_eq(answer.date_offset, strstr(default_message, "Thu") - default_message);
	cr_expect_eq(answer.generation, GENERATION);
	for (size_t i = len; i < sizeof(answer.octets); i++)
		cr_expect_eq(answer.octets[i], 0);
}

static struct answer_text test_text(const char *protocol, const char *type, const char *body)
{
	struct answer_text text = {.upgrade = {(char *)protocol}, .upgrades = 1};

	text.content_type = (char *)type;
	text.body = (char *)body;
	return text;
}

/* A body that makes the whole answer `len` octets long. */
static struct answer_text text_of_len(size_t len, char body[EDGE426_ANSWER_MAX])
{
	struct answer_text text = test_text("TLS/1.2", "text/plain", body);
	struct edge426_answer answer;
	struct failure failure;

	memset(body, 0, EDGE426_ANSWER_MAX);
	memset(body, 'x', 100); /* three digits of length, as it will have */
	cr_assert_eq(answer_render(&text, &answer, &failure), 0);
	memset(body, 'x', len - answer.head_len);
	return text;
}

Test(answer, the_limit_itself_is_allowed)
{
	char body[EDGE426_ANSWER_MAX];
	struct answer_text text = text_of_len(EDGE426_ANSWER_MAX, body);
	struct edge426_answer answer;
	struct failure failure;

	cr_expect_eq(answer_render(&text, &answer, &failure), 0);
	cr_expect_eq(answer.len, EDGE426_ANSWER_MAX);
	cr_expect_eq(answer.octets[EDGE426_ANSWER_MAX - 1], 'x');
}

Test(answer, one_octet_more_is_refused_with_both_numbers)
{
	char body[EDGE426_ANSWER_MAX];
	struct answer_text text = text_of_len(EDGE426_ANSWER_MAX + 1, body);
	struct edge426_answer answer, before;
	struct failure failure;

	memset(&answer, 0xee, sizeof(answer));
	before = answer;
	cr_expect_eq(answer_render(&text, &answer, &failure), -EMSGSIZE);
	cr_expect_str_eq(failure.text, "an answer of 525 octets is not allowed: at most 524, "
				       "header (163) and body (362) together");
	cr_expect(!memcmp(&answer, &before, sizeof(answer)), "the slot was touched");
}

static const struct {
	const char *protocol, *type;
	const char *failure;
} refused[] = {
	{"TLS/1.2\r\nX: y", "text/plain",
	 "protocol 'TLS/1.2\\x0d\\x0aX: y' is not allowed: "
	 "a protocol as NAME or NAME/VERSION, like TLS/1.2"},
	{"", "text/plain",
	 "protocol '' is not allowed: a protocol as NAME or NAME/VERSION, like TLS/1.2"},
	{"TLS", "a\nb",
	 "content_type 'a\\x0ab' is not allowed: "
	 "visible ASCII characters, with blanks between them only"},
};

Test(answer, octets_that_would_split_the_header_are_refused)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct answer_text text = test_text(refused[i].protocol, refused[i].type, "");
		struct edge426_answer answer;
		struct failure failure;

		cr_expect_eq(answer_render(&text, &answer, &failure), -EINVAL);
		cr_expect_str_eq(failure.text, refused[i].failure);
	}
}

Test(answer, one_to_eight_protocols)
{
	struct answer_text text = {.content_type = (char *)"a/b", .body = (char *)""};
	struct edge426_answer answer;
	struct failure failure;

	cr_expect_eq(answer_render(&text, &answer, &failure), -EINVAL);
	cr_expect_str_eq(failure.text, "0 protocols are not allowed: 1 to 8");
	for (; text.upgrades < 8; text.upgrades++)
		text.upgrade[text.upgrades] = (char *)"h2c";
	cr_expect_eq(answer_render(&text, &answer, &failure), 0);
	cr_expect_not_null(strstr(
		(char *)answer.octets,
		"\r\nUpgrade: h2c, h2c, h2c, h2c, h2c, h2c, h2c, h2c\r\n"
		"Connection: close, Upgrade\r\nContent-Type: a/b\r\nContent-Length: 0\r\n\r\n"));
	cr_expect_eq(answer.head_len, answer.len);
	text.upgrades = 9;
	cr_expect_eq(answer_render(&text, &answer, &failure), -EINVAL);
}

/* The sum of RFC 1071 as it is written there, on whole numbers. */
static unsigned int plain_sum(const __u8 *octets, size_t len)
{
	unsigned long sum = 0;

	for (size_t i = 0; i < len; i++) {
		__u8 word[2] = {i % 2 ? 0 : octets[i], i % 2 ? octets[i] : 0};
		__u16 value;

		memcpy(&value, word, sizeof(value));
		sum += value;
	}
	return (unsigned int)(sum % 0xffff);
}

static void check_copy(const struct answer *answer, time_t now)
{
	char date[ANSWER_DATE_LEN];

	answer_format_date(now, date);
	cr_expect_eq(answer->date, now);
	cr_expect(!memcmp(answer->octets + answer->date_offset, date, sizeof(date)));
	cr_expect_eq(answer->head_sum % 0xffff, plain_sum(answer->octets, answer->head_len));
	cr_expect_eq(answer->sum % 0xffff, plain_sum(answer->octets, answer->len));
}

Test(answer, a_copy_has_the_date_and_the_sums)
{
	struct edge426_answer slot;
	struct answer answer = {0};

	render_default(&slot);
	cr_expect_eq(answer_refresh(&slot, NOW, &answer), 0);
	cr_expect_eq(answer.generation, GENERATION);
	cr_expect_eq(answer.len, slot.len);
	cr_expect_eq(answer.head_len, slot.head_len);
	check_copy(&answer, NOW);
	cr_expect_eq(answer_refresh(&slot, NOW + 1, &answer), 0);
	check_copy(&answer, NOW + 1);
}

Test(answer, within_one_second_nothing_is_copied_again)
{
	struct edge426_answer slot;
	struct answer answer = {0};

	render_default(&slot);
	cr_assert_eq(answer_refresh(&slot, NOW, &answer), 0);
	slot.len = 0; /* would be refused if it were looked at */
	cr_expect_eq(answer_refresh(&slot, NOW, &answer), 0);
	cr_expect_eq(answer_refresh(&slot, NOW + 1, &answer), -EAGAIN);
}

Test(answer, a_new_generation_is_copied_at_once)
{
	struct edge426_answer slot;
	struct answer answer = {0};

	render_default(&slot);
	cr_assert_eq(answer_refresh(&slot, NOW, &answer), 0);
	slot.octets[slot.len - 1] = '!';
	slot.generation++;
	cr_expect_eq(answer_refresh(&slot, NOW, &answer), 0);
	cr_expect_eq(answer.octets[answer.len - 1], '!');
	cr_expect_eq(answer.generation, GENERATION + 1);
	check_copy(&answer, NOW);
}

static const struct {
	const char *name;
	__u64 generation;
	__u16 head_len, len, date_offset;
	int err;
} slots[] = {
	{"right", 1, 100, 200, 37, 0},
	{"as long as can be", 1, EDGE426_ANSWER_MAX, EDGE426_ANSWER_MAX, 495, 0},
	{"date at the header's end", 1, 100, 200, 71, 0},
	{"odd header", 1, 99, 200, 37, 0},
	{"being written", 0, 100, 200, 37, -EAGAIN},
	{"never written", 0, 0, 0, 0, -EAGAIN},
	{"date one octet past the header", 1, 100, 200, 72, -EAGAIN},
	{"date far outside", 1, 100, 200, 65535, -EAGAIN},
	{"header longer than all", 1, 201, 200, 37, -EAGAIN},
	{"longer than the slot", 1, 100, EDGE426_ANSWER_MAX + 1, 37, -EAGAIN},
	{"all longer than the slot", 1, 65535, 65535, 37, -EAGAIN},
	{"no header", 1, 0, 200, 0, -EAGAIN},
};

Test(answer, a_slot_is_not_trusted)
{
	for (size_t i = 0; i < ARRAY_LEN(slots); i++) {
		struct edge426_answer slot = {.generation = slots[i].generation,
					      .head_len = slots[i].head_len,
					      .len = slots[i].len,
					      .date_offset = slots[i].date_offset};
		struct answer answer, before;

		memset(&answer, 0xee, sizeof(answer));
		memset(slot.octets, 'o', sizeof(slot.octets));
		before = answer;
		cr_expect_eq(answer_refresh((void *)guard_copy(&slot, sizeof(slot)), NOW, &answer),
			     slots[i].err, "%s", slots[i].name);
		if (slots[i].err)
			cr_expect(!memcmp(&answer, &before, sizeof(answer)), "%s", slots[i].name);
		else
			check_copy(&answer, NOW);
	}
}

/* Writes as the policy store does: generation 0, octets all of one value, generation. */
static void *rewrite_slot(void *data)
{
	volatile struct edge426_answer *slot = data;

	for (__u64 generation = 1; generation <= 20000; generation++) {
		__atomic_store_n(&slot->generation, 0, __ATOMIC_SEQ_CST);
		for (size_t i = 0; i < EDGE426_ANSWER_MAX; i++)
			slot->octets[i] = (__u8)generation;
		__atomic_store_n(&slot->generation, generation, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

static bool is_whole(const struct answer *answer)
{
	for (size_t i = 0; i < answer->len; i++) {
		bool in_date = i - answer->date_offset < ANSWER_DATE_LEN;

		if (!in_date && answer->octets[i] != (__u8)answer->generation)
			return false;
	}
	return true;
}

Test(answer, a_copy_is_never_half_of_two_policies)
{
	static struct edge426_answer slot = {.head_len = 100, .len = EDGE426_ANSWER_MAX};
	struct answer answer = {0};
	unsigned int copies = 0;
	pthread_t writer;

	cr_assert_eq(pthread_create(&writer, NULL, rewrite_slot, &slot), 0);
	for (time_t now = NOW; answer.generation < 20000; now++) {
		if (answer_refresh(&slot, now, &answer))
			continue;
		copies++;
		cr_assert(is_whole(&answer), "torn at generation %llu", answer.generation);
	}
	pthread_join(writer, NULL);
	cr_expect_gt(copies, 0);
}
