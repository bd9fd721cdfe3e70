/* SPDX-License-Identifier: GPL-2.0-only */
/* Text of an option to its value. */
#include "options.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "log.h"
#include "target.h"
#include "text.h"
#include "verb.h"

#define SECONDS_MAX 86400

struct mode_name {
	const char *name;
	enum loader_mode mode;
};

static const struct mode_name mode_names[] = {
	{"auto", LOADER_AUTO},
	{"native", LOADER_NATIVE},
	{"generic", LOADER_GENERIC},
};

const struct argp_child options_children[] = {
	{&target_argp, 0, NULL, 1}, {&log_argp, 0, NULL, 9}, {0}};

enum loader_mode options_parse_mode(const char *text, struct argp_state *state)
{
	for (size_t i = 0; i < sizeof(mode_names) / sizeof(mode_names[0]); i++)
		if (!strcmp(mode_names[i].name, text))
			return mode_names[i].mode;
	argp_error(state, "--xdp-mode '%s': allowed are auto, native and generic", text);
	return LOADER_AUTO;
}

unsigned int options_parse_seconds(const char *text, struct argp_state *state)
{
	__u32 seconds = 0;

	if (text_parse_number(text, SECONDS_MAX, &seconds))
		argp_error(state, "'%s' is no time: allowed are seconds from 0 to %d", text,
			   SECONDS_MAX);
	return seconds;
}

void options_refuse(const char *name, const char *text, const char *allowed,
		    struct argp_state *state)
{
	argp_error(state, "--%s '%s': allowed is %s", name, text, allowed);
}

__u32 options_parse_duration(const char *name, const char *text, struct argp_state *state)
{
	__u32 seconds = 0;

	if (text_parse_duration(text, &seconds))
		options_refuse(name, text, TEXT_DURATION_ALLOWED, state);
	return seconds;
}

static void add_string(struct strings *strings, const char *text, struct argp_state *state)
{
	int err = policy_add_string(strings, text);

	if (err && err != -EEXIST)
		argp_failure(state, VERB_FAILED, -err, "Can't note '%s'", text);
}

void options_add_path(const char *name, const char *text, struct strings *paths,
		      struct argp_state *state)
{
	if (text_check_path(text))
		options_refuse(name, text, TEXT_PATH_ALLOWED, state);
	add_string(paths, text, state);
}

void options_add_host(const char *name, const char *text, struct strings *hosts,
		      struct argp_state *state)
{
	char host[EDGE426_HOST_MAX + 1] = "";

	if (text_parse_host(text, host))
		options_refuse(name, text, TEXT_HOST_ALLOWED, state);
	add_string(hosts, host, state);
}
