/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One word says which half counts and until when, see abi.h: whoever changes
 * it changes all of that in one step, while packets and other processes look.
 */
#include "halves.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000ULL

static __u64 clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (__u64)now.tv_sec * SECOND + (__u64)now.tv_nsec;
}

static __u64 read_active(const struct store *store)
{
	return __atomic_load_n(&store->state->active, __ATOMIC_ACQUIRE);
}

static __u32 half_of(__u64 active)
{
	return active & EDGE426_ACTIVE_HALF;
}

/* When the other half comes to count, ns of CLOCK_BOOTTIME; 0: never. */
static __u64 deadline_of(__u64 active)
{
	return active & ~EDGE426_ACTIVE_HALF;
}

static bool has_gone_back(__u64 active)
{
	return deadline_of(active) && clock_ns(CLOCK_BOOTTIME) >= deadline_of(active);
}

__u32 store_half(const struct store *store)
{
	__u64 active = read_active(store);

	return has_gone_back(active) ? !half_of(active) : half_of(active);
}

bool store_is_overdue(const struct store *store)
{
	return has_gone_back(read_active(store));
}

unsigned int store_waits(const struct store *store)
{
	__u64 deadline = deadline_of(read_active(store)), now = clock_ns(CLOCK_BOOTTIME);

	return deadline > now ? (unsigned int)((deadline - now + SECOND - 1) / SECOND) : 0;
}

/*
 * After a grace period no packet program works with the old half. The call is
 * missing where CPUs run without a tick; a packet takes microseconds, so a
 * tenth of a second does there.
 */
static void wait_for_programs(void)
{
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		usleep(100 * 1000);
}

/* 0 for no policy, or one that cannot be read. */
static __u32 count_services(struct store *store)
{
	struct failure ignored = {0};
	struct policy policy = {0};
	__u32 count;

	if (store_read_services(store, &policy, &ignored))
		return 0;
	count = (__u32)policy.services_len;
	policy_free(&policy);
	return count;
}

/* False when somebody else has changed `active` meanwhile. */
static bool replace_active(struct store *store, __u64 active, __u64 next)
{
	return __atomic_compare_exchange_n(&store->state->active, &active, next, false,
					   __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

static bool go_back(struct store *store, __u64 active)
{
	struct edge426_state *state = store->state;

	if (!deadline_of(active) || !replace_active(store, active, !half_of(active)))
		return false;
	state->services = count_services(store);
	__atomic_store_n(&state->generation, state->generation + 1, __ATOMIC_RELEASE);
	wait_for_programs();
	return true;
}

bool halves_go_back(struct store *store)
{
	return go_back(store, read_active(store));
}

bool store_settle(struct store *store)
{
	__u64 active = read_active(store);
	__s64 offset = (__s64)(clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME));

	__atomic_store_n(&store->state->wall_offset, offset, __ATOMIC_RELAXED);
	return has_gone_back(active) && go_back(store, active);
}

static int tell_none(const struct store *store, const char *what, bool was_late,
		     struct failure *failure)
{
	return failure_set(failure, ENOENT, "Can't %s the policy in '%s': %s", what, store->dir,
			   was_late ? "it was not confirmed in time, the one before it counts again"
				    : "no change waits to be confirmed");
}

int store_confirm(struct store *store, struct failure *failure)
{
	bool was_late = store_settle(store);
	__u64 active = read_active(store);

	if (deadline_of(active) && replace_active(store, active, half_of(active)))
		return 0;
	return tell_none(store, "confirm", was_late, failure);
}

int store_roll_back(struct store *store, struct failure *failure)
{
	bool was_late = store_settle(store);

	return halves_go_back(store) ? 0 : tell_none(store, "take back", was_late, failure);
}

int halves_check_waiting(const struct store *store, struct failure *failure)
{
	unsigned int seconds = store_waits(store);

	if (!seconds)
		return 0;
	return failure_set(failure, EBUSY,
			   "Can't publish the policy: a change waits to be confirmed: edge426 "
			   "policy confirm, or edge426 policy rollback, or wait %u s",
			   seconds);
}

void halves_flip(struct store *store, size_t services, unsigned int confirm_seconds)
{
	struct edge426_state *state = store->state;
	__u64 active = !store_half(store);

	if (confirm_seconds)
		active |= (clock_ns(CLOCK_BOOTTIME) + confirm_seconds * SECOND) &
			  ~EDGE426_ACTIVE_HALF;
	state->services = (__u32)services;
	__atomic_store_n(&state->generation, state->generation + 1, __ATOMIC_RELEASE);
	__atomic_store_n(&state->active, active, __ATOMIC_RELEASE);
	wait_for_programs();
}

void store_set_bypass(struct store *store, bool on)
{
	__atomic_store_n(&store->state->bypass, on, __ATOMIC_RELEASE);
}
