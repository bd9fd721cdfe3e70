/* SPDX-License-Identifier: GPL-2.0-only */
/* Values of options that several verbs share; a wrong one ends in a usage error. */
#ifndef EDGE426_OPTIONS_H
#define EDGE426_OPTIONS_H

#include <argp.h>

#include "loader.h"

/* --interface, --pin-dir and --verbose, the children of most verbs' options. */
extern const struct argp_child options_children[];

enum loader_mode options_parse_mode(const char *text, struct argp_state *state);

/* Whole seconds, at most a day. */
unsigned int options_parse_seconds(const char *text, struct argp_state *state);

#endif
