/* SPDX-License-Identifier: GPL-2.0-only */
/* XDP and TC hooks over netlink. Returns -errno and tells nothing; loader.c makes sentences. */
#include "hook.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <edge426/abi.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Where our filter sits among others at ingress. */
#define TC_HANDLE 1
#define TC_PRIORITY 426

#define MAPS_MAX 64 /* maps of one program that we look at */

const char *hook_mode_name(__u32 mode)
{
	static const char *const names[] = {"offloaded", "native", "generic"};

	return mode < sizeof(names) / sizeof(names[0]) ? names[mode] : "unknown mode";
}

/* Without the right to open programs by id the name stays empty. */
static void read_name(__u32 prog_id, char name[16])
{
	struct bpf_prog_info info = {0};
	__u32 len = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(prog_id);

	name[0] = '\0';
	if (fd < 0)
		return;
	if (!bpf_obj_get_info_by_fd(fd, &info, &len))
		snprintf(name, 16, "%s", info.name);
	close(fd);
}

int hook_query_xdp(int ifindex, __u32 known_id, struct hook *hook)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, opts);
	struct hook found = {0};
	int err = bpf_xdp_query(ifindex, 0, &opts);

	if (err)
		return err;
	if (opts.drv_prog_id) {
		found.prog_id = opts.drv_prog_id;
		found.mode = EDGE426_XDP_NATIVE;
	} else if (opts.skb_prog_id) {
		found.prog_id = opts.skb_prog_id;
		found.mode = EDGE426_XDP_GENERIC;
	} else {
		found.prog_id = opts.hw_prog_id;
	}
	if (found.prog_id) {
		read_name(found.prog_id, found.name);
		found.ours = found.prog_id == known_id || !strcmp(found.name, EDGE426_PROG_XDP);
	}
	*hook = found;
	return 0;
}

static __u32 map_id(int map_fd)
{
	struct bpf_map_info info = {0};
	__u32 len = sizeof(info);

	return bpf_obj_get_info_by_fd(map_fd, &info, &len) ? 0 : info.id;
}

bool hook_uses_map(const struct hook *hook, int map_fd)
{
	__u32 ids[MAPS_MAX] = {0};
	struct bpf_prog_info info = {.nr_map_ids = MAPS_MAX, .map_ids = (__u64)(unsigned long)ids};
	__u32 len = sizeof(info), wanted = map_id(map_fd);
	int fd = bpf_prog_get_fd_by_id(hook->prog_id);
	bool found = false;

	if (fd < 0)
		return false;
	if (!bpf_obj_get_info_by_fd(fd, &info, &len))
		for (__u32 i = 0; i < info.nr_map_ids && i < MAPS_MAX; i++)
			found |= wanted && ids[i] == wanted;
	close(fd);
	return found;
}

static __u32 mode_flag(__u32 mode)
{
	return mode == EDGE426_XDP_NATIVE    ? XDP_FLAGS_DRV_MODE
	       : mode == EDGE426_XDP_GENERIC ? XDP_FLAGS_SKB_MODE
					     : XDP_FLAGS_HW_MODE;
}

/* Naming the old program makes the kernel refuse when it is not there any more. */
static int set_xdp(int ifindex, int prog_fd, __u32 mode, __u32 old_id)
{
	LIBBPF_OPTS(bpf_xdp_attach_opts, opts);
	int err;

	if (!old_id)
		return bpf_xdp_attach(ifindex, prog_fd,
				      mode_flag(mode) | XDP_FLAGS_UPDATE_IF_NOEXIST, NULL);
	opts.old_prog_fd = bpf_prog_get_fd_by_id(old_id);
	if (opts.old_prog_fd < 0)
		return -errno;
	err = bpf_xdp_attach(ifindex, prog_fd, mode_flag(mode), &opts);
	close(opts.old_prog_fd);
	return err;
}

int hook_detach_xdp(int ifindex, const struct hook *old)
{
	return set_xdp(ifindex, -1, old->mode, old->prog_id);
}

/* The kernel has no step from one mode to the other: for a moment nothing hangs there. */
static int change_mode(int ifindex, int prog_fd, const struct hook *old, __u32 mode)
{
	int old_fd = bpf_prog_get_fd_by_id(old->prog_id), err;

	if (old_fd < 0)
		return -errno;
	err = hook_detach_xdp(ifindex, old);
	if (!err) {
		err = set_xdp(ifindex, prog_fd, mode, 0);
		if (err)
			set_xdp(ifindex, old_fd, old->mode, 0);
	}
	close(old_fd);
	return err;
}

int hook_attach_xdp(int ifindex, int prog_fd, const struct hook *old, __u32 mode)
{
	if (old->prog_id && old->mode != mode)
		return change_mode(ifindex, prog_fd, old, mode);
	return set_xdp(ifindex, prog_fd, mode, old->prog_id);
}

