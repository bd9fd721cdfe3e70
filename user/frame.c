/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From request frame to answer frame, in place: reads and verifies all it
 * needs of the request into `struct request`, then writes the answer over it.
 * It does not decide what to send, that is the verdict; and it keeps nothing.
 */
#include "frame.h"

#include <stdbool.h>
#include <string.h>

#include "../bpf/checksum.h"
#include "../bpf/headers.h"
#include "../bpf/tcp_options.h"
#include "answer.h"

#define FRAME_TTL 64
#define FRAME_IP4_DF 0x4000 /* Don't Fragment, RFC 791 3.1 */

/*
 * All that the field can say. What arrives is acknowledged and discarded, so
 * a window costs no memory; and it is not smaller than the one the server
 * advertised before, which a client still writing relies on (RFC 9293 3.8.6).
 */
#define FRAME_WINDOW 65535

#define FRAME_OPTIONS_LEN 12 /* NOP NOP timestamps, RFC 7323 appendix A */

/* What the answer needs of the request; addresses and ports as in the packet. */
struct request {
	__u8 client_mac[ETH_ALEN];
	__u8 server_mac[ETH_ALEN];
	__u8 client[16]; /* address_len octets */
	__u8 server[16];
	__u32 address_len;
	__u32 address_sum; /* of both addresses; the same for the answer */
	__u32 ip_offset;
	__be16 client_port;
	__be16 server_port;
	bool has_timestamps;
	struct tcp_timestamps timestamps;
};

/* The pseudo header, RFC 9293 3.1 and RFC 8200 8.1: one sum for both, the rest is zeros. */
static __u32 pseudo_sum(__u32 address_sum, __u32 tcp_len)
{
	return checksum_settle(address_sum) + bpf_htons(IPPROTO_TCP) + bpf_htons((__u16)tcp_len);
}

/* XDP runs before the kernel would have looked at the header's checksum. */
static bool verify_ip(const struct headers *headers)
{
	__u32 header_len = headers->tcp_offset - headers->ip_offset;

	return !headers->ip4 || checksum_fold(checksum_add(0, headers->ip4, header_len)) == 0;
}

static __u32 sum_addresses(const struct headers *headers)
{
	if (headers->ip4)
		return checksum_add(0, &headers->ip4->saddr, 2 * sizeof(headers->ip4->saddr));
	return checksum_add(0, &headers->ip6->saddr, 2 * sizeof(headers->ip6->saddr));
}

/*
 * Over the octets that are here, plus the sum of those that were cut off. A
 * sum can only be continued at an even offset. Octets after the IP packet do
 * not count.
 */
static enum frame_result verify_tcp(const struct headers *headers, __u32 len,
				    const struct edge426_verdict *verdict)
{
	__u32 end = headers->payload_offset + headers->payload_len;
	__u32 here = (end < len ? end : len) - headers->tcp_offset;
	__u32 sum = pseudo_sum(sum_addresses(headers), end - headers->tcp_offset);

	sum = checksum_add(sum, headers->tcp, here);
	if (end > len) {
		if (here & 1)
			return FRAME_BAD;
		sum += verdict->cut_sum;
	}
	return checksum_fold(sum) == 0 ? FRAME_OK : FRAME_BAD_CHECKSUM;
}

static void read_addresses(const struct headers *headers, struct request *request)
{
	memcpy(request->client_mac, headers->eth->h_source, ETH_ALEN);
	memcpy(request->server_mac, headers->eth->h_dest, ETH_ALEN);
	if (headers->ip4) {
		request->address_len = sizeof(headers->ip4->saddr);
		memcpy(request->client, &headers->ip4->saddr, sizeof(headers->ip4->saddr));
		memcpy(request->server, &headers->ip4->daddr, sizeof(headers->ip4->daddr));
	} else {
		request->address_len = sizeof(headers->ip6->saddr);
		memcpy(request->client, &headers->ip6->saddr, sizeof(headers->ip6->saddr));
		memcpy(request->server, &headers->ip6->daddr, sizeof(headers->ip6->daddr));
	}
	request->address_sum = sum_addresses(headers);
}

static void read_timestamps(const struct headers *headers, struct request *request)
{
	const __u8 *options = (const __u8 *)(headers->tcp + 1);
	__u32 len = headers->payload_offset - headers->tcp_offset - sizeof(*headers->tcp);
	int at = tcp_options_find_timestamps(options, len);

	request->has_timestamps = at >= 0;
	if (request->has_timestamps)
		memcpy(&request->timestamps, options + at + 2, sizeof(request->timestamps));
}

static enum frame_result read_request(__u8 *frame, __u32 len, const struct edge426_verdict *verdict,
				      struct request *request)
{
	struct cursor cursor = {.pos = frame, .end = frame + len};
	struct headers headers;
	enum frame_result result;

	if (headers_parse(&cursor, len + verdict->cut_len, &headers) != HEADERS_OK)
		return FRAME_BAD;
	if (!verify_ip(&headers))
		return FRAME_BAD;
	result = verify_tcp(&headers, len, verdict);
	if (result != FRAME_OK)
		return result;
	read_addresses(&headers, request);
	read_timestamps(&headers, request);
	request->ip_offset = headers.ip_offset;
	request->client_port = headers.tcp->source;
	request->server_port = headers.tcp->dest;
	return FRAME_OK;
}

/* What follows the header, and the part of it that goes with HEAD. */
static __u32 body_len(const struct edge426_verdict *verdict, const struct answer *answer)
{
	if (verdict->kind != EDGE426_SEND_ANSWER)
		return 0;
	return verdict->flags & EDGE426_FLOW_HEAD ? answer->head_len : answer->len;
}

