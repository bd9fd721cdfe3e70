/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The policy in memory: its default, its services, and the checks that hold
 * for a service wherever it comes from. Text is the business of
 * policy_read.c and policy_print.c.
 */
#include "policy.h"

#include <errno.h>
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

static int check_values(const struct service *service, struct failure *failure)
{
	char quoted[TEXT_QUOTE_LEN];

	if (!memchr(service->name, '\0', sizeof(service->name)) || text_check_name(service->name)) {
		text_quote(service->name, strnlen(service->name, sizeof(service->name)), quoted);
		return failure_set(failure, EINVAL, "name %s is not allowed: " TEXT_NAME_ALLOWED,
				   quoted);
	}
	if (!service->port)
		return failure_set(failure, EINVAL, "port '0' is not allowed: " TEXT_PORT_ALLOWED);
	if (check_prefix(&service->address))
		return failure_set(failure, EINVAL, "address is not allowed: " TEXT_PREFIX_ALLOWED);
	if (!text_print_handshake(service->handshake))
		return failure_set(failure, EINVAL,
				   "handshake '%u' is not allowed: " TEXT_HANDSHAKE_ALLOWED,
				   service->handshake);
	return 0;
}

static int check_unique(const struct policy *policy, const struct service *service,
			struct failure *failure)
{
	const struct service *other;
	char address[TEXT_PREFIX_LEN];

	if (policy_find_name(policy, service->name))
		return failure_set(failure, EEXIST,
				   "name '%s' is taken: each service has a name of its own",
				   service->name);
	other = policy_find_place(policy, service->port, &service->address);
	if (!other)
		return 0;
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

int policy_add_service(struct policy *policy, const struct service *service,
		       struct failure *failure)
{
	int err;

	err = check_values(service, failure);
	if (err)
		return err;
	err = check_unique(policy, service, failure);
	if (err)
		return err;
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
