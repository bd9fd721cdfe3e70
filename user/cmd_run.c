/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * run: takes a policy from a file or from port numbers, serves the interfaces
 * in the foreground, reads the file again on SIGHUP, ends on SIGTERM and SIGINT.
 */
#include <argp.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cmd.h"
#include "log.h"
#include "options.h"
#include "serve.h"
#include "text.h"
#include "verb.h"

#define TICK_MS 1000
#define PORTS_MAX 256 /* that --port takes; a file takes more */

struct run {
	struct targets targets;
	const char *policy_path; /* NULL: from ports, or what the maps hold */
	__u16 ports[PORTS_MAX];
	size_t ports_len;
	enum loader_mode mode;
	bool attached;
	struct policy policy;
	bool has_policy;
	struct serve *serves;
	size_t serves_len;
};

static void parse_port(struct run *run, const char *text, struct argp_state *state)
{
	if (run->ports_len == PORTS_MAX)
		argp_error(state, "at most %d ports; a policy file takes more", PORTS_MAX);
	if (text_parse_port(text, &run->ports[run->ports_len]))
		argp_error(state, "--port '%s': allowed is %s", text, TEXT_PORT_ALLOWED);
	run->ports_len++;
}

static void check_options(struct run *run, struct argp_state *state)
{
	if (!run->targets.interfaces_len)
		argp_error(state, "--interface is missing");
	if (run->policy_path && run->ports_len)
		argp_error(state, "--policy and --port exclude each other");
	if (run->attached && !run->targets.pin_dir)
		argp_error(state, "--attached needs --pin-dir, the directory given to pinmaps");
	if (run->attached && run->mode != LOADER_AUTO)
		argp_error(state, "--attached and --xdp-mode exclude each other");
}

static error_t run_parse(int key, char *arg, struct argp_state *state)
{
	struct run *run = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &run->targets;
		return 0;
	case 'f':
		run->policy_path = arg;
		return 0;
	case 'p':
		parse_port(run, arg, state);
		return 0;
	case 'm':
		run->mode = options_parse_mode(arg, state);
		return 0;
	case 'a':
		run->attached = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "'%s' is too much: run takes options only", arg);
		return 0;
	case ARGP_KEY_END:
		check_options(run, state);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_option run_options[] = {
	{"policy", 'f', "FILE", 0, "Policy file, see edge426-policy(5); - is standard input", 2},
	{"port", 'p', "N", 0, "Protect port N, in place of a file; may be given several times", 2},
	{"xdp-mode", 'm', "MODE", 0, "auto (default), native or generic", 3},
	{"attached", 'a', NULL, 0, "Serve what bpftool attached, with its maps pinned in --pin-dir",
	 3},
	{0},
};

static const struct argp_child run_children[] = {
	{&target_argp, 0, NULL, 1}, {&log_argp, 0, NULL, 9}, {0}};

static const struct argp run_argp = {
	.options = run_options,
	.parser = run_parse,
	.children = run_children,
	.doc = "Attach to the interfaces and answer plaintext HTTP on the policy's ports with 426 "
	       "until SIGTERM or SIGINT; SIGHUP reads the policy file again.",
};

static int read_ports(struct run *run, struct failure *failure)
{
	int err = policy_init(&run->policy);

	if (err)
		return failure_set(failure, -err, "Can't make a policy: %s", strerror(-err));
	for (size_t i = 0; i < run->ports_len && !err; i++) {
		struct service service = {.port = run->ports[i]};

		snprintf(service.name, sizeof(service.name), "port-%u", service.port);
		policy_complete_service(&service, 1U << SERVICE_NAME | 1U << SERVICE_PORT);
		err = policy_add_service(&run->policy, &service, failure);
	}
	return err;
}

/* Without a policy of its own `run` goes on with the one in the maps, if all of them have one. */
static bool maps_have_policy(const struct targets *targets)
{
	bool all = true;

	for (size_t i = 0; i < targets->len && all; i++) {
		struct store store;
		struct failure ignored = {0};

		if (store_open(targets->list[i].dir, &store, &ignored))
			return false;
		all = store_has_policy(&store);
		store_close(&store);
	}
	return all;
}

/* 0, or the exit status. */
static int read_policy(struct run *run)
{
	struct failure failure = {0};
	int err;

	run->has_policy = run->policy_path || run->ports_len;
	if (!run->has_policy) {
		if (maps_have_policy(&run->targets))
			return VERB_DONE;
		log_error("run: --policy or --port is missing, and the maps hold no policy");
		return VERB_USAGE;
	}
	err = run->policy_path ? policy_read_file(run->policy_path, &run->policy, &failure)
			       : read_ports(run, &failure);
	if (!err)
		err = store_check_policy(&run->policy, &failure);
	if (!err)
		return VERB_DONE;
	log_error("%s", failure.text);
	return err == -ENOMEM ? VERB_FAILED : VERB_INVALID_POLICY;
}

/* What may be wrong with the policy itself is found before any interface has it. */
static int read_again(struct run *run, struct policy *policy)
{
	struct failure failure = {0};
	int err = policy_read_file(run->policy_path, policy, &failure);

	if (!err)
		err = store_check_policy(policy, &failure);
	if (!err)
		return 0;
	log_error("%s", failure.text);
	log_error("SIGHUP: the policy stays as it is");
	return err;
}

