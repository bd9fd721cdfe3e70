/* SPDX-License-Identifier: GPL-2.0-only */
/* Lines of text to allow entries. The first one that is wrong ends it. */
#include "allow_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <edge426/abi.h>

#include "file.h"
#include "text.h"

struct line {
	const char *name; /* of the file */
	size_t number;
	char text[ALLOW_FILE_LINE_MAX + 1];
	char *at; /* what has not been looked at yet */
	struct failure *failure;
};

int allow_list_add(struct allow_list *list, const struct allow *entry)
{
	size_t len = list->len;
	struct allow *entries;

	if (len == EDGE426_ALLOW_MAX)
		return -ENOSPC;
	if (!(len & (len - 1))) {
		entries = reallocarray(list->entries, len ? 2 * len : 1, sizeof(*entries));
		if (!entries)
			return -ENOMEM;
		list->entries = entries;
	}
	list->entries[list->len++] = *entry;
	return 0;
}

static int refuse(const struct line *line, const char *at, const char *what, const char *allowed)
{
	char quoted[TEXT_QUOTE_LEN];

	text_quote(at, strlen(at), quoted);
	return failure_set(line->failure, EINVAL, "%s:%zu:%zu: %s %s is not allowed: %s",
			   line->name, line->number, (size_t)(at - line->text) + 1, what, quoted,
			   allowed);
}

/* The next word of the line, which gets a NUL behind it; an empty one at the end. */
static const char *next_word(struct line *line)
{
	char *word = line->at + strspn(line->at, " \t");

	line->at = word + strcspn(word, " \t");
	if (*line->at)
		*line->at++ = '\0';
	return word;
}

static int read_prefix(const struct line *line, const char *word, struct prefix *prefix)
{
	char allowed[TEXT_ALLOWED_LEN];

	if (!text_parse_prefix(word, prefix) && prefix->family)
		return 0;
	text_explain_prefix(word, allowed);
	return refuse(line, word, "prefix", allowed);
}

static int add(const struct line *line, const struct allow *entry, struct allow_list *list)
{
	int err = allow_list_add(list, entry);

	if (err == -ENOSPC)
		return failure_set(line->failure, EINVAL,
				   "%s:%zu:1: the entry is one too many: at most %d allow entries",
				   line->name, line->number, EDGE426_ALLOW_MAX);
	if (err)
		return failure_set(line->failure, ENOMEM, "%s: out of memory", line->name);
	return 0;
}

static int read_line(struct line *line, struct allow_list *list)
{
	struct allow entry = {0};
	const char *word;
	int err;

	line->text[strcspn(line->text, "#")] = '\0';
	line->at = line->text;
	word = next_word(line);
	if (!*word)
		return 0;
	err = read_prefix(line, word, &entry.prefix);
	if (err)
		return err;
	word = next_word(line);
	if (*word && text_parse_until(word, &entry.until))
		return refuse(line, word, "until", TEXT_UNTIL_ALLOWED);
	word = next_word(line);
	if (*word)
		return refuse(line, word, "text", "a prefix and perhaps its end on one line");
	return add(line, &entry, list);
}

/* Without the CR of its end. */
static int copy_line(struct line *line, const char *text, size_t len)
{
	const char *nul;

	if (len && text[len - 1] == '\r')
		len--;
	nul = memchr(text, '\0', len);
	if (nul)
		return failure_set(line->failure, EINVAL,
				   "%s:%zu:%zu: a NUL octet is not allowed: text only", line->name,
				   line->number, (size_t)(nul - text) + 1);
	if (len > ALLOW_FILE_LINE_MAX)
		return failure_set(line->failure, EINVAL,
				   "%s:%zu:1: a line of %zu octets is not allowed: at most %d",
				   line->name, line->number, len, ALLOW_FILE_LINE_MAX);
	memcpy(line->text, text, len);
	line->text[len] = '\0';
	return 0;
}

int allow_file_parse(const char *name, const char *text, size_t len, struct allow_list *list,
		     struct failure *failure)
{
	struct line line = {.name = name, .failure = failure};
	const char *end = text + len;
	const char *newline;
	size_t line_len;
	int err = 0;

	while (text < end && !err) {
		newline = memchr(text, '\n', (size_t)(end - text));
		line_len = (size_t)((newline ? newline : end) - text);
		line.number++;
		err = copy_line(&line, text, line_len);
		if (!err)
			err = read_line(&line, list);
		text = newline ? newline + 1 : end;
	}
	return err;
}

static int refuse_file(const char *path, int err, struct failure *failure)
{
	if (err == -EFBIG)
		return failure_set(failure, EFBIG, "file '%s' can't be read: more than %d octets",
				   path, POLICY_ALLOW_FILE_MAX);
	return failure_set(failure, -err, "file '%s' can't be read: %s", path,
			   err == -EBADFD ? "not a regular file" : strerror(-err));
}

int allow_file_read(const char *path, struct allow_list *list, struct failure *failure)
{
	char *text;
	size_t len;
	int err;

	err = file_read(path, POLICY_ALLOW_FILE_MAX, &text, &len);
	if (err)
		return refuse_file(path, err, failure);
	err = allow_file_parse(path, text, len, list, failure);
	free(text);
	return err;
}
