/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The order of things: look, claim, load, pin, TC, XDP, state; and back. The
 * steps themselves are program.c's (load and pin), hook.c's and pins.c's.
 */
#include "loader.h"

#include <edge426/abi.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "hook.h"
#include "netdev.h"
#include "pins.h"
#include "probe.h"
#include "program.h"
#include "store.h"

/* One attachment under way: what was found, and what has been added so far. */
struct attachment {
	const struct loader_request *request;
	int ifindex;
	struct hook hook; /* what held XDP before */
	struct store store;
	struct programs programs;
	__u32 owner;
	bool fresh;    /* the pins are of our making */
	bool tc_added; /* the filter was not there before */
	bool made_qdisc;
	int responder; /* the claimed lock, or -1 */
};

static int tell_unknown(const char *interface, struct failure *failure)
{
	return failure_set(failure, ENODEV,
			   "Can't find interface '%s': there is none of that name in this network "
			   "namespace",
			   interface);
}

static int tell_busy(const char *interface, __u32 pid, struct failure *failure)
{
	if (!pid)
		return failure_set(failure, EBUSY,
				   "Can't take '%s': another edge426 process serves it", interface);
	return failure_set(failure, EBUSY, "Can't take '%s': process %u serves it; end that first",
			   interface, pid);
}

static int query_hook(const char *interface, const char *dir, int ifindex, struct hook *hook,
		      struct failure *failure)
{
	int err = hook_query_xdp(ifindex, pins_program_id(dir, EDGE426_PROG_XDP), hook);

	return err ? failure_set(failure, -err, "Can't ask for the XDP program of '%s': %s",
				 interface, strerror(-err))
		   : 0;
}

static int refuse_foreign(const struct attachment *a, struct failure *failure)
{
	const struct hook *hook = &a->hook;

	if (!hook->prog_id || hook->ours)
		return 0;
	return failure_set(failure, EBUSY,
			   "Can't attach to '%s': XDP program '%s' (id %u, %s) holds the hook; "
			   "take it off first: ip link set dev %s %s off",
			   a->request->interface, hook->name, hook->prog_id,
			   hook_mode_name(hook->mode), a->request->interface,
			   hook->mode == EDGE426_XDP_GENERIC  ? "xdpgeneric"
			   : hook->mode == EDGE426_XDP_NATIVE ? "xdp"
							      : "xdpoffload");
}

/* Whether the pins found serve, or may serve, an interface other than the one asked for. */
static bool serves_elsewhere(const struct attachment *a)
{
	const struct edge426_state *state = a->store.state;
	struct hook other = {0};

	if (!state->abi_version)
		return false;
	if (state->netns != netdev_namespace())
		return state->owner == EDGE426_OWNER_ATTACH;
	if ((int)state->ifindex == a->ifindex)
		return false;
	return !hook_query_xdp((int)state->ifindex,
			       pins_program_id(a->request->dir, EDGE426_PROG_XDP), &other) &&
	       other.prog_id && other.ours;
}

static int refuse_elsewhere(const struct attachment *a, struct failure *failure)
{
	if (!serves_elsewhere(a))
		return 0;
	return failure_set(failure, EBUSY,
			   "Can't use '%s' for '%s': its pins belong to another interface or "
			   "network namespace; give another --pin-dir, or remove it: rm -r %s",
			   a->request->dir, a->request->interface, a->request->dir);
}

/* Maps of a killed process in a namespace that is not ours: they tell us nothing. */
static bool is_stale(const struct attachment *a)
{
	return a->store.state->abi_version && a->store.state->netns != netdev_namespace();
}

/* Maps of our layout are kept, with the policy and the flows in them; others go. */
static int adopt_pins(struct attachment *a, bool serve, struct failure *failure)
{
	const char *dir = a->request->dir;
	int err = store_open(dir, &a->store, failure);

	if (pins_has_responder(dir) && (serve || err || is_stale(a)))
		return tell_busy(a->request->interface, err ? 0 : a->store.state->worker_pid,
				 failure);
	if (err && a->request->attached)
		return err;
	if (!err) {
		err = refuse_elsewhere(a, failure);
		if (err || !is_stale(a))
			return err;
	}
	store_close(&a->store);
	pins_clear(dir);
	a->fresh = true;
	return 0;
}

