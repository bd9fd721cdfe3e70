/* SPDX-License-Identifier: GPL-2.0-only */
/* In place of the kernel's socket table: what is made up, and what the capture shows. */
#include "explain_play.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <string.h>

#include "../bpf/segment.h"
#include "capture.h"
#include "connections.h"
#include "log.h"

#define CLIENT_SEQ 0x10000000U
#define SERVER_SEQ 0x20000000U /* where the server's kernel does the handshake */

static bool read_segment(const __u8 *frame, size_t len, size_t wire_len, struct segment *segment)
{
	struct cursor cursor = {(void *)frame, (void *)(frame + len)};
	struct headers headers;

	if (headers_parse(&cursor, (__u32)wire_len, &headers) != HEADERS_OK)
		return false;
	segment_read(&headers, &cursor, segment);
	return true;
}

/* One step of the connection that is made up. */
static int play_step(struct explain_player *player, const struct explain_ends *ends,
		     const struct explain_segment *step, __u32 proof,
		     struct explain_outcome *outcome, struct failure *failure)
{
	__u8 frame[EXPLAIN_FRAME_MAX];
	size_t len = explain_frame_build(ends, step, frame);
	struct segment segment = {0};
	struct explained explained = {.segment = &segment, .outcome = outcome};
	int err;

	if (!read_segment(frame, len, len, &segment))
		return failure_set(failure, EPROTO, "Can't make a packet of the request");
	explained.payload = frame + segment.payload_offset;
	if (step->syn && player->running)
		explain_copy_source(player->explain, player->running, &segment);
	err = explain_run(player->explain, frame, len, proof, outcome, failure);
	if (err)
		return err;
	if (outcome->service && step->len && proof == EDGE426_EXPLAIN_FIRST)
		explained.assumed = EXPLAIN_KERNEL;
	explain_print(&player->printer, &explained);
	return 0;
}

/* Whether the client has an answer to its SYN: the edge's, or one that the kernel will give. */
static bool goes_on(const struct explain_outcome *syn, __u32 *proof, __u32 *seq)
{
	*proof = EDGE426_EXPLAIN_NONE;
	if (syn->sent_back && explain_frame_is_syn_ack(syn->frame, syn->len, seq))
		return true;
	*proof = EDGE426_EXPLAIN_FIRST;
	*seq = SERVER_SEQ;
	return syn->passes;
}

static int play_connection(struct explain_player *player, const struct explain_ends *ends,
			   const struct explain_data *data, struct failure *failure)
{
	struct explain_segment step = {.syn = true, .seq = CLIENT_SEQ};
	struct explain_outcome outcome;
	__u32 proof, seq;
	int err = play_step(player, ends, &step, EDGE426_EXPLAIN_NONE, &outcome, failure);

	if (err || !goes_on(&outcome, &proof, &seq))
		return err;
	step = (struct explain_segment){.seq = CLIENT_SEQ + 1, .ack = seq + 1};
	if (proof == EDGE426_EXPLAIN_NONE)
		err = play_step(player, ends, &step, proof, &outcome, failure);
	step.data = data->octets;
	step.len = data->len;
	return err ? err : play_step(player, ends, &step, proof, &outcome, failure);
}

int explain_play_request(struct explain_player *player, const struct explain_ends *ends,
			 const struct explain_data *data, struct failure *failure)
{
	int err = play_connection(player, ends, data, failure);

	explain_print_end(&player->printer);
	return err;
}

/* Gives a packet of a capture to the program. */
static int judge_frame(struct explain_player *player, const struct captured *captured, __u32 proof,
		       struct explain_outcome *outcome, struct explained *explained,
		       struct failure *failure)
{
	int err = explain_run(player->explain, captured->frame, captured->len, proof, outcome,
			      failure);

	if (err == -EMSGSIZE) {
		explained->skip = captured->len < ETH_HLEN ? EXPLAIN_TOO_SHORT : EXPLAIN_TOO_LONG;
		return 0;
	}
	explained->outcome = outcome;
	return err;
}

