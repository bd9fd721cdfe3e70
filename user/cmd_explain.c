/* SPDX-License-Identifier: GPL-2.0-only */
/* explain: what a policy does to a request, or to the packets of a capture. Sends nothing. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"
#include "explain.h"
#include "explain_data.h"
#include "explain_play.h"
#include "log.h"
#include "options.h"
#include "probe.h"
#include "store.h"
#include "target.h"
#include "text.h"
#include "verb.h"

#define CLIENT_PORT 40000

/* Documentation addresses, RFC 5737 and RFC 3849. */
static const struct endpoint default_client4 = {4, {192, 0, 2, 1}, CLIENT_PORT};
static const struct endpoint default_client6 = {6, {0x20, 0x01, 0x0d, 0xb8, [15] = 1}, CLIENT_PORT};

struct options {
	struct targets targets;
	const char *policy_path; /* NULL: the policy that runs */
	const char *capture_path;
	struct explain_ends ends;
	const char *line;
	const char *host;
	const char *raw;
	bool tls;
	bool json;
	struct explain_data data;
};

/* Which policy, and what is played under it. */
struct work {
	const struct options *options;
	struct explain explain;
	struct policy policy;
	struct explain_view view;
	struct explain_player player;
};

static void parse_end(const char *name, const char *text, struct endpoint *end,
		      struct argp_state *state)
{
	if (endpoint_parse(text, end))
		options_refuse(name, text, ENDPOINT_ALLOWED, state);
}

static void parse_to(const char *text, struct options *options, struct argp_state *state)
{
	parse_end("to", text, &options->ends.server, state);
	if (!options->ends.server.port)
		options_refuse("to", text, ENDPOINT_ALLOWED, state);
}

static void parse_line(const char *text, struct options *options, struct argp_state *state)
{
	if (options->line)
		argp_error(state, "'%s' is too much: one request line, in quotes", text);
	if (text_check_field(text))
		argp_error(state,
			   "request line '%s': allowed are " TEXT_FIELD_ALLOWED
			   "; --raw takes others",
			   text);
	options->line = text;
}

/* Of what is said once for the request: nothing with a capture. */
static void check_capture(const struct options *options, struct argp_state *state)
{
	const struct explain_ends *ends = &options->ends;

	if (ends->server.family || ends->client.family || ends->vlan || options->line ||
	    options->host || options->raw || options->tls)
		argp_error(state, "--pcap and a request exclude each other");
}

static void check_request(const struct options *options, struct argp_state *state)
{
	const struct explain_ends *ends = &options->ends;

	if (!ends->server.family)
		argp_error(state, "--to is missing, or --pcap");
	if (ends->client.family && ends->client.family != ends->server.family)
		argp_error(state, "--from and --to are of different families");
	if ((options->line != NULL) + (options->raw != NULL) + options->tls > 1)
		argp_error(state, "a request line, --raw and --tls exclude each other");
	if (options->host && (options->raw || options->tls))
		argp_error(state, "--host goes with a request line only");
}

/* The next address in place of the server's own, from which nothing can come. */
static void complete_client(struct explain_ends *ends)
{
	bool is_ip6 = ends->server.family == 6;

	if (!ends->client.family) {
		ends->client = is_ip6 ? default_client6 : default_client4;
		if (!memcmp(ends->client.address, ends->server.address,
			    sizeof(ends->server.address)))
			ends->client.address[is_ip6 ? 15 : 3]++;
	}
	if (!ends->client.port)
		ends->client.port = CLIENT_PORT;
}

static void make_data(struct options *options, struct argp_state *state)
{
	char server[ENDPOINT_LEN];
	int err = 0;

	endpoint_print(&options->ends.server, server);
	if (options->tls)
		explain_data_tls(&options->data);
	else if (options->raw)
		err = explain_data_raw(options->raw, &options->data);
	else
		err = explain_data_request(options->line ? options->line : "GET / HTTP/1.1",
					   options->host ? options->host : server, &options->data);
	if (err == -ENOSPC)
		argp_error(state, "the request is too long: one segment of up to %d octets",
			   EXPLAIN_DATA_MAX);
	if (err)
		options_refuse("raw", options->raw, EXPLAIN_RAW_ALLOWED, state);
}

