/* SPDX-License-Identifier: GPL-2.0-only */
/* Formats the one sentence of a failure; prints nothing. */
#include "failure.h"

#include <stdarg.h>
#include <stdio.h>

int failure_set(struct failure *failure, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(failure->text, sizeof(failure->text), format, args);
	va_end(args);
	return -err;
}
