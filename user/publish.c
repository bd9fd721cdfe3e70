/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Policy into the maps and back: everything goes to the half that does not
 * count, then one store makes it count (halves.c). See abi.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "halves.h"
#include "inner.h"
#include "lists.h"
#include "places.h"
#include "store.h"

#define SECOND_NS 1000000000U

/* What one publication works on; all of it is made before anything is written. */
struct publication {
	struct store *store;
	const struct policy *policy;
	__u32 half;
	struct edge426_answer answer;
	char *text;
	size_t text_len;
	struct places places;
	struct allow_lists allow;
	struct list addresses, paths, hosts;
	struct policy running; /* its services; none when there is no policy, or a damaged one */
	bool knows_running;
};

/*
 * A reader that copies meanwhile sees generation 0, or the old one changed, and
 * looks again. The tag tells frames that were judged by the half's policy from
 * those that are under way since the one before.
 */
static void write_answer(const struct publication *p)
{
	struct edge426_answer *slot = &p->store->answers[p->half];
	__u64 generation = p->store->state->generation + 1;

	__atomic_store_n(&slot->generation, 0, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	slot->head_len = p->answer.head_len;
	slot->len = p->answer.len;
	slot->date_offset = p->answer.date_offset;
	memcpy(slot->octets, p->answer.octets, sizeof(slot->octets));
	__atomic_store_n(&slot->generation, generation, __ATOMIC_RELEASE);
	p->store->state->tags[p->half] = (__u32)generation;
}

static void write_text(const struct publication *p)
{
	struct edge426_policy_text *slot = &p->store->policy_text[p->half];

	memcpy(slot->octets, p->text, p->text_len);
	slot->len = (__u32)p->text_len;
}

static const struct edge426_service ended = {
	.handshake = EDGE426_HANDSHAKE_EDGE,
	.action = EDGE426_ACTION_PASS,
	.other = EDGE426_ACTION_PASS,
	.mode = EDGE426_MODE_BYPASS,
	.percent = 100,
};

static struct edge426_service make_service(const struct service *service)
{
	struct edge426_service made = {
		.handshake = service->handshake,
		.flags = service->flags,
		.syn_threshold = service->syn_threshold,
		.calm_seconds = service->calm_seconds,
		.action = (__u8)service->action,
		.other = (__u8)service->other,
		.mode = (__u8)service->mode,
		.percent = (__u8)service->percent,
	};

	if (service->exempt_paths.len)
		made.flags |= EDGE426_SERVICE_PATHS;
	if (service->exempt_hosts.len)
		made.flags |= EDGE426_SERVICE_HOSTS;
	if (service->limit_rate) {
		made.limit_every = SECOND_NS / service->limit_rate;
		made.limit_burst = (__u64)(service->limit_burst - 1) * made.limit_every;
	}
	return made;
}

static void write_services(const struct publication *p)
{
	struct edge426_service *slots = p->store->services + p->half * EDGE426_SERVICE_SLOTS;

	memset(slots, 0, EDGE426_SERVICE_SLOTS * sizeof(*slots));
	for (size_t i = 0; i < p->policy->services_len; i++)
		slots[i] = make_service(&p->policy->services[i]);
	slots[EDGE426_SERVICE_ENDED] = ended;
}

/* Services in the order of their names: one look for each in a list of thousands is too slow. */
static int compare_names(const void *left, const void *right)
{
	const struct service *const *a = left, *const *b = right;

	return strcmp((*a)->name, (*b)->name);
}

static const struct service **sort_by_name(const struct policy *policy)
{
	const struct service **sorted = calloc(policy->services_len + 1, sizeof(*sorted));

	for (size_t i = 0; sorted && i < policy->services_len; i++)
		sorted[i] = &policy->services[i];
	if (sorted)
		qsort(sorted, policy->services_len, sizeof(struct service *), compare_names);
	return sorted;
}

/*
 * The half still holds the loads of the policy before the running one, perhaps
 * of other services. Those of the running policy move with their service; what
 * the XDP program counts between here and the flip is lost, a packet or two. If
 * the running policy can't be read, each service begins with nothing.
 */
static void write_loads(const struct publication *p)
{
	struct edge426_load *slots = p->store->loads + p->half * EDGE426_SERVICE_SLOTS;
	const struct edge426_load *running = p->store->loads + !p->half * EDGE426_SERVICE_SLOTS;
	const struct service **sorted = sort_by_name(&p->running);

	memset(slots, 0, EDGE426_SERVICE_SLOTS * sizeof(*slots));
	for (size_t i = 0; sorted && i < p->policy->services_len; i++) {
		const struct service *service = &p->policy->services[i];
		const struct service **same = bsearch(&service, sorted, p->running.services_len,
						      sizeof(struct service *), compare_names);

		if (same)
			slots[i] = running[*same - p->running.services];
	}
	free(sorted);
}

static struct edge426_port *ports_of(const struct publication *p, __u32 half)
{
	return p->store->ports + half * EDGE426_PORTS;
}

static void write_ports(const struct publication *p)
{
	places_inherit(p->places.ports, ports_of(p, !p->half),
		       p->knows_running ? &p->running : NULL);
	memcpy(ports_of(p, p->half), p->places.ports, EDGE426_PORTS * sizeof(*p->places.ports));
}

/* Should the policy that runs count again, it is the one behind the new one. */
static void prepare_way_back(const struct publication *p)
{
	p->store->services[!p->half * EDGE426_SERVICE_SLOTS + EDGE426_SERVICE_ENDED] = ended;
	places_inherit(ports_of(p, !p->half), p->places.ports, p->policy);
}

static int write_list(const struct publication *p, enum layout_map map, const struct list *list,
		      struct failure *failure)
{
	int err = inner_write(map, p->store->fd[map], p->half, list);

	return err ? failure_set(failure, -err, "Can't write the map '%s/%s': %s", p->store->dir,
				 layout_name(map), strerror(-err))
		   : 0;
}

static int write_allow(const struct publication *p, struct failure *failure)
{
	int err = write_list(p, LAYOUT_ALLOW, &p->allow.trie, failure);

	if (err)
		return err;
	memcpy(p->store->allow_lengths + 2 * p->half, p->allow.lengths, sizeof(p->allow.lengths));
	return write_list(p, LAYOUT_ALLOW_EXACT, &p->allow.exact, failure);
}

static int write_lists(const struct publication *p, struct failure *failure)
{
	int err = write_list(p, LAYOUT_ADDRESSES, &p->addresses, failure);

	if (!err)
		err = write_allow(p, failure);
	if (!err)
		err = write_list(p, LAYOUT_PATHS, &p->paths, failure);
	return err ? err : write_list(p, LAYOUT_HOSTS, &p->hosts, failure);
}

/* Lists first: only they can fail, and until the flip nobody reads any of it. */
static int write_half(const struct publication *p, struct failure *failure)
{
	int err = write_lists(p, failure);

	if (err)
		return err;
	write_text(p);
	write_answer(p);
	write_services(p);
	write_ports(p);
	write_loads(p);
	return 0;
}

/* Its text, to be freed; no longer than a slot takes. The allow list is no part of it. */
static int print_text(const struct policy *policy, char **text, size_t *len,
		      struct failure *failure)
{
	const size_t room = sizeof(((struct edge426_policy_text *)0)->octets);
	struct policy without = *policy;
	int err;

	without.allow = NULL;
	without.allow_len = 0;
	err = policy_print_text(&without, text, len, failure);
	if (err || *len <= room)
		return err;
	free(*text);
	*text = NULL;
	return failure_set(failure, EINVAL,
			   "Can't publish the policy: its text has %zu octets, allowed are %zu",
			   *len, room);
}

static int check_allow(const struct policy *policy, struct failure *failure)
{
	if (policy->allow_len <= EDGE426_ALLOW_MAX)
		return 0;
	return failure_set(failure, ENOSPC,
			   "Can't publish the policy: it has %zu allow entries, allowed are %d",
			   policy->allow_len, EDGE426_ALLOW_MAX);
}

static int make_lists(struct publication *p, struct failure *failure)
{
	int err = lists_make_allow(p->policy, &p->allow);

	if (!err)
		err = lists_make_paths(p->policy, &p->paths);
	if (!err)
		err = lists_make_hosts(p->policy, &p->hosts);
	p->addresses = (struct list){p->places.keys, p->places.slots, p->places.len};
	return err ? failure_set(failure, -err, "Can't publish the policy: %s", strerror(-err)) : 0;
}

static int make_all(struct publication *p, const char *interface, struct failure *failure)
{
	int err = check_allow(p->policy, failure);

	if (!err)
		err = places_build(p->policy, interface, &p->places, failure);
	if (!err)
		err = answer_render(&p->policy->answer, &p->answer, failure);
	if (!err)
		err = print_text(p->policy, &p->text, &p->text_len, failure);
	return err ? err : make_lists(p, failure);
}

/* `addresses` borrows from `places`. */
static void free_all(struct publication *p)
{
	free(p->text);
	places_free(&p->places);
	lists_free_allow(&p->allow);
	list_free(&p->paths);
	list_free(&p->hosts);
	policy_free(&p->running);
}

static int check_places(const struct policy *policy, const char *interface, struct failure *failure)
{
	struct places places = {0};
	int err = places_build(policy, interface, &places, failure);

	places_free(&places);
	return err;
}

/* The first service of an interface stands for all of them. */
static bool is_first_of_interface(const struct policy *policy, size_t index)
{
	const char *interface = policy->services[index].interface;

	for (size_t i = 0; interface[0] && i < index; i++)
		if (!strcmp(policy->services[i].interface, interface))
			return false;
	return interface[0] != '\0';
}

/* What it makes depends on the interface: each that has a service of its own is tried. */
int store_check_policy(const struct policy *policy, struct failure *failure)
{
	struct publication p = {.policy = policy};
	int err = make_all(&p, "", failure);

	free_all(&p);
	for (size_t i = 0; i < policy->services_len && !err; i++)
		if (is_first_of_interface(policy, i))
			err = check_places(policy, policy->services[i].interface, failure);
	return err;
}

/* The half that counts is settled for good before the other one is chosen. */
static void settle(struct publication *p, bool replaces_waiting)
{
	struct failure ignored = {0};

	if (replaces_waiting)
		halves_go_back(p->store);
	store_settle(p->store);
	p->half = !store_half(p->store);
	p->knows_running = !store_read_services(p->store, &p->running, &ignored);
}

int store_publish_policy(struct store *store, const struct policy *policy,
			 const struct publish_options *options, struct failure *failure)
{
	struct publication p = {.store = store, .policy = policy};
	int err = options->replaces_waiting ? 0 : halves_check_waiting(store, failure);

	if (!err)
		err = make_all(&p, options->interface, failure);
	if (!err) {
		settle(&p, options->replaces_waiting);
		err = write_half(&p, failure);
	}
	if (!err && options->confirm_seconds)
		prepare_way_back(&p);
	if (!err)
		halves_flip(store, policy->services_len, options->confirm_seconds);
	free_all(&p);
	return err;
}

static const struct edge426_policy_text *running_text(const struct store *store)
{
	return &store->policy_text[store_half(store)];
}

bool store_has_policy(const struct store *store)
{
	return store->state->generation && running_text(store)->len;
}

static int tell_read(const struct store *store, int err, const char *reason,
		     struct failure *failure)
{
	return failure_set(failure, err, "Can't read the policy in '%s': %s", store->dir, reason);
}

int store_read_services(struct store *store, struct policy *policy, struct failure *failure)
{
	const struct edge426_policy_text *slot = running_text(store);

	if (!store_has_policy(store))
		return tell_read(store, ENOENT, "there is none", failure);
	if (slot->len > sizeof(slot->octets))
		return tell_read(store, EPROTO, "damaged", failure);
	return policy_read_text("running policy", (const char *)slot->octets, slot->len, NULL,
				policy, failure);
}

static const char *allow_hint(int err)
{
	return err == EPERM ? "; CAP_SYS_ADMIN is needed for its allow list" : "";
}

static int tell_allow(const struct store *store, int err, struct failure *failure)
{
	return failure_set(failure, err, "Can't read the allow list in '%s': %s%s", store->dir,
			   strerror(err), allow_hint(err));
}

static int read_entries(const struct store *store, struct allow **entries, size_t *len)
{
	struct allow_lists lists = {0};
	int err = inner_read(store->fd[LAYOUT_ALLOW], store_half(store), &lists.trie);

	if (!err)
		err = inner_read(store->fd[LAYOUT_ALLOW_EXACT], store_half(store), &lists.exact);
	if (!err)
		err = lists_read_allow(&lists, entries, len);
	lists_free_allow(&lists);
	return err;
}

static int read_allow(const struct store *store, struct policy *policy, struct failure *failure)
{
	struct allow *entries = NULL;
	size_t len = 0;
	int err = read_entries(store, &entries, &len);

	if (err)
		return tell_allow(store, -err, failure);
	err = policy_set_allow(policy, entries, len, failure);
	if (err)
		free(entries);
	return err;
}

int store_read_policy(struct store *store, struct policy *policy, struct failure *failure)
{
	struct policy read = {0};
	int err = store_read_services(store, &read, failure);

	if (!err)
		err = read_allow(store, &read, failure);
	if (err)
		policy_free(&read);
	else
		*policy = read;
	return err;
}