static void check_options(struct options *options, struct argp_state *state)
{
	if (options->targets.interfaces_len > 1)
		argp_error(state, "one --interface only");
	if (options->policy_path && options->targets.pin_dir)
		argp_error(state, "--policy and --pin-dir exclude each other");
	if (options->policy_path && options->capture_path && !strcmp(options->policy_path, "-") &&
	    !strcmp(options->capture_path, "-"))
		argp_error(state, "only one of --policy and --pcap can be standard input");
	if (options->capture_path) {
		check_capture(options, state);
		return;
	}
	check_request(options, state);
	complete_client(&options->ends);
	make_data(options, state);
}

static error_t parse_request(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case 't':
		parse_to(arg, options, state);
		return 0;
	case 's':
		parse_end("from", arg, &options->ends.client, state);
		return 0;
	case 'V':
		if (text_parse_vlan(arg, &options->ends.vlan))
			options_refuse("vlan", arg, TEXT_VLAN_ALLOWED, state);
		return 0;
	case 'H':
		if (text_check_field(arg))
			options_refuse("host", arg, TEXT_FIELD_ALLOWED, state);
		options->host = arg;
		return 0;
	case 'r':
		options->raw = arg;
		return 0;
	case 'T':
		options->tls = true;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static error_t options_parse(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &options->targets;
		return 0;
	case 'f':
		options->policy_path = arg;
		return 0;
	case 'p':
		options->capture_path = arg;
		return 0;
	case 'j':
		options->json = true;
		return 0;
	case ARGP_KEY_ARG:
		parse_line(arg, options, state);
		return 0;
	case ARGP_KEY_END:
		check_options(options, state);
		return 0;
	}
	return parse_request(key, arg, state);
}

static const struct argp_option explain_options[] = {
	{"policy", 'f', "FILE", 0,
	 "Under the policy of this file, in place of the one that runs; - is standard input", 1},
	{"to", 't', "ADDRESS:PORT", 0, "Where the request goes; an IPv6 address in brackets", 2},
	{"from", 's', "ADDRESS[:PORT]", 0,
	 "Where it comes from (default 192.0.2.1:40000 or [2001:db8::1]:40000, addresses of "
	 "nobody)",
	 2},
	{"vlan", 'V', "N", 0, "With the tag of this VLAN", 2},
	{"host", 'H', "NAME", 0, "What its Host field says (default what --to says)", 2},
	{"raw", 'r', "TEXT", 0,
	 "In place of a request line: these octets and no more, \\r, \\n and \\xNN are understood",
	 2},
	{"tls", 'T', NULL, 0, "In place of a request line: the beginning of a TLS ClientHello", 2},
	{"pcap", 'p', "FILE", 0,
	 "In place of a request: the packets of a capture, pcap or pcapng, with Ethernet frames; - "
	 "is "
	 "standard input",
	 3},
	{"json", 'j', NULL, 0, "Print JSON", 4},
	{0},
};

static const struct argp argp = {
	.options = explain_options,
	.parser = options_parse,
	.children = options_children,
	.args_doc = "['GET /path HTTP/1.1']\n--pcap FILE",
	.doc = "Tell what the policy does to a request (default GET / HTTP/1.1), or to each packet "
	       "of a capture: the reason, the verdict and the rule that matched. A copy of the "
	       "packet "
	       "program judges; nothing is sent, and what runs is not touched.\vA request is a "
	       "connection of its own: a SYN, the ACK where edge426 answers it, the data. With "
	       "--policy nothing needs to run; --interface then tells for which interface the "
	       "policy is read.",
};

/* `running` is NULL when the policy is a file's. */
static int play(struct work *work, const struct store *running, struct failure *failure)
{
	const struct options *options = work->options;
	const struct store *maps = &work->explain.store;

	work->view = (struct explain_view){
		.policy = &work->policy,
		.bypass = maps->state->bypass,
		.unable = maps->edge->unable,
		.now = (__u64)time(NULL),
	};
	work->player.explain = &work->explain;
	work->player.running = running;
	work->player.printer.view = &work->view;
	work->player.printer.json = options->json;
	if (options->capture_path)
		return explain_play_capture(&work->player, options->capture_path, failure);
	return explain_play_request(&work->player, &options->ends, &options->data, failure);
}

