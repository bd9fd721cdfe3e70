/* SPDX-License-Identifier: GPL-2.0-only */
/* The timestamps among TCP options, every row at every truncation against a guard page. */
#include <criterion/criterion.h>

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