/* What the capture shows after it: a client is known by its service, data arrive if they pass. */
static int note_outcome(struct connections *connections, struct connection *connection,
			const struct segment *segment, const struct explain_outcome *outcome,
			struct explained *explained)
{
	int err = 0;

	if (!connection && outcome->service)
		err = connections_add(connections, segment, &connection);
	if (err || !connection)
		return err;
	if (outcome->passes && segment->payload_len)
		connection->received = true;
	if (outcome->service && !connection->begun)
		explained->assumed = EXPLAIN_NO_SYN;
	return 0;
}

static int judge_segment(struct explain_player *player, struct connections *connections,
			 const struct captured *captured, struct explain_outcome *outcome,
			 struct explained *explained, struct failure *failure)
{
	const struct segment *segment = explained->segment;
	struct connection *connection = NULL;
	enum connections_side side;
	int err = connections_meet(connections, segment, &side, &connection);

	if (err)
		return failure_set(failure, -err, "Can't remember connections: %s", strerror(-err));
	if (side == CONNECTIONS_SERVER) {
		explained->skip = EXPLAIN_FROM_SERVER;
		return 0;
	}
	if (captured->len < captured->wire_len) {
		if (connection && segment->payload_len)
			connection->received = true;
		explained->skip = EXPLAIN_CUT;
		return 0;
	}
	err = judge_frame(player, captured, connection_proof(connection, segment), outcome,
			  explained, failure);
	if (err || !explained->outcome)
		return err;
	err = note_outcome(connections, connection, segment, outcome, explained);
	return err ? failure_set(failure, -err, "Can't remember connections: %s", strerror(-err))
		   : 0;
}

/* A packet that is cut has only so much payload to show. */
static void limit_payload(struct segment *segment, const struct captured *captured)
{
	size_t there = captured->len - segment->payload_offset;

	if (segment->payload_len > there)
		segment->payload_len = (__u32)there;
}

static int judge_captured(struct explain_player *player, struct connections *connections,
			  const struct captured *captured, struct failure *failure)
{
	struct explain_outcome outcome = {0};
	struct explained explained = {0};
	struct segment segment = {0};
	int err = 0;

	if (read_segment(captured->frame, captured->len, captured->wire_len, &segment)) {
		limit_payload(&segment, captured);
		explained.segment = &segment;
		explained.payload = captured->frame + segment.payload_offset;
		err = judge_segment(player, connections, captured, &outcome, &explained, failure);
	} else if (captured->len < captured->wire_len) {
		explained.skip = EXPLAIN_CUT;
	} else {
		err = judge_frame(player, captured, EDGE426_EXPLAIN_LATER, &outcome, &explained,
				  failure);
	}
	if (!err)
		explain_print(&player->printer, &explained);
	return err;
}

static int play_packets(struct explain_player *player, struct capture *capture,
			struct failure *failure)
{
	struct connections connections = {0};
	struct captured captured;
	int more = 1;

	while (player->printer.len < EXPLAIN_PACKETS_MAX) {
		more = capture_next(capture, &captured, failure);
		if (more <= 0)
			break;
		more = judge_captured(player, &connections, &captured, failure);
		if (more)
			break;
	}
	if (player->printer.len == EXPLAIN_PACKETS_MAX)
		log_info("'%s': stopped after %d packets", capture->path, EXPLAIN_PACKETS_MAX);
	connections_free(&connections);
	return more < 0 ? more : 0;
}

int explain_play_capture(struct explain_player *player, const char *path, struct failure *failure)
{
	struct capture capture = {0};
	int err = capture_open(path, &capture, failure);

	if (err)
		return err;
	err = play_packets(player, &capture, failure);
	capture_close(&capture);
	explain_print_summary(&player->printer);
	explain_print_end(&player->printer);
	return err;
}
