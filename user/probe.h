/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * May this process do what is asked, and can this kernel? Asked before
 * anything is touched, so that a refusal has a sentence and leaves nothing.
 */
#ifndef EDGE426_PROBE_H
#define EDGE426_PROBE_H

#include <stdbool.h>

#include "failure.h"

/* Capabilities; `serve` adds those of AF_XDP sockets. -EPERM. */
int probe_privileges(bool serve, struct failure *failure);

/* Type information, helpers, AF_XDP. -EOPNOTSUPP. */
int probe_kernel(struct failure *failure);

#endif
