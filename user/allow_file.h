/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files of allow entries: a line for each, "PREFIX" or "PREFIX UNTIL"; the rest
 * of a line from '#' on, and empty lines, do not count. LF or CRLF ends a line,
 * the last one needs no end.
 */
#ifndef EDGE426_ALLOW_FILE_H
#define EDGE426_ALLOW_FILE_H

#include <stddef.h>

#include "failure.h"
#include "policy.h"

#define ALLOW_FILE_LINE_MAX 255 /* octets of a line without its end */

/* Entries in the order in which they were added; the owner frees `entries`. */
struct allow_list {
	struct allow *entries;
	size_t len;
};

/* -ENOSPC for more than EDGE426_ALLOW_MAX, -ENOMEM. */
int allow_list_add(struct allow_list *list, const struct allow *entry);

/*
 * Adds the entries of a text (need not end in NUL). -EINVAL with a message
 * "NAME:LINE:COLUMN: what is wrong, what is allowed" when it is not valid or
 * has too many; the list then has the entries before. -ENOMEM.
 */
int allow_file_parse(const char *name, const char *text, size_t len, struct allow_list *list,
		     struct failure *failure);

/*
 * The same for a regular file of up to POLICY_ALLOW_FILE_MAX octets. When it
 * can't be read, -errno (-EBADFD: no regular file, -EFBIG) and "file 'PATH'
 * can't be read: reason".
 */
int allow_file_read(const char *path, struct allow_list *list, struct failure *failure);

#endif
