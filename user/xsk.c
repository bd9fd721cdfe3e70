/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An AF_XDP socket over libxdp's ring functions. One UMEM for one socket, so
 * that every ring has one producer and one consumer. It neither loads a
 * program nor writes to an XSKMAP.
 *
 * A chunk of the UMEM is at any time in exactly one place: the fill ring, the
 * receive ring, with the caller, the transmit ring, the completion ring, or on
 * the stack of free chunks. A received chunk is transmitted where it lies.
 */
#include "xsk.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <xdp/libxdp.h>
#include <xdp/xsk.h>

#include "../bpf/checksum.h"

/* Linux 6.6; the headers of Debian 12 are older. */
#ifndef XDP_USE_SG
#define XDP_USE_SG (1 << 4)
#endif
#ifndef XDP_PKT_CONTD
#define XDP_PKT_CONTD (1 << 0)
#endif

#define XSK_CHUNKS 4096
#define XSK_RING_SIZE                                                                              \
	(XSK_CHUNKS / 2) /* of each ring; what the fill ring has no room for is free */
#define XSK_UMEM_SIZE ((size_t)XSK_CHUNKS * XSK_FRAME_SIZE)

/* In copy mode the kernel takes 32 frames a call, 16 in the past: enough for four full batches. */
#define XSK_KICKS_MAX 16

/* The kernel frees a closed socket's queue a moment later, from a work queue. */
#define XSK_BUSY_TRIES 50
#define XSK_BUSY_PAUSE_NS (20 * 1000 * 1000)

struct xsk {
	struct xsk_ring_prod fill, tx;
	struct xsk_ring_cons rx, completion;
	struct xsk_umem *umem;
	struct xsk_socket *socket;
	__u8 *area;
	bool zero_copy;
	__u32 queued; /* on the transmit ring, not yet submitted */
	__u32 free_count;
	__u64 free[XSK_CHUNKS]; /* addresses of chunks, each a multiple of XSK_FRAME_SIZE */
};

/* For a caller who sees an errno of bind(2) for the first time. */
static const struct {
	int err;
	const char *text;
} causes[] = {
	{EPERM, "; needs root, or CAP_NET_RAW, CAP_NET_ADMIN and CAP_BPF"},
	{EBUSY, "; another AF_XDP socket is bound to this queue"},
	{ENODEV, "; no such interface"},
	{EINVAL, "; the interface has no such queue in both directions, or the kernel is older "
		 "than Linux 6.6"},
	{ENOBUFS, "; the limit of locked memory is too low (ulimit -l)"},
	{EAFNOSUPPORT, "; the kernel is built without CONFIG_XDP_SOCKETS"},
	{EOPNOTSUPP, "; the driver cannot do this mode"},
};

