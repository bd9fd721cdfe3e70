/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Opens and maps the pinned maps; reads counters and state. Writing policy is
 * publish.c's, which half of it counts is halves.c's.
 */
#include "store.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int map_memory(struct store *store, enum layout_map map)
{
	size_t len = layout_memory(map);
	void *memory;

	if (!len)
		return 0;
	memory = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, store->fd[map], 0);
	if (memory == MAP_FAILED)
		return -errno;
	store->memory[map] = memory;
	return 0;
}

static int open_map(struct store *store, enum layout_map map)
{
	char path[PINS_PATH_LEN];
	int err;

	pins_path(store->dir, layout_name(map), path);
	store->fd[map] = bpf_obj_get(path);
	if (store->fd[map] < 0)
		return -errno;
	err = layout_check(map, store->fd[map]);
	return err ? err : map_memory(store, map);
}

static void name_memory(struct store *store)
{
	store->state = store->memory[LAYOUT_STATE];
	store->ports = store->memory[LAYOUT_PORTS];
	store->services = store->memory[LAYOUT_SERVICES];
	store->answers = store->memory[LAYOUT_ANSWERS];
	store->policy_text = store->memory[LAYOUT_POLICY_TEXT];
	store->workers = store->memory[LAYOUT_WORKERS];
	store->loads = store->memory[LAYOUT_LOADS];
	store->edge = store->memory[LAYOUT_EDGE];
	store->allow_lengths = store->memory[LAYOUT_ALLOW_LENGTHS];
}

/* Some maps without the others are as little ours as maps of another size. */
static int open_maps(struct store *store)
{
	for (int map = 0; map < LAYOUT_MAPS; map++) {
		int err = open_map(store, map);

		if (err)
			return err == -ENOENT && map ? -EPROTO : err;
	}
	name_memory(store);
	return store->state->abi_version && store->state->abi_version != EDGE426_ABI_VERSION
		       ? -EPROTO
		       : 0;
}

static int tell_open(const char *dir, int err, struct failure *failure)
{
	if (err == ENOENT)
		return failure_set(failure, err, "Can't open '%s': nothing is pinned there", dir);
	if (err == EPROTO)
		return failure_set(failure, err,
				   "Can't use the maps in '%s': they are incomplete or of another "
				   "version of edge426; attach or run makes them anew",
				   dir);
	if (err == EPERM || err == EACCES)
		return failure_set(failure, err, "Can't open '%s': %s; root or CAP_BPF is needed",
				   dir, strerror(err));
	return failure_set(failure, err, "Can't open the maps in '%s': %s", dir, strerror(err));
}

int store_open(const char *dir, struct store *store, struct failure *failure)
{
	struct store opened = {0};
	int err;

	for (int map = 0; map < LAYOUT_MAPS; map++)
		opened.fd[map] = -1;
	if (snprintf(opened.dir, sizeof(opened.dir), "%s", dir) >= (int)sizeof(opened.dir))
		return failure_set(failure, ENAMETOOLONG, "Can't open '%s': name too long", dir);
	err = open_maps(&opened);
	if (err) {
		store_close(&opened);
		return tell_open(dir, -err, failure);
	}
	*store = opened;
	return 0;
}

/* A zeroed store has no directory, and its zeros are no descriptors. */
void store_close(struct store *store)
{
	if (!store->dir[0])
		return;
	for (int map = 0; map < LAYOUT_MAPS; map++) {
		if (store->memory[map])
			munmap(store->memory[map], layout_memory(map));
		if (store->fd[map] >= 0 && !store->adopted)
			close(store->fd[map]);
	}
	*store = (struct store){0};
}

int store_adopt(const int fd[LAYOUT_MAPS], struct store *store, struct failure *failure)
{
	struct store adopted = {.dir = "maps without pins", .adopted = true};
	int err = 0;

	memcpy(adopted.fd, fd, sizeof(adopted.fd));
	for (int map = 0; map < LAYOUT_MAPS && !err; map++) {
		err = layout_check(map, fd[map]);
		if (!err)
			err = map_memory(&adopted, map);
	}
	if (err) {
		store_close(&adopted);
		return failure_set(failure, -err, "Can't use maps of a program of our own: %s",
				   strerror(-err));
	}
	name_memory(&adopted);
	*store = adopted;
	return 0;
}

int store_lock(const struct store *store, struct failure *failure)
{
	return pins_lock(store->dir, false, failure);
}

int store_read_reasons(const struct store *store, __u64 count[EDGE426_REASON_COUNT],
		       struct failure *failure)
{
	int cpus = libbpf_num_possible_cpus();
	__u64 *values = cpus > 0 ? calloc((size_t)cpus, sizeof(*values)) : NULL;
	int err = 0;

	if (!values)
		return failure_set(failure, cpus < 0 ? -cpus : ENOMEM,
				   "Can't read the counters in '%s': %s", store->dir,
				   strerror(cpus < 0 ? -cpus : ENOMEM));
	for (__u32 reason = 0; reason < EDGE426_REASON_COUNT && !err; reason++) {
		if (bpf_map_lookup_elem(store->fd[LAYOUT_REASONS], &reason, values))
			err = failure_set(failure, errno, "Can't read the counters in '%s': %s",
					  store->dir, strerror(errno));
		count[reason] = 0;
		for (int cpu = 0; cpu < cpus && !err; cpu++)
			count[reason] += values[cpu];
	}
	free(values);
	return err;
}

void store_read_workers(const struct store *store, __u64 count[EDGE426_WORKER_COUNT])
{
	memset(count, 0, EDGE426_WORKER_COUNT * sizeof(*count));
	for (int queue = 0; queue < EDGE426_QUEUES_MAX; queue++)
		for (int reason = 0; reason < EDGE426_WORKER_COUNT; reason++)
			count[reason] += __atomic_load_n(&store->workers[queue].count[reason],
							 __ATOMIC_RELAXED);
}

/* `queues` is zeroed before a responder takes its lock and set when it serves. */
bool store_is_served(const struct store *store)
{
	return pins_has_responder(store->dir) &&
	       __atomic_load_n(&store->state->queues, __ATOMIC_ACQUIRE) > 0;
}
