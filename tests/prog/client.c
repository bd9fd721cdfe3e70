/* SPDX-License-Identifier: GPL-2.0-only */
/* See client.h. */
#include "client.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <linux/bpf.h>
#include <linux/tcp.h>
#include <stdio.h>
#include <string.h>

#define CLIENT_SEQ 0xfffffff0u /* wraps within the first data */

const struct way client_ways[CLIENT_WAYS] = {
	{"the backend's handshake", SHAKEN_BY_BACKEND, 0},
	{"the backend's handshake over IPv6", SHAKEN_BY_BACKEND, 1},
	{"a kernel's handshake at the edge", SHAKEN_BY_KERNEL, 0},
	{"a kernel's handshake at the edge over IPv6", SHAKEN_BY_KERNEL, 1},
	{"the edge's handshake", SHAKEN_BY_EDGE, 0},
	{"the edge's handshake over IPv6", SHAKEN_BY_EDGE, 1},
};

__u32 client_handshake(const struct way *way)
{
	return way->shaken == SHAKEN_BY_BACKEND ? EDGE426_HANDSHAKE_BACKEND
						: EDGE426_HANDSHAKE_EDGE;
}

int client_connect(struct fixture *fixture, const struct way *way, struct packet *packet)
{
	static __u16 port = 20000;

	packet->ipv6 = way->ipv6;
	packet->client_port = port++;
	packet->seq = CLIENT_SEQ;
	fixture_set_handshake(fixture, client_handshake(way), 0);
	if (way->shaken != SHAKEN_BY_EDGE)
		return fixture_connect(fixture, packet);
	fixture_shake(fixture, packet);
	return -1;
}

static __u32 payload_len(const struct packet *packet)
{
	if (packet->payload_len || !packet->payload)
		return (__u32)packet->payload_len;
	return (__u32)strlen(packet->payload);
}

/* What follows the packet. */
static __u32 end_of(const struct packet *packet)
{
	return packet->seq + payload_len(packet) +
	       (packet->flags && strchr(packet->flags, 'F') != NULL);
}

void client_assert_rst(const struct outcome *outcome, const struct packet *packet, __u32 seq,
		       __u32 ack, const char *name)
{
	size_t offset = packet_tcp_offset(outcome->frame, outcome->len);
	struct tcphdr tcp;

	cr_assert_gt(offset, 0, "%s: not TCP", name);
	memcpy(&tcp, outcome->frame + offset, sizeof(tcp));
	cr_assert(tcp.rst && tcp.ack && !tcp.syn && !tcp.fin && !tcp.psh, "%s: flags", name);
	cr_assert_eq(ntohl(tcp.seq), seq, "%s: seq", name);
	cr_assert_eq(ntohl(tcp.ack_seq), ack, "%s: ack", name);
	cr_assert_eq(tcp.source, htons(443), "%s: source", name);
	cr_assert_eq(tcp.dest, htons(packet->client_port), "%s: destination", name);
	cr_assert_eq(packet_tcp_checksum(outcome->frame, outcome->len), 0, "%s: TCP checksum",
		     name);
	cr_assert_eq(packet_ip_checksum(outcome->frame, outcome->len), 0, "%s: IP checksum", name);
	cr_assert_eq(packet_ip_end(outcome->frame, outcome->len), outcome->len, "%s: length", name);
	cr_assert_arr_eq(outcome->frame, "\x02\0\0\0\0\x02\x02\0\0\0\0\x01", 12, "%s: MAC", name);
}

static void assert_passed(const struct outcome *outcome, const struct way *way,
			  const struct packet *packet, const char *name)
{
	__u8 frame[PACKET_MAX];
	size_t len = packet_build(packet, frame);

	cr_assert_eq(outcome->len, len, "%s: length", name);
	cr_assert_arr_eq(outcome->frame, frame, len, "%s: octets", name);
	cr_assert_eq(outcome->has_meta, way->shaken == SHAKEN_BY_EDGE, "%s: metadata", name);
	if (outcome->has_meta)
		cr_assert_eq(outcome->meta.kind, EDGE426_TC_HAND_OVER, "%s: kind", name);
}