static int check_joined(const struct attachment *a, struct failure *failure)
{
	for (int map = 0; map < LAYOUT_MAPS; map++) {
		if (!layout_of_program(map) || hook_uses_map(&a->hook, a->store.fd[map]))
			continue;
		return failure_set(failure, ENOENT,
				   "Can't join '%s': the program on its XDP hook does not use the "
				   "map '%s/%s'; attach the program loaded with pinmaps %s",
				   a->request->interface, a->request->dir, layout_name(map),
				   a->request->dir);
	}
	return 0;
}

static int look(struct attachment *a, bool serve, struct failure *failure)
{
	const struct loader_request *request = a->request;
	int err = adopt_pins(a, serve, failure);

	if (err)
		return err;
	err = query_hook(request->interface, request->dir, a->ifindex, &a->hook, failure);
	if (err)
		return err;
	if (request->attached)
		return check_joined(a, failure);
	return refuse_foreign(a, failure);
}

/* `queues` first, then the lock: whoever sees the lock held must not see old queues. */
static int claim(struct attachment *a, struct failure *failure)
{
	struct edge426_state *state = a->store.state;

	__atomic_store_n(&state->queues, 0, __ATOMIC_RELEASE);
	state->zero_copy = 0;
	a->responder = pins_claim_responder(a->request->dir);
	if (a->responder == -EBUSY)
		return tell_busy(a->request->interface, state->worker_pid, failure);
	if (a->responder < 0)
		return failure_set(failure, -a->responder, "Can't lock '%s/%s': %s",
				   a->request->dir, PINS_RESPONDER, strerror(-a->responder));
	state->worker_pid = (__u32)getpid();
	return 0;
}

static int prepare_programs(struct attachment *a, struct failure *failure)
{
	const char *dir = a->request->dir;
	int err = 0;

	if (!a->request->attached)
		err = programs_load_xdp(&a->programs, dir, a->fresh ? NULL : &a->store, failure);
	if (!err && a->fresh)
		err = store_open(dir, &a->store, failure);
	return err ? err : programs_load_tc(&a->programs, dir, &a->store, failure);
}

static int attach_tc(struct attachment *a, struct failure *failure)
{
	bool had = hook_has_tc(a->ifindex);
	int err = hook_attach_tc(a->ifindex, programs_tc_fd(&a->programs), &a->made_qdisc);

	if (a->made_qdisc)
		pins_mark(a->request->dir, PINS_CLSACT);
	if (!err)
		a->tc_added = !had;
	if (err == -EEXIST)
		return failure_set(failure, EEXIST,
				   "Can't attach to '%s': another TC filter has edge426's place at "
				   "clsact ingress: tc filter show dev %s ingress",
				   a->request->interface, a->request->interface);
	return err ? failure_set(failure, -err, "Can't attach the TC program to '%s': %s",
				 a->request->interface, strerror(-err))
		   : 0;
}

static const char *xdp_hint(int err)
{
	return err == EBUSY || err == EEXIST
		       ? "; another XDP program came first"
		       : "; --verbose shows the driver's reason, --xdp-mode generic may help";
}

/* Native first; a driver may refuse it for its rings, its MTU or for lack of support. */
static int attach_xdp(struct attachment *a, struct failure *failure)
{
	static const __u32 wanted[] = {[LOADER_AUTO] = EDGE426_XDP_NATIVE,
				       [LOADER_NATIVE] = EDGE426_XDP_NATIVE,
				       [LOADER_GENERIC] = EDGE426_XDP_GENERIC};
	int fd = programs_xdp_fd(&a->programs), err;
	__u32 mode = wanted[a->request->mode];

	if (a->request->mode == LOADER_AUTO && a->hook.prog_id)
		mode = a->hook.mode;
	err = hook_attach_xdp(a->ifindex, fd, &a->hook, mode);
	if (err && err != -EBUSY && err != -EEXIST && a->request->mode == LOADER_AUTO &&
	    !a->hook.prog_id) {
		mode = EDGE426_XDP_GENERIC;
		err = hook_attach_xdp(a->ifindex, fd, &a->hook, mode);
	}
	if (err)
		return failure_set(failure, -err,
				   "Can't attach the XDP program to '%s' in %s mode: %s%s",
				   a->request->interface, hook_mode_name(mode), strerror(-err),
				   xdp_hint(-err));
	a->hook.mode = mode;
	return 0;
}

