/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The answer, what a service says of itself, and the allow list. Where services
 * are in each other's way is policy_lint_places.c's.
 */
#include "policy_lint.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <edge426/abi.h>

#include "answer.h"
#include "policy_linter.h"
#include "prefix_cover.h"

#define HTTP_PORT 80
#define IPP_PORT 631

void linter_say(struct linter *linter, const char *format, ...)
{
	char sentence[512];
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	linter->warn(linter->context, sentence);
	linter->warnings++;
}

/* RFC 6797 7.2 forbids the server to send it, 8.1 the client to heed it. */
static void lint_hsts(struct linter *linter)
{
	char octets[EDGE426_ANSWER_MAX + 1];
	struct edge426_answer answer = {0};
	struct failure failure;

	if (answer_render(&linter->policy->answer, &answer, &failure))
		return;
	memcpy(octets, answer.octets, answer.len);
	octets[answer.len] = '\0';
	if (strcasestr(octets, "Strict-Transport-Security"))
		linter_say(linter,
			   "answer 'default' contains Strict-Transport-Security, which must "
			   "not be sent over plaintext and is ignored there (RFC 6797)");
}

static void lint_body(struct linter *linter)
{
	if (!strcasestr(linter->policy->answer.body, "https"))
		linter_say(linter, "the body of answer 'default' does not mention https: "
				   "it does not tell people what to do");
}

static bool has_port(const struct service *service, __u16 port)
{
	return service->port <= port && port <= service->port_end;
}

static bool offers_tls(const struct answer_text *answer)
{
	size_t i;

	for (i = 0; i < answer->upgrades; i++)
		if (!strncasecmp(answer->upgrade[i], "TLS", 3))
			return true;
	return false;
}

static bool offers_tls_on_http(const struct policy *policy, const struct service *service)
{
	return service->action == EDGE426_ACTION_RESPOND && has_port(service, HTTP_PORT) &&
	       offers_tls(&policy->answer);
}

static bool is_on_ipp(const struct policy *policy, const struct service *service)
{
	(void)policy;
	return service->action != EDGE426_ACTION_PASS && has_port(service, IPP_PORT);
}

static bool exempts_all(const struct policy *policy, const struct service *service)
{
	size_t i;

	(void)policy;
	for (i = 0; i < service->exempt_paths.len; i++)
		if (!strcmp(service->exempt_paths.list[i], "/"))
			return true;
	return false;
}

static bool enforces_nothing(const struct policy *policy, const struct service *service)
{
	(void)policy;
	return !service->percent;
}

static bool passes(const struct policy *policy, const struct service *service)
{
	(void)policy;
	return service->action == EDGE426_ACTION_PASS;
}

static const struct {
	bool (*holds)(const struct policy *policy, const struct service *service);
	const char *sentence; /* after the service */
} doubts[] = {
	{offers_tls_on_http, "has port 80, where testssl.sh reports the answer's \"Upgrade: TLS\" "
			     "as a finding"},
	{is_on_ipp, "has port 631, where IPP begins in plaintext and upgrades to TLS by itself "
		    "(RFC 8010): printing would break"},
	{exempts_all, "exempts the path '/', with which almost every request begins"},
	{enforces_nothing, "has percent 0: no source is enforced"},
	{passes, "has action 'pass': plaintext HTTP goes to the server"},
};

/* One sentence for all services of which it is true, naming the first. */
static void lint_doubt(struct linter *linter, size_t doubt)
{
	const struct policy *policy = linter->policy;
	const char *first = NULL;
	char more[48] = "";
	size_t others = 0;
	size_t i;

	for (i = 0; i < policy->services_len; i++) {
		if (!doubts[doubt].holds(policy, &policy->services[i]))
			continue;
		if (first)
			others++;
		else
			first = policy->services[i].name;
	}
	if (!first)
		return;
	if (others)
		snprintf(more, sizeof(more), ", like %zu more,", others);
	linter_say(linter, "service '%s'%s %s", first, more, doubts[doubt].sentence);
}

static bool counts(const struct linter *linter, const struct allow *entry)
{
	return !entry->until || entry->until > linter->now;
}

static void lint_allow_all(struct linter *linter, __u8 family, const char *name)
{
	const struct prefix all = {.family = family};
	const struct policy *policy = linter->policy;
	struct prefix_cover cover;
	size_t i;

	prefix_cover_begin(&cover, &all);
	for (i = 0; i < policy->allow_len; i++)
		if (counts(linter, &policy->allow[i]))
			prefix_cover_add(&cover, &policy->allow[i].prefix);
	if (prefix_cover_is_whole(&cover))
		linter_say(linter, "allow has all %s addresses: no service does anything for them",
			   name);
}

static void lint_allow_ended(struct linter *linter)
{
	const struct policy *policy = linter->policy;
	size_t ended = 0;
	size_t i;

	for (i = 0; i < policy->allow_len; i++)
		ended += !counts(linter, &policy->allow[i]);
	if (ended)
		linter_say(linter,
			   "allow has %zu of its %zu entries for nothing: "
			   "their end has passed",
			   ended, policy->allow_len);
}

size_t policy_lint_at(const struct policy *policy, __u64 now,
		      void (*warn)(void *context, const char *sentence), void *context)
{
	struct linter linter = {.policy = policy, .now = now, .warn = warn, .context = context};
	size_t i;

	linter_look_at_places(&linter);
	for (i = 0; i < sizeof(doubts) / sizeof(doubts[0]); i++)
		lint_doubt(&linter, i);
	lint_allow_all(&linter, 4, "IPv4");
	lint_allow_all(&linter, 6, "IPv6");
	lint_allow_ended(&linter);
	lint_hsts(&linter);
	lint_body(&linter);
	return linter.warnings;
}

size_t policy_lint(const struct policy *policy, void (*warn)(void *context, const char *sentence),
		   void *context)
{
	return policy_lint_at(policy, (__u64)time(NULL), warn, context);
}
