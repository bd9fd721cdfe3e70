/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The policy as data: services and the answer. Reading it from YAML, checking
 * it and printing it back; nothing here knows of maps (store.h does).
 */
#ifndef EDGE426_POLICY_H
#define EDGE426_POLICY_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "failure.h"

#define POLICY_NAME_MAX 63	  /* octets of a service's name */
#define POLICY_UPGRADES_MAX 8	  /* protocols in Upgrade */
#define POLICY_FILE_MAX (1 << 20) /* octets of a policy file; larger ones are refused unread */

/* Of `handshake: auto`; what they count is said at struct edge426_service. */
#define POLICY_SYN_THRESHOLD_MAX 1000000
#define POLICY_SYN_THRESHOLD_DEFAULT 100
#define POLICY_CALM_SECONDS_MAX 86400
#define POLICY_CALM_SECONDS_DEFAULT 60

/* A source or destination: any address, or a prefix of one family without host bits. */
struct prefix {
	__u8 family;	  /* 0: any address; 4 or 6 */
	__u8 bits;	  /* 0 to 32 or 0 to 128 */
	__u8 address[16]; /* network order; IPv4 in the first four octets, rest 0 */
};

struct service {
	char name[POLICY_NAME_MAX + 1];
	__u16 port; /* host order */
	struct prefix address;
	__u32 handshake;     /* EDGE426_HANDSHAKE_* */
	__u32 flags;	     /* EDGE426_SERVICE_* */
	__u32 syn_threshold; /* 1 and more for auto, else 0 */
	__u32 calm_seconds;  /* the same */
};

/* The keys of a service, in the order in which they are checked and listed. */
enum service_key {
	SERVICE_NAME,
	SERVICE_PORT,
	SERVICE_ADDRESS,
	SERVICE_HANDSHAKE,
	SERVICE_BACKEND,
	SERVICE_SYN_THRESHOLD,
	SERVICE_CALM_SECONDS,
	SERVICE_KEYS
};

/* The parts of the one answer, as text; answer.h makes the octets of it. */
struct answer_text {
	char *upgrade[POLICY_UPGRADES_MAX];
	size_t upgrades;
	char *content_type;
	char *body;
};

/* Owns its memory; a zeroed struct is an empty policy that policy_free takes. */
struct policy {
	struct service *services;
	size_t services_len;
	struct answer_text answer;
};

/* Empty services and the default answer. -ENOMEM. */
int policy_init(struct policy *policy);
void policy_free(struct policy *policy);

/*
 * Text (len octets, need not end in NUL) to policy. `name` is how messages
 * call the text: "NAME:LINE:COLUMN: what is wrong, what is allowed". -EINVAL
 * for a policy that is not valid; *policy is untouched then.
 */
int policy_read_text(const char *name, const char *text, size_t len, struct policy *policy,
		     struct failure *failure);

/*
 * The same for a regular file; "-" is standard input, of any kind. -EINVAL also
 * for a file too large; -EBADFD for what is no regular file; else errno.
 */
int policy_read_file(const char *path, struct policy *policy, struct failure *failure);

/* The canonical text, which policy_read_text reads back to an equal policy; free() it. */
int policy_print_text(const struct policy *policy, char **text, size_t *len,
		      struct failure *failure);

/* The service of that name, or of that port and address; NULL when there is none. */
const struct service *policy_find_name(const struct policy *policy, const char *name);
const struct service *policy_find_place(const struct policy *policy, __u16 port,
					const struct prefix *address);

/*
 * Gives a service what nobody said about it: the handshake, where it was not
 * said (a service without a backend can have one only), and the thresholds of
 * auto that are still 0.
 */
void policy_complete_service(struct service *service, bool has_handshake);

/* Adds one service after the checks that a file gets too. -EINVAL, -EEXIST, -ENOSPC, -ENOMEM. */
int policy_add_service(struct policy *policy, const struct service *service,
		       struct failure *failure);

/* The same; *wrong is the key whose value is to blame, except for -ENOMEM. */
int policy_try_service(struct policy *policy, const struct service *service,
		       enum service_key *wrong, struct failure *failure);

/* -ENOENT when no service has the name. */
int policy_remove_service(struct policy *policy, const char *name, struct failure *failure);

#endif
