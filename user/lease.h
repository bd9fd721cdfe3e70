/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lock on an interface: one holder in a network namespace, whatever
 * directory its pins are in. It goes with its holder, however that ends.
 */
#ifndef EDGE426_LEASE_H
#define EDGE426_LEASE_H

#include <linux/types.h>

/* A descriptor to keep; -EBUSY when another process has the interface. */
int lease_take(int ifindex);

/* Process id of the holder as seen from here; 0 when it cannot be told. */
__u32 lease_holder(int ifindex);

/* Lets go those who asked for the holder; to be called now and then. */
void lease_answer(int lease);

#endif
