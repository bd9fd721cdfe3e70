/* SPDX-License-Identifier: GPL-2.0-only */
/* Each packet goes out at once: a capture may have a million. */
#include "explain_print.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "../bpf/classify.h"
#include "../bpf/segment.h"
#include "endpoint.h"
#include "text.h"

#define INDENT "  "
#define PACKET_LEN (TEXT_QUOTE_LEN + 16) /* flags, and the first line of the data */
#define VERDICT_LEN 24
#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

struct reason_row {
	const char *name;
	const char *text; /* "VERDICT: why" */
};

#define REASON_ROW(name, text) {#name, text},
static const struct reason_row reasons[] = {EDGE426_REASONS(REASON_ROW)};

/* A name for --json, a text for people. */
struct name_row {
	const char *name;
	const char *text;
};

static const struct name_row skips[EXPLAIN_SKIPS] = {
	[EXPLAIN_FROM_SERVER] = {"from_server", "from the server, not to a service"},
	[EXPLAIN_CUT] = {"cut", "cut short in the capture"},
	[EXPLAIN_TOO_SHORT] = {"too_short", "shorter than an Ethernet header"},
	[EXPLAIN_TOO_LONG] = {"too_long", "longer than the program can be given"},
};

static const struct name_row assumptions[EXPLAIN_ASSUMED] = {
	[EXPLAIN_KERNEL] = {"kernel_handshake",
			    "the server's kernel did the handshake, these are its first octets"},
	[EXPLAIN_NO_SYN] = {"no_syn",
			    "its SYN is not in the capture, so these are not its first octets"},
};

/* What the program tells the responder or the TC program; by kind. */
static const struct name_row messages[] = {
	[EDGE426_SEND_ANSWER] = {"answer", "the responder sends the answer"},
	[EDGE426_SEND_ACK] = {"ack", "the responder sends an acknowledgement"},
	[EDGE426_SEND_RESET] = {"reset", "the responder sends RST to the client"},
	[EDGE426_TC_RESET] = {"tc_reset", "at TC it becomes the server's RST"},
	[EDGE426_TC_ACK_RESET] = {"tc_ack_reset",
				  "at TC it is acknowledged and becomes the server's RST"},
	[EDGE426_TC_HAND_OVER] = {"tc_hand_over",
				  "at TC the server's kernel makes the connection its own"},
	[EDGE426_TC_RESET_BOTH] = {"tc_reset_both",
				   "at TC the client gets RST, and so does the server"},
};

static const char *const classes[] = {
	[PAYLOAD_TLS] = "tls",
	[PAYLOAD_HTTP] = "http",
	[PAYLOAD_HTTP_HEAD] = "http_head",
	[PAYLOAD_OTHER] = "other",
	[PAYLOAD_NEED_MORE] = "need_more",
	[PAYLOAD_NONE] = "none",
};

/* The beginning of a reason's text, and what is behind it. */
static const char *split_reason(const char *text, char verdict[VERDICT_LEN])
{
	const char *colon = strchr(text, ':');
	int len = colon ? (int)(colon - text) : 0;

	snprintf(verdict, VERDICT_LEN, "%.*s", len, text);
	return colon ? colon + 2 : text;
}

static void print_end(const struct segment *segment, bool client, char text[ENDPOINT_LEN])
{
	const __u8 *address = client ? segment->key.client : segment->key.server;
	__be16 port = client ? segment->key.client_port : segment->key.server_port;
	struct endpoint end = {.family = (__u8)segment->family, .port = bpf_ntohs(port)};

	if (segment->family == 4)
		memcpy(end.address, address + SEGMENT_IP4_AT, 4);
	else
		memcpy(end.address, address, 16);
	endpoint_print(&end, text);
}

static size_t first_line_len(const __u8 *payload, size_t len)
{
	size_t at = 0;

	while (at < len && payload[at] != '\r' && payload[at] != '\n')
		at++;
	return at ? at : len; /* an empty line is shown with its end */
}

