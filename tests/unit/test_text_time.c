/* SPDX-License-Identifier: GPL-2.0-only */
/* Points in time and durations: what is taken, what is refused, and the way back. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "guard.h"
#include "text.h"

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *text;
	__u64 until; /* 0: refused */
	const char *printed;
} times[] = {
	{"2026-12-01T12:00:00Z", 1796126400, "2026-12-01T12:00:00Z"},
	{"2026-12-01T12:00:00+00:00", 1796126400, "2026-12-01T12:00:00Z"},
	{"2026-12-01T12:00:00-00:00", 1796126400, "2026-12-01T12:00:00Z"},
	{"2026-12-01T13:30:00+01:30", 1796126400, "2026-12-01T12:00:00Z"},
	{"2026-12-01T04:00:00-08:00", 1796126400, "2026-12-01T12:00:00Z"},
	{"2026-12-02T11:59:00+23:59", 1796126400, "2026-12-01T12:00:00Z"},
	{"2024-02-29T00:00:00Z", 1709164800, "2024-02-29T00:00:00Z"},
	{"2000-02-29T00:00:00Z", 951782400, "2000-02-29T00:00:00Z"},
	{"1970-01-01T00:00:01Z", 1, "1970-01-01T00:00:01Z"},
	{"1969-12-31T23:00:01-01:00", 1, "1970-01-01T00:00:01Z"},
	{"2038-01-19T03:14:08Z", 2147483648, "2038-01-19T03:14:08Z"},
	{"9999-12-31T23:59:59Z", 253402300799, "9999-12-31T23:59:59Z"},
	{"9999-12-31T23:59:59-00:01", 0, NULL},
	{"1970-01-01T00:00:00Z", 0, NULL},
	{"1970-01-01T00:00:01+00:01", 0, NULL},
	{"1969-12-31T23:59:59Z", 0, NULL},
	{"0000-01-01T00:00:00Z", 0, NULL},
	{"2027-02-29T00:00:00Z", 0, NULL},
	{"2100-02-29T00:00:00Z", 0, NULL},
	{"2026-02-30T00:00:00Z", 0, NULL},
	{"2026-11-31T00:00:00Z", 0, NULL},
	{"2026-00-01T00:00:00Z", 0, NULL},
	{"2026-13-01T00:00:00Z", 0, NULL},
	{"2026-01-00T00:00:00Z", 0, NULL},
	{"2026-01-32T00:00:00Z", 0, NULL},
	{"2026-12-01T24:00:00Z", 0, NULL},
	{"2026-12-01T12:60:00Z", 0, NULL},
	{"2026-12-01T12:00:60Z", 0, NULL},
	{"2026-12-01T12:00:00", 0, NULL},
	{"2026-12-01T12:00:00ZZ", 0, NULL},
	{"2026-12-01T12:00:00z", 0, NULL},
	{"2026-12-01t12:00:00Z", 0, NULL},
	{"2026-12-01 12:00:00Z", 0, NULL},
	{"2026-12-01T12:00:00.5Z", 0, NULL},
	{"2026-12-01T12:00Z", 0, NULL},
	{"2026-12-01", 0, NULL},
	{"2026-12-1T12:00:00Z", 0, NULL},
	{"26-12-01T12:00:00Z", 0, NULL},
	{"+026-12-01T12:00:00Z", 0, NULL},
	{"12026-12-01T12:00:00Z", 0, NULL},
	{"2026-12-01T12:00:00+24:00", 0, NULL},
	{"2026-12-01T12:00:00+01:60", 0, NULL},
	{"2026-12-01T12:00:00+0100", 0, NULL},
	{"2026-12-01T12:00:00+01", 0, NULL},
	{"2026-12-01T12:00:00+01:000", 0, NULL},
	{"2026-12-01T12:00:00 01:00", 0, NULL},
	{"2026-12-01T12:00:00UTC", 0, NULL},
	{" 2026-12-01T12:00:00Z", 0, NULL},
	{"2026-12-01T12:00:00Z\n", 0, NULL},
	{"1796126400", 0, NULL},
	{"tomorrow", 0, NULL},
	{"", 0, NULL},
};

static void check_time(size_t row)
{
	const char *text = times[row].text;
	const char *flush = (const char *)guard_copy(text, strlen(text) + 1);
	char printed[TEXT_UNTIL_LEN];
	__u64 until = 0;

	cr_expect_eq(text_parse_until(flush, &until), times[row].until ? 0 : -EINVAL, "'%s'", text);
	cr_expect_eq(until, times[row].until, "'%s' became %llu", text, until);
	if (!times[row].printed)
		return;
	text_print_until(until, printed);
	cr_expect_str_eq(printed, times[row].printed);
}

Test(text_time, a_time_is_of_rfc_3339)
{
	for (size_t i = 0; i < ARRAY_LEN(times); i++)
		check_time(i);
}

/* All that is shorter than a time that is right is none. */
Test(text_time, every_truncation_of_a_time_is_refused)
{
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		for (size_t len = 0; times[i].printed && len < strlen(times[i].text); len++) {
			char *flush = (char *)guard_copy(times[i].text, len + 1);
			__u64 until;

			flush[len] = '\0';
			cr_expect_eq(text_parse_until(flush, &until), -EINVAL, "'%s'", flush);
		}
	}
}

Test(text_time, any_time_comes_back)
{
	for (__u64 time = 1; time <= TEXT_UNTIL_MAX; time += 1 + time / 7 + 86399) {
		char printed[TEXT_UNTIL_LEN];
		__u64 back = 0;

		text_print_until(time, printed);
		cr_expect_eq(text_parse_until(printed, &back), 0, "%s", printed);
		cr_expect_eq(back, time, "%s", printed);
	}
}

Test(text_time, a_time_out_of_reach_is_printed_as_the_last)
{
	char printed[TEXT_UNTIL_LEN];

	text_print_until(~0ULL, printed);
	cr_expect_str_eq(printed, "9999-12-31T23:59:59Z");
}

static const struct {
	const char *text;
	__u32 seconds; /* 0: refused */
} durations[] = {
	{"1", 1},
	{"90", 90},
	{"1s", 1},
	{"90s", 90},
	{"15m", 900},
	{"12h", 43200},
	{"7d", 604800},
	{"3650d", 315360000},
	{"87600h", 315360000},
	{"5256000m", 315360000},
	{"315360000s", 315360000},
	{"315360000", 315360000},
	{"3651d", 0},
	{"87601h", 0},
	{"5256001m", 0},
	{"315360001", 0},
	{"99999999d", 0},
	{"4294967297", 0},
	{"18446744073709551617s", 0},
	{"0", 0},
	{"0s", 0},
	{"01s", 0},
	{"", 0},
	{"s", 0},
	{"1S", 0},
	{"1w", 0},
	{"1y", 0},
	{"1ms", 0},
	{"1 s", 0},
	{" 1s", 0},
	{"1s ", 0},
	{"1h30m", 0},
	{"1.5h", 0},
	{"-1s", 0},
	{"+1s", 0},
	{"0x1", 0},
};

Test(text_time, a_duration_is_a_number_and_a_unit)
{
	for (size_t i = 0; i < ARRAY_LEN(durations); i++) {
		const char *text = durations[i].text;
		const char *flush = (const char *)guard_copy(text, strlen(text) + 1);
		__u32 seconds = 0;

		cr_expect_eq(text_parse_duration(flush, &seconds),
			     durations[i].seconds ? 0 : -EINVAL, "'%s'", text);
		cr_expect_eq(seconds, durations[i].seconds, "'%s'", text);
	}
}
