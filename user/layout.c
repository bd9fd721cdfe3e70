/* SPDX-License-Identifier: GPL-2.0-only */
/* The table of maps, the comparison with it, and inner maps made by it. */
#include "layout.h"

#include <bpf/bpf.h>
#include <edge426/abi.h>
#include <edge426/reasons.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

struct layout_row {
	const char *name;
	__u32 type;
	__u32 key_size;
	__u32 value_size;
	__u32 max_entries;
	__u32 flags;
	bool of_program;
	bool of_policy;
};

/* Who needs a map: everybody else, the packet programs, a policy that runs. */
#define OF_NOBODY false, false
#define OF_PROGRAM true, false
#define OF_POLICY true, true

#define ROW_ARRAY(name_, value_, entries_, of_)                                                    \
	{                                                                                          \
		name_, BPF_MAP_TYPE_ARRAY, 4, sizeof(value_), entries_, BPF_F_MMAPABLE, of_        \
	}

/* One map for each half, see the inner rows. */
#define ROW_OF_MAPS(name_)                                                                         \
	{                                                                                          \
		name_, BPF_MAP_TYPE_ARRAY_OF_MAPS, 4, 4, 2, 0, OF_POLICY                           \
	}

static const struct layout_row rows[LAYOUT_MAPS] = {
	[LAYOUT_STATE] = ROW_ARRAY(EDGE426_MAP_STATE, struct edge426_state, 1, OF_POLICY),
	[LAYOUT_PORTS] =
		ROW_ARRAY(EDGE426_MAP_PORTS, struct edge426_port, 2 * EDGE426_PORTS, OF_POLICY),
	[LAYOUT_SERVICES] = ROW_ARRAY(EDGE426_MAP_SERVICES, struct edge426_service,
				      2 * EDGE426_SERVICE_SLOTS, OF_POLICY),
	[LAYOUT_ADDRESSES] = ROW_OF_MAPS(EDGE426_MAP_ADDRESSES),
	[LAYOUT_ALLOW] = ROW_OF_MAPS(EDGE426_MAP_ALLOW),
	[LAYOUT_ALLOW_EXACT] = ROW_OF_MAPS(EDGE426_MAP_ALLOW_EXACT),
	[LAYOUT_ALLOW_LENGTHS] =
		ROW_ARRAY(EDGE426_MAP_ALLOW_LENGTHS, struct edge426_allow_lengths, 4, OF_POLICY),
	[LAYOUT_PATHS] = ROW_OF_MAPS(EDGE426_MAP_PATHS),
	[LAYOUT_HOSTS] = ROW_OF_MAPS(EDGE426_MAP_HOSTS),
	[LAYOUT_ANSWERS] = ROW_ARRAY(EDGE426_MAP_ANSWERS, struct edge426_answer, 2, OF_NOBODY),
	[LAYOUT_POLICY_TEXT] =
		ROW_ARRAY(EDGE426_MAP_POLICY_TEXT, struct edge426_policy_text, 2, OF_NOBODY),
	[LAYOUT_FLOWS] = {EDGE426_MAP_FLOWS, BPF_MAP_TYPE_LRU_HASH, sizeof(struct edge426_flow_key),
			  sizeof(struct edge426_flow), EDGE426_FLOWS_MAX, 0, OF_PROGRAM},
	[LAYOUT_XSKS] = {EDGE426_MAP_XSKS, BPF_MAP_TYPE_XSKMAP, 4, 4, EDGE426_QUEUES_MAX, 0,
			 OF_PROGRAM},
	[LAYOUT_REASONS] = {EDGE426_MAP_REASONS, BPF_MAP_TYPE_PERCPU_ARRAY, 4, sizeof(__u64),
			    EDGE426_REASON_COUNT, 0, OF_PROGRAM},
	[LAYOUT_WORKERS] = ROW_ARRAY(EDGE426_MAP_WORKERS, struct edge426_worker, EDGE426_QUEUES_MAX,
				     OF_NOBODY),
	[LAYOUT_LOADS] = ROW_ARRAY(EDGE426_MAP_LOADS, struct edge426_load,
				   2 * EDGE426_SERVICE_SLOTS, OF_PROGRAM),
	[LAYOUT_EDGE] = ROW_ARRAY(EDGE426_MAP_EDGE, struct edge426_edge, 1, OF_POLICY),
	[LAYOUT_OWNED] = {EDGE426_MAP_OWNED, BPF_MAP_TYPE_ARRAY, 4, sizeof(struct edge426_owned), 1,
			  0, OF_PROGRAM},
	[LAYOUT_SOURCES] = {EDGE426_MAP_SOURCES, BPF_MAP_TYPE_LRU_HASH,
			    sizeof(struct edge426_source_key), sizeof(__u64), EDGE426_SOURCES_MAX,
			    0, OF_PROGRAM},
	[LAYOUT_PLACES] = {EDGE426_MAP_PLACES, BPF_MAP_TYPE_PERCPU_ARRAY, 4,
			   sizeof(struct edge426_place), EDGE426_PLACES_MAX, 0, OF_PROGRAM},
	[LAYOUT_SCRATCH] = {EDGE426_MAP_SCRATCH, BPF_MAP_TYPE_PERCPU_ARRAY, 4,
			    sizeof(struct edge426_scratch), 1, 0, OF_PROGRAM},
	[LAYOUT_EXPLAIN] = {EDGE426_MAP_EXPLAIN, BPF_MAP_TYPE_ARRAY, 4,
			    sizeof(struct edge426_explain), 1, 0, OF_NOBODY},
};

