/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The policy in memory: its default and the list of its services. What holds
 * for a service is policy_check.c's, the allow list policy_allow.c's, text
 * policy_read.c's and policy_print.c's.
 */
#include "policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <edge426/abi.h>

#include "policy_check.h"
#include "text.h"

#define DEFAULT_CONTENT_TYPE "text/plain; charset=utf-8"
#define DEFAULT_BODY "This port speaks HTTPS only. Use https:// in place of http://.\n"

static const char *const default_upgrade[] = {"TLS/1.2", "HTTP/1.1"};

#define DEFAULT_UPGRADES (sizeof(default_upgrade) / sizeof(default_upgrade[0]))

void policy_free(struct policy *policy)
{
	size_t i;

	for (i = 0; i < policy->services_len; i++)
		policy_free_service(&policy->services[i]);
	free(policy->services);
	free(policy->allow);
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

struct service *policy_find_name(const struct policy *policy, const char *name)
{
	size_t i;

	for (i = 0; i < policy->services_len; i++)
		if (!strcmp(policy->services[i].name, name))
			return &policy->services[i];
	return NULL;
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

static int refuse_unknown(const char *name, struct failure *failure)
{
	char quoted[TEXT_QUOTE_LEN];

	text_quote(name, strlen(name), quoted);
	return failure_set(failure, ENOENT, "no service has the name %s", quoted);
}

int policy_try_service(struct policy *policy, const struct service *service,
		       enum service_key *wrong, struct failure *failure)
{
	int err;

	err = policy_check_values(service, wrong, failure);
	if (!err)
		err = policy_check_unique(policy, service, NULL, wrong, failure);
	if (err)
		return err;
	*wrong = SERVICE_NAME;
	if (policy->services_len == EDGE426_SERVICES_MAX)
		return failure_set(failure, ENOSPC,
				   "service '%s' is one too many: at most %d services",
				   service->name, EDGE426_SERVICES_MAX);
	if (grow(policy) || policy_copy_service(service, &policy->services[policy->services_len]))
		return failure_set(failure, ENOMEM, "Can't add service '%s': out of memory",
				   service->name);
	policy->services_len++;
	return 0;
}

int policy_add_service(struct policy *policy, const struct service *service,
		       struct failure *failure)
{
	enum service_key wrong;

	return policy_try_service(policy, service, &wrong, failure);
}

int policy_replace_service(struct policy *policy, const struct service *service,
			   struct failure *failure)
{
	enum service_key wrong;
	struct service *found;
	struct service copy;
	int err;

	err = policy_check_values(service, &wrong, failure);
	if (err)
		return err;
	found = policy_find_name(policy, service->name);
	if (!found)
		return refuse_unknown(service->name, failure);
	err = policy_check_unique(policy, service, found, &wrong, failure);
	if (err)
		return err;
	if (policy_copy_service(service, &copy))
		return failure_set(failure, ENOMEM, "Can't change service '%s': out of memory",
				   service->name);
	policy_free_service(found);
	*found = copy;
	return 0;
}

int policy_remove_service(struct policy *policy, const char *name, struct failure *failure)
{
	struct service *found = policy_find_name(policy, name);
	size_t at;

	if (!found)
		return refuse_unknown(name, failure);
	at = (size_t)(found - policy->services);
	policy_free_service(found);
	policy->services_len--;
	memmove(policy->services + at, policy->services + at + 1,
		(policy->services_len - at) * sizeof(*policy->services));
	return 0;
}