static void tell_published(const struct run *run, const bool *has)
{
	for (size_t i = 0; i < run->serves_len; i++)
		log_error("SIGHUP: '%s' %s", run->serves[i].request.interface,
			  has[i] ? "has the new policy" : "keeps the policy it had");
}

/* An interface that fails does not keep the others from being done. */
static int publish_everywhere(struct run *run, const struct policy *policy)
{
	bool has[TARGET_INTERFACES_MAX] = {false};
	struct failure failure = {0};
	int err = 0;

	for (size_t i = 0; i < run->serves_len; i++) {
		has[i] = !serve_publish(&run->serves[i], policy, &failure);
		if (has[i])
			continue;
		log_error("%s", failure.text);
		err = -1;
	}
	if (err)
		tell_published(run, has);
	return err;
}

static void reload(struct run *run)
{
	struct policy policy = {0};

	if (!run->policy_path || !strcmp(run->policy_path, "-")) {
		log_error("SIGHUP: there is no policy file to read again; nothing changed");
		return;
	}
	if (!read_again(run, &policy) && !publish_everywhere(run, &policy))
		log_info("SIGHUP: read '%s': generation %llu, %zu service%s", run->policy_path,
			 (unsigned long long)run->serves[0].store.state->generation,
			 policy.services_len, policy.services_len == 1 ? "" : "s");
	policy_free(&policy);
}

static int start_all(struct run *run)
{
	struct loader_request request = {
		.mode = run->mode, .attached = run->attached, .owner = EDGE426_OWNER_RUN};
	struct failure failure = {0};

	run->serves = calloc(run->targets.len, sizeof(*run->serves));
	if (!run->serves) {
		log_error("Can't start: out of memory");
		return VERB_FAILED;
	}
	for (size_t i = 0; i < run->targets.len; i++) {
		if (serve_start(&run->serves[i], &run->targets.list[i], &request,
				run->has_policy ? &run->policy : NULL, &failure)) {
			log_error("%s", failure.text);
			return VERB_FAILED;
		}
		run->serves_len++;
	}
	for (size_t i = 0; i < run->serves_len; i++)
		serve_settle(&run->serves[i]);
	return VERB_DONE;
}

static void announce_all(const struct run *run)
{
	char line[SERVE_LINE_LEN];

	for (size_t i = 0; i < run->serves_len; i++) {
		serve_describe(&run->serves[i], line);
		log_info("serving %s", line);
	}
}

static int stop_all(struct run *run)
{
	struct failure failure = {0};
	int status = VERB_DONE;

	while (run->serves_len) {
		if (!serve_stop(&run->serves[--run->serves_len], &failure))
			continue;
		log_error("%s", failure.text);
		status = VERB_FAILED;
	}
	return status;
}

static void tell(const char *line)
{
	log_info("%s", line);
}

/* False when an interface is gone. */
static bool tick(struct run *run)
{
	bool there = true;

	for (size_t i = 0; i < run->serves_len; i++) {
		if (serve_tick(&run->serves[i], tell))
			continue;
		log_error("Can't serve '%s' any more: the interface is gone",
			  run->serves[i].request.interface);
		there = false;
	}
	return there;
}

/* The signal that came, or 0 after a second without one. */
static __u32 next_signal(int signals)
{
	struct pollfd ready = {.fd = signals, .events = POLLIN};
	struct signalfd_siginfo info;

	if (poll(&ready, 1, TICK_MS) != 1 || read(signals, &info, sizeof(info)) != sizeof(info))
		return 0;
	return info.ssi_signo;
}

static int wait_for_end(struct run *run, int signals)
{
	__u32 got = 0;

	while (got != SIGTERM && got != SIGINT) {
		if (!tick(run))
			return VERB_FAILED;
		got = next_signal(signals);
		if (got == SIGHUP)
			reload(run);
	}
	return VERB_DONE;
}

/* Before any thread starts, so that all of them leave the signals to the descriptor. */
static int open_signals(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN); /* a closed stderr must not end us before we have cleaned up */
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static int serve_all(struct run *run)
{
	int signals = open_signals(), status, stopped;

	if (signals < 0) {
		log_error("Can't wait for signals: %s", strerror(errno));
		return VERB_FAILED;
	}
	status = start_all(run);
	if (status == VERB_DONE) {
		announce_all(run);
		status = wait_for_end(run, signals);
	}
	stopped = stop_all(run);
	close(signals);
	return status ? status : stopped;
}

/* Before the policy is read: what the maps hold depends on the interface. */
static int find_interfaces(const struct targets *targets, struct failure *failure)
{
	int err = 0;

	for (size_t i = 0; i < targets->len && !err; i++)
		err = loader_find(targets->list[i].interface, failure);
	return err;
}

int cmd_run(int argc, char **argv)
{
	struct run run = {0};
	struct failure failure = {0};
	int status;

	argp_parse(&run_argp, argc, argv, 0, NULL, &run);
	if (targets_resolve(&run.targets, &failure) || find_interfaces(&run.targets, &failure)) {
		log_error("%s", failure.text);
		targets_free(&run.targets);
		return VERB_FAILED;
	}
	status = read_policy(&run);
	if (status == VERB_DONE)
		status = serve_all(&run);
	policy_free(&run.policy);
	free(run.serves);
	targets_free(&run.targets);
	return status;
}
