/* SPDX-License-Identifier: GPL-2.0-only */
/* status: where edge426 is attached, by whom, whether somebody serves, what counts there. */
#include <argp.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"
#include "handshakes.h"
#include "hook.h"
#include "log.h"
#include "netdev.h"
#include "options.h"
#include "output.h"
#include "store.h"
#include "target.h"
#include "text.h"
#include "verb.h"

#define POLL_US (50 * 1000)

struct options {
	struct targets targets;
	bool json;
	bool wait;
	unsigned int seconds;
};

/* What is known about one target. */
struct report {
	char label[PINS_DIR_LEN];
	const char *dir;
	bool pinned;
	bool other_maps; /* edge426's program is on the hook, with maps pinned elsewhere */
	bool elsewhere;	 /* the interface is in another network namespace */
	struct edge426_state state; /* zero when nothing is pinned */
	struct hook hook;	    /* zero when nothing is attached, or unknown */
	bool alive;		    /* a responder lives, with all its sockets in place */
	bool serves;		    /* and the program on the hook works with its maps */
	unsigned int waits;	    /* seconds until a change goes back; 0: none waits */
	bool has_policy;
	struct policy policy; /* its services; zero when there is none */
	struct handshakes handshakes;
};

static error_t options_parse(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &options->targets;
		return 0;
	case 'j':
		options->json = true;
		return 0;
	case 'w':
		options->wait = true;
		options->seconds = options_parse_seconds(arg, state);
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "'%s' is too much: status takes options only", arg);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_child children[] = {
	{&target_argp, 0, NULL, 1}, {&log_argp, 0, NULL, 9}, {0}};

static const struct argp_option status_options[] = {
	{"json", 'j', NULL, 0, "Print JSON", 2},
	{"wait", 'w', "SECONDS", 0, "Wait until a responder serves; exit status 1 on time-out", 2},
	{0},
};

static const struct argp argp = {
	.options = status_options,
	.parser = options_parse,
	.children = children,
	.doc = "Print where edge426 is attached, by whom, whether a responder serves, which "
	       "policy counts, and what keeps it from counting.",
};

static const char *owner_name(__u32 owner)
{
	static const char *const names[] = {
		[EDGE426_OWNER_NONE] = "another loader",
		[EDGE426_OWNER_ATTACH] = "attach",
		[EDGE426_OWNER_RUN] = "run",
	};

	return owner < sizeof(names) / sizeof(names[0]) ? names[owner] : "unknown";
}

static bool is_elsewhere(const struct store *store)
{
	return store->state->abi_version && store->state->netns != netdev_namespace();
}

/* By name, and when that is not known, or not any more, as the responder noted it. */
static int find_interface(const struct target *target, const struct store *store)
{
	int ifindex = netdev_index(target->interface);

	return ifindex || !store || is_elsewhere(store) ? ifindex : (int)store->state->ifindex;
}

/* The hook of another namespace cannot be asked: there the responder's lock must do. */
static bool serves(const struct store *store, int ifindex, const struct hook *hook)
{
	if (!store_is_served(store))
		return false;
	if (is_elsewhere(store))
		return true;
	return ifindex && hook->prog_id && hook_uses_map(hook, store->fd[LAYOUT_STATE]);
}

/* In another namespace the pins say what should be there. */
static void look_at_hook(struct report *report, int ifindex)
{
	__u32 pinned = pins_program_id(report->dir, EDGE426_PROG_XDP);

	if (!report->elsewhere) {
		if (ifindex)
			hook_query_xdp(ifindex, pinned, &report->hook);
		return;
	}
	report->hook = (struct hook){.prog_id = pinned,
				     .mode = report->state.xdp_mode,
				     .ours = true,
				     .name = EDGE426_PROG_XDP};
}

/* What counts now: a change that was not confirmed in time does not. */
static int read_policy(struct report *report, struct store *store, struct failure *failure)
{
	int lock = store_lock(store, failure), err = 0;

	if (lock < 0)
		return lock;
	store_settle(store);
	report->state = *store->state;
	report->waits = store_waits(store);
	report->has_policy = store_has_policy(store);
	if (report->has_policy)
		err = store_read_services(store, &report->policy, failure);
	close(lock);
	return err;
}

