/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The TC program with real metadata: live frames go through the XDP program
 * and on to TC and the kernel's TCP, which must find its connection reset and
 * the client its FIN acknowledged.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture.h"

#define GET "GET / HTTP/1.1\r\n\r\n"
#define GET_LEN ((__u32)sizeof(GET) - 1)
#define ANSWER_LEN 300u

static struct fixture fixture;

static void open_fixture(void)
{
	fixture_open(&fixture);
}

static void close_fixture(void)
{
	fixture_close(&fixture);
}

TestSuite(tc, .init = open_fixture, .fini = close_fixture, .timeout = FIXTURE_TIMEOUT);

static void assert_reset(int server, const char *name)
{
	struct pollfd socket = {.fd = server, .events = POLLIN};
	char octet;

	cr_assert_eq(poll(&socket, 1, 1000), 1, "%s: the server was told nothing", name);
	cr_assert_eq(recv(server, &octet, 1, 0), -1, "%s: the server can read", name);
	cr_assert_eq(errno, ECONNRESET, "%s: %s", name, strerror(errno));
}

static void assert_acknowledged(const struct packet *packet, __u32 ack, const char *name)
{
	__u8 frame[PACKET_MAX];
	size_t len = fixture_receive(&fixture, "A", frame);
	size_t offset = packet_tcp_offset(frame, len);
	struct tcphdr tcp;

	cr_assert_gt(len, 0, "%s: no acknowledgement", name);
	memcpy(&tcp, frame + offset, sizeof(tcp));
	cr_assert_eq(ntohl(tcp.ack_seq), ack, "%s: ack", name);
	cr_assert_eq(ntohl(tcp.seq), packet->ack, "%s: seq", name);
	cr_assert(!tcp.fin && !tcp.rst && !tcp.syn && !tcp.psh, "%s: flags", name);
	cr_assert_eq(packet_tcp_checksum(frame, len), 0, "%s: TCP checksum", name);
	cr_assert_eq(packet_ip_checksum(frame, len), 0, "%s: IP checksum", name);
	cr_assert_eq(tcp.doff, packet->timestamps ? 8 : 5, "%s: options", name);
	if (packet->timestamps) {
		__u32 stamps[2];

		memcpy(stamps, frame + offset + sizeof(tcp) + 4, sizeof(stamps));
		cr_assert_eq(ntohl(stamps[0]), packet->tsecr, "%s: TSval", name);
		cr_assert_eq(ntohl(stamps[1]), packet->tsval, "%s: TSecr", name);
	}
}

static const struct {
	const char *name;
	struct packet end; /* the client's packet after the answer */
	bool acknowledged;
} rows[] = {
	{"a bare ACK", {.flags = "A"}, false},
	{"FIN and ACK", {.flags = "FA"}, true},
	{"FIN and ACK over IPv6", {.ipv6 = 1, .flags = "FA"}, true},
	{"FIN with timestamps", {.flags = "FA", .timestamps = 1, .tsval = 7, .tsecr = 9}, true},
	{"FIN with timestamps over IPv6",
	 {.ipv6 = 1, .flags = "FA", .timestamps = 1, .tsval = 7, .tsecr = 9},
	 true},
	{"more data", {.flags = "PA", .payload = "more of the request"}, true},
	{"more data and FIN", {.flags = "FPA", .payload = "odd"}, true},
	{"FIN behind IPv4 options", {.flags = "FA", .ip_options = 8}, true},
	{"FIN behind extensions", {.ipv6 = 1, .flags = "FA", .extensions = 1}, true},
	{"FIN in a padded frame", {.flags = "FA", .padding = 6}, true},
};

static void check_end(const struct packet *end, bool acknowledged, const char *name, __u16 port,
		      bool established)
{
	struct packet packet = {.ipv6 = end->ipv6, .client_port = port, .seq = 5000};
	__u8 frame[PACKET_MAX];
	struct packet last = *end;
	int server = -1;
	__u32 len = (__u32)(end->payload ? strlen(end->payload) : 0);

	if (established)
		server = fixture_connect(&fixture, &packet);
	else
		fixture_half_open(&fixture, &packet);
	packet.payload = GET;
	cr_assert_eq(fixture_run(&fixture, &packet).reason, EDGE426_REASON_answered, "%s", name);
	last.client_port = port;
	last.seq = packet.seq + GET_LEN;
	last.ack = packet.ack + ANSWER_LEN;
	fixture_deliver(&fixture, &last);
	if (acknowledged)
		assert_acknowledged(&last, last.seq + len + (strchr(end->flags, 'F') != NULL),
				    name);
	if (server >= 0) {
		assert_reset(server, name);
		close(server);
	}
	/* The kernel knows nothing of the connection: data now is answered with RST. */
	last.flags = "A";
	last.padding = 0;
	last.payload = NULL;
	fixture_send(&fixture, &last);
	cr_assert_gt(fixture_receive(&fixture, "R", frame), 0, "%s: a socket is left", name);
}

Test(tc, resets_an_established_server_and_acknowledges_the_client)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_end(&rows[i].end, rows[i].acknowledged, rows[i].name, (__u16)(46000 + i),
			  true);
	cr_assert_eq(fixture_count(&fixture, EDGE426_REASON_tc_failed), 0);
	cr_assert_eq(fixture_count(&fixture, EDGE426_REASON_tc_reset), 1);
	cr_assert_eq(fixture_count(&fixture, EDGE426_REASON_tc_acked),
		     sizeof(rows) / sizeof(rows[0]) - 1);
}

Test(tc, resets_a_server_that_is_still_in_syn_recv)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_end(&rows[i].end, rows[i].acknowledged, rows[i].name, (__u16)(47000 + i),
			  false);
}

Test(tc, leaves_other_packets_alone)
{
	struct packet packet = {.client_port = 48000, .seq = 5000};
	int server = fixture_connect(&fixture, &packet);
	char octets[8];

	packet.payload = "\x16\x03\x01 tls";
	fixture_deliver(&fixture, &packet);
	cr_assert_eq(poll(&(struct pollfd){.fd = server, .events = POLLIN}, 1, 1000), 1);
	cr_assert_eq(recv(server, octets, sizeof(octets), 0), 7);
	cr_assert_eq(fixture_count(&fixture, EDGE426_REASON_tc_reset), 0);
	close(server);
}