static const char *likely_cause(int err)
{
	size_t i;

	for (i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		if (causes[i].err == err)
			return causes[i].text;
	return "";
}

/* A chunk given back twice would be handed out twice: our bug, and memory is corrupt then. */
static void free_push(struct xsk *xsk, __u64 addr)
{
	assert(xsk->free_count < XSK_CHUNKS);
	xsk->free[xsk->free_count++] = addr - addr % XSK_FRAME_SIZE;
}

static void free_push_all(struct xsk *xsk)
{
	__u64 i;

	xsk->free_count = 0;
	for (i = 0; i < XSK_CHUNKS; i++)
		free_push(xsk, i * XSK_FRAME_SIZE);
}

static void reap_completions(struct xsk *xsk)
{
	__u32 at = 0, i, count = xsk_ring_cons__peek(&xsk->completion, XSK_RING_SIZE, &at);

	for (i = 0; i < count; i++)
		free_push(xsk, *xsk_ring_cons__comp_addr(&xsk->completion, at + i));
	if (count)
		xsk_ring_cons__release(&xsk->completion, count);
}

static void refill(struct xsk *xsk)
{
	__u32 at = 0, i, count = xsk_prod_nb_free(&xsk->fill, xsk->free_count);

	if (count > xsk->free_count)
		count = xsk->free_count;
	if (!count || !xsk_ring_prod__reserve(&xsk->fill, count, &at))
		return;
	for (i = 0; i < count; i++)
		*xsk_ring_prod__fill_addr(&xsk->fill, at + i) = xsk->free[--xsk->free_count];
	xsk_ring_prod__submit(&xsk->fill, count);
}

/* Asks the full ring size, so that the consumer's position is read and not remembered. */
static bool tx_is_drained(struct xsk *xsk)
{
	return xsk_prod_nb_free(&xsk->tx, XSK_RING_SIZE) >= XSK_RING_SIZE;
}

/* False when the kernel refused for good. */
static bool kick_tx(struct xsk *xsk)
{
	if (sendto(xsk_fd(xsk), NULL, 0, MSG_DONTWAIT, NULL, 0) >= 0)
		return true;
	return errno == EAGAIN || errno == EBUSY || errno == ENOBUFS;
}

/* In zero-copy mode the driver goes on by itself once it is awake. */
static bool wake_driver(struct xsk *xsk, __u64 *refused)
{
	if (tx_is_drained(xsk) || !xsk_ring_prod__needs_wakeup(&xsk->tx))
		return true;
	if (kick_tx(xsk))
		return true;
	++*refused;
	return false;
}

/* In copy mode the call itself sends. The completion ring must have room for it to go on. */
static bool send_copies(struct xsk *xsk, __u64 *refused)
{
	int kicks;

	for (kicks = 0; kicks < XSK_KICKS_MAX && !tx_is_drained(xsk); kicks++) {
		if (!kick_tx(xsk)) {
			++*refused;
			return false;
		}
		reap_completions(xsk);
	}
	return tx_is_drained(xsk);
}

/* The library would write its messages to stderr; the failure says what is needed. */
static int print_nothing(enum libxdp_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

static void close_rings(struct xsk *xsk)
{
	xsk_socket__delete(xsk->socket);
	xsk_umem__delete(xsk->umem);
	xsk->socket = NULL;
	xsk->umem = NULL;
}

/* libxdp 1.3.1 does not initialise what it caches of the rings: zeros, at every try. */
static void zero_rings(struct xsk *xsk)
{
	memset(&xsk->fill, 0, sizeof(xsk->fill));
	memset(&xsk->tx, 0, sizeof(xsk->tx));
	memset(&xsk->rx, 0, sizeof(xsk->rx));
	memset(&xsk->completion, 0, sizeof(xsk->completion));
}

static int create_umem(struct xsk *xsk)
{
	const struct xsk_umem_config config = {
		.fill_size = XSK_RING_SIZE,
		.comp_size = XSK_RING_SIZE,
		.frame_size = XSK_FRAME_SIZE,
	};

	return xsk_umem__create(&xsk->umem, xsk->area, XSK_UMEM_SIZE, &xsk->fill, &xsk->completion,
				&config);
}

/* With neither XDP_COPY nor XDP_ZEROCOPY the kernel tries zero-copy first. */
static int create_socket(struct xsk *xsk, const char *interface, __u32 queue, bool generic)
{
	const struct xsk_socket_config config = {
		.rx_size = XSK_RING_SIZE,
		.tx_size = XSK_RING_SIZE,
		.libbpf_flags = XSK_LIBBPF_FLAGS__INHIBIT_PROG_LOAD,
		.bind_flags = XDP_USE_NEED_WAKEUP | XDP_USE_SG | (generic ? XDP_COPY : 0),
	};

	return xsk_socket__create(&xsk->socket, interface, queue, xsk->umem, &xsk->rx, &xsk->tx,
				  &config);
}

static int open_rings(struct xsk *xsk, const char *interface, __u32 queue, bool generic)
{
	int err;

	zero_rings(xsk);
	err = create_umem(xsk);
	if (!err)
		err = create_socket(xsk, interface, queue, generic);
	if (err)
		close_rings(xsk);
	return err;
}

static int open_rings_patiently(struct xsk *xsk, const char *interface, __u32 queue, bool generic)
{
	const struct timespec pause = {.tv_nsec = XSK_BUSY_PAUSE_NS};
	int tries, err = -EBUSY;

	for (tries = 0; tries < XSK_BUSY_TRIES && err == -EBUSY; tries++) {
		if (tries)
			nanosleep(&pause, NULL);
		err = open_rings(xsk, interface, queue, generic);
	}
	return err;
}

static bool ask_zero_copy(const struct xsk *xsk)
{
	struct xdp_options options = {};
	socklen_t len = sizeof(options);

	return !getsockopt(xsk_fd(xsk), SOL_XDP, XDP_OPTIONS, &options, &len) &&
	       options.flags & XDP_OPTIONS_ZEROCOPY;
}

/* Pages are taken now, not at the first packet. NULL when there is no memory. */
static struct xsk *allocate(void)
{
	struct xsk *xsk = calloc(1, sizeof(*xsk));

	if (!xsk)
		return NULL;
	xsk->area = mmap(NULL, XSK_UMEM_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (xsk->area == MAP_FAILED) {
		free(xsk);
		return NULL;
	}
	free_push_all(xsk);
	return xsk;
}

int xsk_open(const char *interface, __u32 queue, bool generic, struct xsk **xsk,
	     struct failure *failure)
{
	struct xsk *opened = allocate();
	int err;

	if (!opened)
		return failure_set(failure, ENOMEM,
				   "Can't take the memory for queue %u of '%s': %s", queue,
				   interface, strerror(ENOMEM));
	libxdp_set_print(print_nothing);
	err = open_rings_patiently(opened, interface, queue, generic);
	if (err) {
		xsk_close(opened);
		return failure_set(failure, -err,
				   "Can't open an AF_XDP socket on queue %u of '%s': %s%s", queue,
				   interface, strerror(-err), likely_cause(-err));
	}
	opened->zero_copy = ask_zero_copy(opened);
	refill(opened);
	*xsk = opened;
	return 0;
}

void xsk_close(struct xsk *xsk)
{
	if (!xsk)
		return;
	close_rings(xsk);
	munmap(xsk->area, XSK_UMEM_SIZE);
	free(xsk);
}

int xsk_fd(const struct xsk *xsk)
{
	return xsk_socket__fd(xsk->socket);
}

bool xsk_zero_copy(const struct xsk *xsk)
{
	return xsk->zero_copy;
}

static void begin_frame(struct xsk *xsk, const struct xdp_desc *desc, struct xsk_frame *frame)
{
	__u32 before = desc->addr % XSK_FRAME_SIZE;

	frame->data = xsk->area + desc->addr;
	frame->len = desc->len;
	frame->rest_len = 0;
	frame->rest_sum = 0;
	frame->room = XSK_FRAME_SIZE - before;
	frame->before = before;
	frame->addr = desc->addr;
}

/* An odd piece before the last would shift the words of the sum: no driver makes one. */
static void continue_frame(struct xsk *xsk, const struct xdp_desc *desc, struct xsk_frame *frame)
{
	frame->rest_len += desc->len;
	frame->rest_sum = checksum_add(frame->rest_sum, xsk->area + desc->addr, desc->len);
	free_push(xsk, desc->addr);
}

/*
 * A frame whose end is not among these descriptors is left for the next call;
 * the kernel shows a frame's descriptors all at once.
 */
__u32 xsk_receive(struct xsk *xsk, struct xsk_frame frames[XSK_BATCH])
{
	__u32 at = 0, i, taken = 0, whole = 0, len = 0;
	__u32 count = xsk_ring_cons__peek(&xsk->rx, XSK_BATCH, &at);

	for (i = 0; i < count; i++)
		if (!(xsk_ring_cons__rx_desc(&xsk->rx, at + i)->options & XDP_PKT_CONTD))
			whole = i + 1;
	for (i = 0; i < whole; i++) {
		const struct xdp_desc *desc = xsk_ring_cons__rx_desc(&xsk->rx, at + i);

		if (taken == 0)
			begin_frame(xsk, desc, &frames[len]);
		else
			continue_frame(xsk, desc, &frames[len]);
		taken = desc->options & XDP_PKT_CONTD ? taken + 1 : 0;
		len += taken == 0;
	}
	if (count > whole)
		xsk_ring_cons__cancel(&xsk->rx, count - whole);
	if (whole)
		xsk_ring_cons__release(&xsk->rx, whole);
	return len;
}

bool xsk_send(struct xsk *xsk, const struct xsk_frame *frame, __u32 len)
{
	struct xdp_desc *desc;
	__u32 at = 0;

	if (!xsk_ring_prod__reserve(&xsk->tx, 1, &at))
		return false;
	desc = xsk_ring_prod__tx_desc(&xsk->tx, at);
	desc->addr = frame->addr;
	desc->len = len;
	desc->options = 0;
	xsk->queued++;
	return true;
}

void xsk_release(struct xsk *xsk, const struct xsk_frame *frame)
{
	free_push(xsk, frame->addr);
}

bool xsk_flush(struct xsk *xsk, __u64 *refused)
{
	bool done;

	if (xsk->queued)
		xsk_ring_prod__submit(&xsk->tx, xsk->queued);
	xsk->queued = 0;
	done = xsk->zero_copy ? wake_driver(xsk, refused) : send_copies(xsk, refused);
	reap_completions(xsk);
	refill(xsk);
	return done;
}

__u64 xsk_dropped(const struct xsk *xsk)
{
	struct xdp_statistics statistics = {};
	socklen_t len = sizeof(statistics);

	if (getsockopt(xsk_fd(xsk), SOL_XDP, XDP_STATISTICS, &statistics, &len))
		return 0;
	return statistics.rx_dropped + statistics.rx_ring_full;
}
