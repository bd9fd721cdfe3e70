/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whole maps in few system calls: 100,000 prefixes one by one take three times
 * as long to write and ten times as long to read.
 */
#include "inner.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* Without a look first, an empty place would cost the kernel a grace period, too. */
static int take_away(int fd, __u32 half)
{
	__u32 id;

	if (bpf_map_lookup_elem(fd, &half, &id))
		return errno == ENOENT ? 0 : -errno;
	return bpf_map_delete_elem(fd, &half) ? -errno : 0;
}

static int fill(int inner, const struct list *list)
{
	LIBBPF_OPTS(bpf_map_batch_opts, options);
	__u32 count = (__u32)list->len;

	return bpf_map_update_batch(inner, list->keys, list->values, &count, &options) ? -errno : 0;
}

int inner_write(enum layout_map map, int fd, __u32 half, const struct list *list)
{
	int inner, err;

	if (!list->len)
		return take_away(fd, half);
	inner = layout_create_inner(map, (__u32)list->len);
	if (inner < 0)
		return inner;
	err = fill(inner, list);
	if (!err && bpf_map_update_elem(fd, &half, &inner, BPF_ANY))
		err = -errno;
	close(inner);
	return err;
}

/* A descriptor of the map in the place; -ENOENT when it is empty. */
static int open_inner(int fd, __u32 half)
{
	__u32 id;
	int inner;

	if (bpf_map_lookup_elem(fd, &half, &id))
		return -errno;
	inner = bpf_map_get_fd_by_id(id);
	return inner < 0 ? -errno : inner;
}

/* Several rounds only if the kernel gives less than it was asked for. */
static int read_all(int inner, const struct bpf_map_info *info, struct list *list)
{
	LIBBPF_OPTS(bpf_map_batch_opts, options);
	char *position = calloc(1, info->key_size);
	int err = position ? 0 : -ENOMEM;

	while (!err && list->len < info->max_entries) {
		__u32 count = info->max_entries - (__u32)list->len;

		if (bpf_map_lookup_batch(inner, list->len ? position : NULL, position,
					 (char *)list->keys + list->len * info->key_size,
					 (char *)list->values + list->len * info->value_size,
					 &count, &options))
			err = -errno;
		if (!err || err == -ENOENT)
			list->len += count;
	}
	free(position);
	return err == -ENOENT ? 0 : err; /* that was the last */
}

static int read_inner(int inner, struct list *list)
{
	struct bpf_map_info info = {0};
	__u32 len = sizeof(info);
	struct list read = {0};
	int err;

	if (bpf_obj_get_info_by_fd(inner, &info, &len))
		return -errno;
	err = list_make(info.max_entries, info.key_size, info.value_size, &read);
	if (!err)
		err = read_all(inner, &info, &read);
	if (err)
		list_free(&read);
	else
		*list = read;
	return err;
}

int inner_read(int fd, __u32 half, struct list *list)
{
	int inner = open_inner(fd, half), err;

	if (inner == -ENOENT) {
		*list = (struct list){0};
		return 0;
	}
	if (inner < 0)
		return inner;
	err = read_inner(inner, list);
	close(inner);
	return err;
}
