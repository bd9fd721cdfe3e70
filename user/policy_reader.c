/* SPDX-License-Identifier: GPL-2.0-only */
/* libyaml's events, and mappings and lists of them, whatever they mean. */
#include "policy_reader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

#define KEYS_LEN 256 /* room for the keys of a mapping as text */

int reader_refuse(struct reader *reader, yaml_mark_t at, const char *format, ...)
{
	char text[sizeof(reader->failure->text)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return failure_set(reader->failure, EINVAL, "%s:%zu:%zu: %s", reader->name, at.line + 1,
			   at.column + 1, text);
}

int reader_no_memory(struct reader *reader)
{
	return failure_set(reader->failure, ENOMEM, "%s: out of memory", reader->name);
}

bool reader_is_scalar(const struct reader *reader)
{
	return reader->event.type == YAML_SCALAR_EVENT;
}

const char *reader_scalar(const struct reader *reader)
{
	return (const char *)reader->event.data.scalar.value;
}

int reader_refuse_value(struct reader *reader, const char *allowed)
{
	const char *subject = reader->subject;
	char quoted[TEXT_QUOTE_LEN];

	if (!reader_is_scalar(reader))
		return reader_refuse(
			reader, reader->event.start_mark, "%s as a %s is not allowed: %s", subject,
			reader->event.type == YAML_MAPPING_START_EVENT ? "mapping" : "list",
			allowed);
	text_quote(reader_scalar(reader), reader->event.data.scalar.length, quoted);
	return reader_refuse(reader, reader->event.start_mark, "%s %s is not allowed: %s", subject,
			     quoted, allowed);
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
		return reader_no_memory(reader);
	if (parser->error == YAML_READER_ERROR)
		return reader_refuse(reader, mark_of_offset(reader, parser->problem_offset),
				     "not YAML: %s (0x%02x)", parser->problem,
				     (unsigned int)parser->problem_value);
	return reader_refuse(reader, parser->problem_mark, "not YAML: %s%s%s",
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
	return reader_refuse(reader, reader->event.start_mark,
			     "%s %s is not allowed: plain YAML, without anchors, aliases and tags",
			     what, quoted);
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
	if (reader_is_scalar(reader) && strlen(reader_scalar(reader)) != event->data.scalar.length)
		return reader_refuse_value(reader, "a text without NUL octets");
	return 0;
}

int reader_next(struct reader *reader)
{
	yaml_event_delete(&reader->event);
	if (!yaml_parser_parse(&reader->parser, &reader->event))
		return refuse_yaml(reader);
	return check_plain(reader);
}

/* The next event, and what messages about it call it. */
int reader_next_as(struct reader *reader, const char *subject)
{
	reader->subject = subject;
	return reader_next(reader);
}

static void list_keys(const struct reader_key *keys, char list[KEYS_LEN])
{
	size_t at = 0;

	for (; keys->name && at < KEYS_LEN; keys++)
		at += (size_t)snprintf(list + at, KEYS_LEN - at, "%s%s", at ? ", " : "",
				       keys->name);
}

static int refuse_key(struct reader *reader, const struct reader_key *keys)
{
	char list[KEYS_LEN], allowed[KEYS_LEN + 32];

	list_keys(keys, list);
	snprintf(allowed, sizeof(allowed), "one of %s", list);
	return reader_refuse_value(reader, allowed);
}

static const struct reader_key *find_key(const struct reader *reader, const struct reader_key *keys)
{
	for (; keys->name; keys++)
		if (reader_is_scalar(reader) && !strcmp(reader_scalar(reader), keys->name))
			return keys;
	return NULL;
}

static int read_key(struct reader *reader, const struct reader_key *keys,
		    struct reader_mapping *mapping)
{
	const struct reader_key *key = find_key(reader, keys);
	__u32 bit;
	int err;

	if (!key)
		return refuse_key(reader, keys);
	bit = 1U << (key - keys);
	if (mapping->seen & bit)
		return reader_refuse(reader, reader->event.start_mark,
				     "key '%s' is not allowed twice: once for each mapping",
				     key->name);
	mapping->seen |= bit;
	err = reader_next_as(reader, key->name);
	if (err)
		return err;
	mapping->value_at[key - keys] = reader->event.start_mark;
	return key->read(reader);
}

/* A wrong indentation ends a mapping early too; then the next event says so. */
static int refuse_missing(struct reader *reader, yaml_mark_t at, const char *name)
{
	int err = reader_next(reader);

	return err ? err : reader_refuse(reader, at, "key '%s' is missing: it is required", name);
}

static int check_required(struct reader *reader, const struct reader_key *keys,
			  const struct reader_mapping *mapping)
{
	size_t i;

	for (i = 0; keys[i].name; i++)
		if (keys[i].required && !(mapping->seen & 1U << i))
			return refuse_missing(reader, mapping->at, keys[i].name);
	return 0;
}

static int refuse_mapping(struct reader *reader, const struct reader_key *keys)
{
	char list[KEYS_LEN], allowed[KEYS_LEN + 32];

	list_keys(keys, list);
	snprintf(allowed, sizeof(allowed), "a mapping with the keys %s", list);
	return reader_refuse_value(reader, allowed);
}

static void begin_mapping(const struct reader *reader, struct reader_mapping *mapping)
{
	size_t i;

	mapping->seen = 0;
	mapping->at = reader->event.start_mark;
	for (i = 0; i < READER_KEYS_MAX; i++)
		mapping->value_at[i] = mapping->at;
}

int reader_read_mapping(struct reader *reader, const struct reader_key *keys,
			struct reader_mapping *mapping)
{
	int err;

	if (reader->event.type != YAML_MAPPING_START_EVENT)
		return refuse_mapping(reader, keys);
	begin_mapping(reader, mapping);
	while (!(err = reader_next_as(reader, "key")) &&
	       reader->event.type != YAML_MAPPING_END_EVENT) {
		err = read_key(reader, keys, mapping);
		if (err)
			break;
	}
	return err ? err : check_required(reader, keys, mapping);
}

int reader_read_list(struct reader *reader, const char *allowed, const char *entry,
		     int (*read_entry)(struct reader *reader))
{
	int err;

	if (reader->event.type != YAML_SEQUENCE_START_EVENT)
		return reader_refuse_value(reader, allowed);
	while (!(err = reader_next_as(reader, entry)) &&
	       reader->event.type != YAML_SEQUENCE_END_EVENT) {
		err = read_entry(reader);
		if (err)
			break;
	}
	return err;
}

int reader_next_is(struct reader *reader, yaml_event_type_t type, const char *otherwise)
{
	int err = reader_next(reader);

	if (err || reader->event.type == type)
		return err;
	return reader_refuse(reader, reader->event.start_mark, "%s", otherwise);
}
