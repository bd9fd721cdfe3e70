/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The policy in memory: its default, its services, and the checks that hold
 * for a service wherever it comes from. Text is the business of
 * policy_read.c and policy_print.c.
 */
#include "policy.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <edge426/abi.h>

#include "text.h"

#define DEFAULT_CONTENT_TYPE "text/plain; charset=utf-8"
#define DEFAULT_BODY "This port speaks HTTPS only. Use https:// in place of http://.\n"

static const char *const default_upgrade[] = {"TLS/1.2", "HTTP/1.1"};

#define DEFAULT_UPGRADES (sizeof(default_upgrade) / sizeof(default_upgrade[0]))

void policy_free(struct policy *policy)
{
	size_t i;

	free(policy->services);
	for (i = 0; i < policy->answer.upgrades; i++)
		free(policy->answer.upgrade[i]);
	free(policy->answer.content_type);
	free(policy->answer.body);
	memset(policy, 0, sizeof(*policy));
}

int policy_init(struct policy *policy)
{
	struct policy fresh = {0};
	struct answer_text *answer = &fresh.answer;
	size_t i;

	answer->content_type = strdup(DEFAULT_CONTENT_TYPE);
	answer->body = strdup(DEFAULT_BODY);
	if (!answer->content_type || !answer->body)
		goto fail;
	for (i = 0; i < DEFAULT_UPGRADES; i++) {
		answer->upgrade[i] = strdup(default_upgrade[i]);
		if (!answer->upgrade[i])
			goto fail;
		answer->upgrades++;
	}
	*policy = fresh;
	return 0;
fail:
	policy_free(&fresh);
	return -ENOMEM;
}

const struct service *policy_find_name(const struct policy *policy, const char *name)
{
	size_t i;

	for (i = 0; i < policy->services_len; i++)
		if (!strcmp(policy->services[i].name, name))
			return &policy->services[i];
	return NULL;
}

const struct service *policy_find_place(const struct policy *policy, __u16 port,
					const struct prefix *address)
{
	const struct service *service;
	size_t i;

	for (i = 0; i < policy->services_len; i++) {
		service = &policy->services[i];
		if (service->port == port && !memcmp(&service->address, address, sizeof(*address)))
			return service;
	}
	return NULL;
}

/* A prefix made by other hands than text.c: through text and back, it must be the same. */
static int check_prefix(const struct prefix *prefix)
{
	char text[TEXT_PREFIX_LEN];
	struct prefix again;

	text_print_prefix(prefix, text);
	if (text_parse_prefix(text, &again))
		return -EINVAL;
	return memcmp(prefix, &again, sizeof(again)) ? -EINVAL : 0;
}

static int check_name(const struct service *service, struct failure *failure)
{
	char quoted[TEXT_QUOTE_LEN];

	if (memchr(service->name, '\0', sizeof(service->name)) && !text_check_name(service->name))
		return 0;
	text_quote(service->name, strnlen(service->name, sizeof(service->name)), quoted);
	return failure_set(failure, EINVAL, "name %s is not allowed: " TEXT_NAME_ALLOWED, quoted);
}

static int check_port(const struct service *service, struct failure *failure)
{
	if (service->port)
		return 0;
	return failure_set(failure, EINVAL, "port '0' is not allowed: " TEXT_PORT_ALLOWED);
}

static int check_address(const struct service *service, struct failure *failure)
{
	if (!check_prefix(&service->address))
		return 0;
	return failure_set(failure, EINVAL, "address is not allowed: " TEXT_PREFIX_ALLOWED);
}

static int check_handshake(const struct service *service, struct failure *failure)
{
	if (text_print_handshake(service->handshake))
		return 0;
	return failure_set(failure, EINVAL,
			   "handshake '%u' is not allowed: " TEXT_HANDSHAKE_ALLOWED,
			   service->handshake);
}

/* With `backend` and `auto` the server's kernel does handshakes, always or in peace. */
static int check_backend(const struct service *service, struct failure *failure)
{
	if (service->flags & ~(__u32)EDGE426_SERVICE_NO_BACKEND)
		return failure_set(failure, EINVAL,
				   "backend '%u' is not allowed: " TEXT_BACKEND_ALLOWED,
				   service->flags);
	if (!service->flags || service->handshake == EDGE426_HANDSHAKE_EDGE)
		return 0;
	return failure_set(failure, EINVAL,
			   "backend '%s' is not allowed with handshake '%s': only with edge, "
			   "as there is no listener to do the handshake",
			   text_print_backend(service->flags),
			   text_print_handshake(service->handshake));
}

struct limit {
	const char *key;
	__u32 max;
	const char *allowed;
};

/* 0 is how a service that is not `auto` says nothing. */
static int check_limit(const struct service *service, __u32 value, const struct limit *limit,
		       struct failure *failure)
{
	bool of_auto = service->handshake == EDGE426_HANDSHAKE_AUTO;

