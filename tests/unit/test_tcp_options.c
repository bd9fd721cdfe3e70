/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The timestamps among TCP options, and all that a SYN offers: every row at
 * every truncation against a guard page.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "guard.h"
#include "tcp_options.h"

#define OCTETS(text) (text), sizeof(text) - 1
#define TS "\x08\x0a\x11\x12\x13\x14\x21\x22\x23\x24"
#define NOP "\x01"
#define MSS "\x02\x04\x05\xb4"
#define SACK_PERMITTED "\x04\x02"
#define SACK_18 "\x05\x12................"
#define WSCALE "\x03\x03\x07"
#define TEN_NOPS NOP NOP NOP NOP NOP NOP NOP NOP NOP NOP

static const struct row {
	const char *name;
	const char *octets;
	size_t len;
	int at; /* of the timestamps, or -1 */
} rows[] = {
	{"no options", OCTETS(""), -1},
	{"as everyone sends them: NOP NOP TS", OCTETS(NOP NOP TS), 2},
	{"TS first, padded behind", OCTETS(TS NOP NOP), 0},
	{"TS first, END behind", OCTETS(TS "\x00\x00"), 0},
	{"at offset 1", OCTETS(NOP TS NOP), 1},
	{"at offset 3, odd", OCTETS(WSCALE TS), 3},
	{"at offset 4, behind MSS", OCTETS(MSS TS), 4},
	{"at offset 6, as in a SYN of Linux", OCTETS(MSS SACK_PERMITTED TS NOP WSCALE), 6},
	{"behind a SACK block", OCTETS(NOP NOP SACK_18 TS), 20},
	{"at the last possible offset", OCTETS(TEN_NOPS TEN_NOPS TEN_NOPS TS), 30},
	{"behind an unknown option", OCTETS("\xfd\x06...." TS), 6},
	{"behind an unknown option of length 2", OCTETS("\xfd\x02" TS), 2},
	{"the first of two counts", OCTETS(TS TS), 0},
	{"nothing but NOPs", OCTETS(TEN_NOPS TEN_NOPS TEN_NOPS TEN_NOPS), -1},
	{"END hides what follows", OCTETS("\x00" TS), -1},
	{"NOP, END hides what follows", OCTETS(NOP "\x00" TS), -1},
	{"an option of length 0", OCTETS("\xfd\x00" TS), -1},
	{"an option of length 1", OCTETS("\xfd\x01" TS), -1},
	{"TS of length 0", OCTETS("\x08\x00" TS), -1},
	{"TS of length 1", OCTETS("\x08\x01" TS), -1},
	{"TS of length 2", OCTETS("\x08\x02\x00\x00"), -1},
	{"TS of length 9",
	 OCTETS("\x08\x09"
		"1234567" NOP),
	 -1},
	{"TS of length 11",
	 OCTETS("\x08\x0b"
		"123456789" NOP),
	 -1},
	{"TS of a wrong length is passed over", OCTETS("\x08\x04.." TS), 4},
	{"an option that runs over the end", OCTETS("\xfd\x0d" TS), -1},
	{"an option of length 255", OCTETS("\xfd\xff" TS), -1},
	{"an option that hides a TS in itself", OCTETS("\xfd\x0c" TS), -1},
	{"one octet of an option at the end", OCTETS(NOP NOP NOP "\x08"), -1},
	{"one NOP", OCTETS(NOP), -1},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static int find_flush(const struct row *row, size_t len)
{
	return tcp_options_find_timestamps(guard_copy(row->octets, len), (__u32)len);
}

Test(tcp_options, every_row)
{
	size_t i;

	for (i = 0; i < ROWS; i++) {
		int at = find_flush(&rows[i], rows[i].len);

		cr_expect_eq(at, rows[i].at, "%s: %d, expected %d", rows[i].name, at, rows[i].at);
	}
}

/* Cut anywhere: the option is found exactly as long as all of it is there. */
Test(tcp_options, every_row_at_every_truncation)
{
	size_t i, len;

	for (i = 0; i < ROWS; i++)
		for (len = 0; len < rows[i].len; len++) {
			int whole = rows[i].at >= 0 &&
				    len >= (size_t)rows[i].at + TCP_OPTION_TIMESTAMPS_LEN;

			cr_expect_eq(find_flush(&rows[i], len), whole ? rows[i].at : -1,
				     "%s, %zu octets", rows[i].name, len);
		}
}

/* A length over 40 cannot come from a header; the walk ends there all the same. */
Test(tcp_options, nothing_past_forty_octets)
{
	static const char octets[] = TEN_NOPS TEN_NOPS TEN_NOPS TEN_NOPS TS;

	cr_expect_eq(tcp_options_find_timestamps((const __u8 *)octets, sizeof(octets) - 1), -1);
}

#define MD5 "\x13\x12................"
#define AO "\x1d\x10.............."
#define TS_OFFER .has_timestamps = 1, .tsval = {0x11, 0x12, 0x13, 0x14}

static const struct syn_row {
	const char *name;
	const char *octets;
	size_t len;
	struct syn_options expected;
} syn_rows[] = {
	{"no options", OCTETS(""), {0}},
	{"Linux",
	 OCTETS(MSS SACK_PERMITTED TS NOP WSCALE),
	 {.mss = 1460, .has_wscale = 1, .wscale = 7, .has_sack = 1, TS_OFFER}},
	{"Linux without timestamps",
	 OCTETS(MSS NOP NOP SACK_PERMITTED NOP WSCALE),
	 {.mss = 1460, .has_wscale = 1, .wscale = 7, .has_sack = 1}},
	{"Windows",
	 OCTETS(MSS NOP "\x03\x03\x08" NOP NOP SACK_PERMITTED),
	 {.mss = 1460, .has_wscale = 1, .wscale = 8, .has_sack = 1}},
	{"macOS",
	 OCTETS(MSS NOP "\x03\x03\x06" NOP NOP TS SACK_PERMITTED "\x00\x00"),
	 {.mss = 1460, .has_wscale = 1, .wscale = 6, .has_sack = 1, TS_OFFER}},
	{"MSS alone", OCTETS("\x02\x04\x02\x18"), {.mss = 536}},
	{"an MSS of 65535", OCTETS("\x02\x04\xff\xff"), {.mss = 65535}},
	{"an MSS of 0 is none", OCTETS("\x02\x04\x00\x00"), {0}},
	{"a scale of 0 is one", OCTETS("\x03\x03\x00" NOP), {.has_wscale = 1}},
	{"a scale of 14", OCTETS("\x03\x03\x0e" NOP), {.has_wscale = 1, .wscale = 14}},
	{"a scale of 15 is taken as 14",
	 OCTETS("\x03\x03\x0f" NOP),
	 {.has_wscale = 1, .wscale = 14}},
	{"a scale of 255 is taken as 14",
	 OCTETS("\x03\x03\xff" NOP),
	 {.has_wscale = 1, .wscale = 14}},
	{"a timestamp in the last place", OCTETS(TEN_NOPS TEN_NOPS TEN_NOPS TS), {TS_OFFER}},
	{"SACK permitted in the last place",
	 OCTETS(TEN_NOPS TEN_NOPS TEN_NOPS NOP NOP NOP NOP NOP NOP NOP NOP SACK_PERMITTED),
	 {.has_sack = 1}},
	{"signed with MD5", OCTETS(MSS NOP NOP MD5), {.mss = 1460, .is_signed = 1}},
	{"signed with AO", OCTETS(MSS AO), {.mss = 1460, .is_signed = 1}},
	{"MD5 of a wrong length is for the kernel too",
	 OCTETS("\x13\x04.." MSS),
	 {.mss = 1460, .is_signed = 1}},
	{"AO of the least length", OCTETS("\x1d\x02" MSS), {.mss = 1460, .is_signed = 1}},
	{"MSS twice: the last counts, as in Linux", OCTETS(MSS "\x02\x04\x05\x78"), {.mss = 1400}},
	{"scale twice: the last counts",
	 OCTETS(WSCALE "\x03\x03\x02"),
	 {.has_wscale = 1, .wscale = 2}},
	{"timestamps twice: the last counts", OCTETS("\x08\x0a........" TS), {TS_OFFER}},
	{"SACK permitted twice", OCTETS(SACK_PERMITTED SACK_PERMITTED), {.has_sack = 1}},
	{"an unknown option is passed over", OCTETS("\xfd\x06...." MSS), {.mss = 1460}},
	{"END hides what follows", OCTETS(MSS "\x00" WSCALE), {.mss = 1460}},
	{"a length of 0 ends it", OCTETS(MSS "\x03\x00\x07" SACK_PERMITTED), {.mss = 1460}},
	{"a length of 1 ends it", OCTETS(MSS "\xfd\x01" SACK_PERMITTED), {.mss = 1460}},
	{"a length over the end ends it", OCTETS(MSS "\xfd\x04."), {.mss = 1460}},
	{"a length of 255 ends it", OCTETS(MSS "\x13\xff" SACK_PERMITTED), {.mss = 1460}},
	{"MSS of length 3 says nothing", OCTETS("\x02\x03\x05" SACK_PERMITTED), {.has_sack = 1}},
	{"MSS of length 5 says nothing",
	 OCTETS("\x02\x05\x05\xb4\x01" SACK_PERMITTED),
	 {.has_sack = 1}},
	{"a scale of length 2 says nothing", OCTETS("\x03\x02" MSS), {.mss = 1460}},
	{"a scale of length 4 says nothing", OCTETS("\x03\x04\x07\x07" MSS), {.mss = 1460}},
	{"SACK permitted of length 3 says nothing", OCTETS("\x04\x03." MSS), {.mss = 1460}},
	{"timestamps of length 8 say nothing", OCTETS("\x08\x08......" MSS), {.mss = 1460}},
	{"timestamps of length 12 say nothing", OCTETS("\x08\x0c.........." MSS), {.mss = 1460}},
	{"an option that hides an MSS in itself", OCTETS("\xfd\x06" MSS), {0}},
};

#define SYN_ROWS (sizeof(syn_rows) / sizeof(syn_rows[0]))

/* All that lies within `len`, jumping from option to option. */
static struct syn_options read_again(const __u8 *octets, size_t len)
{
	struct syn_options found = {0};
	size_t at = 0, n;

	for (; at < len && octets[at] != 0; at += n) {
		const __u8 *option = octets + at;

		n = option[0] == 1 ? 1 : at + 1 < len ? option[1] : 0;
		if (n < (option[0] == 1 ? 1 : 2) || at + n > len)
			break;
		if (option[0] == 2 && n == 4)
			found.mss = (__u16)(256 * option[2] + option[3]);
		else if (option[0] == 3 && n == 3)
			found.has_wscale = 1, found.wscale = option[2] > 14 ? 14 : option[2];
		else if (option[0] == 4 && n == 2)
			found.has_sack = 1;
		else if (option[0] == 8 && n == 10)
			found.has_timestamps = 1, memcpy(found.tsval, option + 2, 4);
		else if (option[0] == 19 || option[0] == 29)
			found.is_signed = 1;
	}
	return found;
}

/* `len` octets, and as many more as the caller owes, flush to the guard page. */
static struct syn_options read_flush(const __u8 *octets, size_t len, __u8 behind)
{
	__u8 buffer[TCP_OPTIONS_MAX + TCP_OPTION_TIMESTAMPS_LEN];
	struct syn_options found = {0};

	memset(buffer, behind, sizeof(buffer));
	memcpy(buffer, octets, len);
	tcp_options_read_syn(guard_copy(buffer, len + TCP_OPTION_TIMESTAMPS_LEN), (__u32)len,
			     &found);
	return found;
}

static void expect_options(const char *name, size_t len, const struct syn_options *found,
			   const struct syn_options *expected)
{
	cr_expect_eq(found->mss, expected->mss, "%s, %zu octets: MSS %u", name, len, found->mss);
	cr_expect_eq(found->has_wscale, expected->has_wscale, "%s, %zu octets: scale", name, len);
	cr_expect_eq(found->wscale, expected->wscale, "%s, %zu octets: scale %u", name, len,
		     found->wscale);
	cr_expect_eq(found->has_sack, expected->has_sack, "%s, %zu octets: SACK", name, len);
	cr_expect_eq(found->has_timestamps, expected->has_timestamps, "%s, %zu octets: TS", name,
		     len);
	cr_expect_eq(found->is_signed, expected->is_signed, "%s, %zu octets: signed", name, len);
	cr_expect_arr_eq(found->tsval, expected->tsval, 4, "%s, %zu octets: tsval", name, len);
}

Test(tcp_options, every_syn)
{
	size_t i;

	for (i = 0; i < SYN_ROWS; i++) {
		const struct syn_row *row = &syn_rows[i];
		struct syn_options found = read_flush((const __u8 *)row->octets, row->len, 0xff);

		expect_options(row->name, row->len, &found, &row->expected);
	}
}

/* Cut anywhere: what lies behind the end is not read, whatever it is. */
Test(tcp_options, every_syn_at_every_truncation)
{
	static const __u8 behind[] = {0x00, 0x01, 0x02, 0x04, 0x0a, 0xff};
	size_t i, j, len;

	for (i = 0; i < SYN_ROWS; i++)
		for (len = 0; len <= syn_rows[i].len; len++)
			for (j = 0; j < sizeof(behind); j++) {
				const __u8 *octets = (const __u8 *)syn_rows[i].octets;
				struct syn_options found = read_flush(octets, len, behind[j]);
				struct syn_options expected = read_again(octets, len);

				expect_options(syn_rows[i].name, len, &found, &expected);
			}
}

/* Any octet of the common SYN, any value: as the second reader has it, and no crash. */
Test(tcp_options, a_syn_with_any_octet_bent)
{
	__u8 octets[20];
	size_t at;
	int to;

	for (at = 0; at < sizeof(octets); at++)
		for (to = 0; to < 256; to++) {
			struct syn_options found, expected;

			memcpy(octets, MSS SACK_PERMITTED TS NOP WSCALE, sizeof(octets));
			octets[at] = (__u8)to;
			found = read_flush(octets, sizeof(octets), 0xff);
			expected = read_again(octets, sizeof(octets));
			expect_options("bent", at, &found, &expected);
		}
}
