/* SPDX-License-Identifier: GPL-2.0-only */
/* Points in time (RFC 3339) and durations, from text and back. */
#include "text.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "text_chars.h"

#define DURATION_MAX (10ULL * 365 * 86400)
#define DIGITS_MAX 9 /* of DURATION_MAX */

/* Octet by octet like `shape`, where a 0 stands for any digit. */
static bool has_shape(const char *text, const char *shape)
{
	for (; *shape; text++, shape++)
		if (*shape == '0' ? !char_is_digit(*text) : *text != *shape)
			return false;
	return true;
}

static int number_at(const char *text, size_t digits)
{
	int number = 0;

	while (digits--)
		number = 10 * number + (*text++ - '0');
	return number;
}

/* "Z", "+01:00"; seconds that the local time is ahead. */
static int parse_zone(const char *text, int *ahead)
{
	int hours, minutes;

	if (!strcmp(text, "Z")) {
		*ahead = 0;
		return 0;
	}
	if ((text[0] != '+' && text[0] != '-') || !has_shape(text + 1, "00:00") || text[6])
		return -EINVAL;
	hours = number_at(text + 1, 2);
	minutes = number_at(text + 4, 2);
	if (hours > 23 || minutes > 59)
		return -EINVAL;
	*ahead = (text[0] == '-' ? -60 : 60) * (60 * hours + minutes);
	return 0;
}

/* timegm makes March of 30 February: what it has to change was not a time. */
static int parse_clock(const char *text, time_t *seconds)
{
	struct tm said = {
		.tm_year = number_at(text, 4) - 1900,
		.tm_mon = number_at(text + 5, 2) - 1,
		.tm_mday = number_at(text + 8, 2),
		.tm_hour = number_at(text + 11, 2),
		.tm_min = number_at(text + 14, 2),
		.tm_sec = number_at(text + 17, 2),
	};
	struct tm made = said;

	*seconds = timegm(&made);
	return made.tm_mon == said.tm_mon && made.tm_mday == said.tm_mday &&
			       made.tm_hour == said.tm_hour && made.tm_min == said.tm_min &&
			       made.tm_sec == said.tm_sec
		       ? 0
		       : -EINVAL;
}

int text_parse_until(const char *text, __u64 *until)
{
	static const char shape[] = "0000-00-00T00:00:00";
	time_t seconds;
	int ahead;

	if (!has_shape(text, shape) || parse_zone(text + strlen(shape), &ahead) ||
	    parse_clock(text, &seconds))
		return -EINVAL;
	seconds -= ahead;
	if (seconds <= 0 || (__u64)seconds > TEXT_UNTIL_MAX)
		return -EINVAL;
	*until = (__u64)seconds;
	return 0;
}

void text_print_until(__u64 until, char text[TEXT_UNTIL_LEN])
{
	time_t seconds = (time_t)(until < TEXT_UNTIL_MAX ? until : TEXT_UNTIL_MAX);
	struct tm made;

	gmtime_r(&seconds, &made);
	strftime(text, TEXT_UNTIL_LEN, "%Y-%m-%dT%H:%M:%SZ", &made);
}

static const struct {
	char letter;
	__u32 seconds;
} units[] = {{'\0', 1}, {'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};

/* What the unit at the end stands for; 0: no unit. */
static __u32 find_unit(const char *text)
{
	size_t i;

	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (text[0] == units[i].letter && (!text[0] || !text[1]))
			return units[i].seconds;
	return 0;
}

int text_parse_duration(const char *text, __u32 *seconds)
{
	size_t len = strspn(text, "0123456789");
	__u32 unit = find_unit(text + len);
	char digits[DIGITS_MAX + 1];
	__u32 number;

	if (!unit || len > DIGITS_MAX)
		return -EINVAL;
	memcpy(digits, text, len);
	digits[len] = '\0';
	if (text_parse_number(digits, DURATION_MAX, &number) || !number ||
	    (__u64)number * unit > DURATION_MAX)
		return -EINVAL;
	*seconds = number * unit;
	return 0;
}
