/* SPDX-License-Identifier: GPL-2.0-only */
/* The keys of a policy but those of a service: the allow list, and the answer. */
#include "policy_reader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "text.h"

#define UPGRADE_ALLOWED "a list of 1 to 8 protocols"
#define ENTRY_ALLOWED "a prefix, or a mapping with address and until, or with file"

_Static_assert(POLICY_UPGRADES_MAX == 8, "UPGRADE_ALLOWED");

enum entry_key { ENTRY_ADDRESS, ENTRY_UNTIL, ENTRY_FILE, ENTRY_KEYS };

static int read_entry_address(struct reader *reader)
{
	struct prefix *prefix = &reader->entry.prefix;
	char allowed[TEXT_ALLOWED_LEN];

	if (!reader_is_scalar(reader))
		return reader_refuse_value(reader, TEXT_PREFIX_ALLOWED);
	if (!text_parse_prefix(reader_scalar(reader), prefix) && prefix->family)
		return 0;
	text_explain_prefix(reader_scalar(reader), allowed);
	return reader_refuse_value(reader, allowed);
}

static int read_entry_until(struct reader *reader)
{
	if (!reader_is_scalar(reader) ||
	    text_parse_until(reader_scalar(reader), &reader->entry.until))
		return reader_refuse_value(reader, TEXT_UNTIL_ALLOWED);
	return 0;
}

/* Messages show the name whole and as it is: it must not be able to write more than that. */
static bool is_file_name(const char *text)
{
	const unsigned char *c = (const unsigned char *)text;

	for (; *c; c++)
		if (*c < ' ' || *c == 0x7f || (c[0] == 0xc2 && c[1] < 0xa0))
			return false;
	return *text;
}

/* Where a name that is not absolute is meant to be. */
static int join_path(const char *dir, const char *name, char **path)
{
	bool beside = dir && name[0] != '/';

	if (asprintf(path, "%s%s%s", beside ? dir : "", beside ? "/" : "", name) >= 0)
		return 0;
	*path = NULL;
	return -ENOMEM;
}

static int read_entry_file(struct reader *reader)
{
	if (!reader_is_scalar(reader) || !is_file_name(reader_scalar(reader)))
		return reader_refuse_value(reader, "a file's name without control characters");
	if (join_path(reader->dir, reader_scalar(reader), &reader->file))
		return reader_no_memory(reader);
	return 0;
}

static const struct reader_key entry_keys[] = {
	[ENTRY_ADDRESS] = {"address", read_entry_address, false},
	[ENTRY_UNTIL] = {"until", read_entry_until, false},
	[ENTRY_FILE] = {"file", read_entry_file, false},
	[ENTRY_KEYS] = {0},
};

static int add_entry(struct reader *reader, yaml_mark_t at)
{
	int err = allow_list_add(&reader->allow, &reader->entry);

	if (err == -ENOSPC)
		return reader_refuse(reader, at,
				     "allow entry is one too many: at most %d allow entries",
				     EDGE426_ALLOW_MAX);
	return err ? reader_no_memory(reader) : 0;
}

/* What is wrong inside the file has a line of its own; what is wrong with it has the policy's. */
static int add_file(struct reader *reader, yaml_mark_t at)
{
	struct failure reason;
	int err = allow_file_read(reader->file, &reader->allow, &reason);

	if (!err)
		return 0;
	if (err == -EINVAL || err == -ENOMEM)
		return failure_set(reader->failure, -err, "%s", reason.text);
	return reader_refuse(reader, at, "%s", reason.text);
}

static int read_entry_mapping(struct reader *reader)
{
	const __u32 file = 1U << ENTRY_FILE, address = 1U << ENTRY_ADDRESS;
	struct reader_mapping mapping;
	int err;

	err = reader_read_mapping(reader, entry_keys, &mapping);
	if (err)
		return err;
	if (mapping.seen == file)
		return add_file(reader, mapping.value_at[ENTRY_FILE]);
	if (mapping.seen & file)
		return reader_refuse(reader, mapping.value_at[ENTRY_FILE],
				     "file is not allowed beside address and until: "
				     "its lines have their own");
	if (!(mapping.seen & address))
		return reader_refuse(reader, mapping.at,
				     "key 'address' is missing: it is required");
	return add_entry(reader, mapping.at);
}

