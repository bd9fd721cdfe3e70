/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads a file in one piece, up to a size. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Up to `size` octets, over as many reads as it takes. The number, or -errno. */
static ssize_t read_up_to(int fd, char *text, size_t size)
{
	size_t len = 0;
	ssize_t got;

	do {
		got = read(fd, text + len, size - len);
		if (got > 0)
			len += (size_t)got;
	} while (len < size && (got > 0 || (got < 0 && errno == EINTR)));
	return got < 0 ? -errno : (ssize_t)len;
}

/* One octet more than allowed tells that there is too much, even if it never ends. */
int file_read_fd(int fd, size_t max, char **text, size_t *len)
{
	char *made = malloc(max + 1);
	ssize_t got;

	if (!made)
		return -ENOMEM;
	got = read_up_to(fd, made, max + 1);
	if (got < 0 || (size_t)got > max) {
		free(made);
		return got < 0 ? (int)got : -EFBIG;
	}
	*text = made;
	*len = (size_t)got;
	return 0;
}

/* Whoever reads a policy again has clients to serve: no file may make it wait. */
int file_read(const char *path, size_t max, char **text, size_t *len)
{
	struct stat status;
	int fd, err;

	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status))
		err = -errno;
	else if (!S_ISREG(status.st_mode))
		err = -EBADFD;
	else
		err = file_read_fd(fd, max, text, len);
	if (fd >= 0)
		close(fd);
	return err;
}
