/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Facts about network interfaces of this network namespace, asked of the
 * kernel by ioctl: sysfs may show another namespace. Changes nothing.
 */
#ifndef EDGE426_NETDEV_H
#define EDGE426_NETDEV_H

#include <linux/types.h>
#include <net/if.h>
#include <stdbool.h>

/* 0 when there is no such interface here. */
int netdev_index(const char *name);

/* The name an interface has now; false, `name` untouched, when none has this index here. */
bool netdev_name(int ifindex, char name[IF_NAMESIZE]);

/* RX queues in use, at least 1: drivers that do not tell have one. */
__u32 netdev_queues(const char *name);

/* Octets of the largest IP packet; 0 when there is no such interface. */
__u32 netdev_mtu(const char *name);

/* Inode of this process's network namespace; 0 when /proc does not tell. */
__u64 netdev_namespace(void);

#endif
