/* SPDX-License-Identifier: GPL-2.0-only */
/* Secrets by getrandom, the host's TCP settings from /proc/sys and the interface. */
#include "edge.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "netdev.h"

#define SYSCTL "/proc/sys/net/"
#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

/* A sysctl whose value, 0 or not, becomes a bit. */
struct sysctl_bit {
	const char *path;
	__u32 bit;
	bool when; /* the bit is set when the value is not 0; or else when it is */
};

static const struct sysctl_bit tcp_bits[] = {
	{SYSCTL "ipv4/tcp_timestamps", EDGE426_TCP_TIMESTAMPS, true},
	{SYSCTL "ipv4/tcp_sack", EDGE426_TCP_SACK, true},
	{SYSCTL "ipv4/tcp_window_scaling", EDGE426_TCP_WINDOW_SCALING, true},
	{SYSCTL "ipv4/tcp_ecn", EDGE426_TCP_ECN, true},
};

/* What is not there does not hinder: without connection tracking nothing must be loose. */
static const struct sysctl_bit unable_bits[] = {
	{SYSCTL "ipv4/tcp_syncookies", EDGE426_UNABLE_SYNCOOKIES, false},
	{SYSCTL "netfilter/nf_conntrack_tcp_loose", EDGE426_UNABLE_CONNTRACK, false},
};

/* The last number of a sysctl's line; `otherwise` when it cannot be read. */
static unsigned long read_sysctl(const char *path, unsigned long otherwise)
{
	FILE *file = fopen(path, "re");
	unsigned long value = otherwise, next;

	if (!file)
		return otherwise;
	while (fscanf(file, "%lu", &next) == 1)
		value = next;
	fclose(file);
	return value;
}

static __u32 read_bits(const struct sysctl_bit *rows, size_t len)
{
	__u32 bits = 0;

	for (size_t i = 0; i < len; i++) {
		bool is_set = read_sysctl(rows[i].path, !rows[i].when) != 0;

		if (is_set == rows[i].when)
			bits |= rows[i].bit;
	}
	return bits;
}

/* The larger of the two limits that the kernel looks at; a namespace may not see the second. */
static __u32 read_window_scale(void)
{
	unsigned long tcp = read_sysctl(SYSCTL "ipv4/tcp_rmem", 6291456);
	unsigned long core = read_sysctl(SYSCTL "core/rmem_max", 212992);

	return edge_window_scale(tcp > core ? tcp : core);
}

static __u32 find_hand_over(void)
{
	struct btf *kernel = btf__load_vmlinux_btf();
	bool found = kernel &&
		     btf__find_by_name_kind(kernel, "bpf_sk_assign_tcp_reqsk", BTF_KIND_FUNC) > 0;

	btf__free(kernel);
	return found ? 0 : EDGE426_UNABLE_KFUNC;
}

static time_t monotonic_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* The key is whole before `current` names it. */
static int make_key(struct edge *edge)
{
	struct edge426_edge *settings = edge->settings;
	__u32 next = (settings->current + 1) % EDGE426_KEYS;
	__u64 key[2];

	if (getrandom(key, sizeof(key), 0) != sizeof(key))
		return -errno;
	memcpy(settings->key[next], key, sizeof(key));
	__atomic_store_n(&settings->current, next, __ATOMIC_RELEASE);
	edge->rotated = monotonic_seconds();
	return 0;
}

static void read_host(struct edge *edge)
{
	struct edge426_edge *settings = edge->settings;
	__u32 kfunc = settings->unable & EDGE426_UNABLE_KFUNC;

	settings->flags = read_bits(tcp_bits, ARRAY_LEN(tcp_bits));
	settings->wscale = read_window_scale();
	settings->mtu = netdev_mtu(edge->interface);
	settings->unable = kfunc | read_bits(unable_bits, ARRAY_LEN(unable_bits));
}

/* A map that was never served has no key that could be anybody's previous one. */
static int make_first_keys(struct edge *edge)
{
	int err = 0;

	for (int i = 0; i < EDGE426_KEYS - 1 && !err; i++)
		err = make_key(edge);
	if (!err && getrandom(&edge->settings->seed, sizeof(edge->settings->seed), 0) < 0)
		err = -errno;
	return err;
}

int edge_start(struct edge *edge, struct edge426_edge *settings, const char *interface,
	       struct failure *failure)
{
	int err;

	*edge = (struct edge){.settings = settings, .interface = interface};
	err = settings->seed ? 0 : make_first_keys(edge);
	if (!err)
		err = make_key(edge);
	if (err)
		return failure_set(failure, -err, "Can't make a secret: %s", strerror(-err));
	settings->unable = find_hand_over();
	read_host(edge);
	__atomic_store_n(&settings->ready, 1, __ATOMIC_RELEASE);
	return 0;
}

/* Without randomness the old key stays, and its cookies live longer than they should. */
void edge_refresh(struct edge *edge)
{
	read_host(edge);
	if (monotonic_seconds() - edge->rotated >= EDGE426_KEY_SECONDS)
		(void)make_key(edge);
}

void edge_stop(struct edge *edge)
{
	if (edge->settings)
		__atomic_store_n(&edge->settings->ready, 0, __ATOMIC_RELEASE);
	edge->settings = NULL;
}