	if (of_auto && (!value || value > limit->max))
		return failure_set(failure, EINVAL, "%s '%u' is not allowed: %s", limit->key, value,
				   limit->allowed);
	if (!of_auto && value)
		return failure_set(failure, EINVAL,
				   "%s '%u' is not allowed with handshake '%s': only with auto",
				   limit->key, value, text_print_handshake(service->handshake));
	return 0;
}

static int check_syn_threshold(const struct service *service, struct failure *failure)
{
	static const struct limit limit = {"syn_threshold", POLICY_SYN_THRESHOLD_MAX,
					   TEXT_SYN_THRESHOLD_ALLOWED};

	return check_limit(service, service->syn_threshold, &limit, failure);
}

static int check_calm_seconds(const struct service *service, struct failure *failure)
{
	static const struct limit limit = {"calm_seconds", POLICY_CALM_SECONDS_MAX,
					   TEXT_CALM_SECONDS_ALLOWED};

	return check_limit(service, service->calm_seconds, &limit, failure);
}

/* In this order: those behind `handshake` rely on one that has a name. */
static int (*const checks[SERVICE_KEYS])(const struct service *, struct failure *) = {
	[SERVICE_NAME] = check_name,
	[SERVICE_PORT] = check_port,
	[SERVICE_ADDRESS] = check_address,
	[SERVICE_HANDSHAKE] = check_handshake,
	[SERVICE_BACKEND] = check_backend,
	[SERVICE_SYN_THRESHOLD] = check_syn_threshold,
	[SERVICE_CALM_SECONDS] = check_calm_seconds,
};

static int check_values(const struct service *service, enum service_key *wrong,
			struct failure *failure)
{
	int key, err = 0;

	for (key = 0; key < SERVICE_KEYS && !err; key++) {
		err = checks[key](service, failure);
		if (err)
			*wrong = (enum service_key)key;
	}
	return err;
}

static int check_unique(const struct policy *policy, const struct service *service,
			enum service_key *wrong, struct failure *failure)
{
	const struct service *other;
	char address[TEXT_PREFIX_LEN];

	*wrong = SERVICE_NAME;
	if (policy_find_name(policy, service->name))
		return failure_set(failure, EEXIST,
				   "name '%s' is taken: each service has a name of its own",
				   service->name);
	other = policy_find_place(policy, service->port, &service->address);
	if (!other)
		return 0;
	*wrong = SERVICE_PORT;
	text_print_prefix(&service->address, address);
	return failure_set(failure, EEXIST,
			   "services '%s' and '%s' both have port %u and address %s: "
			   "one service for each port and address",
			   other->name, service->name, service->port, address);
}

/* Makes room for one more. The array's size is the power of two at or above its length. */
static int grow(struct policy *policy)
{
	size_t len = policy->services_len;
	struct service *services;

	if (len & (len - 1))
		return 0;
	services = reallocarray(policy->services, len ? 2 * len : 1, sizeof(*services));
	if (!services)
		return -ENOMEM;
	policy->services = services;
	return 0;
}

void policy_complete_service(struct service *service, bool has_handshake)
{
	if (!has_handshake)
		service->handshake = service->flags & EDGE426_SERVICE_NO_BACKEND
					     ? EDGE426_HANDSHAKE_EDGE
					     : EDGE426_HANDSHAKE_BACKEND;
	if (service->handshake != EDGE426_HANDSHAKE_AUTO)
		return;
	if (!service->syn_threshold)
		service->syn_threshold = POLICY_SYN_THRESHOLD_DEFAULT;
	if (!service->calm_seconds)
		service->calm_seconds = POLICY_CALM_SECONDS_DEFAULT;
}

int policy_try_service(struct policy *policy, const struct service *service,
		       enum service_key *wrong, struct failure *failure)
{
	int err;

	err = check_values(service, wrong, failure);
	if (err)
		return err;
	err = check_unique(policy, service, wrong, failure);
	if (err)
		return err;
	*wrong = SERVICE_NAME;
	if (policy->services_len == EDGE426_SERVICES_MAX)
		return failure_set(failure, ENOSPC,
				   "service '%s' is one too many: at most %d services",
				   service->name, EDGE426_SERVICES_MAX);
	if (grow(policy))
		return failure_set(failure, ENOMEM, "Can't add service '%s': out of memory",
				   service->name);
	policy->services[policy->services_len++] = *service;
	return 0;
}

int policy_add_service(struct policy *policy, const struct service *service,
		       struct failure *failure)
{
	enum service_key wrong;

	return policy_try_service(policy, service, &wrong, failure);
}

int policy_remove_service(struct policy *policy, const char *name, struct failure *failure)
{
	const struct service *found = policy_find_name(policy, name);
	char quoted[TEXT_QUOTE_LEN];
	size_t at;

	if (!found) {
		text_quote(name, strlen(name), quoted);
		return failure_set(failure, ENOENT, "no service has the name %s", quoted);
	}
	at = (size_t)(found - policy->services);
	policy->services_len--;
	memmove(policy->services + at, policy->services + at + 1,
		(policy->services_len - at) * sizeof(*policy->services));
	return 0;
}
