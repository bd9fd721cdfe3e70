/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The policy as canonical YAML: services in their order, `handshake` and the
 * answer always, the other keys only where they say something: the thresholds
 * for `auto`, even if they are the default. libyaml does the quoting. What it
 * prints, policy_read.c reads back to an equal policy.
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

static void begin_mapping(struct printer *printer)
{
	yaml_event_t event;

	emit(printer, &event,
	     yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE));
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

static void print_service(struct printer *printer, const struct service *service)
{
	const char *handshake = text_print_handshake(service->handshake);
	const char *backend = text_print_backend(service->flags);
	char address[TEXT_PREFIX_LEN];

	text_print_prefix(&service->address, address);
	begin_mapping(printer);
	emit_pair(printer, "name", service->name);
	emit_number(printer, "port", service->port);
	if (service->address.family)
		emit_pair(printer, "address", address);
	emit_pair(printer, "handshake", handshake ? handshake : "");
	if (backend)
		emit_pair(printer, "backend", backend);
	if (service->handshake == EDGE426_HANDSHAKE_AUTO) {
		emit_number(printer, "syn_threshold", service->syn_threshold);
		emit_number(printer, "calm_seconds", service->calm_seconds);
	}
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
	begin_mapping(printer);
	emit_text(printer, "default");
	begin_mapping(printer);
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
	begin_mapping(printer);
	print_services(printer, policy);
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
