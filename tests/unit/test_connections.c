/* SPDX-License-Identifier: GPL-2.0-only */
/* What a capture tells of its connections: first octets, sides, SYNs that are not there. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>

#include "connections.h"

#define FIRST EDGE426_EXPLAIN_FIRST
#define LATER EDGE426_EXPLAIN_LATER

static struct connections connections;

static void close_table(void)
{
	connections_free(&connections);
}

TestSuite(connections, .fini = close_table);

/* From client to server, or the other way, for connection number `port`. */
static struct segment make(__u16 port, bool from_server, const char *flags, __u32 seq)
{
	struct segment segment = {.family = 4, .seq = seq};

	segment_map_ip4(htonl(from_server ? 0xc0000202 : 0xc0000201), segment.key.client);
	segment_map_ip4(htonl(from_server ? 0xc0000201 : 0xc0000202), segment.key.server);
	segment.key.client_port = htons(from_server ? 443 : port);
	segment.key.server_port = htons(from_server ? port : 443);
	segment.syn = strchr(flags, 'S') != NULL;
	segment.has_ack = strchr(flags, 'A') != NULL;
	return segment;
}

static struct connection *meet(const struct segment *segment, enum connections_side wanted)
{
	struct connection *connection = NULL;
	enum connections_side side;

	cr_assert_eq(connections_meet(&connections, segment, &side, &connection), 0);
	cr_assert_eq(side, wanted);
	return connection;
}

static __u32 proof_of(const struct segment *segment)
{
	return connection_proof(meet(segment, CONNECTIONS_CLIENT), segment);
}

Test(connections, first_octets_are_those_behind_the_syn)
{
	struct segment syn = make(1, false, "S", 99), ack = make(1, false, "A", 100);
	struct segment ahead = make(1, false, "A", 101), syn_ack = make(1, true, "SA", 7);

	meet(&syn, CONNECTIONS_CLIENT);
	meet(&syn_ack, CONNECTIONS_SERVER);
	cr_expect_eq(proof_of(&ack), FIRST);
	cr_expect_eq(proof_of(&ahead), LATER);
	cr_expect_eq(proof_of(&ack), FIRST, "nothing has been received");
	meet(&ack, CONNECTIONS_CLIENT)->received = true;
	cr_expect_eq(proof_of(&ack), LATER);
	meet(&syn, CONNECTIONS_CLIENT);
	cr_expect_eq(proof_of(&ack), LATER, "a SYN sent again begins nothing");
}

Test(connections, sequence_numbers_wrap)
{
	struct segment syn = make(1, false, "S", 0xffffffff), data = make(1, false, "A", 0);

	meet(&syn, CONNECTIONS_CLIENT);
	cr_expect_eq(proof_of(&data), FIRST);
}

Test(connections, another_syn_begins_another_connection)
{
	struct segment syn = make(1, false, "S", 99), again = make(1, false, "S", 5000);
	struct segment data = make(1, false, "A", 5001);

	meet(&syn, CONNECTIONS_CLIENT)->received = true;
	meet(&again, CONNECTIONS_CLIENT);
	cr_expect_eq(proof_of(&data), FIRST);
}

Test(connections, without_its_syn_a_connection_is_past_its_first_octets)
{
	struct segment data = make(1, false, "A", 100), back = make(1, true, "A", 7);
	struct connection *connection;

	cr_expect_null(meet(&data, CONNECTIONS_UNKNOWN));
	cr_expect_null(meet(&back, CONNECTIONS_UNKNOWN));
	cr_expect_eq(connection_proof(NULL, &data), LATER);
	cr_assert_eq(connections_add(&connections, &data, &connection), 0);
	cr_expect(!connection->begun);
	cr_expect_eq(proof_of(&data), LATER);
	meet(&back, CONNECTIONS_SERVER);
}

Test(connections, a_syn_ack_tells_the_server)
{
	struct segment syn_ack = make(1, true, "SA", 7), data = make(1, false, "A", 100);

	meet(&syn_ack, CONNECTIONS_SERVER);
	cr_expect_eq(proof_of(&data), LATER);
}

/* Through several sizes of the table; every one is found again, and no other. */
Test(connections, many_are_kept_apart)
{
	for (__u32 port = 1; port < 65536; port++) {
		struct segment syn = make((__u16)port, false, "S", port);

		meet(&syn, CONNECTIONS_CLIENT);
	}
	cr_expect_eq(connections.len, 65535);
	for (__u32 port = 1; port < 65536; port++) {
		struct segment data = make((__u16)port, false, "A", port + 1);

		cr_assert_eq(proof_of(&data), FIRST, "port %u", port);
		data.seq--;
		cr_assert_eq(proof_of(&data), LATER, "port %u", port);
	}
}
