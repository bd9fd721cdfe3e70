/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A policy's YAML to the policy in memory. One pass over libyaml's events,
 * led by a table of keys for each mapping. The first thing that is wrong ends
 * it, with its line and column, the offending value and what is allowed.
 *
 * It takes plain YAML only: anchors, aliases and tags are refused, so that a
 * small file stays small in memory, and so are further documents.
 */
#include "policy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

#include <edge426/abi.h>

#include "answer.h"
#include "text.h"

#define UPGRADE_ALLOWED "a list of 1 to 8 protocols"
#define KEYS_LEN 128	      /* room for the keys of a mapping as text */
#define KEYS_MAX SERVICE_KEYS /* of one mapping: a service has the most */

_Static_assert(POLICY_UPGRADES_MAX == 8, "UPGRADE_ALLOWED");

struct reader {
	yaml_parser_t parser;
	yaml_event_t event; /* the one being looked at */
	const char *name;   /* of the text, for messages */
	const char *text;
	const char *subject;	/* what the event is a value of, for messages */
	struct policy policy;	/* as far as it has been read */
	struct service service; /* the same */
	/* the mapping read last, by the places of its keys in their table */
	unsigned int seen;		/* a bit for each that it had */
	yaml_mark_t value_at[KEYS_MAX]; /* where the values of these stand */
	struct failure *failure;
};

struct key {
	const char *name;
	int (*read)(struct reader *reader);
	bool required;
};

