/* SPDX-License-Identifier: GPL-2.0-only */
/* Whole files to memory. */
#ifndef EDGE426_FILE_H
#define EDGE426_FILE_H

#include <stddef.h>

/*
 * All octets of a regular file, without ever waiting for one; free() them.
 * -EBADFD when it is another kind of file, -EFBIG when it has more than `max`
 * octets, -ENOMEM, else what open, fstat or read said.
 */
int file_read(const char *path, size_t max, char **text, size_t *len);

/* The same from a descriptor of any kind, to its end. */
int file_read_fd(int fd, size_t max, char **text, size_t *len);

#endif