static void assert_answered(const struct outcome *outcome, const struct packet *packet,
			    const char *name)
{
	cr_assert(outcome->has_meta, "%s: metadata", name);
	cr_assert_eq(outcome->meta.kind, EDGE426_SEND_ANSWER, "%s: kind", name);
	cr_assert_eq(outcome->meta.seq, packet->ack, "%s: seq", name);
	cr_assert_eq(outcome->meta.ack, end_of(packet), "%s: ack", name);
}

/* The backend's half has a server to be told: at TC. */
static void assert_reset(const struct outcome *outcome, const struct way *way,
			 const struct packet *packet, const char *name)
{
	cr_assert_eq(outcome->has_meta, way->shaken != SHAKEN_BY_EDGE, "%s: metadata", name);
	if (way->shaken == SHAKEN_BY_EDGE) {
		client_assert_rst(outcome, packet, packet->ack, end_of(packet), name);
		return;
	}
	cr_assert_eq(outcome->meta.kind, EDGE426_TC_RESET_BOTH, "%s: kind", name);
	cr_assert_eq(outcome->meta.seq, packet->ack, "%s: seq", name);
	cr_assert_eq(outcome->meta.ack, end_of(packet), "%s: ack", name);
	cr_assert_eq(outcome->meta.server_seq, packet->seq, "%s: server's seq", name);
}

static void assert_dropped(const struct outcome *outcome, const struct way *way,
			   const struct packet *packet, const char *name)
{
	cr_assert_eq(outcome->has_meta, way->shaken != SHAKEN_BY_EDGE, "%s: metadata", name);
	if (!outcome->has_meta)
		return;
	cr_assert_eq(outcome->meta.kind, EDGE426_TC_RESET, "%s: kind", name);
	cr_assert_eq(outcome->meta.server_seq, packet->seq, "%s: server's seq", name);
}

static __u32 verdict_of(enum fate fate, const struct way *way)
{
	int at_edge = way->shaken == SHAKEN_BY_EDGE;

	switch (fate) {
	case PASSED:
		return XDP_PASS;
	case ANSWERED:
		return XDP_REDIRECT;
	case RESET:
		return at_edge ? XDP_TX : XDP_PASS;
	case DROPPED:
		return at_edge ? XDP_DROP : XDP_PASS;
	default:
		return XDP_DROP;
	}
}

static void assert_fate(const struct outcome *outcome, const struct way *way,
			const struct packet *packet, enum fate fate, const char *name)
{
	cr_assert_eq(outcome->verdict, verdict_of(fate, way), "%s: verdict %u", name,
		     outcome->verdict);
	if (fate == PASSED)
		assert_passed(outcome, way, packet, name);
	else if (fate == ANSWERED)
		assert_answered(outcome, packet, name);
	else if (fate == RESET)
		assert_reset(outcome, way, packet, name);
	else if (fate == DROPPED)
		assert_dropped(outcome, way, packet, name);
	else
		cr_assert_not(outcome->has_meta, "%s: metadata", name);
}

struct outcome client_expect(struct fixture *fixture, const struct way *way,
			     const struct packet *packet, enum fate fate,
			     enum edge426_reason reason, const char *name)
{
	struct outcome outcome = fixture_run(fixture, packet);
	struct edge426_flow flow;
	char where[160];

	snprintf(where, sizeof(where), "%s, %s", name, way->name);
	if (way->shaken == SHAKEN_BY_EDGE &&
	    (reason == EDGE426_REASON_tls || reason == EDGE426_REASON_other))
		reason = EDGE426_REASON_handed_over;
	cr_assert_eq(outcome.reason, (int)reason, "%s: reason %d, expected %d", where,
		     outcome.reason, (int)reason);
	assert_fate(&outcome, way, packet, fate, where);
	cr_assert_eq(fixture_find_flow(fixture, packet, &flow),
		     fate == ANSWERED || fate == DROPPED || fate == HELD, "%s: flow", where);
	return outcome;
}