static __u32 body_sum(const struct edge426_verdict *verdict, const struct answer *answer)
{
	if (verdict->kind != EDGE426_SEND_ANSWER)
		return 0;
	return checksum_settle(verdict->flags & EDGE426_FLOW_HEAD ? answer->head_sum : answer->sum);
}

static __u32 ip_len(const struct request *request)
{
	return request->address_len == 4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
}

static __u32 tcp_len(const struct request *request)
{
	return sizeof(struct tcphdr) + (request->has_timestamps ? FRAME_OPTIONS_LEN : 0);
}

/* VLAN tags and protocol stay as they are. */
static void write_link(const struct request *request, struct ethhdr *eth)
{
	memcpy(eth->h_dest, request->client_mac, ETH_ALEN);
	memcpy(eth->h_source, request->server_mac, ETH_ALEN);
}

static void write_ip4(const struct request *request, __u32 segment_len, struct iphdr *ip)
{
	memset(ip, 0, sizeof(*ip));
	ip->version = 4;
	ip->ihl = sizeof(*ip) / 4;
	ip->tot_len = bpf_htons((__u16)(sizeof(*ip) + segment_len));
	ip->frag_off = bpf_htons(FRAME_IP4_DF); /* which allows an id of 0, RFC 6864 4.1 */
	ip->ttl = FRAME_TTL;
	ip->protocol = IPPROTO_TCP;
	memcpy(&ip->saddr, request->server, sizeof(ip->saddr));
	memcpy(&ip->daddr, request->client, sizeof(ip->daddr));
	ip->check = checksum_fold(checksum_add(0, ip, sizeof(*ip)));
}

static void write_ip6(const struct request *request, __u32 segment_len, struct ipv6hdr *ip)
{
	memset(ip, 0, sizeof(*ip));
	ip->version = 6;
	ip->payload_len = bpf_htons((__u16)segment_len);
	ip->nexthdr = IPPROTO_TCP;
	ip->hop_limit = FRAME_TTL;
	memcpy(&ip->saddr, request->server, sizeof(ip->saddr));
	memcpy(&ip->daddr, request->client, sizeof(ip->daddr));
}

/* TSval: what the client has seen last is never older than it allows, RFC 7323 5.3. */
static void write_timestamps(const struct tcp_timestamps *timestamps, __u8 *options)
{
	options[0] = TCP_OPTION_NOP;
	options[1] = TCP_OPTION_NOP;
	options[2] = TCP_OPTION_TIMESTAMPS;
	options[3] = TCP_OPTION_TIMESTAMPS_LEN;
	memcpy(options + 4, timestamps->tsecr, sizeof(timestamps->tsecr));
	memcpy(options + 8, timestamps->tsval, sizeof(timestamps->tsval));
}

/* The header but for its checksum. */
static void write_tcp(const struct request *request, const struct edge426_verdict *verdict,
		      struct tcphdr *tcp)
{
	memset(tcp, 0, sizeof(*tcp));
	tcp->source = request->server_port;
	tcp->dest = request->client_port;
	tcp->seq = bpf_htonl(verdict->seq);
	tcp->ack_seq = bpf_htonl(verdict->ack);
	tcp->doff = tcp_len(request) / 4;
	tcp->ack = 1;
	tcp->psh = verdict->kind == EDGE426_SEND_ANSWER;
	tcp->fin = verdict->kind == EDGE426_SEND_ANSWER;
	tcp->rst = verdict->kind == EDGE426_SEND_RESET;
	tcp->window = bpf_htons(FRAME_WINDOW);
	if (request->has_timestamps)
		write_timestamps(&request->timestamps, (__u8 *)(tcp + 1));
}

static void write_answer(const struct request *request, const struct edge426_verdict *verdict,
			 const struct answer *answer, __u8 *frame)
{
	__u8 *ip = frame + request->ip_offset;
	struct tcphdr *tcp = (struct tcphdr *)(ip + ip_len(request));
	__u32 header_len = tcp_len(request), len = body_len(verdict, answer);
	__u32 sum = pseudo_sum(request->address_sum, header_len + len);

	write_link(request, (struct ethhdr *)frame);
	if (request->address_len == 4)
		write_ip4(request, header_len + len, (struct iphdr *)ip);
	else
		write_ip6(request, header_len + len, (struct ipv6hdr *)ip);
	write_tcp(request, verdict, tcp);
	if (len)
		memcpy((__u8 *)tcp + header_len, answer->octets, len);
	sum = checksum_add(sum, tcp, header_len);
	tcp->check = checksum_fold(sum + body_sum(verdict, answer));
}

static bool verdict_is_ours(const struct edge426_verdict *verdict)
{
	return verdict->magic == EDGE426_MAGIC &&
	       (verdict->kind == EDGE426_SEND_ANSWER || verdict->kind == EDGE426_SEND_ACK ||
		verdict->kind == EDGE426_SEND_RESET);
}

enum frame_result frame_answer(__u8 *frame, __u32 len, __u32 size,
			       const struct edge426_verdict *verdict, const struct answer *answer,
			       __u32 *out_len)
{
	enum frame_result result;
	struct request request;
	__u32 total;

	if (!verdict_is_ours(verdict))
		return FRAME_BAD;
	result = read_request(frame, len, verdict, &request);
	if (result != FRAME_OK)
		return result;
	total = request.ip_offset + ip_len(&request) + tcp_len(&request) +
		body_len(verdict, answer);
	if (total > size)
		return FRAME_NO_ROOM;
	write_answer(&request, verdict, answer, frame);
	*out_len = total;
	return FRAME_OK;
}
