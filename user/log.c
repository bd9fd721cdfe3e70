/* SPDX-License-Identifier: GPL-2.0-only */
/* Lines on stderr by level. Keeps one flag, set once by the options. */
#include "log.h"

#include <bpf/libbpf.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <xdp/libxdp.h>

static bool verbose;

/* One write per line, so that lines of several processes do not mix. */
static void log_line(const char *format, va_list args)
{
	char text[1024];

	vsnprintf(text, sizeof(text), format, args);
	fprintf(stderr, "edge426: %s\n", text);
}

void log_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line(format, args);
	va_end(args);
}

void log_info(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line(format, args);
	va_end(args);
}

/* Their debug level traces every relocation: nobody but their authors wants it. */
static int print_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	return verbose && level != LIBBPF_DEBUG ? vfprintf(stderr, format, args) : 0;
}

static int print_libxdp(enum libxdp_print_level level, const char *format, va_list args)
{
	return verbose && level != LIBXDP_DEBUG ? vfprintf(stderr, format, args) : 0;
}

void log_init(void)
{
	libbpf_set_print(print_libbpf);
	libxdp_set_print(print_libxdp);
}

static error_t log_parse(int key, char *arg, struct argp_state *state)
{
	(void)arg;
	(void)state;
	if (key != 'v')
		return ARGP_ERR_UNKNOWN;
	verbose = true;
	return 0;
}

static const struct argp_option log_options[] = {
	{"verbose", 'v', NULL, 0, "Show what libbpf, libxdp and the verifier say", 10},
	{0},
};

const struct argp log_argp = {.options = log_options, .parser = log_parse};
