/* SPDX-License-Identifier: GPL-2.0-only */
/* One row for each reason that the policy has a part in. */
#include "explain_rule.h"

#include <stdio.h>
#include <string.h>

#include "../bpf/request.h"
#include "../bpf/source.h"
#include "edge.h"
#include "text.h"

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

/* What a row's function works on; there is a service. */
struct naming {
	const struct explain_view *view;
	const struct explain_case *met;
	const struct service *service;
	struct explain_rule *rule;
};

typedef void name_fn(const struct naming *naming);

static void set_rule(const struct naming *naming, const char *kind, const char *name,
		     const char *value)
{
	naming->rule->kind = kind;
	naming->rule->name = name;
	snprintf(naming->rule->value, sizeof(naming->rule->value), "%s", value ? value : "");
}

static void name_allow(const struct naming *naming)
{
	const struct segment *segment = naming->met->segment;
	const __u8 *address = segment->key.client + (segment->family == 4 ? SEGMENT_IP4_AT : 0);
	const struct allow *entry = policy_find_allow(naming->view->policy, (__u8)segment->family,
						      address, naming->view->now);
	char prefix[TEXT_PREFIX_LEN] = "", until[TEXT_UNTIL_LEN];

	if (entry)
		text_print_prefix(&entry->prefix, prefix);
	set_rule(naming, "allow", "allow entry", prefix);
	if (!entry || !entry->until)
		return;
	text_print_until(entry->until, until);
	snprintf(naming->rule->note, sizeof(naming->rule->note), "until %s", until);
}

static void name_bypass(const struct naming *naming)
{
	if (naming->service->mode == EDGE426_MODE_BYPASS)
		set_rule(naming, "mode", "mode", text_print_mode(naming->service->mode));
	else
		set_rule(naming, "bypass", "bypass", "of all services");
}

/* Where the target's path stands in the request, and its host. */
static void read_request(const struct naming *naming, struct request *request,
			 char host[EDGE426_HOST_MAX + 1])
{
	__u32 len = naming->met->segment->payload_len;
	const __u8 *octets = naming->met->payload;
	enum request_event event = REQUEST_NOTHING;

	*request = (struct request){.wants_host = 1};
	memset(host, 0, EDGE426_HOST_MAX + 1);
	for (__u32 i = 0; i < len && i < EDGE426_LOOK_MAX && event != REQUEST_ENDS; i++) {
		event = request_step(request, octets[i]);
		if (event == REQUEST_HOST_BEGINS)
			memset(host, 0, EDGE426_HOST_MAX + 1);
		if (event == REQUEST_HOST_OCTET && request->host_len <= EDGE426_HOST_MAX)
			host[request->host_len - 1] = (char)classify_lower(octets[i]);
	}
}

/* The longest prefix so far of the path in the request. */
struct path_match {
	const char *path;
	__u32 len;
	const char *prefix;
	const char *preset; /* NULL: the policy has the prefix itself */
};

static void match_path(struct path_match *match, const char *prefix, const char *preset)
{
	size_t len = strlen(prefix);

	if (len > match->len || memcmp(match->path, prefix, len) != 0)
		return;
	if (match->prefix && strlen(match->prefix) >= len)
		return;
	match->prefix = prefix;
	match->preset = preset;
}

static void match_paths(struct path_match *match, const struct strings *exempt)
{
	for (size_t i = 0; i < exempt->len; i++) {
		const char *const *preset = policy_find_preset(exempt->list[i]);

		if (!preset)
			match_path(match, exempt->list[i], NULL);
		for (; preset && *preset; preset++)
			match_path(match, *preset, exempt->list[i]);
	}
}

static void name_path(const struct naming *naming)
{
	char host[EDGE426_HOST_MAX + 1];
	struct path_match match = {0};
	struct request request;

	read_request(naming, &request, host);
	match.path = (const char *)naming->met->payload + request.path_at;
	match.len = request.path_len;
	match_paths(&match, &naming->service->exempt_paths);
	set_rule(naming, "exempt_path", "path prefix", match.prefix);
	if (match.preset)
		snprintf(naming->rule->note, sizeof(naming->rule->note), "preset %s", match.preset);
}

static void name_host(const struct naming *naming)
{
	char host[EDGE426_HOST_MAX + 1];
	struct request request;

	read_request(naming, &request, host);
	set_rule(naming, "exempt_host", "host", host);
}