/* Whom the interface belongs to from now on. */
static __u32 next_owner(const struct attachment *a)
{
	__u32 owner = a->store.state->owner;

	if (a->request->attached)
		return owner == EDGE426_OWNER_RUN ? EDGE426_OWNER_NONE : owner;
	if (owner == EDGE426_OWNER_ATTACH && a->hook.ours)
		return EDGE426_OWNER_ATTACH;
	return a->request->owner;
}

static void write_state(struct attachment *a)
{
	struct edge426_state *state = a->store.state;

	if (a->owner != state->owner || a->owner == EDGE426_OWNER_RUN)
		state->owner_pid = a->owner == EDGE426_OWNER_NONE ? 0 : (__u32)getpid();
	state->owner = a->owner;
	state->ifindex = (__u32)a->ifindex;
	state->netns = netdev_namespace();
	state->xdp_mode = a->hook.mode;
	state->abi_version = EDGE426_ABI_VERSION;
}

/* The interface's own part, all of it undone by the caller when it fails. */
static int attach_hooks(struct attachment *a, struct failure *failure)
{
	int err = attach_tc(a, failure);

	a->owner = next_owner(a);
	if (!err && !a->request->attached)
		err = attach_xdp(a, failure);
	if (!err)
		write_state(a);
	return err;
}

/* Another loader's program and maps stay; what was added to them goes. */
static void forget_joined(const char *dir)
{
	pins_unmark(dir, PINS_CLSACT);
	pins_unmark(dir, PINS_RESPONDER);
	pins_remove_program(dir, EDGE426_PROG_TC);
}

static void undo(struct attachment *a)
{
	if (a->tc_added || a->made_qdisc)
		hook_detach_tc(a->ifindex, a->made_qdisc);
	if (a->made_qdisc)
		pins_unmark(a->request->dir, PINS_CLSACT);
	if (a->responder >= 0)
		close(a->responder);
	if (a->fresh)
		pins_remove(a->request->dir);
	else if (a->request->attached && !hook_has_tc(a->ifindex))
		forget_joined(a->request->dir);
}

static int attach_locked(struct attachment *a, bool serve, struct failure *failure)
{
	int err = look(a, serve, failure);

	if (!err)
		err = prepare_programs(a, failure);
	if (!err && serve)
		err = claim(a, failure);
	if (!err)
		err = attach_hooks(a, failure);
	if (err)
		undo(a);
	programs_close(&a->programs);
	store_close(&a->store);
	return err;
}

static int check_request(const struct loader_request *request, bool serve, struct failure *failure)
{
	int err = netdev_index(request->interface) ? 0 : tell_unknown(request->interface, failure);

	if (!err)
		err = probe_privileges(serve, failure);
	if (!err)
		err = pins_check_bpffs(request->dir, failure);
	return err ? err : probe_kernel(failure);
}

int loader_attach(const struct loader_request *request, int *responder, struct failure *failure)
{
	struct attachment a = {.request = request, .responder = -1};
	int err = check_request(request, responder, failure);
	int lock;

	if (err)
		return err;
	a.ifindex = netdev_index(request->interface);
	lock = pins_lock(request->dir, !request->attached, failure);
	if (lock < 0)
		return lock;
	err = attach_locked(&a, responder, failure);
	close(lock);
	if (!err && responder)
		*responder = a.responder;
	return err;
}

