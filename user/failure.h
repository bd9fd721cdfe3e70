/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a library file tells what went wrong: it returns -errno and leaves one
 * sentence for the verb to print. Nothing here prints.
 */
#ifndef EDGE426_FAILURE_H
#define EDGE426_FAILURE_H

struct failure {
	char text[512]; /* "Can't do X on 'Y': reason; likely cause", without a newline */
};

/* Formats the sentence and returns -err (err > 0), so that `return failure_set(...)` reads well. */
int failure_set(struct failure *failure, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
