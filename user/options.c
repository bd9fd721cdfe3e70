/* SPDX-License-Identifier: GPL-2.0-only */
/* Text of an option to its value. */
#include "options.h"

#include <stddef.h>
#include <string.h>

#include "log.h"
#include "target.h"
#include "text.h"

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
