/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The policy as data: services, the allow list and the answer. Reading it from
 * YAML, checking it and printing it back; nothing here knows of maps (store.h
 * does). What a policy changes is policy_diff.h's, what is doubtful in it
 * policy_lint.h's.
 */
#ifndef EDGE426_POLICY_H
#define EDGE426_POLICY_H

#include <edge426/abi.h>
#include <linux/types.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "failure.h"

#define POLICY_NAME_MAX 63	  /* octets of a service's name */
#define POLICY_UPGRADES_MAX 8	  /* protocols in Upgrade */
#define POLICY_FILE_MAX (1 << 25) /* octets of a policy file; larger ones are refused unread */
#define POLICY_ALLOW_FILE_MAX (1 << 25) /* octets of one file of allow entries */
#define POLICY_EXEMPTIONS_MAX 32	/* paths, and hosts, of one service */
#define POLICY_VLAN_MAX 4094
#define POLICY_LIMIT_RATE_MAX 1000000  /* answers per second */
#define POLICY_LIMIT_BURST_MAX 1000000 /* answers at once */

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

/* Texts in the order in which they were given; owns them. A zeroed struct is an empty list. */
struct strings {
	char **list;
	size_t len;
};

/*
 * Where a service is: ports, address, interface and VLAN. A packet's service is,
 * of those it fits, the one that comes first by
 *   1. the VLAN: one for the packet's VLAN before one for any;
 *   2. the address: the longest prefix, `any` last;
 *   3. the interface: one for this interface before one for any;
 *   4. the ports: the narrowest range.
 * Two of the same address, VLAN and interface may share ports only where the
 * range of the one is a part of the range of the other.
 */
struct service {
	char name[POLICY_NAME_MAX + 1];
	__u16 port;	/* host order */
	__u16 port_end; /* the last of a range; `port` for a single port */
	struct prefix address;
	char interface[IF_NAMESIZE]; /* empty: any */
	__u16 vlan;		     /* 1 to POLICY_VLAN_MAX; 0: any, tagged or not */
	__u32 handshake;	     /* EDGE426_HANDSHAKE_* */
	__u32 flags;		     /* EDGE426_SERVICE_NO_BACKEND or 0 */
	__u32 syn_threshold;	     /* 1 and more for auto, else 0 */
	__u32 calm_seconds;	     /* the same */
	__u32 action;		     /* EDGE426_ACTION_* */
	__u32 other;		     /* EDGE426_ACTION_PASS, _RESET or _DROP */
	__u32 mode;		     /* EDGE426_MODE_* */
	__u32 percent;	   /* 0 to 100: of sources that are enforced; waits in other modes */
	__u32 limit_rate;  /* answers per second to one source; 0: no limit */
	__u32 limit_burst; /* answers at once, 1 and more; 0 without a limit */
	struct strings exempt_paths; /* a prefix that begins with '/', or a preset's name */
	struct strings exempt_hosts; /* in lower case, without a port */
};

/* A source that is as if edge426 were not there. */
struct allow {
	struct prefix prefix; /* never the family 0 */
	__u64 until; /* seconds since the epoch, from then on it does not count; 0: for good */
};

/* The keys of a service, in the order in which they are checked and listed. */
enum service_key {
	SERVICE_NAME,
	SERVICE_PORT,
	SERVICE_ADDRESS,
	SERVICE_INTERFACE,
	SERVICE_VLAN,
	SERVICE_HANDSHAKE,
	SERVICE_BACKEND,
	SERVICE_SYN_THRESHOLD,
	SERVICE_CALM_SECONDS,
	SERVICE_ACTION,
	SERVICE_OTHER,
	SERVICE_MODE,
	SERVICE_PERCENT,
	SERVICE_LIMIT,
	SERVICE_EXEMPT_PATHS,
	SERVICE_EXEMPT_HOSTS,
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
	struct allow *allow; /* by family, address, bits; each prefix once */
	size_t allow_len;
	struct answer_text answer;
};

