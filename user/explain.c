/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Loads the program with `explaining` set and runs it by BPF_PROG_TEST_RUN.
 * Which reason it had is what its own counters say.
 */
#include "explain.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <stdlib.h>
#include <string.h>

#include "../bpf/source.h"
#include "edge.h"
#include "edge_xdp.skel.h"
#include "netdev.h"

#define FRAME_MAX 69632 /* octets: what a test run of the kernel takes is a little more */
#define OUT_LEN (FRAME_MAX + 256)
#define MTU_USUAL 1500

/* A running edge426 that was never served has no secrets: the copy needs some. */
static bool is_shared(int map, const struct store *running)
{
	if (map < 0 || !layout_of_policy((enum layout_map)map))
		return false;
	return map != LAYOUT_EDGE || running->edge->seed;
}

static int share_maps(struct bpf_object *object, const struct store *running)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, object)
	{
		int row = layout_find(bpf_map__name(map));
		int err = is_shared(row, running) ? bpf_map__reuse_fd(map, running->fd[row]) : 0;

		if (err)
			return err;
	}
	return 0;
}

static int load(struct explain *explain, const struct store *running)
{
	int err;

	explain->xdp = edge_xdp__open();
	if (!explain->xdp)
		return -errno;
	explain->xdp->rodata->explaining = 1;
	err = running ? share_maps(explain->xdp->obj, running) : 0;
	return err ? err : edge_xdp__load(explain->xdp);
}

static int adopt_maps(struct explain *explain, struct failure *failure)
{
	int fd[LAYOUT_MAPS];

	for (int map = 0; map < LAYOUT_MAPS; map++)
		fd[map] = bpf_object__find_map_fd_by_name(explain->xdp->obj,
							  layout_name((enum layout_map)map));
	return store_adopt(fd, &explain->store, failure);
}

static int allocate(struct explain *explain)
{
	explain->cpus = libbpf_num_possible_cpus();
	if (explain->cpus < 0)
		return explain->cpus;
	explain->values = calloc((size_t)explain->cpus * EDGE426_REASON_COUNT, sizeof(__u64));
	explain->out = malloc(OUT_LEN);
	return explain->values && explain->out ? 0 : -ENOMEM;
}

/* The host as a responder would tell it to the program. */
static int start_edge(struct explain *explain, const char *interface, struct failure *failure)
{
	struct edge426_edge *settings = explain->store.edge;
	struct edge edge;
	int err = edge_start(&edge, settings, interface ? interface : "", failure);

	if (!err && !settings->mtu)
		settings->mtu = MTU_USUAL;
	return err;
}

/* The name of the interface that runs; NULL when it is not here. */
static const char *name_interface(const struct store *running, char name[IF_NAMESIZE])
{
	const struct edge426_state *state = running->state;

	if (state->netns != netdev_namespace())
		return NULL;
	return netdev_name((int)state->ifindex, name) ? name : NULL;
}

/* What is not the policy's, but decides: who answers SYNs under `auto`, the secrets. */
static int follow(struct explain *explain, const struct store *running, struct failure *failure)
{
	char name[IF_NAMESIZE];

	memcpy(explain->store.loads, running->loads, layout_memory(LAYOUT_LOADS));
	if (running->edge->seed)
		return 0;
	return start_edge(explain, name_interface(running, name), failure);
}

int explain_open(struct explain *explain, const struct store *running, struct failure *failure)
{
	struct explain opened = {0};
	int err = load(&opened, running);

	if (!err)
		err = allocate(&opened);
	if (err)
		err = failure_set(failure, -err,
				  "Can't load a copy of program %s: %s; --verbose shows what the "
				  "kernel says",
				  EDGE426_PROG_XDP, strerror(-err));
	if (!err)
		err = adopt_maps(&opened, failure);
	if (!err && running)
		err = follow(&opened, running, failure);
	if (err)
		explain_close(&opened);
	else
		*explain = opened;
	return err;
}

int explain_publish(struct explain *explain, const struct policy *policy, const char *interface,
		    struct failure *failure)
{
	const struct publish_options options = {.interface = interface};
	int err = start_edge(explain, interface, failure);

	return err ? err : store_publish_policy(&explain->store, policy, &options, failure);
}

void explain_copy_source(struct explain *explain, const struct store *running,
			 const struct segment *segment)
{
	struct edge426_source_key key;
	__u64 next;

	source_read(segment, &key);
	if (!bpf_map_lookup_elem(running->fd[LAYOUT_SOURCES], &key, &next))
		bpf_map_update_elem(explain->store.fd[LAYOUT_SOURCES], &key, &next, BPF_ANY);
}