static int refuse(struct reader *reader, yaml_mark_t at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int refuse(struct reader *reader, yaml_mark_t at, const char *format, ...)
{
	char text[sizeof(reader->failure->text)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return failure_set(reader->failure, EINVAL, "%s:%zu:%zu: %s", reader->name, at.line + 1,
			   at.column + 1, text);
}

static int no_memory(struct reader *reader)
{
	return failure_set(reader->failure, ENOMEM, "%s: out of memory", reader->name);
}

static bool is_scalar(const struct reader *reader)
{
	return reader->event.type == YAML_SCALAR_EVENT;
}

static const char *scalar(const struct reader *reader)
{
	return (const char *)reader->event.data.scalar.value;
}

/* "port '0' is not allowed: ..." */
static int refuse_value(struct reader *reader, const char *allowed)
{
	const char *subject = reader->subject;
	char quoted[TEXT_QUOTE_LEN];

	if (!is_scalar(reader))
		return refuse(reader, reader->event.start_mark, "%s as a %s is not allowed: %s",
			      subject,
			      reader->event.type == YAML_MAPPING_START_EVENT ? "mapping" : "list",
			      allowed);
	text_quote(scalar(reader), reader->event.data.scalar.length, quoted);
	return refuse(reader, reader->event.start_mark, "%s %s is not allowed: %s", subject, quoted,
		      allowed);
}

/* libyaml tells the offset alone when it is octets that it cannot take. */
static yaml_mark_t mark_of_offset(const struct reader *reader, size_t offset)
{
	yaml_mark_t mark = {0};
	size_t i;

	for (i = 0; i < offset; i++) {
		mark.column++;
		if (reader->text[i] == '\n') {
			mark.line++;
			mark.column = 0;
		}
	}
	return mark;
}

static int refuse_yaml(struct reader *reader)
{
	const yaml_parser_t *parser = &reader->parser;

	if (parser->error == YAML_MEMORY_ERROR)
		return no_memory(reader);
	if (parser->error == YAML_READER_ERROR)
		return refuse(reader, mark_of_offset(reader, parser->problem_offset),
			      "not YAML: %s (0x%02x)", parser->problem,
			      (unsigned int)parser->problem_value);
	return refuse(reader, parser->problem_mark, "not YAML: %s%s%s",
		      parser->context ? parser->context : "", parser->context ? ", " : "",
		      parser->problem);
}

static const yaml_char_t *event_anchor(const yaml_event_t *event)
{
	if (event->type == YAML_SCALAR_EVENT)
		return event->data.scalar.anchor;
	if (event->type == YAML_SEQUENCE_START_EVENT)
		return event->data.sequence_start.anchor;
	if (event->type == YAML_MAPPING_START_EVENT)
		return event->data.mapping_start.anchor;
	return NULL;
}

static const yaml_char_t *event_tag(const yaml_event_t *event)
{
	if (event->type == YAML_SCALAR_EVENT)
		return event->data.scalar.tag;
	if (event->type == YAML_SEQUENCE_START_EVENT)
		return event->data.sequence_start.tag;
	if (event->type == YAML_MAPPING_START_EVENT)
		return event->data.mapping_start.tag;
	return NULL;
}

static int refuse_extra(struct reader *reader, const char *what, const yaml_char_t *extra)
{
	char quoted[TEXT_QUOTE_LEN];

	text_quote((const char *)extra, strlen((const char *)extra), quoted);
	return refuse(reader, reader->event.start_mark,
		      "%s %s is not allowed: plain YAML, without anchors, aliases and tags", what,
		      quoted);
}

static int check_plain(struct reader *reader)
{
	const yaml_event_t *event = &reader->event;

	if (event->type == YAML_ALIAS_EVENT)
		return refuse_extra(reader, "alias", event->data.alias.anchor);
	if (event_anchor(event))
		return refuse_extra(reader, "anchor", event_anchor(event));
	if (event_tag(event))
		return refuse_extra(reader, "tag", event_tag(event));
	if (is_scalar(reader) && strlen(scalar(reader)) != event->data.scalar.length)
		return refuse_value(reader, "a text without NUL octets");
	return 0;
}

static int next_event(struct reader *reader)
{
	yaml_event_delete(&reader->event);
	if (!yaml_parser_parse(&reader->parser, &reader->event))
		return refuse_yaml(reader);
	return check_plain(reader);
}

/* The next event, and what messages about it call it. */
static int next_as(struct reader *reader, const char *subject)
{
	reader->subject = subject;
	return next_event(reader);
}

static void list_keys(const struct key *keys, char list[KEYS_LEN])
{
	size_t at = 0;

	for (; keys->name && at < KEYS_LEN; keys++)
		at += (size_t)snprintf(list + at, KEYS_LEN - at, "%s%s", at ? ", " : "",
				       keys->name);
}

static int refuse_key(struct reader *reader, const struct key *keys)
{
	char list[KEYS_LEN], allowed[KEYS_LEN + 32];

	list_keys(keys, list);
	snprintf(allowed, sizeof(allowed), "one of %s", list);
	return refuse_value(reader, allowed);
}

static const struct key *find_key(const struct reader *reader, const struct key *keys)
{
	for (; keys->name; keys++)
		if (is_scalar(reader) && !strcmp(scalar(reader), keys->name))
			return keys;
	return NULL;
}

/* A key and its value; `seen` has a bit for each key of the table. */
static int read_key(struct reader *reader, const struct key *keys, unsigned int *seen)
{
	const struct key *key = find_key(reader, keys);
	unsigned int bit;
	int err;

	if (!key)
		return refuse_key(reader, keys);
	bit = 1U << (key - keys);
	if (*seen & bit)
		return refuse(reader, reader->event.start_mark,
			      "key '%s' is not allowed twice: once for each mapping", key->name);
	*seen |= bit;
	err = next_as(reader, key->name);
	if (err)
		return err;
	reader->value_at[key - keys] = reader->event.start_mark;
	return key->read(reader);
}

/* A wrong indentation ends a mapping early too; then the next event says so. */
static int refuse_missing(struct reader *reader, yaml_mark_t at, const char *name)
{
	int err = next_event(reader);

	return err ? err : refuse(reader, at, "key '%s' is missing: it is required", name);
}

static int check_required(struct reader *reader, yaml_mark_t at, const struct key *keys,
			  unsigned int seen)
{
	size_t i;

	for (i = 0; keys[i].name; i++)
		if (keys[i].required && !(seen & 1U << i))
			return refuse_missing(reader, at, keys[i].name);
	return 0;
}

static int read_mapping(struct reader *reader, const struct key *keys)
{
	yaml_mark_t at = reader->event.start_mark;
	char list[KEYS_LEN], allowed[KEYS_LEN + 32];
	unsigned int seen = 0;
	int err;

	if (reader->event.type != YAML_MAPPING_START_EVENT) {
		list_keys(keys, list);
		snprintf(allowed, sizeof(allowed), "a mapping with the keys %s", list);
		return refuse_value(reader, allowed);
	}
	while (!(err = next_as(reader, "key")) && reader->event.type != YAML_MAPPING_END_EVENT) {
		err = read_key(reader, keys, &seen);
		if (err)
			break;
	}
	reader->seen = seen;
	return err ? err : check_required(reader, at, keys, seen);
}

/* A list whose entries messages call `entry`; `allowed` when it is no list. */
static int read_list(struct reader *reader, const char *allowed, const char *entry,
		     int (*read_entry)(struct reader *reader))
{
	int err;

	if (reader->event.type != YAML_SEQUENCE_START_EVENT)
		return refuse_value(reader, allowed);
	while (!(err = next_as(reader, entry)) && reader->event.type != YAML_SEQUENCE_END_EVENT) {
		err = read_entry(reader);
		if (err)
			break;
	}
	return err;
}

static int read_name(struct reader *reader)
{
	if (!is_scalar(reader) || text_check_name(scalar(reader)))
		return refuse_value(reader, TEXT_NAME_ALLOWED);
	strcpy(reader->service.name, scalar(reader));
	return 0;
}

static int read_port(struct reader *reader)
{
	if (!is_scalar(reader) || text_parse_port(scalar(reader), &reader->service.port))
		return refuse_value(reader, TEXT_PORT_ALLOWED);
	return 0;
}

static int refuse_address(struct reader *reader)
{
	char allowed[TEXT_ALLOWED_LEN];

	if (!is_scalar(reader))
		return refuse_value(reader, TEXT_PREFIX_ALLOWED);
	text_explain_prefix(scalar(reader), allowed);
	return refuse_value(reader, allowed);
}

static int read_address(struct reader *reader)
{
	if (!is_scalar(reader) || text_parse_prefix(scalar(reader), &reader->service.address))
		return refuse_address(reader);
	return 0;
}

static int read_handshake(struct reader *reader)
{
	if (!is_scalar(reader) || text_parse_handshake(scalar(reader), &reader->service.handshake))
		return refuse_value(reader, TEXT_HANDSHAKE_ALLOWED);
	return 0;
}

static int read_backend(struct reader *reader)
{
	if (!is_scalar(reader) || text_parse_backend(scalar(reader), &reader->service.flags))
		return refuse_value(reader, TEXT_BACKEND_ALLOWED);
	return 0;
}

static int read_syn_threshold(struct reader *reader)
{
	__u32 *handshakes = &reader->service.syn_threshold;

	if (!is_scalar(reader) || text_parse_syn_threshold(scalar(reader), handshakes))
		return refuse_value(reader, TEXT_SYN_THRESHOLD_ALLOWED);
	return 0;
}

static int read_calm_seconds(struct reader *reader)
{
	__u32 *seconds = &reader->service.calm_seconds;

	if (!is_scalar(reader) || text_parse_calm_seconds(scalar(reader), seconds))
		return refuse_value(reader, TEXT_CALM_SECONDS_ALLOWED);
	return 0;
}

static const struct key service_keys[SERVICE_KEYS + 1] = {
	[SERVICE_NAME] = {"name", read_name, true},
	[SERVICE_PORT] = {"port", read_port, true},
	[SERVICE_ADDRESS] = {"address", read_address, false},
	[SERVICE_HANDSHAKE] = {"handshake", read_handshake, false},
	[SERVICE_BACKEND] = {"backend", read_backend, false},
	[SERVICE_SYN_THRESHOLD] = {"syn_threshold", read_syn_threshold, false},
	[SERVICE_CALM_SECONDS] = {"calm_seconds", read_calm_seconds, false},
};

static int read_service(struct reader *reader)
{
	enum service_key wrong;
	struct failure reason;
	int err;

	memset(&reader->service, 0, sizeof(reader->service));
	err = read_mapping(reader, service_keys);
	if (err)
		return err;
	policy_complete_service(&reader->service, reader->seen & 1U << SERVICE_HANDSHAKE);
	err = policy_try_service(&reader->policy, &reader->service, &wrong, &reason);
	if (err == -ENOMEM)
		return no_memory(reader);
	return err ? refuse(reader, reader->value_at[wrong], "%s", reason.text) : 0;
}

static int read_services(struct reader *reader)
{
	return read_list(reader, "a list of services, [] for none", "service", read_service);
}

static int read_protocol(struct reader *reader)
{
	struct answer_text *answer = &reader->policy.answer;

	if (answer->upgrades == POLICY_UPGRADES_MAX)
		return refuse_value(reader, UPGRADE_ALLOWED);
	if (!is_scalar(reader) || text_check_protocol(scalar(reader)))
		return refuse_value(reader, TEXT_PROTOCOL_ALLOWED);
	answer->upgrade[answer->upgrades] = strdup(scalar(reader));
	if (!answer->upgrade[answer->upgrades])
		return no_memory(reader);
	answer->upgrades++;
	return 0;
}

static int read_upgrade(struct reader *reader)
{
	struct answer_text *answer = &reader->policy.answer;
	yaml_mark_t at = reader->event.start_mark;
	int err;

	while (answer->upgrades)
		free(answer->upgrade[--answer->upgrades]);
	err = read_list(reader, UPGRADE_ALLOWED, "protocol", read_protocol);
	if (err)
		return err;
	if (!answer->upgrades)
		return refuse(reader, at, "upgrade '[]' is not allowed: " UPGRADE_ALLOWED);
	return 0;
}

/* Puts a copy of the scalar in the place of the text before. */
static int replace_text(struct reader *reader, char **text)
{
	char *copy = strdup(scalar(reader));

	if (!copy)
		return no_memory(reader);
	free(*text);
	*text = copy;
	return 0;
}

static int read_content_type(struct reader *reader)
{
	if (!is_scalar(reader) || text_check_field(scalar(reader)))
		return refuse_value(reader, TEXT_FIELD_ALLOWED);
	return replace_text(reader, &reader->policy.answer.content_type);
}

static int read_body(struct reader *reader)
{
	if (!is_scalar(reader))
		return refuse_value(reader, "a text");
	return replace_text(reader, &reader->policy.answer.body);
}

static const struct key answer_keys[] = {
	{"upgrade", read_upgrade, false},
	{"content_type", read_content_type, false},
	{"body", read_body, false},
	{0},
};

/* It is rendered only to learn here, where the line is known, whether it can be. */
static int read_answer(struct reader *reader)
{
	yaml_mark_t at = reader->event.start_mark;
	struct edge426_answer answer = {0};
	struct failure reason;
	int err;

	err = read_mapping(reader, answer_keys);
	if (err)
		return err;
	err = answer_render(&reader->policy.answer, &answer, &reason);
	if (err == -ENOMEM)
		return no_memory(reader);
	return err ? refuse(reader, at, "%s", reason.text) : 0;
}

static const struct key answers_keys[] = {
	{"default", read_answer, false},
	{0},
};

static int read_answers(struct reader *reader)
{
	return read_mapping(reader, answers_keys);
}

static const struct key policy_keys[] = {
	{"services", read_services, true},
	{"answers", read_answers, false},
	{0},
};

/* One event more, which has to be of this type. */
static int next_is(struct reader *reader, yaml_event_type_t type, const char *otherwise)
{
	int err = next_event(reader);

	if (err || reader->event.type == type)
		return err;
	return refuse(reader, reader->event.start_mark, "%s", otherwise);
}

static int read_stream(struct reader *reader)
{
	int err;

	err = next_event(reader); /* the stream's start */
	if (!err)
		err = next_is(reader, YAML_DOCUMENT_START_EVENT,
			      "an empty policy is not allowed: key 'services' is required");
	if (!err)
		err = next_as(reader, "policy");
	if (!err)
		err = read_mapping(reader, policy_keys);
	if (!err)
		err = next_event(reader); /* the document's end */
	if (!err)
		err = next_is(reader, YAML_STREAM_END_EVENT,
			      "a second document is not allowed: one policy in a file");
	return err;
}

static int read_text(struct reader *reader, const char *text, size_t len)
{
	int err;

	if (!yaml_parser_initialize(&reader->parser))
		return no_memory(reader);
	yaml_parser_set_encoding(&reader->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&reader->parser, (const unsigned char *)text, len);
	err = read_stream(reader);
	yaml_event_delete(&reader->event);
	yaml_parser_delete(&reader->parser);
	return err;
}

static int refuse_file(const char *path, int err, const char *why, struct failure *failure)
{
	return failure_set(failure, err, "Can't read policy '%s': %s", path, why);
}

static int refuse_size(const char *name, struct failure *failure)
{
	return failure_set(failure, EINVAL,
			   "%s: a policy this long is not allowed: at most %d octets", name,
			   POLICY_FILE_MAX);
}

int policy_read_text(const char *name, const char *text, size_t len, struct policy *policy,
		     struct failure *failure)
{
	struct reader reader = {.name = name, .text = text, .failure = failure};
	int err;

	if (len > POLICY_FILE_MAX)
		return refuse_size(name, failure);
	if (policy_init(&reader.policy))
		return no_memory(&reader);
	err = read_text(&reader, text, len);
	if (err)
		policy_free(&reader.policy);
	else
		*policy = reader.policy;
	return err;
}

/* Up to `size` octets, over as many reads as it takes. The number, or -errno. */
static ssize_t read_up_to(int fd, char *text, size_t size)
{
	size_t len = 0;
	ssize_t got;

	do {
		got = read(fd, text + len, size - len);
		if (got > 0)
			len += (size_t)got;
	} while (len < size && (got > 0 || (got < 0 && errno == EINTR)));
	return got < 0 ? -errno : (ssize_t)len;
}

/* One octet more than allowed tells that there is too much, even if it never ends. */
static int read_fd(int fd, const char *name, struct policy *policy, struct failure *failure)
{
	char *text = malloc(POLICY_FILE_MAX + 1);
	ssize_t len;
	int err;

	if (!text)
		return refuse_file(name, ENOMEM, "out of memory", failure);
	len = read_up_to(fd, text, POLICY_FILE_MAX + 1);
	if (len < 0)
		err = refuse_file(name, (int)-len, strerror((int)-len), failure);
	else
		err = policy_read_text(name, text, (size_t)len, policy, failure);
	free(text);
	return err;
}

/* Whoever reads a policy again has clients to serve: no file may make it wait. */
int policy_read_file(const char *path, struct policy *policy, struct failure *failure)
{
	struct stat status;
	int fd, err;

	if (!strcmp(path, "-"))
		return read_fd(STDIN_FILENO, "standard input", policy, failure);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status))
		err = refuse_file(path, errno, strerror(errno), failure);
	else if (!S_ISREG(status.st_mode))
		err = refuse_file(path, EBADFD, "not a regular file", failure);
	else
		err = read_fd(fd, path, policy, failure);
	if (fd >= 0)
		close(fd);
	return err;
}
