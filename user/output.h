/* SPDX-License-Identifier: GPL-2.0-only */
/* JSON on standard output, as every verb prints it. */
#ifndef EDGE426_OUTPUT_H
#define EDGE426_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>

/* With a newline, flushed; `one_line` for output that repeats. */
void output_json(const json_t *root, bool one_line);

#endif