/* Keeps going after a failure: the more is taken off, the better. */
static int take_off(const char *interface, const char *dir, const struct hook *hook, bool keep_xdp,
		    struct failure *failure)
{
	int ifindex = netdev_index(interface), err = 0, tc_err = 0;

	if (hook->ours && !keep_xdp)
		err = hook_detach_xdp(ifindex, hook);
	if (ifindex)
		tc_err = hook_detach_tc(ifindex, pins_marked(dir, PINS_CLSACT));
	if (err)
		return failure_set(failure, -err, "Can't take the XDP program off '%s': %s",
				   interface, strerror(-err));
	if (tc_err)
		return failure_set(failure, -tc_err, "Can't take the TC program off '%s': %s",
				   interface, strerror(-tc_err));
	return 0;
}

/* Says in the state that nobody serves any more; answers who owns the interface. */
static __u32 end_service(const char *dir)
{
	struct failure ignored = {0};
	struct store store;
	__u32 owner;

	if (store_open(dir, &store, &ignored))
		return EDGE426_OWNER_RUN;
	owner = store.state->owner;
	store.state->worker_pid = 0;
	store.state->zero_copy = 0;
	__atomic_store_n(&store.state->queues, 0, __ATOMIC_RELEASE);
	store_close(&store);
	return owner;
}

static int release_locked(const struct loader_request *request, struct failure *failure)
{
	int ifindex = netdev_index(request->interface), err = 0;
	__u32 owner = end_service(request->dir);
	struct hook hook = {0};

	if (owner == EDGE426_OWNER_ATTACH)
		return 0;
	if (ifindex) /* it may have gone with its namespace */
		err = query_hook(request->interface, request->dir, ifindex, &hook, failure);
	if (!err)
		err = take_off(request->interface, request->dir, &hook, owner == EDGE426_OWNER_NONE,
			       failure);
	if (owner == EDGE426_OWNER_NONE)
		forget_joined(request->dir);
	else
		pins_remove(request->dir);
	return err;
}

int loader_release(const struct loader_request *request, struct failure *failure)
{
	int lock = pins_lock(request->dir, false, failure), err;

	if (lock < 0)
		return lock;
	err = release_locked(request, failure);
	close(lock);
	return err;
}

static int check_detach(const char *interface, const char *dir, struct failure *failure)
{
	struct failure ignored = {0};
	struct store store;
	int err = 0;

	if (store_open(dir, &store, &ignored))
		return 0;
	if (pins_has_responder(dir))
		err = tell_busy(interface, store.state->worker_pid, failure);
	else if (store.state->abi_version && store.state->netns != netdev_namespace())
		err = failure_set(failure, EBUSY,
				  "Can't detach '%s': the pins in '%s' belong to another network "
				  "namespace; enter it, or if it is gone: rm -r %s",
				  interface, dir, dir);
	store_close(&store);
	return err;
}

static int detach_locked(const char *interface, const char *dir, bool pinned,
			 struct failure *failure)
{
	int ifindex = netdev_index(interface), err = check_detach(interface, dir, failure);
	struct hook hook = {0};

	if (!err && ifindex)
		err = query_hook(interface, dir, ifindex, &hook, failure);
	if (err)
		return err;
	if (!pinned && !hook.ours && !(ifindex && hook_has_tc(ifindex)))
		return failure_set(failure, ENOENT,
				   "Can't detach '%s': no program of edge426 is attached there",
				   interface);
	err = take_off(interface, dir, &hook, false, failure);
	if (!err && pinned)
		pins_remove(dir);
	return err;
}

int loader_detach(const char *interface, const char *dir, struct failure *failure)
{
	int err = probe_privileges(false, failure), lock;

	if (err)
		return err;
	lock = pins_lock(dir, false, failure);
	if (lock < 0 && lock != -ENOENT)
		return lock;
	if (lock < 0 && !netdev_index(interface))
		return tell_unknown(interface, failure);
	err = detach_locked(interface, dir, lock >= 0, failure);
	if (lock >= 0)
		close(lock);
	return err;
}
