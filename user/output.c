/* SPDX-License-Identifier: GPL-2.0-only */
/* Keys stay in the order in which they were set: output is stable. */
#include "output.h"

#include <stdio.h>

void output_json(const json_t *root, bool one_line)
{
	json_dumpf(root, stdout, one_line ? JSON_COMPACT : JSON_INDENT(2));
	putchar('\n');
	fflush(stdout);
}
