/* SPDX-License-Identifier: GPL-2.0-only */
/* The order in which one interface comes into service and leaves it. Prints nothing. */
#include "serve.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hook.h"
#include "lease.h"
#include "netdev.h"
#include "worker.h"

static int start_worker(struct serve *serve, __u32 queue, struct failure *failure)
{
	struct store *store = &serve->store;
	bool generic = store->state->xdp_mode == EDGE426_XDP_GENERIC;
	int err = worker_start(serve->request.interface, queue, generic, store->answers,
			       &store->workers[queue], &serve->workers[queue], failure);
	int fd;

	if (err)
		return err;
	serve->workers_len = queue + 1;
	fd = worker_fd(serve->workers[queue]);
	if (!bpf_map_update_elem(store->fd[LAYOUT_XSKS], &queue, &fd, BPF_ANY))
		return 0;
	err = errno;
	return failure_set(failure, err, "Can't serve queue %u of '%s': %s", queue,
			   serve->request.interface, strerror(err));
}

/* `queues` last: it is what tells others that all sockets are in place. */
static void announce(struct serve *serve)
{
	struct edge426_state *state = serve->store.state;
	__u32 zero_copy = 0;

	for (__u32 i = 0; i < serve->workers_len; i++)
		zero_copy += worker_zero_copy(serve->workers[i]);
	state->zero_copy = zero_copy;
	__atomic_store_n(&state->queues, serve->workers_len, __ATOMIC_RELEASE);
}

static int start_workers(struct serve *serve, struct failure *failure)
{
	__u32 queues = netdev_queues(serve->request.interface);
	int err = 0;

	if (queues > EDGE426_QUEUES_MAX)
		return failure_set(failure, E2BIG,
				   "Can't serve '%s': it has %u RX queues, %u at most can be "
				   "served: ethtool -L %s combined %u",
				   serve->request.interface, queues, EDGE426_QUEUES_MAX,
				   serve->request.interface, EDGE426_QUEUES_MAX);
	serve->workers = calloc(queues, sizeof(struct worker *));
	if (!serve->workers)
		return failure_set(failure, ENOMEM, "Can't serve '%s': out of memory",
				   serve->request.interface);
	for (__u32 queue = 0; queue < queues && !err; queue++)
		err = start_worker(serve, queue, failure);
	if (!err)
		announce(serve);
	return err;
}

static int publish(struct serve *serve, const struct policy *policy, bool replaces_waiting,
		   struct failure *failure)
{
	const struct publish_options options = {.interface = serve->name,
						.replaces_waiting = replaces_waiting};
	int lock = store_lock(&serve->store, failure), err;

	if (lock < 0)
		return lock;
	err = store_publish_policy(&serve->store, policy, &options, failure);
	close(lock);
	return err;
}

int serve_publish(struct serve *serve, const struct policy *policy, struct failure *failure)
{
	return publish(serve, policy, false, failure);
}

static int start_attached(struct serve *serve, const struct policy *policy, struct failure *failure)
{
	int err = store_open(serve->request.dir, &serve->store, failure);

	if (!err && policy)
		err = publish(serve, policy, true, failure);
	if (!err)
		err = edge_start(&serve->edge, serve->store.edge, serve->request.interface,
				 failure);
	return err ? err : start_workers(serve, failure);
}

/* Somebody may have removed the directory; then nobody else can change a thing. */
static void settle(struct serve *serve, void (*tell)(const char *line))
{
	struct failure ignored = {0};
	char line[SERVE_LINE_LEN];
	int lock = store_is_overdue(&serve->store) ? store_lock(&serve->store, &ignored) : -1;

	if (store_settle(&serve->store)) {
		snprintf(line, sizeof(line),
			 "%s: policy: not confirmed in time, back to the one before: "
			 "generation %llu",
			 serve->request.interface,
			 (unsigned long long)serve->store.state->generation);
		tell(line);
	}
	if (lock >= 0)
		close(lock);
}

bool serve_tick(struct serve *serve, void (*tell)(const char *line))
{
	if (!netdev_name(serve->hold.ifindex, serve->name))
		return false;
	serve->edge.interface = serve->name;
	lease_answer(serve->hold.lease);
	edge_refresh(&serve->edge);
	settle(serve, tell);
	watch_look(&serve->watch, &serve->store, serve->request.interface, tell);
	return true;
}

/* Where the program stays attached, packets must stop coming before the sockets close. */
static void empty_xskmap(const struct serve *serve)
{
	for (__u32 queue = 0; queue < serve->workers_len; queue++)
		bpf_map_delete_elem(serve->store.fd[LAYOUT_XSKS], &queue);
}

static void close_all(struct serve *serve)
{
	empty_xskmap(serve);
	for (__u32 i = 0; i < serve->workers_len; i++)
		worker_stop(serve->workers[i]);
	free(serve->workers);
	watch_end(&serve->watch);
	store_close(&serve->store);
	loader_close(&serve->hold);
	*serve = (struct serve){0};
}

/* An interface that never served is left as it was found. */
int serve_stop(struct serve *serve, struct failure *failure)
{
	int err = 0;

	if (!serve->hold.ifindex)
		return 0;
	edge_stop(&serve->edge);
	if (serve->settled)
		err = loader_release(&serve->request, &serve->hold, serve->store.state, failure);
	else
		loader_undo(&serve->request, &serve->hold);
	close_all(serve);
	return err;
}

int serve_start(struct serve *serve, const struct target *target,
		const struct loader_request *request, const struct policy *policy,
		struct failure *failure)
{
	struct failure ignored = {0};
	int err;

	*serve = (struct serve){.request = *request};
	serve->request.interface = target->interface;
	serve->request.dir = target->dir;
	snprintf(serve->name, sizeof(serve->name), "%s", target->interface);
	err = loader_attach(&serve->request, &serve->hold, failure);
	if (err)
		return err;
	err = start_attached(serve, policy, failure);
	if (err)
		serve_stop(serve, &ignored);
	return err;
}

void serve_settle(struct serve *serve)
{
	loader_forget_before(&serve->hold);
	serve->settled = true;
}

void serve_describe(const struct serve *serve, char line[SERVE_LINE_LEN])
{
	const struct edge426_state *state = serve->store.state;
	const char *copy = !state->zero_copy		       ? "copy mode"
			   : state->zero_copy == state->queues ? "zero-copy mode"
							       : "zero-copy mode on some queues";

	snprintf(line, SERVE_LINE_LEN, "%s: %s, %u queue%s, %s, %u service%s%s",
		 serve->request.interface, hook_mode_name(state->xdp_mode), state->queues,
		 state->queues == 1 ? "" : "s", copy, state->services,
		 state->services == 1 ? "" : "s", state->bypass ? ", bypass is on" : "");
}