static int tell_run(int err, struct failure *failure)
{
	return failure_set(failure, err, "Can't run a copy of program %s: %s", EDGE426_PROG_XDP,
			   strerror(err));
}

/* All counters in one system call: one by one they cost more than the program. */
static int read_counters(struct explain *explain, __u64 count[EDGE426_REASON_COUNT])
{
	__u32 keys[EDGE426_REASON_COUNT], len = EDGE426_REASON_COUNT, next;
	int fd = explain->store.fd[LAYOUT_REASONS];

	if (bpf_map_lookup_batch(fd, NULL, &next, keys, explain->values, &len, NULL) &&
	    errno != ENOENT)
		return -errno;
	if (len != EDGE426_REASON_COUNT)
		return -EPROTO;
	memset(count, 0, EDGE426_REASON_COUNT * sizeof(*count));
	for (__u32 i = 0; i < len; i++)
		for (int cpu = 0; cpu < explain->cpus; cpu++)
			count[keys[i]] += explain->values[i * (__u32)explain->cpus + (__u32)cpu];
	return 0;
}

/* The one reason that was counted since the last time. */
static int find_reason(struct explain *explain, enum edge426_reason *reason)
{
	__u64 count[EDGE426_REASON_COUNT], steps = 0;
	int err = read_counters(explain, count);

	if (err)
		return err;
	for (int i = 0; i < EDGE426_REASON_COUNT; i++) {
		if (count[i] != explain->count[i])
			*reason = (enum edge426_reason)i;
		steps += count[i] - explain->count[i];
	}
	memcpy(explain->count, count, sizeof(count));
	return steps == 1 ? 0 : -EPROTO;
}

/* The kernel hands back the metadata, if there is any, and then the frame. */
static void read_message(const __u8 *out, size_t meta_len, struct explain_outcome *outcome)
{
	struct edge426_tc_metadata for_tc;
	struct edge426_verdict verdict = {0};

	if (meta_len == sizeof(verdict))
		memcpy(&verdict, out, sizeof(verdict));
	if (meta_len == sizeof(for_tc)) {
		memcpy(&for_tc, out, sizeof(for_tc));
		verdict = for_tc.verdict;
	}
	outcome->kind = verdict.kind;
}

static int run_once(struct explain *explain, const __u8 *frame, size_t len,
		    struct explain_outcome *outcome)
{
	struct xdp_md in = {.data_end = (__u32)len}, after = {0};
	LIBBPF_OPTS(bpf_test_run_opts, run);
	size_t meta_len;

	run.data_in = frame;
	run.data_size_in = (__u32)len;
	run.data_out = explain->out;
	run.data_size_out = OUT_LEN;
	run.ctx_in = &in;
	run.ctx_size_in = sizeof(in);
	run.ctx_out = &after;
	run.ctx_size_out = sizeof(after);
	run.repeat = 1;
	if (bpf_prog_test_run_opts(bpf_program__fd(explain->xdp->progs.edge426_xdp), &run))
		return -errno;
	meta_len = after.data - after.data_meta;
	read_message(explain->out, meta_len, outcome);
	outcome->passes = run.retval == XDP_PASS && !outcome->kind;
	outcome->sent_back = run.retval == XDP_TX;
	outcome->frame = explain->out + meta_len;
	outcome->len = run.data_size_out - meta_len;
	return 0;
}

int explain_run(struct explain *explain, const __u8 *frame, size_t len, __u32 proof,
		struct explain_outcome *outcome, struct failure *failure)
{
	struct edge426_explain entry = {.proof = proof};
	int fd = explain->store.fd[LAYOUT_EXPLAIN], err;
	__u32 zero = 0;

	*outcome = (struct explain_outcome){0};
	if (len < ETH_HLEN || len > FRAME_MAX)
		return tell_run(EMSGSIZE, failure);
	if (bpf_map_update_elem(fd, &zero, &entry, BPF_ANY))
		return tell_run(errno, failure);
	err = run_once(explain, frame, len, outcome);
	if (!err)
		err = find_reason(explain, &outcome->reason);
	if (!err && bpf_map_lookup_elem(fd, &zero, &entry))
		err = -errno;
	if (err)
		return tell_run(-err, failure);
	outcome->service = entry.service;
	outcome->class = entry.class;
	outcome->monitored = entry.monitored;
	return 0;
}

void explain_close(struct explain *explain)
{
	store_close(&explain->store);
	edge_xdp__destroy(explain->xdp);
	free(explain->values);
	free(explain->out);
	*explain = (struct explain){0};
}