/* Empty services and the default answer. -ENOMEM. */
int policy_init(struct policy *policy);
void policy_free(struct policy *policy);

/*
 * Text (len octets, need not end in NUL) to policy. `name` is how messages
 * call the text: "NAME:LINE:COLUMN: what is wrong, what is allowed". Files of
 * allow entries that it names are looked for in `dir`, which may be NULL for
 * the working directory, and read in. -EINVAL for a policy that is not valid;
 * *policy is untouched then.
 */
int policy_read_text(const char *name, const char *text, size_t len, const char *dir,
		     struct policy *policy, struct failure *failure);

/*
 * The same for a regular file; "-" is standard input, of any kind. -EINVAL also
 * for a file too large; -EBADFD for what is no regular file; else errno.
 * Files that it names are looked for beside it.
 */
int policy_read_file(const char *path, struct policy *policy, struct failure *failure);

/*
 * The canonical text, which policy_read_text reads back to an equal policy;
 * free() it. Allow entries that came from a file are printed like all others.
 */
int policy_print_text(const struct policy *policy, char **text, size_t *len,
		      struct failure *failure);

/* The service of that name; NULL when there is none. */
struct service *policy_find_name(const struct policy *policy, const char *name);

/*
 * Gives a service what nobody said about it: the handshake, where it was not
 * said (a service without a backend can have one only), `other` and `percent`
 * likewise, the thresholds of auto and the burst of a limit that are still 0,
 * the end of the port range. `said` has a bit for each enum service_key that
 * was said.
 */
void policy_complete_service(struct service *service, __u32 said);

/* A deep copy; -ENOMEM. What is copied to is overwritten, not freed. */
int policy_copy_service(const struct service *service, struct service *copy);
void policy_free_service(struct service *service); /* takes a zeroed struct */

/*
 * Adds a copy of one service after the checks that a file gets too. -EINVAL,
 * -EEXIST (name taken, or the place overlaps another's), -ENOSPC, -ENOMEM.
 */
int policy_add_service(struct policy *policy, const struct service *service,
		       struct failure *failure);

/* The same; *wrong is the key whose value is to blame, except for -ENOMEM. */
int policy_try_service(struct policy *policy, const struct service *service,
		       enum service_key *wrong, struct failure *failure);

/* Puts a copy in the place of the service of the same name, all or nothing. Also -ENOENT. */
int policy_replace_service(struct policy *policy, const struct service *service,
			   struct failure *failure);

/* -ENOENT when no service has the name. */
int policy_remove_service(struct policy *policy, const char *name, struct failure *failure);

/*
 * Sorts entries in any order into the list that `policy` owns from now on;
 * of equal prefixes the one that counts longest stays. -ENOSPC, and they stay
 * the caller's.
 */
int policy_set_allow(struct policy *policy, struct allow *entries, size_t len,
		     struct failure *failure);

/* Adds one entry, or gives the one with its prefix another end. -EINVAL, -ENOSPC, -ENOMEM. */
int policy_add_allow(struct policy *policy, const struct allow *entry, struct failure *failure);
int policy_remove_allow(struct policy *policy, const struct prefix *prefix,
			struct failure *failure); /* -ENOENT */

/* The entry of the longest prefix around the address that counts at `now` (epoch); or NULL. */
const struct allow *policy_find_allow(const struct policy *policy, __u8 family,
				      const __u8 address[16], __u64 now);

/* Adds, removes one exemption of a service (in `strings`, a member of it). -EEXIST, -ENOENT. */
int policy_add_string(struct strings *strings, const char *text);
int policy_remove_string(struct strings *strings, const char *text);

/*
 * The paths that a preset stands for, ended by NULL; NULL when there is none
 * of this name. acme: RFC 8555 8.3.
 */
const char *const *policy_find_preset(const char *name);

#endif
