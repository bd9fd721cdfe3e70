/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The policy as canonical YAML: services in their order, the allow list unless
 * it is empty, the answer always. Of a service `handshake` always, the other
 * keys only where they say something else than the default; but the thresholds
 * for `auto`, even if they are it. libyaml does the quoting. What it prints,
 * policy_read.c reads back to an equal policy.
 */
#include "policy.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include <edge426/abi.h>

#include "text.h"

/* Once it has failed it emits nothing more, so that one look at the end is enough. */
struct printer {
	yaml_emitter_t emitter;
	bool failed;
};

static void emit(struct printer *printer, yaml_event_t *event, int made)
{
	if (!made)
		printer->failed = true;
	else if (printer->failed)
		yaml_event_delete(event);
	else if (!yaml_emitter_emit(&printer->emitter, event))
		printer->failed = true;
}

static void emit_styled(struct printer *printer, const char *text, yaml_scalar_style_t style)
{
	yaml_event_t event;

	emit(printer, &event,
	     yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)text,
					  (int)strlen(text), 1, 1, style));
}

static void emit_text(struct printer *printer, const char *text)
{
	emit_styled(printer, text, YAML_ANY_SCALAR_STYLE);
}

static void emit_pair(struct printer *printer, const char *key, const char *value)
{
	emit_text(printer, key);
	emit_text(printer, value);
}

static void emit_number(struct printer *printer, const char *key, __u32 number)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", number);
	emit_pair(printer, key, text);
}

static void begin_mapping(struct printer *printer, yaml_mapping_style_t style)
{
	yaml_event_t event;

	emit(printer, &event, yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, style));
}

static void end_mapping(struct printer *printer)
{
	yaml_event_t event;

	emit(printer, &event, yaml_mapping_end_event_initialize(&event));
}

static void begin_list(struct printer *printer, yaml_sequence_style_t style)
{
	yaml_event_t event;

	emit(printer, &event, yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, style));
}

static void end_list(struct printer *printer)
{
	yaml_event_t event;

	emit(printer, &event, yaml_sequence_end_event_initialize(&event));
}

/* A value that has a name always: what has none was never checked, and is not read back. */
static void emit_word(struct printer *printer, const char *key, const char *word)
{
	emit_pair(printer, key, word ? word : "");
}

static void print_place(struct printer *printer, const struct service *service)
{
	char ports[TEXT_PORTS_LEN], address[TEXT_PREFIX_LEN];

	text_print_ports(service->port, service->port_end, ports);
	text_print_prefix(&service->address, address);
	emit_pair(printer, "port", ports);
	if (service->address.family)
		emit_pair(printer, "address", address);
	if (service->interface[0])
		emit_pair(printer, "interface", service->interface);
	if (service->vlan)
		emit_number(printer, "vlan", service->vlan);
}

static void print_handshake(struct printer *printer, const struct service *service)
{
	const char *backend = text_print_backend(service->flags);

	emit_word(printer, "handshake", text_print_handshake(service->handshake));
	if (backend)
		emit_pair(printer, "backend", backend);
	if (service->handshake == EDGE426_HANDSHAKE_AUTO) {
		emit_number(printer, "syn_threshold", service->syn_threshold);
		emit_number(printer, "calm_seconds", service->calm_seconds);
	}
}

static void print_limit(struct printer *printer, const struct service *service)
{
	emit_text(printer, "limit");
	begin_mapping(printer, YAML_FLOW_MAPPING_STYLE);
	emit_number(printer, "rate", service->limit_rate);
	if (service->limit_burst != service->limit_rate)
		emit_number(printer, "burst", service->limit_burst);
	end_mapping(printer);
}

static void print_actions(struct printer *printer, const struct service *service)
{
	__u32 other = service->flags & EDGE426_SERVICE_NO_BACKEND ? EDGE426_ACTION_RESET
								  : EDGE426_ACTION_PASS;

	if (service->action != EDGE426_ACTION_RESPOND)
		emit_word(printer, "action", text_print_action(service->action));
	if (service->other != other)
		emit_word(printer, "other", text_print_other(service->other));
	if (service->mode != EDGE426_MODE_ENFORCE)
		emit_word(printer, "mode", text_print_mode(service->mode));
	if (service->percent != 100)
		emit_number(printer, "percent", service->percent);
	if (service->limit_rate)
		print_limit(printer, service);
}

static void print_strings(struct printer *printer, const char *key, const struct strings *strings)
{
	size_t i;

	if (!strings->len)
		return;
	emit_text(printer, key);
	begin_list(printer, YAML_FLOW_SEQUENCE_STYLE);
	for (i = 0; i < strings->len; i++)
		emit_text(printer, strings->list[i]);
	end_list(printer);
}

/* In the order of enum service_key. */
static void print_service(struct printer *printer, const struct service *service)
{
	begin_mapping(printer, YAML_BLOCK_MAPPING_STYLE);
	emit_pair(printer, "name", service->name);
	print_place(printer, service);
	print_handshake(printer, service);
	print_actions(printer, service);
	print_strings(printer, "exempt_paths", &service->exempt_paths);
	print_strings(printer, "exempt_hosts", &service->exempt_hosts);
	end_mapping(printer);
}