#define ROW_INNER(type_, key_, value_)                                                             \
	{                                                                                          \
		.type = type_, .key_size = sizeof(key_), .value_size = sizeof(value_),             \
		.flags = BPF_F_NO_PREALLOC                                                         \
	}

/* As the templates in bpf/maps.bpf.h: the kernel compares all of it but the number of entries. */
static const struct layout_row inner_rows[LAYOUT_MAPS] = {
	[LAYOUT_ADDRESSES] = ROW_INNER(BPF_MAP_TYPE_LPM_TRIE, struct edge426_address_key, __u32),
	[LAYOUT_ALLOW] =
		ROW_INNER(BPF_MAP_TYPE_LPM_TRIE, struct edge426_allow_key, struct edge426_allow),
	[LAYOUT_ALLOW_EXACT] =
		ROW_INNER(BPF_MAP_TYPE_HASH, struct edge426_allow_key, struct edge426_allow),
	[LAYOUT_PATHS] = ROW_INNER(BPF_MAP_TYPE_LPM_TRIE, struct edge426_path_key, __u32),
	[LAYOUT_HOSTS] = ROW_INNER(BPF_MAP_TYPE_HASH, struct edge426_host_key, __u32),
};

const char *layout_name(enum layout_map map)
{
	return rows[map].name;
}

int layout_find(const char *name)
{
	for (int map = 0; map < LAYOUT_MAPS; map++)
		if (!strcmp(rows[map].name, name))
			return map;
	return -1;
}

int layout_check(enum layout_map map, int fd)
{
	const struct layout_row *row = &rows[map];
	struct bpf_map_info info = {0};
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	if (info.type != row->type || info.key_size != row->key_size ||
	    info.value_size != row->value_size || info.max_entries != row->max_entries ||
	    (info.map_flags & row->flags) != row->flags)
		return -EPROTO;
	return 0;
}

int layout_create_inner(enum layout_map map, __u32 entries)
{
	const struct layout_row *row = &inner_rows[map];
	struct bpf_map_create_opts options = {.sz = sizeof(options), .map_flags = row->flags};
	int fd = bpf_map_create(row->type, rows[map].name, row->key_size, row->value_size, entries,
				&options);

	return fd < 0 ? -errno : fd;
}

size_t layout_memory(enum layout_map map)
{
	const struct layout_row *row = &rows[map];
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t stride = (row->value_size + 7) / 8 * 8; /* the kernel's, include/linux/bpf.h */

	if (!(row->flags & BPF_F_MMAPABLE))
		return 0;
	return (stride * row->max_entries + page - 1) / page * page;
}

bool layout_of_program(enum layout_map map)
{
	return rows[map].of_program;
}

bool layout_of_policy(enum layout_map map)
{
	return rows[map].of_policy;
}
