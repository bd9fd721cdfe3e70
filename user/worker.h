/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The responder of one RX queue: a thread that receives, answers and sends.
 * All memory is taken by worker_start; per packet there is no lock, no
 * allocation and no log.
 */
#ifndef EDGE426_WORKER_H
#define EDGE426_WORKER_H

#include <edge426/abi.h>
#include <stdbool.h>

#include "failure.h"

struct worker;

/*
 * Opens the socket of `queue` and starts the thread. `answers` (the mapped
 * array of two) and `counters` (this queue's slot of the mapped `workers`)
 * are borrowed until worker_stop. The socket is not yet in any XSKMAP.
 */
int worker_start(const char *interface, __u32 queue, bool generic,
		 const volatile struct edge426_answer *answers, struct edge426_worker *counters,
		 struct worker **worker, struct failure *failure);

int worker_fd(const struct worker *worker); /* for the XSKMAP */
bool worker_zero_copy(const struct worker *worker);

/* Ends the thread, joins it, closes the socket. Takes NULL. */
void worker_stop(struct worker *worker);

#endif