static void print_services(struct printer *printer, const struct policy *policy)
{
	size_t i;

	emit_text(printer, "services");
	begin_list(printer,
		   policy->services_len ? YAML_BLOCK_SEQUENCE_STYLE : YAML_FLOW_SEQUENCE_STYLE);
	for (i = 0; i < policy->services_len; i++)
		print_service(printer, &policy->services[i]);
	end_list(printer);
}

static void print_entry(struct printer *printer, const struct allow *entry)
{
	char address[TEXT_PREFIX_LEN], until[TEXT_UNTIL_LEN];

	text_print_prefix(&entry->prefix, address);
	if (!entry->until) {
		emit_text(printer, address);
		return;
	}
	text_print_until(entry->until, until);
	begin_mapping(printer, YAML_FLOW_MAPPING_STYLE);
	emit_pair(printer, "address", address);
	emit_text(printer, "until");
	emit_styled(printer, until, YAML_DOUBLE_QUOTED_SCALAR_STYLE);
	end_mapping(printer);
}

static void print_allow(struct printer *printer, const struct policy *policy)
{
	size_t i;

	if (!policy->allow_len)
		return;
	emit_text(printer, "allow");
	begin_list(printer, YAML_BLOCK_SEQUENCE_STYLE);
	for (i = 0; i < policy->allow_len; i++)
		print_entry(printer, &policy->allow[i]);
	end_list(printer);
}

static void print_upgrade(struct printer *printer, const struct answer_text *answer)
{
	size_t i;

	emit_text(printer, "upgrade");
	begin_list(printer, YAML_FLOW_SEQUENCE_STYLE);
	for (i = 0; i < answer->upgrades; i++)
		emit_styled(printer, answer->upgrade[i], YAML_DOUBLE_QUOTED_SCALAR_STYLE);
	end_list(printer);
}

/*
 * A literal block where it reads well. libyaml itself quotes what no block can
 * hold, control characters say. These it would put in a block that other
 * readers, or people, take for something else: blanks or blank lines first,
 * and the separators U+2028 and U+2029, which only YAML 1.1 takes for breaks.
 */
static yaml_scalar_style_t body_style(const char *body)
{
	if (!*body || *body == ' ' || *body == '\n')
		return YAML_DOUBLE_QUOTED_SCALAR_STYLE;
	if (strstr(body, "\xe2\x80\xa8") || strstr(body, "\xe2\x80\xa9"))
		return YAML_DOUBLE_QUOTED_SCALAR_STYLE;
	return YAML_LITERAL_SCALAR_STYLE;
}

static void print_answers(struct printer *printer, const struct answer_text *answer)
{
	emit_text(printer, "answers");
	begin_mapping(printer, YAML_BLOCK_MAPPING_STYLE);
	emit_text(printer, "default");
	begin_mapping(printer, YAML_BLOCK_MAPPING_STYLE);
	print_upgrade(printer, answer);
	emit_pair(printer, "content_type", answer->content_type);
	emit_text(printer, "body");
	emit_styled(printer, answer->body, body_style(answer->body));
	end_mapping(printer);
	end_mapping(printer);
}

static void print_document(struct printer *printer, const struct policy *policy)
{
	yaml_event_t event;

	emit(printer, &event, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING));
	emit(printer, &event, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1));
	begin_mapping(printer, YAML_BLOCK_MAPPING_STYLE);
	print_services(printer, policy);
	print_allow(printer, policy);
	print_answers(printer, &policy->answer);
	end_mapping(printer);
	emit(printer, &event, yaml_document_end_event_initialize(&event, 1));
	emit(printer, &event, yaml_stream_end_event_initialize(&event));
}

static int print_stream(const struct policy *policy, FILE *out)
{
	struct printer printer = {0};

	if (!yaml_emitter_initialize(&printer.emitter))
		return -ENOMEM;
	yaml_emitter_set_output_file(&printer.emitter, out);
	yaml_emitter_set_unicode(&printer.emitter, 1);
	yaml_emitter_set_width(&printer.emitter, -1); /* never folds a line */
	print_document(&printer, policy);
	yaml_emitter_delete(&printer.emitter);
	return printer.failed ? -ENOMEM : 0;
}

int policy_print_text(const struct policy *policy, char **text, size_t *len,
		      struct failure *failure)
{
	char *made = NULL;
	size_t made_len = 0;
	FILE *out = open_memstream(&made, &made_len);
	int err;

	if (!out)
		return failure_set(failure, ENOMEM, "Can't print the policy: out of memory");
	err = print_stream(policy, out);
	if (fclose(out) || err) {
		free(made);
		return failure_set(failure, ENOMEM, "Can't print the policy: out of memory");
	}
	*text = made;
	*len = made_len;
	return 0;
}
