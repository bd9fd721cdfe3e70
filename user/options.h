/* SPDX-License-Identifier: GPL-2.0-only */
/* Values of options that several verbs share; a wrong one ends in a usage error. */
#ifndef EDGE426_OPTIONS_H
#define EDGE426_OPTIONS_H

#include <argp.h>

#include "loader.h"
#include "policy.h"

/* --interface, --pin-dir and --verbose, the children of most verbs' options. */
extern const struct argp_child options_children[];

enum loader_mode options_parse_mode(const char *text, struct argp_state *state);

/* Whole seconds, at most a day. */
unsigned int options_parse_seconds(const char *text, struct argp_state *state);

/* A duration, 90s or 5m. */
__u32 options_parse_duration(const char *name, const char *text, struct argp_state *state);

/* "--NAME 'TEXT': allowed is …"; the end. */
void options_refuse(const char *name, const char *text, const char *allowed,
		    struct argp_state *state);

/* Adds what --NAME says to a list of exemptions, in which it may be already. */
void options_add_path(const char *name, const char *text, struct strings *paths,
		      struct argp_state *state);
void options_add_host(const char *name, const char *text, struct strings *hosts,
		      struct argp_state *state);

#endif