/* "SYN", "FIN ACK", "'GET / HTTP/1.1'" */
static void print_packet(const struct explained *explained, char text[PACKET_LEN])
{
	const struct segment *segment = explained->segment;
	char quoted[TEXT_QUOTE_LEN];
	size_t at = 0;

	at += (size_t)sprintf(text + at, "%s", segment->syn ? "SYN " : "");
	at += (size_t)sprintf(text + at, "%s", segment->fin ? "FIN " : "");
	at += (size_t)sprintf(text + at, "%s", segment->rst ? "RST " : "");
	if (segment->has_ack && (at || !segment->payload_len))
		at += (size_t)sprintf(text + at, "ACK ");
	if (segment->payload_len) {
		text_quote((const char *)explained->payload,
			   first_line_len(explained->payload, segment->payload_len), quoted);
		at += (size_t)snprintf(text + at, PACKET_LEN - at, "%s ", quoted);
	}
	text[at ? at - 1 : 0] = '\0';
}

static void print_head(size_t number, const struct explained *explained)
{
	char from[ENDPOINT_LEN], to[ENDPOINT_LEN], packet[PACKET_LEN];

	printf("%zu ", number);
	if (!explained->segment)
		return;
	print_end(explained->segment, true, from);
	print_end(explained->segment, false, to);
	print_packet(explained, packet);
	printf("%s > %s ", from, to);
	if (explained->segment->vlan)
		printf("VLAN %u ", explained->segment->vlan);
	printf("%s: ", packet);
}

/* What a service has that is not as usual, and what decides. */
static void print_service(const struct service *service)
{
	char ports[TEXT_PORTS_LEN], address[TEXT_PREFIX_LEN];

	text_print_ports(service->port, service->port_end, ports);
	text_print_prefix(&service->address, address);
	printf("service %s (port %s", service->name, ports);
	if (service->address.family)
		printf(", address %s", address);
	if (service->vlan)
		printf(", VLAN %u", service->vlan);
	if (service->interface[0])
		printf(", interface %s", service->interface);
	printf(", handshake %s, mode %s", text_print_handshake(service->handshake),
	       text_print_mode(service->mode));
	if (service->percent < 100)
		printf(", percent %u", service->percent);
	printf(", action %s", text_print_action(service->action));
	if (service->other != EDGE426_ACTION_PASS)
		printf(", other %s", text_print_other(service->other));
	printf(")");
}

static const char *service_text(const struct explain_outcome *outcome)
{
	return outcome->service ? "a service that a policy before this one had here" : NULL;
}

static const struct name_row *find_message(const struct explain_outcome *outcome)
{
	return outcome->kind && outcome->kind < ARRAY_LEN(messages) ? &messages[outcome->kind]
								    : NULL;
}

static void find_rule(const struct explain_printer *printer, const struct explained *explained,
		      struct explain_rule *rule)
{
	const struct explain_case met = {explained->segment, explained->payload,
					 explained->outcome};

	*rule = (struct explain_rule){0};
	if (explained->segment)
		explain_find_rule(printer->view, &met, rule);
}

static void print_rule(const struct explain_rule *rule)
{
	printf("; %s %s", rule->name, rule->value);
	if (rule->note[0])
		printf(" (%s)", rule->note);
}

/* The second line, where there is a service, and a third about the connection. */
static void print_details(const struct explain_printer *printer, const struct explained *explained)
{
	const struct explain_outcome *outcome = explained->outcome;
	const struct service *service = explain_find_service(printer->view->policy, outcome);
	const struct name_row *message = find_message(outcome);
	struct explain_rule rule;

	find_rule(printer, explained, &rule);
	if (!outcome->service)
		return;
	printf(INDENT);
	if (service)
		print_service(service);
	else
		printf("%s", service_text(outcome));
	if (rule.kind)
		print_rule(&rule);
	if (message)
		printf("; %s", message->text);
	printf("\n");
	if (explained->assumed)
		printf(INDENT "assumed: %s\n", assumptions[explained->assumed].text);
}

static void print_text(const struct explain_printer *printer, const struct explained *explained)
{
	print_head(printer->len, explained);
	if (!explained->outcome) {
		printf("%s\n", skips[explained->skip].text);
		return;
	}
	printf("%s - %s\n", reasons[explained->outcome->reason].name,
	       reasons[explained->outcome->reason].text);
	print_details(printer, explained);
}

static json_t *text_or_null(const char *text)
{
	return text ? json_string(text) : json_null();
}

