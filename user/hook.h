/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The two places of an interface where programs hang: the XDP hook and
 * clsact's ingress. Plain netlink, so that programs outlive the process.
 * Knows nothing of pins, except by program id.
 */
#ifndef EDGE426_HOOK_H
#define EDGE426_HOOK_H

#include <linux/types.h>
#include <stdbool.h>

/* What holds the XDP hook of an interface; prog_id is 0 when nothing does. */
struct hook {
	__u32 prog_id;
	__u32 mode; /* EDGE426_XDP_*; 0: offloaded to the device */
	bool ours;  /* the program with `known_id`, or one with our name */
	char name[16];
};

const char *hook_mode_name(__u32 mode);

int hook_query_xdp(int ifindex, __u32 known_id, struct hook *hook);

/* Whether the program on the hook uses the map. */
bool hook_uses_map(const struct hook *hook, int map_fd);

/*
 * Attaches where nothing hangs (`old->prog_id` 0) or in place of `old`,
 * atomically when the mode stays. Fails with -EBUSY or -EEXIST when another
 * program came first.
 */
int hook_attach_xdp(int ifindex, int prog_fd, const struct hook *old, __u32 mode);
int hook_detach_xdp(int ifindex, const struct hook *old);

/*
 * Attaches at clsact's ingress, in place of our own program if it is there.
 * *made_qdisc tells whether the qdisc had to be made. -EEXIST when somebody
 * else's filter has our priority and handle.
 */
int hook_attach_tc(int ifindex, int prog_fd, bool *made_qdisc);

bool hook_has_tc(int ifindex);

/* A descriptor of our program at clsact's ingress; -1 when there is none. */
int hook_open_tc(int ifindex);

/* Removes our filter, if it is there; the qdisc as well if told to and nothing else hangs on it. */
int hook_detach_tc(int ifindex, bool remove_qdisc);

#endif