/* By hand, since libbpf wants the padding zero as well. */
static void init_tc_hook(int ifindex, enum bpf_tc_attach_point point, struct bpf_tc_hook *hook)
{
	memset(hook, 0, sizeof(*hook));
	hook->sz = sizeof(*hook);
	hook->ifindex = ifindex;
	hook->attach_point = point;
}

static void init_tc_place(struct bpf_tc_opts *opts)
{
	memset(opts, 0, sizeof(*opts));
	opts->sz = sizeof(*opts);
	opts->handle = TC_HANDLE;
	opts->priority = TC_PRIORITY;
}

/* Program id of the filter at our place: 0 when there is none. */
static __u32 query_tc(int ifindex, bool *ours)
{
	struct bpf_tc_hook hook;
	struct bpf_tc_opts opts;
	char name[16];

	init_tc_hook(ifindex, BPF_TC_INGRESS, &hook);
	init_tc_place(&opts);
	if (bpf_tc_query(&hook, &opts))
		return 0;
	read_name(opts.prog_id, name);
	*ours = !strcmp(name, EDGE426_PROG_TC);
	return opts.prog_id;
}

bool hook_has_tc(int ifindex)
{
	bool ours = false;

	return query_tc(ifindex, &ours) && ours;
}

int hook_open_tc(int ifindex)
{
	bool ours = false;
	__u32 id = query_tc(ifindex, &ours);

	return id && ours ? bpf_prog_get_fd_by_id(id) : -1;
}

int hook_attach_tc(int ifindex, int prog_fd, bool *made_qdisc)
{
	struct bpf_tc_hook hook;
	struct bpf_tc_opts opts;
	bool ours = true;
	int err;

	init_tc_hook(ifindex, BPF_TC_INGRESS, &hook);
	err = bpf_tc_hook_create(&hook);
	if (err && err != -EEXIST)
		return err;
	*made_qdisc = !err;
	if (query_tc(ifindex, &ours) && !ours)
		return -EEXIST;
	init_tc_place(&opts);
	opts.prog_fd = prog_fd;
	opts.flags = BPF_TC_F_REPLACE;
	return bpf_tc_attach(&hook, &opts);
}

/* The last message of a dump tells its error, too. */
static bool is_error(const struct nlmsghdr *message)
{
	int err = 0;

	if (message->nlmsg_type == NLMSG_DONE && message->nlmsg_len >= NLMSG_LENGTH(sizeof(err)))
		memcpy(&err, NLMSG_DATA(message), sizeof(err));
	return err || message->nlmsg_type == NLMSG_ERROR;
}

/* Filters in an answer to a dump, an error counted as one; *done with its last message. */
static int count_filters(const struct nlmsghdr *message, size_t len, bool *done)
{
	int filters = 0;

	for (; NLMSG_OK(message, len); message = NLMSG_NEXT(message, len)) {
		if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR)
			*done = true;
		filters += message->nlmsg_type == RTM_NEWTFILTER || is_error(message);
	}
	return filters;
}

/* libbpf can only look for one filter it knows. A failed dump counts as "there are some". */
static bool has_filters(int ifindex, __u32 parent)
{
	struct {
		struct nlmsghdr header;
		struct tcmsg tc;
	} request = {
		.header = {.nlmsg_len = sizeof(request),
			   .nlmsg_type = RTM_GETTFILTER,
			   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.tc = {.tcm_ifindex = ifindex, .tcm_parent = parent},
	};
	char answer[32768] __attribute__((aligned(NLMSG_ALIGNTO)));
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	bool done = false, found = false;

	if (fd < 0 || send(fd, &request, sizeof(request), 0) < 0)
		found = true;
	while (!done && !found) {
		ssize_t len = recv(fd, answer, sizeof(answer), 0);

		found = len <= 0 ||
			count_filters((const struct nlmsghdr *)answer, (size_t)len, &done);
	}
	if (fd >= 0)
		close(fd);
	return found;
}

static int remove_empty_qdisc(int ifindex)
{
	struct bpf_tc_hook hook;

	if (has_filters(ifindex, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)) ||
	    has_filters(ifindex, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS)))
		return 0;
	init_tc_hook(ifindex, BPF_TC_INGRESS | BPF_TC_EGRESS, &hook);
	return bpf_tc_hook_destroy(&hook);
}

int hook_detach_tc(int ifindex, bool remove_qdisc)
{
	struct bpf_tc_hook hook;
	struct bpf_tc_opts opts;
	int err;

	init_tc_hook(ifindex, BPF_TC_INGRESS, &hook);
	init_tc_place(&opts);
	err = hook_has_tc(ifindex) ? bpf_tc_detach(&hook, &opts) : 0;
	if (err || !remove_qdisc)
		return err;
	err = remove_empty_qdisc(ifindex);
	return err == -ENOENT || err == -EINVAL ? 0 : err; /* gone already */
}