static int probe(struct failure *failure)
{
	int err = probe_privileges(false, failure);

	return err ? err : probe_kernel(failure);
}

static int explain_file(struct work *work, struct failure *failure)
{
	const struct targets *targets = &work->options->targets;
	const char *interface = targets->interfaces_len ? targets->interfaces[0] : NULL;
	int err = probe(failure);

	if (!err)
		err = explain_open(&work->explain, NULL, failure);
	if (!err)
		err = explain_publish(&work->explain, &work->policy, interface, failure);
	return err ? err : play(work, NULL, failure);
}

/* 0, or the exit status. */
static int read_policy(struct work *work)
{
	const struct options *options = work->options;
	struct failure failure = {0};
	int err = policy_read_file(options->policy_path, &work->policy, &failure);

	if (!err)
		err = store_check_policy(&work->policy, &failure);
	if (err) {
		log_error("%s", failure.text);
		return err == -ENOMEM ? VERB_FAILED : VERB_INVALID_POLICY;
	}
	for (size_t i = 0; i < work->policy.services_len && !options->targets.interfaces_len; i++)
		if (work->policy.services[i].interface[0]) {
			log_error("--interface is missing: service '%s' is for interface '%s'",
				  work->policy.services[i].name,
				  work->policy.services[i].interface);
			return VERB_USAGE;
		}
	return VERB_DONE;
}

/* The lock is held while the policy is read, so that text and lists are of one. */
static int read_running(struct work *work, struct store *running, struct failure *failure)
{
	int fd = store_lock(running, failure);
	int err = fd < 0 ? fd : store_read_policy(running, &work->policy, failure);

	if (fd >= 0)
		close(fd);
	return err;
}

/* What the copy takes no notice of. */
static void tell_running(const struct store *running)
{
	unsigned int seconds = store_waits(running);

	if (seconds)
		log_info("the policy waits to be confirmed and goes back in %u s", seconds);
	if (!store_is_served(running))
		log_info("no responder serves: until one does, everything passes");
}

/* The policy that the packets met is the one that was read, or it is said that it is not. */
static int explain_store(struct work *work, struct store *running, struct failure *failure)
{
	__u64 generation = running->state->generation;
	__u32 half = store_half(running);
	int err = read_running(work, running, failure);

	if (!err)
		err = explain_open(&work->explain, running, failure);
	if (!err)
		tell_running(running);
	if (!err)
		err = play(work, running, failure);
	if (!err && (generation != running->state->generation || half != store_half(running)))
		err = failure_set(failure, EAGAIN,
				  "Can't say under which policy that was: it changed meanwhile; "
				  "ask again");
	return err;
}

static int explain_running(struct work *work, struct targets *targets, struct failure *failure)
{
	struct store running = {0};
	int err = probe(failure);

	if (!err)
		err = targets_require(targets, failure);
	if (!err && targets->len > 1)
		err = failure_set(failure, EINVAL,
				  "Can't explain %zu policies at once; choose with --interface",
				  targets->len);
	if (!err)
		err = store_open(targets->list[0].dir, &running, failure);
	if (!err)
		err = explain_store(work, &running, failure);
	store_close(&running);
	return err;
}

static int explain(struct work *work, struct options *options)
{
	struct failure failure = {0};
	int status = options->policy_path ? read_policy(work) : VERB_DONE;
	int err;

	if (status != VERB_DONE)
		return status;
	err = options->policy_path ? explain_file(work, &failure)
				   : explain_running(work, &options->targets, &failure);
	if (err)
		log_error("%s", failure.text);
	return err ? VERB_FAILED : VERB_DONE;
}

int cmd_explain(int argc, char **argv)
{
	static struct options options;
	static struct work work;
	int status;

	argp_parse(&argp, argc, argv, 0, NULL, &options);
	work.options = &options;
	status = explain(&work, &options);
	explain_close(&work.explain);
	policy_free(&work.policy);
	targets_free(&options.targets);
	return status;
}
