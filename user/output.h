/* SPDX-License-Identifier: GPL-2.0-only */
/* Standard output: JSON as every verb prints it, and whether all of it got out. */
#ifndef EDGE426_OUTPUT_H
#define EDGE426_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>

#include "failure.h"
#include "policy.h"

/* With a newline; `one_line` for output that repeats. */
void output_json(const json_t *root, bool one_line);

/* An array of the texts. */
json_t *output_strings(const struct strings *strings);

/* Flushes. -errno when it cannot; -EIO when that was at an earlier write, whose reason is gone. */
int output_finish(struct failure *failure);

#endif
