/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages to stderr, one line each, in three levels: errors, what an
 * operator wants to know, and detail that only --verbose shows. libbpf's and
 * libxdp's own messages count as detail. Not for packet paths.
 */
#ifndef EDGE426_LOG_H
#define EDGE426_LOG_H

#include <argp.h>

extern const struct argp log_argp; /* --verbose, a child of every verb's options */

void log_init(void); /* takes over the messages of libbpf and libxdp */

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
