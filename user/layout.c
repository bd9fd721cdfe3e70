/* SPDX-License-Identifier: GPL-2.0-only */
/* The table of maps and the comparison with it. */
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
};

#define ROW_ARRAY(name_, value_, entries_, of_program_)                                            \
	{                                                                                          \
		.name = name_, .type = BPF_MAP_TYPE_ARRAY, .key_size = 4,                          \
		.value_size = sizeof(value_), .max_entries = entries_, .flags = BPF_F_MMAPABLE,    \
		.of_program = of_program_                                                          \
	}

static const struct layout_row rows[LAYOUT_MAPS] = {
	[LAYOUT_STATE] = ROW_ARRAY(EDGE426_MAP_STATE, struct edge426_state, 1, true),
	[LAYOUT_PORTS] = ROW_ARRAY(EDGE426_MAP_PORTS, struct edge426_port, 2 * EDGE426_PORTS, true),
	[LAYOUT_SERVICES] = ROW_ARRAY(EDGE426_MAP_SERVICES, struct edge426_service,
				      2 * EDGE426_SERVICES_MAX, true),
	[LAYOUT_ADDRESSES] = {EDGE426_MAP_ADDRESSES, BPF_MAP_TYPE_LPM_TRIE,
			      sizeof(struct edge426_address_key), sizeof(__u32),
			      2 * EDGE426_SERVICES_MAX, BPF_F_NO_PREALLOC, true},
	[LAYOUT_ANSWERS] = ROW_ARRAY(EDGE426_MAP_ANSWERS, struct edge426_answer, 2, false),
	[LAYOUT_POLICY_TEXT] =
		ROW_ARRAY(EDGE426_MAP_POLICY_TEXT, struct edge426_policy_text, 2, false),
	[LAYOUT_FLOWS] = {EDGE426_MAP_FLOWS, BPF_MAP_TYPE_LRU_HASH, sizeof(struct edge426_flow_key),
			  sizeof(struct edge426_flow), EDGE426_FLOWS_MAX, 0, true},
	[LAYOUT_XSKS] = {EDGE426_MAP_XSKS, BPF_MAP_TYPE_XSKMAP, 4, 4, EDGE426_QUEUES_MAX, 0, true},
	[LAYOUT_REASONS] = {EDGE426_MAP_REASONS, BPF_MAP_TYPE_PERCPU_ARRAY, 4, sizeof(__u64),
			    EDGE426_REASON_COUNT, 0, true},
	[LAYOUT_WORKERS] =
		ROW_ARRAY(EDGE426_MAP_WORKERS, struct edge426_worker, EDGE426_QUEUES_MAX, false),
	[LAYOUT_LOADS] =
		ROW_ARRAY(EDGE426_MAP_LOADS, struct edge426_load, 2 * EDGE426_SERVICES_MAX, true),
	[LAYOUT_EDGE] = ROW_ARRAY(EDGE426_MAP_EDGE, struct edge426_edge, 1, true),
	[LAYOUT_OWNED] = {EDGE426_MAP_OWNED, BPF_MAP_TYPE_ARRAY, 4, sizeof(struct edge426_owned), 1,
			  0, true},
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