static int read_entry_prefix(struct reader *reader)
{
	int err = read_entry_address(reader);

	return err ? err : add_entry(reader, reader->event.start_mark);
}

static int read_entry(struct reader *reader)
{
	int err;

	memset(&reader->entry, 0, sizeof(reader->entry));
	if (reader->event.type == YAML_MAPPING_START_EVENT)
		err = read_entry_mapping(reader);
	else if (reader_is_scalar(reader))
		err = read_entry_prefix(reader);
	else
		err = reader_refuse_value(reader, ENTRY_ALLOWED);
	free(reader->file);
	reader->file = NULL;
	return err;
}

static int read_allow(struct reader *reader)
{
	struct allow_list *allow = &reader->allow;
	int err;

	err = reader_read_list(reader, "a list of allow entries", "allow entry", read_entry);
	if (!err)
		err = policy_set_allow(&reader->policy, allow->entries, allow->len,
				       reader->failure);
	if (!err)
		memset(allow, 0, sizeof(*allow)); /* they are the policy's now */
	return err;
}

static int read_protocol(struct reader *reader)
{
	struct answer_text *answer = &reader->policy.answer;

	if (answer->upgrades == POLICY_UPGRADES_MAX)
		return reader_refuse_value(reader, UPGRADE_ALLOWED);
	if (!reader_is_scalar(reader) || text_check_protocol(reader_scalar(reader)))
		return reader_refuse_value(reader, TEXT_PROTOCOL_ALLOWED);
	answer->upgrade[answer->upgrades] = strdup(reader_scalar(reader));
	if (!answer->upgrade[answer->upgrades])
		return reader_no_memory(reader);
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
	err = reader_read_list(reader, UPGRADE_ALLOWED, "protocol", read_protocol);
	if (err)
		return err;
	if (!answer->upgrades)
		return reader_refuse(reader, at, "upgrade '[]' is not allowed: " UPGRADE_ALLOWED);
	return 0;
}

/* Puts a copy of the scalar in the place of the text before. */
static int replace_text(struct reader *reader, char **text)
{
	char *copy = strdup(reader_scalar(reader));

	if (!copy)
		return reader_no_memory(reader);
	free(*text);
	*text = copy;
	return 0;
}

static int read_content_type(struct reader *reader)
{
	if (!reader_is_scalar(reader) || text_check_field(reader_scalar(reader)))
		return reader_refuse_value(reader, TEXT_FIELD_ALLOWED);
	return replace_text(reader, &reader->policy.answer.content_type);
}

static int read_body(struct reader *reader)
{
	if (!reader_is_scalar(reader))
		return reader_refuse_value(reader, "a text");
	return replace_text(reader, &reader->policy.answer.body);
}

static const struct reader_key answer_keys[] = {
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
	struct reader_mapping mapping;
	struct failure reason;
	int err;

	err = reader_read_mapping(reader, answer_keys, &mapping);
	if (err)
		return err;
	err = answer_render(&reader->policy.answer, &answer, &reason);
	if (err == -ENOMEM)
		return reader_no_memory(reader);
	return err ? reader_refuse(reader, at, "%s", reason.text) : 0;
}

static const struct reader_key answers_keys[] = {
	{"default", read_answer, false},
	{0},
};

static int read_answers(struct reader *reader)
{
	struct reader_mapping mapping;

	return reader_read_mapping(reader, answers_keys, &mapping);
}

const struct reader_key reader_policy_keys[] = {
	{"services", reader_read_services, true},
	{"allow", read_allow, false},
	{"answers", read_answers, false},
	{0},
};
