/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A policy's YAML, from a text or a file, to the policy in memory. The first
 * thing that is wrong ends it, with its line and column, the offending value
 * and what is allowed. One document only.
 */
#include "policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yaml.h>

#include "file.h"
#include "policy_reader.h"

static int read_stream(struct reader *reader)
{
	struct reader_mapping mapping;
	int err;

	err = reader_next(reader); /* the stream's start */
	if (!err)
		err = reader_next_is(reader, YAML_DOCUMENT_START_EVENT,
				     "an empty policy is not allowed: key 'services' is required");
	if (!err)
		err = reader_next_as(reader, "policy");
	if (!err)
		err = reader_read_mapping(reader, reader_policy_keys, &mapping);
	if (!err)
		err = reader_next(reader); /* the document's end */
	if (!err)
		err = reader_next_is(reader, YAML_STREAM_END_EVENT,
				     "a second document is not allowed: one policy in a file");
	return err;
}

static int read_yaml(struct reader *reader, size_t len)
{
	int err;

	if (!yaml_parser_initialize(&reader->parser))
		return reader_no_memory(reader);
	yaml_parser_set_encoding(&reader->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&reader->parser, (const unsigned char *)reader->text, len);
	err = read_stream(reader);
	yaml_event_delete(&reader->event);
	yaml_parser_delete(&reader->parser);
	return err;
}

static int refuse_size(const char *name, struct failure *failure)
{
	return failure_set(failure, EINVAL,
			   "%s: a policy this long is not allowed: at most %d octets", name,
			   POLICY_FILE_MAX);
}

int policy_read_text(const char *name, const char *text, size_t len, const char *dir,
		     struct policy *policy, struct failure *failure)
{
	struct reader reader = {.name = name, .text = text, .dir = dir, .failure = failure};
	int err;

	if (len > POLICY_FILE_MAX)
		return refuse_size(name, failure);
	if (policy_init(&reader.policy))
		return reader_no_memory(&reader);
	err = read_yaml(&reader, len);
	free(reader.allow.entries);
	if (err)
		policy_free(&reader.policy);
	else
		*policy = reader.policy;
	return err;
}

static int refuse_file(const char *path, int err, struct failure *failure)
{
	if (err == -EFBIG)
		return refuse_size(path, failure);
	return failure_set(failure, -err, "Can't read policy '%s': %s", path,
			   err == -EBADFD   ? "not a regular file"
			   : err == -ENOMEM ? "out of memory"
					    : strerror(-err));
}

static int read_input(struct policy *policy, struct failure *failure)
{
	const char *name = "standard input";
	char *text;
	size_t len;
	int err;

	err = file_read_fd(STDIN_FILENO, POLICY_FILE_MAX, &text, &len);
	if (err)
		return refuse_file(name, err, failure);
	err = policy_read_text(name, text, len, NULL, policy, failure);
	free(text);
	return err;
}

/* Up to the last slash; "" is the root's. NULL without a slash: the working directory's. */
static int find_dir(const char *path, char **dir)
{
	const char *slash = strrchr(path, '/');

	*dir = slash ? strndup(path, (size_t)(slash - path)) : NULL;
	return slash && !*dir ? -ENOMEM : 0;
}

int policy_read_file(const char *path, struct policy *policy, struct failure *failure)
{
	char *text, *dir;
	size_t len;
	int err;

	if (!strcmp(path, "-"))
		return read_input(policy, failure);
	err = file_read(path, POLICY_FILE_MAX, &text, &len);
	if (err)
		return refuse_file(path, err, failure);
	err = find_dir(path, &dir);
	if (err)
		refuse_file(path, err, failure);
	else
		err = policy_read_text(path, text, len, dir, policy, failure);
	free(dir);
	free(text);
	return err;
}