static __u32 share_of(const struct segment *segment)
{
	struct edge426_source_key source;

	source_read(segment, &source);
	return source_share(&source);
}

static void note_share(const struct naming *naming)
{
	if (naming->service->mode == EDGE426_MODE_ENFORCE &&
	    naming->service->percent < SOURCE_SHARES)
		snprintf(naming->rule->note, sizeof(naming->rule->note),
			 "this source is %u of 0 to 99, those below %u are enforced",
			 share_of(naming->met->segment), naming->service->percent);
}

/* Why it is not enforced. */
static void name_monitored(const struct naming *naming)
{
	char percent[16];

	snprintf(percent, sizeof(percent), "%u", naming->service->percent);
	if (naming->service->mode == EDGE426_MODE_ENFORCE)
		set_rule(naming, "percent", "percent", percent);
	else
		set_rule(naming, "mode", "mode", text_print_mode(naming->service->mode));
	note_share(naming);
}

static void name_action(const struct naming *naming)
{
	set_rule(naming, "action", "action", text_print_action(naming->service->action));
	note_share(naming);
}

static void name_other(const struct naming *naming)
{
	set_rule(naming, "other", "other", text_print_other(naming->service->other));
	note_share(naming);
}

static void name_limit(const struct naming *naming)
{
	char limit[32];

	snprintf(limit, sizeof(limit), "%u/%u", naming->service->limit_rate,
		 naming->service->limit_burst);
	set_rule(naming, "limit", "limit", limit);
	note_share(naming);
}

static void name_handshake(const struct naming *naming)
{
	set_rule(naming, "handshake", "handshake",
		 text_print_handshake(naming->service->handshake));
	note_share(naming);
}

static void name_to_backend(const struct naming *naming)
{
	if (naming->view->bypass || naming->service->mode == EDGE426_MODE_BYPASS)
		name_bypass(naming);
	else if (naming->met->outcome->monitored)
		name_monitored(naming);
	else
		name_handshake(naming);
}

static void name_unable(const struct naming *naming)
{
	char text[EDGE_UNABLE_LEN];

	edge_print_unable(naming->view->unable, text);
	set_rule(naming, "host", "host", text);
}

struct naming_row {
	enum edge426_reason reason;
	name_fn *name;
};

static const struct naming_row rows[] = {
	{EDGE426_REASON_allowed, name_allow},
	{EDGE426_REASON_bypassed, name_bypass},
	{EDGE426_REASON_exempt_path, name_path},
	{EDGE426_REASON_exempt_host, name_host},
	{EDGE426_REASON_action_pass, name_action},
	{EDGE426_REASON_answered, name_action},
	{EDGE426_REASON_reset_http, name_action},
	{EDGE426_REASON_reset_syn, name_action},
	{EDGE426_REASON_dropped_http, name_action},
	{EDGE426_REASON_reset_other, name_other},
	{EDGE426_REASON_dropped_other, name_other},
	{EDGE426_REASON_would_answer, name_monitored},
	{EDGE426_REASON_would_reset, name_monitored},
	{EDGE426_REASON_would_drop, name_monitored},
	{EDGE426_REASON_would_hold, name_monitored},
	{EDGE426_REASON_would_limit, name_limit},
	{EDGE426_REASON_limited, name_limit},
	{EDGE426_REASON_syn_answered, name_handshake},
	{EDGE426_REASON_syn_to_backend, name_to_backend},
	{EDGE426_REASON_fallback_host, name_unable},
};

const struct service *explain_find_service(const struct policy *policy,
					   const struct explain_outcome *outcome)
{
	return outcome->service && outcome->service <= policy->services_len
		       ? &policy->services[outcome->service - 1]
		       : NULL;
}

void explain_find_rule(const struct explain_view *view, const struct explain_case *met,
		       struct explain_rule *rule)
{
	struct naming naming = {
		.view = view,
		.met = met,
		.service = explain_find_service(view->policy, met->outcome),
		.rule = rule,
	};

	*rule = (struct explain_rule){0};
	for (size_t i = 0; naming.service && i < ARRAY_LEN(rows); i++)
		if (rows[i].reason == met->outcome->reason)
			rows[i].name(&naming);
}
