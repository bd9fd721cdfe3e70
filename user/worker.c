/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The thread of one RX queue: receive, answer, send, flush. It owns its
 * socket and its copies of the answers. It knows no policy and writes nothing
 * but its counters; which socket the packet program redirects to is the
 * caller's business.
 */
#include "worker.h"

#include <edge426/reasons.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "../bpf/checksum.h"
#include "answer.h"
#include "frame.h"
#include "xsk.h"

#define WORKER_ANSWERS 2

#define WORKER_IDLE_MS 1000 /* how old the count of dropped frames may become */
#define WORKER_RETRY_MS 10  /* until frames the kernel did not take are tried again */

_Static_assert((int)EDGE426_WORKER_COUNT <= EDGE426_WORKER_COUNTERS, "worker counters");

struct worker {
	struct xsk *xsk;
	int stop_fd; /* an eventfd: ends the wait */
	bool stop;   /* ends the loop; atomic */
	pthread_t thread;
	const volatile struct edge426_answer *slots;
	struct edge426_worker *counters;
	struct answer answers[WORKER_ANSWERS]; /* private copies of the slots */
	bool usable[WORKER_ANSWERS];
	time_t now;    /* of this batch */
	__u64 dropped; /* by the kernel, as far as counted */
};

/* One writer per queue; others only read. */
static void count_add(struct worker *worker, enum edge426_worker_reason reason, __u64 more)
{
	__u64 *count = &worker->counters->count[reason];

	__atomic_store_n(count, *count + more, __ATOMIC_RELAXED);
}

static void count_dropped(struct worker *worker)
{
	__u64 dropped = xsk_dropped(worker->xsk);

	if (dropped > worker->dropped)
		count_add(worker, EDGE426_WORKER_rx_dropped, dropped - worker->dropped);
	worker->dropped = dropped;
}

/* Seconds are enough for a Date. */
static time_t clock_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	return now.tv_sec;
}

/*
 * After frames were received, not before: a verdict can name a policy that is
 * younger than the last batch. It costs two compares when nothing has changed.
 */
static void refresh_answers(struct worker *worker)
{
	int i;

	for (i = 0; i < WORKER_ANSWERS; i++)
		worker->usable[i] =
			answer_refresh(&worker->slots[i], worker->now, &worker->answers[i]) == 0;
}

static void begin_batch(struct worker *worker)
{
	time_t now = clock_seconds();

	if (now != worker->now)
		count_dropped(worker);
	worker->now = now;
	refresh_answers(worker);
}

/* The verdict lies just before the frame, where the packet program has put it. */
static bool read_verdict(const struct xsk_frame *frame, struct edge426_verdict *verdict)
{
	if (frame->before < sizeof(*verdict) || frame->rest_len > UINT16_MAX)
		return false;
	memcpy(verdict, frame->data - sizeof(*verdict), sizeof(*verdict));
	verdict->cut_len = (__u16)frame->rest_len;
	verdict->cut_sum = (__u16)~checksum_fold(frame->rest_sum);
	return true;
}

/*
 * The answer of the policy by which the packet was judged; NULL when it has
 * been replaced meanwhile: the client sends again and is judged anew. What is
 * not an answer needs none of its octets.
 */
static const struct answer *find_answer(const struct worker *worker,
					const struct edge426_verdict *verdict)
{
	__u32 half = verdict->answer & 1;
	const struct answer *answer = &worker->answers[half];

	if (verdict->kind != EDGE426_SEND_ANSWER)
		return answer;
	if (!worker->usable[half] ||
	    verdict->answer != EDGE426_ANSWER_OF(half, (__u32)answer->generation))
		return NULL;
	return answer;
}

static enum edge426_worker_reason serve_frame(struct worker *worker, const struct xsk_frame *frame)
{
	static const enum edge426_worker_reason refused[] = {
		[FRAME_BAD] = EDGE426_WORKER_bad_frame,
		[FRAME_BAD_CHECKSUM] = EDGE426_WORKER_bad_checksum,
		[FRAME_NO_ROOM] = EDGE426_WORKER_bad_frame,
	};
	struct edge426_verdict verdict;
	const struct answer *answer;
	enum frame_result result;
	__u32 len;

	if (!read_verdict(frame, &verdict))
		return EDGE426_WORKER_bad_frame;
	answer = find_answer(worker, &verdict);
	if (!answer)
		return EDGE426_WORKER_no_answer;
	result = frame_answer(frame->data, frame->len, frame->room, &verdict, answer, &len);
	if (result != FRAME_OK)
		return refused[result];
	return xsk_send(worker->xsk, frame, len) ? EDGE426_WORKER_sent : EDGE426_WORKER_tx_full;
}

