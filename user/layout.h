/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The maps of abi.h as one table: name, type, sizes. Tells whether a map that
 * was found pinned is one of ours, and makes the maps that lie in others.
 */
#ifndef EDGE426_LAYOUT_H
#define EDGE426_LAYOUT_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

enum layout_map {
	LAYOUT_STATE,
	LAYOUT_PORTS,
	LAYOUT_SERVICES,
	LAYOUT_ADDRESSES,
	LAYOUT_ANSWERS,
	LAYOUT_POLICY_TEXT,
	LAYOUT_FLOWS,
	LAYOUT_XSKS,
	LAYOUT_REASONS,
	LAYOUT_WORKERS,
	LAYOUT_LOADS,
	LAYOUT_EDGE,
	LAYOUT_OWNED,
	LAYOUT_ALLOW,
	LAYOUT_ALLOW_EXACT,
	LAYOUT_ALLOW_LENGTHS,
	LAYOUT_PATHS,
	LAYOUT_HOSTS,
	LAYOUT_SOURCES,
	LAYOUT_SCRATCH,
	LAYOUT_PLACES,
	LAYOUT_EXPLAIN,
	LAYOUT_MAPS
};

const char *layout_name(enum layout_map map);

/* The map of this name, or -1. */
int layout_find(const char *name);

/* 0 when the open map is what abi.h says, -EPROTO when it is not, -errno. */
int layout_check(enum layout_map map, int fd);

/*
 * A new map to lie in `map`, which is an array of maps, with room for so many
 * entries. A descriptor or -errno.
 */
int layout_create_inner(enum layout_map map, __u32 entries);

/* Octets to mmap; 0 for maps that are not mapped. */
size_t layout_memory(enum layout_map map);

/* The packet program cannot do without it: its program refers to it. */
bool layout_of_program(enum layout_map map);

/* What a copy of the packet program needs to decide under the policy that runs here. */
bool layout_of_policy(enum layout_map map);

#endif
