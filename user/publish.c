/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Policy into the maps and back: everything goes to the half that does not
 * count, then one store makes it count. See abi.h.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/membarrier.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "answer.h"
#include "store.h"

/* What one publication works on. */
struct publication {
	struct store *store;
	const struct policy *policy;
	__u32 half;
	__u64 generation;
};

static int tell_map(const struct publication *p, enum layout_map map, struct failure *failure)
{
	int err = errno;

	return failure_set(failure, err, "Can't write the map '%s/%s': %s", p->store->dir,
			   layout_name(map), strerror(err));
}

/* A reader that copies meanwhile sees generation 0, or the old one changed, and looks again. */
static void write_answer(const struct publication *p, const struct edge426_answer *answer)
{
	struct edge426_answer *slot = &p->store->answers[p->half];

	__atomic_store_n(&slot->generation, 0, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	slot->head_len = answer->head_len;
	slot->len = answer->len;
	slot->date_offset = answer->date_offset;
	memcpy(slot->octets, answer->octets, sizeof(slot->octets));
	__atomic_store_n(&slot->generation, p->generation, __ATOMIC_RELEASE);
}

static void write_services(const struct publication *p)
{
	struct edge426_service *slots = p->store->services + p->half * EDGE426_SERVICES_MAX;

	memset(slots, 0, EDGE426_SERVICES_MAX * sizeof(*slots));
	for (size_t i = 0; i < p->policy->services_len; i++) {
		const struct service *service = &p->policy->services[i];

		slots[i] = (struct edge426_service){
			.handshake = service->handshake,
			.flags = service->flags,
			.syn_threshold = service->syn_threshold,
			.calm_seconds = service->calm_seconds,
		};
	}
}

/*
 * The half still holds the loads of the policy before the running one, perhaps
 * of other services. Those of the running policy move with their service; what
 * the XDP program counts between here and the flip is lost, a packet or two. If
 * the running policy can't be read, each service begins with nothing.
 */
static void write_loads(const struct publication *p)
{
	struct edge426_load *slots = p->store->loads + p->half * EDGE426_SERVICES_MAX;
	const struct edge426_load *running = p->store->loads + !p->half * EDGE426_SERVICES_MAX;
	struct failure ignored = {0};
	struct policy before = {0};

	memset(slots, 0, EDGE426_SERVICES_MAX * sizeof(*slots));
	if (store_read_policy(p->store, &before, &ignored))
		return;
	for (size_t i = 0; i < p->policy->services_len; i++) {
		const struct service *same = policy_find_name(&before, p->policy->services[i].name);

		if (same)
			slots[i] = running[same - before.services];
	}
	policy_free(&before);
}

static void write_ports(const struct publication *p)
{
	struct store_port *slots = p->store->ports + p->half * EDGE426_PORTS;

	memset(slots, 0, EDGE426_PORTS * sizeof(*slots));
	for (size_t i = 0; i < p->policy->services_len; i++) {
		const struct service *service = &p->policy->services[i];

		if (service->address.family)
			slots[service->port].value.flags |= EDGE426_PORT_BY_ADDRESS;
		else
			slots[service->port].value.service = (__u16)(i + 1);
	}
}

/* Keys of one half; deleting while walking would start the walk over each time. */
static size_t list_addresses(int fd, __u32 half, struct edge426_address_key *keys)
{
	struct edge426_address_key key, *previous = NULL;
	size_t len = 0;

	while (len < 2 * EDGE426_SERVICES_MAX && !bpf_map_get_next_key(fd, previous, &key)) {
		if (key.half == half)
			keys[len++] = key;
		previous = &key;
	}
	return len;
}

static int clear_addresses(const struct publication *p, struct failure *failure)
{
	int fd = p->store->fd[LAYOUT_ADDRESSES];
	struct edge426_address_key *keys = calloc(2 * EDGE426_SERVICES_MAX, sizeof(*keys));
	size_t len = keys ? list_addresses(fd, p->half, keys) : 0;
	int err = keys ? 0 : tell_map(p, LAYOUT_ADDRESSES, failure);

	for (size_t i = 0; i < len && !err; i++)
		if (bpf_map_delete_elem(fd, &keys[i]))
			err = tell_map(p, LAYOUT_ADDRESSES, failure);
	free(keys);
	return err;
}

static struct edge426_address_key address_key(__u32 half, const struct service *service)
{
	struct edge426_address_key key = {
		.prefix_len = EDGE426_ADDRESS_BITS + service->address.bits,
		.half = (__u8)half,
		.family = service->address.family,
		.port = htobe16(service->port),
	};

	memcpy(key.address, service->address.address, sizeof(key.address));
	return key;
}

static int write_addresses(const struct publication *p, struct failure *failure)
{
	int err = clear_addresses(p, failure);

	for (__u32 i = 0; i < p->policy->services_len && !err; i++) {
		struct edge426_address_key key = address_key(p->half, &p->policy->services[i]);
		__u32 service = i + 1;

		if (key.family &&
		    bpf_map_update_elem(p->store->fd[LAYOUT_ADDRESSES], &key, &service, BPF_ANY))
			err = tell_map(p, LAYOUT_ADDRESSES, failure);
	}
	return err;
}

/* Its text, to be freed; no longer than a slot takes. */
static int print_text(const struct policy *policy, char **text, size_t *len,
		      struct failure *failure)
{
	const size_t room = sizeof(((struct edge426_policy_text *)0)->octets);
	int err = policy_print_text(policy, text, len, failure);

	if (err || *len <= room)
		return err;
	free(*text);
	return failure_set(failure, EINVAL,
			   "Can't publish the policy: its text has %zu octets, allowed are %zu",
			   *len, room);
}

static int write_text(const struct publication *p, struct failure *failure)
{
	struct edge426_policy_text *slot = &p->store->policy_text[p->half];
	char *text = NULL;
	size_t len = 0;
	int err = print_text(p->policy, &text, &len, failure);

	if (err)
		return err;
	memcpy(slot->octets, text, len);
	slot->len = (__u32)len;
	free(text);
	return 0;
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

static void make_current(const struct publication *p)
{
	struct edge426_state *state = p->store->state;

	state->services = (__u32)p->policy->services_len;
	__atomic_store_n(&state->generation, p->generation, __ATOMIC_RELEASE);
	__atomic_store_n(&state->active, p->half, __ATOMIC_RELEASE);
	wait_for_programs();
}

static int check_len(const struct policy *policy, struct failure *failure)
{
	if (policy->services_len <= EDGE426_SERVICES_MAX)
		return 0;
	return failure_set(failure, ENOSPC,
			   "Can't publish the policy: it has %zu services, allowed are %d",
			   policy->services_len, EDGE426_SERVICES_MAX);
}

int store_check_policy(const struct policy *policy, struct failure *failure)
{
	struct edge426_answer answer = {0};
	char *text = NULL;
	size_t len = 0;
	int err = check_len(policy, failure);

	if (!err)
		err = answer_render(&policy->answer, &answer, failure);
	if (!err)
		err = print_text(policy, &text, &len, failure);
	if (!err)
		free(text);
	return err;
}

int store_publish_policy(struct store *store, const struct policy *policy, struct failure *failure)
{
	struct edge426_answer answer = {0};
	struct publication p = {
		.store = store,
		.policy = policy,
		.half = !store->state->active,
		.generation = store->state->generation + 1,
	};
	int err = check_len(policy, failure);

	if (!err)
		err = answer_render(&policy->answer, &answer, failure);
	if (err)
		return err;
	err = write_text(&p, failure);
	if (err)
		return err;
	write_answer(&p, &answer);
	write_services(&p);
	write_ports(&p);
	err = write_addresses(&p, failure);
	if (err)
		return err;
	write_loads(&p);
	make_current(&p);
	return 0;
}

int store_read_policy(struct store *store, struct policy *policy, struct failure *failure)
{
	const struct edge426_policy_text *slot = &store->policy_text[store->state->active & 1];

	if (!store->state->generation)
		return failure_set(failure, ENOENT, "Can't read the policy in '%s': there is none",
				   store->dir);
	if (slot->len > sizeof(slot->octets))
		return failure_set(failure, EPROTO, "Can't read the policy in '%s': damaged",
				   store->dir);
	return policy_read_text("running policy", (const char *)slot->octets, slot->len, policy,
				failure);
}