/* True when there was nothing to receive. */
static bool serve_batch(struct worker *worker)
{
	struct xsk_frame frames[XSK_BATCH];
	__u32 i, count = xsk_receive(worker->xsk, frames);

	begin_batch(worker);
	if (!count)
		return true;
	count_add(worker, EDGE426_WORKER_received, count);
	for (i = 0; i < count; i++) {
		enum edge426_worker_reason reason = serve_frame(worker, &frames[i]);

		if (reason != EDGE426_WORKER_sent)
			xsk_release(worker->xsk, &frames[i]);
		count_add(worker, reason, 1);
	}
	return false;
}

static bool flush(struct worker *worker)
{
	__u64 refused = 0;
	bool done = xsk_flush(worker->xsk, &refused);

	if (refused)
		count_add(worker, EDGE426_WORKER_send_failed, refused);
	return done;
}

/* A socket in error would end every poll at once: it rests for a moment then. */
static void wait_event(const struct worker *worker, int timeout_ms)
{
	struct pollfd fds[] = {
		{.fd = worker->stop_fd, .events = POLLIN},
		{.fd = xsk_fd(worker->xsk), .events = POLLIN},
	};

	if (poll(fds, 2, timeout_ms) > 0 && fds[1].revents & (POLLERR | POLLHUP | POLLNVAL))
		poll(fds, 1, WORKER_RETRY_MS);
}

/* The poll also wakes the kernel for the fill ring, which need_wakeup asks for. */
static void *worker_main(void *argument)
{
	struct worker *worker = argument;

	while (!__atomic_load_n(&worker->stop, __ATOMIC_ACQUIRE)) {
		bool idle = serve_batch(worker);
		bool done = flush(worker);

		if (idle)
			wait_event(worker, done ? WORKER_IDLE_MS : WORKER_RETRY_MS);
	}
	count_dropped(worker);
	return NULL;
}

/* Signals are the main thread's: the new one inherits a mask of all. */
static int start_thread(struct worker *worker, __u32 queue)
{
	char name[16]; /* the kernel's limit */
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&worker->thread, NULL, worker_main, worker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err)
		return -err;
	snprintf(name, sizeof(name), "queue-%u", queue);
	pthread_setname_np(worker->thread, name);
	return 0;
}

/* What is there without a thread; takes NULL. */
static void worker_free(struct worker *worker)
{
	if (!worker)
		return;
	xsk_close(worker->xsk);
	if (worker->stop_fd >= 0)
		close(worker->stop_fd);
	free(worker);
}

/* NULL when memory or descriptors are short; errno tells. */
static struct worker *worker_allocate(const volatile struct edge426_answer *answers,
				      struct edge426_worker *counters)
{
	struct worker *worker = calloc(1, sizeof(*worker));

	if (!worker)
		return NULL;
	worker->slots = answers;
	worker->counters = counters;
	worker->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (worker->stop_fd < 0) {
		free(worker);
		return NULL;
	}
	return worker;
}

int worker_start(const char *interface, __u32 queue, bool generic,
		 const volatile struct edge426_answer *answers, struct edge426_worker *counters,
		 struct worker **worker, struct failure *failure)
{
	struct worker *started = worker_allocate(answers, counters);
	int err;

	if (!started)
		return failure_set(failure, errno,
				   "Can't start the responder of queue %u of '%s': %s", queue,
				   interface, strerror(errno));
	err = xsk_open(interface, queue, generic, &started->xsk, failure);
	if (err)
		goto free_worker;
	err = start_thread(started, queue);
	if (err) {
		failure_set(failure, -err, "Can't start a thread for queue %u of '%s': %s", queue,
			    interface, strerror(-err));
		goto free_worker;
	}
	*worker = started;
	return 0;

free_worker:
	worker_free(started);
	return err;
}

int worker_fd(const struct worker *worker)
{
	return xsk_fd(worker->xsk);
}

bool worker_zero_copy(const struct worker *worker)
{
	return xsk_zero_copy(worker->xsk);
}

/* The counter of the eventfd cannot be full: this is the only write to it. */
void worker_stop(struct worker *worker)
{
	if (!worker)
		return;
	__atomic_store_n(&worker->stop, true, __ATOMIC_RELEASE);
	eventfd_write(worker->stop_fd, 1);
	pthread_join(worker->thread, NULL);
	worker_free(worker);
}
