/* SPDX-License-Identifier: GPL-2.0-only */
/* Keys stay in the order in which they were set: output is stable. */
#include "output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void output_json(const json_t *root, bool one_line)
{
	json_dumpf(root, stdout, one_line ? JSON_COMPACT : JSON_INDENT(2));
	putchar('\n');
}

json_t *output_strings(const struct strings *strings)
{
	json_t *array = json_array();

	for (size_t i = 0; i < strings->len; i++)
		json_array_append_new(array, json_string(strings->list[i]));
	return array;
}

int output_finish(struct failure *failure)
{
	bool lost = ferror(stdout);
	int err;

	if (fflush(stdout)) {
		err = errno;
		return failure_set(failure, err, "Can't write to standard output: %s",
				   strerror(err));
	}
	return lost ? failure_set(failure, EIO, "Can't write to standard output: a part is lost")
		    : 0;
}
