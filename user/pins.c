/* SPDX-License-Identifier: GPL-2.0-only */
/* Directories, locks and names on bpffs. What the pinned maps mean is store.c's business. */
#include "pins.h"

#include <bpf/bpf.h>
#include <edge426/abi.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "layout.h"

void pins_path(const char *dir, const char *name, char path[PINS_PATH_LEN])
{
	snprintf(path, PINS_PATH_LEN, "%s/%s", dir, name);
}

/* Cuts the last component off; "/" for what has none left. */
static void cut_path(char *path)
{
	char *slash = strrchr(path, '/');

	if (!slash)
		strcpy(path, ".");
	else
		slash[slash == path ? 1 : 0] = '\0';
}

static const char *path_hint(int err)
{
	return err == EPERM ? " (root is needed; bpffs allows no dot in a name)" : "";
}

int pins_check_bpffs(const char *dir, struct failure *failure)
{
	char path[PINS_DIR_LEN];
	struct statfs fs;

	snprintf(path, sizeof(path), "%s", dir);
	while (statfs(path, &fs)) {
		int err = errno;

		if (err != ENOENT || !strcmp(path, "/") || !strcmp(path, "."))
			return failure_set(failure, err, "Can't look at '%s': %s%s", path,
					   strerror(err), path_hint(err));
		cut_path(path);
	}
	if ((unsigned long)fs.f_type == BPF_FS_MAGIC)
		return 0;
	return failure_set(failure, ENODEV,
			   "Can't pin in '%s': '%s' is not a bpffs; "
			   "mount one: mount -t bpf bpf /sys/fs/bpf",
			   dir, path);
}

static int make_directories(const char *dir)
{
	char path[PINS_DIR_LEN];

	snprintf(path, sizeof(path), "%s", dir);
	for (char *p = path + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(path, 0700) && errno != EEXIST)
			return -errno;
		*p = '/';
	}
	return mkdir(path, 0700) && errno != EEXIST ? -errno : 0;
}

static bool same_directory(int fd, const char *dir)
{
	struct stat opened, named;

	return !fstat(fd, &opened) && !stat(dir, &named) && opened.st_ino == named.st_ino &&
	       opened.st_dev == named.st_dev;
}

/* One try: -EAGAIN when the directory went away while we waited. */
static int lock_once(const char *dir, bool create)
{
	int err = create ? make_directories(dir) : 0;
	int fd;

	if (err)
		return err;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT && create ? -EAGAIN : -errno;
	if (!flock(fd, LOCK_EX) && same_directory(fd, dir))
		return fd;
	close(fd);
	return -EAGAIN;
}

int pins_lock(const char *dir, bool create, struct failure *failure)
{
	int fd;

	do
		fd = lock_once(dir, create);
	while (fd == -EAGAIN);
	if (fd == -ENOENT)
		return failure_set(failure, ENOENT, "Can't open '%s': nothing is pinned there",
				   dir);
	if (fd < 0)
		return failure_set(failure, -fd, "Can't lock '%s': %s%s", dir, strerror(-fd),
				   path_hint(-fd));
	return fd;
}

static void remove_pin(const char *dir, const char *name)
{
	char path[PINS_PATH_LEN];

	pins_path(dir, name, path);
	unlink(path);
}

void pins_clear(const char *dir)
{
	for (int map = 0; map < LAYOUT_MAPS; map++)
		remove_pin(dir, layout_name(map));
	remove_pin(dir, EDGE426_PROG_XDP);
	remove_pin(dir, EDGE426_PROG_TC);
}

/* And the directories above, as far as nothing else is in them; a mount point stays. */
static void remove_empty(const char *dir)
{
	char path[PINS_DIR_LEN];

	snprintf(path, sizeof(path), "%s", dir);
	while (!rmdir(path))
		cut_path(path);
}

void pins_remove(const char *dir)
{
	pins_clear(dir);
	pins_unmark(dir, PINS_RESPONDER);
	pins_unmark(dir, PINS_CLSACT);
	remove_empty(dir);
}

bool pins_hold_maps(const char *dir)
{
	return pins_marked(dir, layout_name(LAYOUT_STATE));
}

bool pins_marked(const char *dir, const char *mark)
{
	char path[PINS_PATH_LEN];

	pins_path(dir, mark, path);
	return !access(path, F_OK);
}

int pins_mark(const char *dir, const char *mark)
{
	char path[PINS_PATH_LEN];

	pins_path(dir, mark, path);
	return mkdir(path, 0700) && errno != EEXIST ? -errno : 0;
}

void pins_unmark(const char *dir, const char *mark)
{
	char path[PINS_PATH_LEN];

	pins_path(dir, mark, path);
	rmdir(path);
}

__u32 pins_program_id(const char *dir, const char *name)
{
	struct bpf_prog_info info = {0};
	__u32 len = sizeof(info);
	char path[PINS_PATH_LEN];
	int fd;

	pins_path(dir, name, path);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return 0;
	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		info.id = 0;
	close(fd);
	return info.id;
}

void pins_remove_program(const char *dir, const char *name)
{
	remove_pin(dir, name);
}

int pins_replace_program(const char *dir, const char *name, int prog_fd)
{
	char path[PINS_PATH_LEN];

	pins_path(dir, name, path);
	if (unlink(path) && errno != ENOENT)
		return -errno;
	return bpf_obj_pin(prog_fd, path) ? -errno : 0;
}

static int open_responder(const char *dir)
{
	char path[PINS_PATH_LEN];
	int fd;

	pins_path(dir, PINS_RESPONDER, path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Others may be looking at the lock right now, which takes it for a moment. */
static int lock_patiently(int fd)
{
	for (int tries = 0; tries < 20; tries++) {
		if (!flock(fd, LOCK_EX | LOCK_NB))
			return 0;
		if (errno != EWOULDBLOCK)
			return -errno;
		usleep(10 * 1000);
	}
	return -EBUSY;
}

int pins_claim_responder(const char *dir)
{
	int err = pins_mark(dir, PINS_RESPONDER);
	int fd = err ? err : open_responder(dir);

	if (fd < 0)
		return fd;
	err = lock_patiently(fd);
	if (!err)
		return fd;
	close(fd);
	return err;
}

bool pins_has_responder(const char *dir)
{
	int fd = open_responder(dir);
	bool held;

	if (fd < 0)
		return false;
	held = flock(fd, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;
	close(fd);
	return held;
}

bool pins_is_responder(const char *dir, int claimed)
{
	char path[PINS_PATH_LEN];

	pins_path(dir, PINS_RESPONDER, path);
	return same_directory(claimed, path);
}