/* What only the maps can tell. */
static int read_store(struct report *report, struct store *store, int ifindex,
		      struct failure *failure)
{
	int err = read_policy(report, store, failure);

	if (err)
		return err;
	report->elsewhere = is_elsewhere(store);
	look_at_hook(report, ifindex);
	report->alive = store_is_served(store);
	report->serves = serves(store, ifindex, &report->hook);
	report->other_maps = report->hook.ours && !report->elsewhere &&
			     !hook_uses_map(&report->hook, store->fd[LAYOUT_STATE]);
	return handshakes_read(store, &report->policy, report->serves, &report->handshakes,
			       failure);
}

static int make_report(const struct target *target, struct report *report, struct failure *failure)
{
	struct store store = {0};
	int err = store_open(target->dir, &store, failure), ifindex;

	*report = (struct report){.dir = target->dir, .pinned = !err};
	if (err && err != -ENOENT)
		return err;
	ifindex = find_interface(target, err ? NULL : &store);
	target_label(target, (__u32)ifindex, report->label);
	if (err) {
		look_at_hook(report, ifindex);
		report->other_maps = report->hook.ours;
		return 0;
	}
	err = read_store(report, &store, ifindex, failure);
	store_close(&store);
	return err;
}

static void print_hook(const struct report *report)
{
	const struct hook *hook = &report->hook;

	if (!hook->prog_id)
		printf("  attached   no\n");
	else if (!hook->ours)
		printf("  attached   no; XDP program '%s' (id %u, %s) holds the hook\n", hook->name,
		       hook->prog_id, hook_mode_name(hook->mode));
	else if (report->other_maps)
		printf("  attached   %s, program %u, with pins in another directory\n",
		       hook_mode_name(hook->mode), hook->prog_id);
	else
		printf("  attached   %s, program %u, by %s%s\n", hook_mode_name(hook->mode),
		       hook->prog_id, owner_name(report->state.owner),
		       report->elsewhere
			       ? ", in another network namespace whose hook cannot be asked"
			       : "");
}

static void print_responder(const struct report *report)
{
	const struct edge426_state *state = &report->state;

	if (!report->alive)
		printf("  responder  none\n");
	else if (!report->serves)
		printf("  responder  process %u lives but does not serve: its program is not on "
		       "the "
		       "hook\n",
		       state->worker_pid);
	else
		printf("  responder  process %u, %u queue%s, %u in zero-copy mode\n",
		       state->worker_pid, state->queues, state->queues == 1 ? "" : "s",
		       state->zero_copy);
}

static void print_policy(const struct report *report)
{
	const struct edge426_state *state = &report->state;

	if (report->has_policy)
		printf("  policy     generation %llu, %u service%s\n",
		       (unsigned long long)state->generation, state->services,
		       state->services == 1 ? "" : "s");
	else
		printf("  policy     none\n");
	if (report->waits)
		printf("  waiting    goes back in %u s unless confirmed: edge426 policy confirm\n",
		       report->waits);
	if (state->bypass)
		printf("  bypass     on: nothing new is taken\n");
}

/* Services that the policy does not count for, or not for all. */
static void print_modes(const struct policy *policy)
{
	for (size_t i = 0; i < policy->services_len; i++) {
		const struct service *service = &policy->services[i];

		if (service->mode != EDGE426_MODE_ENFORCE)
			printf("  mode       %s: %s\n", service->name,
			       text_print_mode(service->mode));
		if (service->percent != 100)
			printf("  percent    %s: %u\n", service->name, service->percent);
	}
}

static void print_report(const struct report *report)
{
	printf("%s\n", report->label);
	print_hook(report);
	printf("  pins       %s\n", report->pinned ? report->dir : "none");
	print_responder(report);
	print_policy(report);
	print_modes(&report->policy);
	handshakes_print(&report->handshakes);
}

static json_t *hook_json(const struct report *report)
{
	const struct hook *hook = &report->hook;

	if (!hook->prog_id)
		return json_null();
	return json_pack("{s:s, s:i, s:s, s:b, s:s, s:b}", "mode", hook_mode_name(hook->mode),
			 "program_id", (int)hook->prog_id, "program", hook->name, "ours",
			 hook->ours, "by",
			 hook->ours && !report->other_maps ? owner_name(report->state.owner)
							   : "another loader",
			 "other_namespace", report->elsewhere);
}

