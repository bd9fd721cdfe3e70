/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A walk over the events of a YAML text, led by tables of keys. What the keys
 * mean is in policy_keys.c and policy_service_keys.c; this is only theirs and
 * policy_read.c's.
 *
 * It takes plain YAML only: anchors, aliases and tags are refused, so that a
 * small file stays small in memory.
 */
#ifndef EDGE426_POLICY_READER_H
#define EDGE426_POLICY_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

#include "allow_file.h"
#include "policy.h"

#define READER_KEYS_MAX SERVICE_KEYS /* of one mapping: a service has the most */

struct reader {
	yaml_parser_t parser;
	yaml_event_t event; /* the one being looked at */
	const char *name;   /* of the text, for messages */
	const char *text;
	const char *dir;	 /* where files are that it names; NULL: the working directory */
	const char *subject;	 /* what the event is a value of, for messages */
	struct policy policy;	 /* as far as it has been read */
	struct service service;	 /* the same */
	struct allow_list allow; /* the same */
	struct allow entry;	 /* of `allow`, the same */
	char *file;		 /* of the same entry, in place of a prefix */
	struct failure *failure;
};

/* A key of a mapping and what reads its value; a table ends with a NULL. */
struct reader_key {
	const char *name;
	int (*read)(struct reader *reader);
	bool required;
};

/* A mapping that has been read, by the places of its keys in their table. */
struct reader_mapping {
	__u32 seen;			       /* a bit for each that it had */
	yaml_mark_t at;			       /* where it stands */
	yaml_mark_t value_at[READER_KEYS_MAX]; /* and where the values, or `at` */
};

/* All that follow: 0, or a message with line and column and -EINVAL, or -ENOMEM. */

int reader_refuse(struct reader *reader, yaml_mark_t at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int reader_no_memory(struct reader *reader);

/* "port '0' is not allowed: ..." of the event */
int reader_refuse_value(struct reader *reader, const char *allowed);

bool reader_is_scalar(const struct reader *reader);
const char *reader_scalar(const struct reader *reader); /* only if it is one; has no NUL inside */

/* The next event, and what messages about it call it. */
int reader_next_as(struct reader *reader, const char *subject);

/* The next event, which has to be of this type. */
int reader_next_is(struct reader *reader, yaml_event_type_t type, const char *otherwise);
int reader_next(struct reader *reader);

int reader_read_mapping(struct reader *reader, const struct reader_key *keys,
			struct reader_mapping *mapping);

/* A list whose entries messages call `entry`; `allowed` when it is no list. */
int reader_read_list(struct reader *reader, const char *allowed, const char *entry,
		     int (*read_entry)(struct reader *reader));

/* The keys of a policy, policy_keys.c, and of a service, policy_service_keys.c. */
extern const struct reader_key reader_policy_keys[];
int reader_read_services(struct reader *reader);

#endif
