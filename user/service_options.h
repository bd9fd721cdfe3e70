/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The options that say what a service is, one for each key of the policy
 * file: --port, --action, --limit … What was said is put into a service later,
 * a new one or one that runs.
 */
#ifndef EDGE426_SERVICE_OPTIONS_H
#define EDGE426_SERVICE_OPTIONS_H

#include <argp.h>

#include "policy.h"

/* Zeroed: nothing was said. */
struct service_options {
	const char *arg[SERVICE_KEYS]; /* as given, borrowed from argv; NULL: not said */
	struct strings exempt_paths;
	struct strings exempt_hosts;
	__u32 said; /* a bit for each enum service_key */
};

/* A child of a verb's options; its input is a struct service_options. */
extern const struct argp service_argp;

void service_options_free(struct service_options *options);

/* What was said to a service that has only a name. -ENOMEM. */
int service_options_make(const struct service_options *options, struct service *service);

/*
 * What was said in place of what the service has; the rest stays, apart from
 * what has no meaning any more: the thresholds of a service that is not `auto`
 * now, the handshake of one that has no backend now.
 * -ENOMEM.
 */
int service_options_change(const struct service_options *options, struct service *service);

#endif