static json_t *policy_json(const struct report *report)
{
	const struct edge426_state *state = &report->state;

	return json_pack("{s:I, s:i, s:o}", "generation", (json_int_t)state->generation, "services",
			 (int)state->services, "waiting_seconds",
			 report->waits ? json_integer(report->waits) : json_null());
}

static json_t *services_json(const struct report *report)
{
	json_t *array = json_array();

	for (size_t i = 0; i < report->handshakes.len; i++) {
		const struct service *service = &report->policy.services[i];
		json_t *row = handshakes_json(&report->handshakes.list[i]);

		json_object_set_new(row, "mode", json_string(text_print_mode(service->mode)));
		json_object_set_new(row, "percent", json_integer(service->percent));
		json_array_append_new(array, row);
	}
	return array;
}

static json_t *report_json(const struct report *report)
{
	const struct edge426_state *state = &report->state;
	bool alive = report->alive;

	return json_pack("{s:o, s:o, s:{s:b, s:b, s:i, s:i, s:i}, s:o, s:b, s:o}", "pin_dir",
			 report->pinned ? json_string(report->dir) : json_null(), "attached",
			 hook_json(report), "responder", "alive", alive, "serves", report->serves,
			 "pid", alive ? (int)state->worker_pid : 0, "queues",
			 alive ? (int)state->queues : 0, "zero_copy",
			 alive ? (int)state->zero_copy : 0, "policy", policy_json(report), "bypass",
			 state->bypass != 0, "services", services_json(report));
}

static void free_report(struct report *report)
{
	policy_free(&report->policy);
	handshakes_free(&report->handshakes);
}

/* Explicit targets may have nothing pinned; they are reported all the same. */
static int print_status(struct options *options)
{
	struct targets targets = options->targets;
	json_t *root = json_object();
	struct failure failure = {0};
	struct report report;
	int err = targets_resolve(&targets, &failure);

	for (size_t i = 0; i < targets.len && !err; i++) {
		err = make_report(&targets.list[i], &report, &failure);
		if (!err && options->json)
			json_object_set_new(root, report.label, report_json(&report));
		else if (!err)
			print_report(&report);
		free_report(&report);
	}
	if (!err && options->json)
		output_json(root, false);
	else if (!err && !targets.len)
		printf("edge426 is attached nowhere\n");
	if (err)
		log_error("%s", failure.text);
	json_decref(root);
	targets_free(&targets);
	return err ? VERB_FAILED : VERB_DONE;
}

static bool is_served(const struct target *target)
{
	struct failure ignored = {0};
	struct hook hook = {0};
	struct store store;
	bool served;
	int ifindex;

	if (store_open(target->dir, &store, &ignored))
		return false;
	ifindex = find_interface(target, &store);
	if (ifindex && !is_elsewhere(&store))
		hook_query_xdp(ifindex, 0, &hook);
	served = serves(&store, ifindex, &hook);
	store_close(&store);
	return served;
}

/* Resolved anew each time: without options, what is pinned may change meanwhile. */
static bool all_served(const struct options *options)
{
	struct targets targets = options->targets;
	struct failure ignored = {0};
	bool all = !targets_resolve(&targets, &ignored) && targets.len > 0;

	for (size_t i = 0; i < targets.len && all; i++)
		all = is_served(&targets.list[i]);
	targets_free(&targets);
	return all;
}

static bool has_passed(const struct timespec *deadline)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec > deadline->tv_sec ||
	       (now.tv_sec == deadline->tv_sec && now.tv_nsec >= deadline->tv_nsec);
}

static bool wait_served(const struct options *options)
{
	struct timespec deadline;

	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += options->seconds;
	while (!all_served(options)) {
		if (has_passed(&deadline))
			return false;
		usleep(POLL_US);
	}
	return true;
}

int cmd_status(int argc, char **argv)
{
	struct options options = {0};

	argp_parse(&argp, argc, argv, 0, NULL, &options);
	if (options.wait && !wait_served(&options)) {
		log_error("No responder serves after %u second%s", options.seconds,
			  options.seconds == 1 ? "" : "s");
		return VERB_FAILED;
	}
	return print_status(&options);
}
