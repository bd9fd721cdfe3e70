/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The order of things: look, claim, load, pin, TC, XDP, state; and back. The
 * steps themselves are program.c's (load and pin), hook.c's and pins.c's.
 */
#include "loader.h"

#include <bpf/bpf.h>
#include <edge426/abi.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "hook.h"
#include "lease.h"
#include "netdev.h"
#include "pins.h"
#include "probe.h"
#include "program.h"
#include "store.h"

/* One attachment under way: what was found, and what has been added so far. */
struct attachment {
	const struct loader_request *request;
	struct hook hook; /* what held XDP before */
	struct store store;
	struct programs programs;
	bool looked; /* from here on there is something to undo */
	struct loader_hold hold;
};

static const struct loader_hold nothing_held = {
	.responder = -1, .lease = -1, .before = {.xdp_fd = -1, .tc_fd = -1}};

static int tell_unknown(const char *interface, struct failure *failure)
{
	return failure_set(failure, ENODEV,
			   "Can't find interface '%s': there is none of that name in this network "
			   "namespace",
			   interface);
}

int loader_find(const char *interface, struct failure *failure)
{
	return netdev_index(interface) ? 0 : tell_unknown(interface, failure);
}

static int tell_busy(const char *interface, __u32 pid, struct failure *failure)
{
	if (!pid)
		return failure_set(failure, EBUSY,
				   "Can't take '%s': another edge426 process serves it", interface);
	return failure_set(failure, EBUSY,
			   "Can't take '%s': process %u serves it; end that first: kill %u",
			   interface, pid, pid);
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
	if ((int)state->ifindex == a->hold.ifindex)
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
	a->hold.fresh = true;
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

/* Whether the program on the hook works with the maps in `dir`. */
static bool runs_from(int ifindex, const char *dir)
{
	struct failure ignored = {0};
	struct hook hook = {0};
	struct store store;
	bool runs;

	if (store_open(dir, &store, &ignored))
		return false;
	runs = !hook_query_xdp(ifindex, 0, &hook) && hook.prog_id &&
	       hook_uses_map(&hook, store.fd[LAYOUT_STATE]);
	store_close(&store);
	return runs;
}

/* Our name on a program tells only that it may be replaced once nobody serves with it. */
static int take_interface(struct attachment *a, bool serve, struct failure *failure)
{
	const struct loader_request *request = a->request;
	int lease = lease_take(a->hold.ifindex);

	if (lease == -EBUSY && !serve && runs_from(a->hold.ifindex, request->dir))
		return 0;
	if (lease == -EBUSY)
		return tell_busy(request->interface, lease_holder(a->hold.ifindex), failure);
	if (lease < 0)
		return failure_set(failure, -lease, "Can't lock '%s': %s", request->interface,
				   strerror(-lease));
	a->hold.lease = lease;
	return 0;
}

/* Before anything is changed. A hook that is not ours is never touched. */
static void remember_before(struct attachment *a)
{
	const char *dir = a->request->dir;
	struct loader_before *before = &a->hold.before;

	if (a->hook.ours && !a->request->attached) {
		before->xdp_fd = bpf_prog_get_fd_by_id(a->hook.prog_id);
		before->mode = a->hook.mode;
		before->pinned = a->hook.prog_id == pins_program_id(dir, EDGE426_PROG_XDP);
	}
	before->tc_fd = hook_open_tc(a->hold.ifindex);
	before->made_qdisc = pins_marked(dir, PINS_CLSACT);
	if (a->hold.fresh)
		return;
	before->owner = a->store.state->owner;
	before->owner_pid = a->store.state->owner_pid;
}

static int look(struct attachment *a, bool serve, struct failure *failure)
{
	const struct loader_request *request = a->request;
	int err = adopt_pins(a, serve, failure);

	if (!err)
		err = query_hook(request->interface, request->dir, a->hold.ifindex, &a->hook,
				 failure);
	if (err)
		return err;
	remember_before(a);
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
	a->hold.responder = pins_claim_responder(a->request->dir);
	if (a->hold.responder == -EBUSY)
		return tell_busy(a->request->interface, state->worker_pid, failure);
	if (a->hold.responder < 0)
		return failure_set(failure, -a->hold.responder, "Can't lock '%s/%s': %s",
				   a->request->dir, PINS_RESPONDER, strerror(-a->hold.responder));
	state->worker_pid = (__u32)getpid();
	return 0;
}

static int prepare_programs(struct attachment *a, struct failure *failure)
{
	const char *dir = a->request->dir;
	int err = 0;

	if (!a->request->attached)
		err = programs_load_xdp(&a->programs, dir, a->hold.fresh ? NULL : &a->store,
					failure);
	if (!err && a->hold.fresh)
		err = store_open(dir, &a->store, failure);
	return err ? err : programs_load_tc(&a->programs, dir, &a->store, failure);
}

static int attach_tc(struct attachment *a, struct failure *failure)
{
	bool had = hook_has_tc(a->hold.ifindex);
	int err =
		hook_attach_tc(a->hold.ifindex, programs_tc_fd(&a->programs), &a->hold.made_qdisc);

	if (a->hold.made_qdisc)
		pins_mark(a->request->dir, PINS_CLSACT);
	if (!err)
		a->hold.tc_added = !had;
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
	err = hook_attach_xdp(a->hold.ifindex, fd, &a->hook, mode);
	if (err && err != -EBUSY && err != -EEXIST && a->request->mode == LOADER_AUTO &&
	    !a->hook.prog_id) {
		mode = EDGE426_XDP_GENERIC;
		err = hook_attach_xdp(a->hold.ifindex, fd, &a->hook, mode);
	}
	if (err)
		return failure_set(failure, -err,
				   "Can't attach the XDP program to '%s' in %s mode: %s%s",
				   a->request->interface, hook_mode_name(mode), strerror(-err),
				   xdp_hint(-err));
	a->hook.mode = mode;
	a->hold.xdp_id = pins_program_id(a->request->dir, EDGE426_PROG_XDP);
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

	if (a->hold.owner != state->owner || a->hold.owner == EDGE426_OWNER_RUN)
		state->owner_pid = a->hold.owner == EDGE426_OWNER_NONE ? 0 : (__u32)getpid();
	state->owner = a->hold.owner;
	state->ifindex = (__u32)a->hold.ifindex;
	state->netns = netdev_namespace();
	state->xdp_mode = a->hook.mode;
	state->abi_version = EDGE426_ABI_VERSION;
}

/* The interface's own part, all of it undone by the caller when it fails. */
static int attach_hooks(struct attachment *a, struct failure *failure)
{
	int err = attach_tc(a, failure);

	a->hold.owner = next_owner(a);
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

static void put_hooks_back(const struct loader_hold *hold)
{
	const struct loader_before *before = &hold->before;
	bool ignored = false;
	struct hook now = {0};

	if (hold->xdp_id && !hook_query_xdp(hold->ifindex, hold->xdp_id, &now) &&
	    now.prog_id == hold->xdp_id) {
		if (before->xdp_fd >= 0)
			hook_attach_xdp(hold->ifindex, before->xdp_fd, &now, before->mode);
		else
			hook_detach_xdp(hold->ifindex, &now);
	}
	if (before->tc_fd >= 0)
		hook_attach_tc(hold->ifindex, before->tc_fd, &ignored);
	else if (hold->tc_added || hold->made_qdisc)
		hook_detach_tc(hold->ifindex, hold->made_qdisc);
}

static void put_pins_back(const char *dir, const struct loader_hold *hold)
{
	const struct loader_before *before = &hold->before;

	if (before->pinned && before->xdp_fd >= 0)
		pins_replace_program(dir, EDGE426_PROG_XDP, before->xdp_fd);
	if (before->pinned && before->tc_fd >= 0)
		pins_replace_program(dir, EDGE426_PROG_TC, before->tc_fd);
	if (hold->made_qdisc)
		pins_unmark(dir, PINS_CLSACT);
}

static void end_service(struct edge426_state *state)
{
	state->worker_pid = 0;
	state->zero_copy = 0;
	__atomic_store_n(&state->queues, 0, __ATOMIC_RELEASE);
}

static void put_state_back(const char *dir, const struct loader_hold *hold)
{
	struct failure ignored = {0};
	struct store store;

	if (store_open(dir, &store, &ignored))
		return;
	if (hold->responder >= 0)
		end_service(store.state);
	store.state->owner = hold->before.owner;
	store.state->owner_pid = hold->before.owner_pid;
	store_close(&store);
}

/* With the directory's lock held; a step that was not taken is not undone. */
static void undo(const struct loader_request *request, const struct loader_hold *hold)
{
	put_hooks_back(hold);
	if (hold->fresh) {
		pins_remove(request->dir);
		return;
	}
	put_pins_back(request->dir, hold);
	put_state_back(request->dir, hold);
	if (request->attached && hold->before.tc_fd < 0)
		forget_joined(request->dir);
}

void loader_undo(const struct loader_request *request, const struct loader_hold *hold)
{
	struct failure ignored = {0};
	int lock = pins_lock(request->dir, false, &ignored);

	undo(request, hold);
	if (lock >= 0)
		close(lock);
}

static void close_once(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void loader_forget_before(struct loader_hold *hold)
{
	close_once(&hold->before.xdp_fd);
	close_once(&hold->before.tc_fd);
}

void loader_close(struct loader_hold *hold)
{
	loader_forget_before(hold);
	close_once(&hold->responder);
	close_once(&hold->lease);
}

static int attach_locked(struct attachment *a, bool serve, struct failure *failure)
{
	int err = look(a, serve, failure);

	a->looked = !err;
	if (!err)
		err = prepare_programs(a, failure);
	if (!err && serve)
		err = claim(a, failure);
	if (!err)
		err = attach_hooks(a, failure);
	if (err && a->looked)
		undo(a->request, &a->hold);
	else if (err && a->hold.fresh)
		pins_remove(a->request->dir);
	programs_close(&a->programs);
	store_close(&a->store);
	return err;
}

static int check_request(const struct loader_request *request, bool serve, struct failure *failure)
{
	int err = loader_find(request->interface, failure);

	if (!err)
		err = probe_privileges(serve, failure);
	if (!err)
		err = pins_check_bpffs(request->dir, failure);
	return err ? err : probe_kernel(failure);
}

static int attach_taken(struct attachment *a, bool serve, struct failure *failure)
{
	int lock = pins_lock(a->request->dir, !a->request->attached, failure), err;

	if (lock < 0)
		return lock;
	err = attach_locked(a, serve, failure);
	close(lock);
	return err;
}

int loader_attach(const struct loader_request *request, struct loader_hold *hold,
		  struct failure *failure)
{
	struct attachment a = {.request = request, .hold = nothing_held};
	int err = check_request(request, hold, failure);

	if (err)
		return err;
	a.hold.ifindex = netdev_index(request->interface);
	err = take_interface(&a, hold, failure);
	if (!err)
		err = attach_taken(&a, hold, failure);
	if (!err && hold)
		*hold = a.hold;
	else
		loader_close(&a.hold);
	return err;
}

/* Keeps going after a failure: the more is taken off, the better. */
static int take_off(const char *interface, int ifindex, const struct hook *hook, bool drop_qdisc,
		    struct failure *failure)
{
	int err = hook->ours ? hook_detach_xdp(ifindex, hook) : 0;
	int tc_err = ifindex ? hook_detach_tc(ifindex, drop_qdisc) : 0;

	if (err)
		return failure_set(failure, -err, "Can't take the XDP program off '%s': %s",
				   interface, strerror(-err));
	if (tc_err)
		return failure_set(failure, -tc_err, "Can't take the TC program off '%s': %s",
				   interface, strerror(-tc_err));
	return 0;
}

/* By index, whatever the interface is called now; it may have gone with its namespace. */
static int release_hooks(const struct loader_request *request, const struct loader_hold *hold,
			 __u32 owner, struct failure *failure)
{
	char name[IF_NAMESIZE];
	int ifindex = netdev_name(hold->ifindex, name) ? hold->ifindex : 0, err = 0, tc_err;
	struct hook hook = {0};

	if (ifindex && owner != EDGE426_OWNER_NONE)
		err = hook_query_xdp(ifindex, hold->xdp_id, &hook);
	if (err)
		failure_set(failure, -err, "Can't ask for the XDP program of '%s': %s",
			    request->interface, strerror(-err));
	tc_err = take_off(request->interface, ifindex, &hook,
			  hold->made_qdisc || hold->before.made_qdisc, failure);
	return err ? err : tc_err;
}

/* Somebody may have removed them, and somebody else made new ones in their place. */
static void release_pins(const char *dir, const struct loader_hold *hold, __u32 owner)
{
	if (!pins_is_responder(dir, hold->responder))
		return;
	if (owner == EDGE426_OWNER_NONE)
		forget_joined(dir);
	else if (owner == EDGE426_OWNER_RUN)
		pins_remove(dir);
}

int loader_release(const struct loader_request *request, const struct loader_hold *hold,
		   struct edge426_state *state, struct failure *failure)
{
	struct failure ignored = {0};
	int lock = pins_lock(request->dir, false, &ignored), err = 0;
	__u32 owner = state->owner;

	end_service(state);
	if (owner != EDGE426_OWNER_ATTACH)
		err = release_hooks(request, hold, owner, failure);
	release_pins(request->dir, hold, owner);
	if (lock >= 0)
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

/* The lease, 0 when there is no interface to take, or an error. */
static int take_to_detach(const char *interface, int ifindex, struct failure *failure)
{
	int lease = ifindex ? lease_take(ifindex) : 0;

	if (lease == -EBUSY)
		return tell_busy(interface, lease_holder(ifindex), failure);
	return lease < 0 ? failure_set(failure, -lease, "Can't lock '%s': %s", interface,
				       strerror(-lease))
			 : lease;
}

static int detach_taken(const char *interface, const char *dir, bool pinned,
			struct failure *failure)
{
	int ifindex = netdev_index(interface), err = 0;
	struct hook hook = {0};

	if (ifindex)
		err = query_hook(interface, dir, ifindex, &hook, failure);
	if (err)
		return err;
	if (!pinned && !hook.ours && !(ifindex && hook_has_tc(ifindex)))
		return failure_set(failure, ENOENT,
				   "Can't detach '%s': no program of edge426 is attached there",
				   interface);
	err = take_off(interface, ifindex, &hook, pins_marked(dir, PINS_CLSACT), failure);
	if (!err && pinned)
		pins_remove(dir);
	return err;
}

static int detach_locked(const char *interface, const char *dir, bool pinned,
			 struct failure *failure)
{
	int err = check_detach(interface, dir, failure), lease;

	if (err)
		return err;
	lease = take_to_detach(interface, netdev_index(interface), failure);
	if (lease < 0)
		return lease;
	err = detach_taken(interface, dir, pinned, failure);
	if (lease)
		close(lease);
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