static void set_packet(json_t *object, const struct explained *explained)
{
	const struct segment *segment = explained->segment;
	char from[ENDPOINT_LEN], to[ENDPOINT_LEN], packet[PACKET_LEN];

	if (segment) {
		print_end(segment, true, from);
		print_end(segment, false, to);
		print_packet(explained, packet);
	}
	json_object_set_new(object, "from", text_or_null(segment ? from : NULL));
	json_object_set_new(object, "to", text_or_null(segment ? to : NULL));
	json_object_set_new(object, "vlan",
			    segment && segment->vlan ? json_integer(segment->vlan) : json_null());
	json_object_set_new(object, "packet", text_or_null(segment ? packet : NULL));
	json_object_set_new(object, "data_len",
			    json_integer(segment ? (json_int_t)segment->payload_len : 0));
	json_object_set_new(object, "skipped", text_or_null(skips[explained->skip].name));
	json_object_set_new(object, "assumed", text_or_null(assumptions[explained->assumed].name));
}

static json_t *rule_json(const struct explain_rule *rule)
{
	if (!rule->kind)
		return json_null();
	return json_pack("{s:s, s:s, s:o}", "kind", rule->kind, "value", rule->value, "note",
			 text_or_null(rule->note[0] ? rule->note : NULL));
}

static void set_reason(json_t *object, const struct explain_outcome *outcome)
{
	char verdict[VERDICT_LEN];
	const char *why = "";

	if (outcome)
		why = split_reason(reasons[outcome->reason].text, verdict);
	json_object_set_new(object, "reason",
			    text_or_null(outcome ? reasons[outcome->reason].name : NULL));
	json_object_set_new(object, "verdict", text_or_null(outcome ? verdict : NULL));
	json_object_set_new(object, "why", text_or_null(outcome ? why : NULL));
}

static const char *class_name(const struct explain_outcome *outcome)
{
	return outcome->class && outcome->class <= ARRAY_LEN(classes) ? classes[outcome->class - 1]
								      : NULL;
}

static void set_outcome(json_t *object, const struct explain_printer *printer,
			const struct explained *explained)
{
	static const struct explain_outcome none = {0};
	const struct explain_outcome *outcome = explained->outcome ? explained->outcome : &none;
	const struct service *service = explain_find_service(printer->view->policy, outcome);
	const struct name_row *message = find_message(outcome);
	struct explain_rule rule = {0};

	if (explained->outcome)
		find_rule(printer, explained, &rule);
	json_object_set_new(object, "service", text_or_null(service ? service->name : NULL));
	json_object_set_new(object, "class", text_or_null(class_name(outcome)));
	json_object_set_new(object, "monitored", json_boolean(outcome->monitored));
	json_object_set_new(object, "rule", rule_json(&rule));
	json_object_set_new(object, "message", text_or_null(message ? message->name : NULL));
}

static void print_json(const struct explain_printer *printer, const struct explained *explained)
{
	json_t *object = json_object();

	json_object_set_new(object, "number", json_integer((json_int_t)printer->len));
	set_packet(object, explained);
	set_reason(object, explained->outcome);
	set_outcome(object, printer, explained);
	fputs(printer->len == 1 ? "[\n" : ",\n", stdout);
	json_dumpf(object, stdout, JSON_COMPACT);
	json_decref(object);
}

void explain_print(struct explain_printer *printer, const struct explained *explained)
{
	printer->len++;
	if (explained->outcome)
		printer->count[explained->outcome->reason]++;
	else
		printer->skipped[explained->skip]++;
	if (printer->json)
		print_json(printer, explained);
	else
		print_text(printer, explained);
}

void explain_print_summary(const struct explain_printer *printer)
{
	if (printer->json)
		return;
	printf("%zu packet%s\n", printer->len, printer->len == 1 ? "" : "s");
	for (size_t i = 0; i < EDGE426_REASON_COUNT; i++)
		if (printer->count[i])
			printf("%8zu  %-15s %s\n", printer->count[i], reasons[i].name,
			       reasons[i].text);
	for (size_t i = 0; i < EXPLAIN_SKIPS; i++)
		if (printer->skipped[i])
			printf("%8zu  %-15s %s\n", printer->skipped[i], skips[i].name,
			       skips[i].text);
}

void explain_print_end(const struct explain_printer *printer)
{
	if (printer->json)
		fputs(printer->len ? "\n]\n" : "[]\n", stdout);
}
