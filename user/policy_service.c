/* SPDX-License-Identifier: GPL-2.0-only */
/* One service as a value: what it is where nobody said, copies of it, its lists of texts. */
#include "policy.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <edge426/abi.h>

static void free_strings(struct strings *strings)
{
	while (strings->len)
		free(strings->list[--strings->len]);
	free(strings->list);
	strings->list = NULL;
}

static int copy_strings(const struct strings *strings, struct strings *copy)
{
	size_t i;
	int err = 0;

	memset(copy, 0, sizeof(*copy));
	for (i = 0; i < strings->len && !err; i++)
		err = policy_add_string(copy, strings->list[i]);
	if (err)
		free_strings(copy);
	return err;
}

/* The place of a text in the list; its length when it is not there. */
static size_t find_string(const struct strings *strings, const char *text)
{
	size_t i;

	for (i = 0; i < strings->len; i++)
		if (!strcmp(strings->list[i], text))
			break;
	return i;
}

int policy_add_string(struct strings *strings, const char *text)
{
	char **list;
	char *copy;

	if (find_string(strings, text) < strings->len)
		return -EEXIST;
	list = reallocarray(strings->list, strings->len + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	strings->list = list;
	copy = strdup(text);
	if (!copy)
		return -ENOMEM;
	list[strings->len++] = copy;
	return 0;
}

int policy_remove_string(struct strings *strings, const char *text)
{
	size_t at = find_string(strings, text);

	if (at == strings->len)
		return -ENOENT;
	free(strings->list[at]);
	strings->len--;
	memmove(strings->list + at, strings->list + at + 1,
		(strings->len - at) * sizeof(*strings->list));
	return 0;
}

void policy_free_service(struct service *service)
{
	free_strings(&service->exempt_paths);
	free_strings(&service->exempt_hosts);
	memset(service, 0, sizeof(*service));
}

int policy_copy_service(const struct service *service, struct service *copy)
{
	struct service made = *service;
	int err;

	memset(&made.exempt_hosts, 0, sizeof(made.exempt_hosts));
	err = copy_strings(&service->exempt_paths, &made.exempt_paths);
	if (!err)
		err = copy_strings(&service->exempt_hosts, &made.exempt_hosts);
	if (err) {
		policy_free_service(&made);
		return -ENOMEM;
	}
	*copy = made;
	return 0;
}

void policy_complete_service(struct service *service, __u32 said)
{
	bool no_backend = service->flags & EDGE426_SERVICE_NO_BACKEND;

	if (!service->port_end)
		service->port_end = service->port;
	if (!(said & 1U << SERVICE_HANDSHAKE))
		service->handshake =
			no_backend ? EDGE426_HANDSHAKE_EDGE : EDGE426_HANDSHAKE_BACKEND;
	if (!(said & 1U << SERVICE_OTHER))
		service->other = no_backend ? EDGE426_ACTION_RESET : EDGE426_ACTION_PASS;
	if (!(said & 1U << SERVICE_PERCENT))
		service->percent = 100;
	if (!service->limit_burst)
		service->limit_burst = service->limit_rate;
	if (service->handshake != EDGE426_HANDSHAKE_AUTO)
		return;
	if (!service->syn_threshold)
		service->syn_threshold = POLICY_SYN_THRESHOLD_DEFAULT;
	if (!service->calm_seconds)
		service->calm_seconds = POLICY_CALM_SECONDS_DEFAULT;
}
