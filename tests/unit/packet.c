/* SPDX-License-Identifier: GPL-2.0-only */
/* Builds packets from front to back in network order, octet by octet, and reads them back. */
#include "packet.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define ETH_LEN 14
#define VLAN_LEN 4
#define IP4_LEN 20
#define IP6_LEN 40
#define EXTENSION_LEN 8
#define TCP_LEN 20
#define TCP_CHECK 16 /* offset of the checksum in the TCP header */

static const __u8 server_mac[6] = {2, 0, 0, 0, 0, 1};
static const __u8 group_mac[6] = {1, 0, 0x5e, 0, 0, 1}; /* all systems, RFC 1112 6.4 */
static const __u8 other_mac[6] = {2, 0, 0, 0, 0, 7};
static const __u8 client_mac[6] = {2, 0, 0, 0, 0, 2};

static __u8 *put_be16(__u8 *to, __u32 value)
{
	to[0] = (__u8)(value >> 8);
	to[1] = (__u8)value;
	return to + 2;
}

static __u8 *put_be32(__u8 *to, __u32 value)
{
	return put_be16(put_be16(to, value >> 16), value & 0xffff);
}

static __u8 *put_octets(__u8 *to, const void *octets, size_t len)
{
	if (len)
		memcpy(to, octets, len);
	return to + len;
}

static __u8 *put_fill(__u8 *to, __u8 octet, size_t len)
{
	memset(to, octet, len);
	return to + len;
}

static __u32 get_be16(const __u8 *from)
{
	return (__u32)from[0] << 8 | from[1];
}

/* Adds the 16-bit words in network order; what is tested adds them as they lie in memory. */
static __u32 sum_words(__u32 sum, const __u8 *octets, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		sum += i & 1 ? octets[i] : (__u32)octets[i] << 8;
	return sum;
}

static __u16 sum_fold(__u32 sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (__u16)~sum;
}

static struct packet with_defaults(const struct packet *packet)
{
	struct packet p = *packet;

	if (!p.payload_len && p.payload)
		p.payload_len = strlen(p.payload);
	p.client = p.client ? p.client : p.ipv6 ? "fd00::2" : "10.9.0.2";
	p.server = p.server ? p.server : p.ipv6 ? "fd00::1" : "10.9.0.1";
	p.protocol = p.protocol ? p.protocol : IPPROTO_TCP;
	p.client_port = p.client_port ? p.client_port : 40000;
	p.server_port = p.server_port ? p.server_port : 443;
	p.flags = p.flags ? p.flags : p.payload_len ? "AP" : "A";
	p.window = p.zero_window ? 0 : p.window ? p.window : 502;
	return p;
}

static int has_fragment_header(const struct packet *p)
{
	return p->fragment_offset || p->more_fragments || p->atomic_fragment;
}

static size_t tcp_header_len(const struct packet *p)
{
	return TCP_LEN + (p->timestamps ? 12 : 0) + p->tcp_options_len;
}

/* A row that asks for the impossible is a bug of the test. */
static void check_limits(const struct packet *p)
{
	size_t len = ETH_LEN + VLAN_LEN * (size_t)p->vlans + IP6_LEN + (size_t)p->ip_options +
		     EXTENSION_LEN * (size_t)(p->extensions + 1) + tcp_header_len(p) +
		     p->payload_len + (size_t)p->padding;

	if (len > PACKET_MAX || tcp_header_len(p) > 60 || p->tcp_options_len % 4)
		abort();
	if (p->ip_options % 4 || p->ip_options > 40)
		abort();
	if (p->ipv6 ? p->ip_options : p->extensions || p->atomic_fragment)
		abort();
}

static __u8 *put_link(__u8 *to, const struct packet *p)
{
	__u32 id = p->priority_tag ? 0 : p->vlan ? p->vlan : 100;
	int i;

	to = put_octets(to,
			p->group      ? group_mac
			: p->stranger ? other_mac
				      : server_mac,
			sizeof(server_mac));
	to = put_octets(to, client_mac, sizeof(client_mac));
	for (i = 0; i < p->vlans; i++) {
		to = put_be16(to, i == 0 && p->vlans > 1 ? ETH_P_8021AD : ETH_P_8021Q);
		to = put_be16(to,
			      0x6000 + id + (__u32)i); /* priority 3, the ids on from the first */
	}
	return put_be16(to, p->ipv6 ? ETH_P_IPV6 : ETH_P_IP);
}

static __u8 *put_address(__u8 *to, const struct packet *p, const char *text)
{
	if (inet_pton(p->ipv6 ? AF_INET6 : AF_INET, text, to) != 1)
		abort();
	return to + (p->ipv6 ? 16 : 4);
}

static __u8 *put_ip4(__u8 *to, const struct packet *p, size_t segment_len)
{
	__u8 *start = to;
	size_t header_len = IP4_LEN + (size_t)p->ip_options;

	*to++ = (__u8)(0x40 | header_len / 4);
	*to++ = 0x10; /* some type of service, so that an answer that copies it shows */
	to = put_be16(to, (__u32)(header_len + segment_len));
	to = put_be16(to, 0x1234);
	to = put_be16(to, (p->more_fragments ? 0x2000U : 0) | (__u32)p->fragment_offset);
	*to++ = 57;
	*to++ = (__u8)p->protocol;
	to = put_be16(to, 0);
	to = put_address(to, p, p->client);
	to = put_address(to, p, p->server);
	to = put_fill(to, 1, (size_t)p->ip_options); /* no operation */
	put_be16(start + 10, sum_fold(sum_words(0, start, header_len)));
	return to;
}

/* What stands at place `i` of the chain after the IPv6 header. */
static __u8 next_header(const struct packet *p, int i)
{
	static const __u8 types[] = {IPPROTO_HOPOPTS, IPPROTO_DSTOPTS, IPPROTO_ROUTING};

	if (i < p->extensions)
		return types[i == 0 ? 0 : 1 + i % 2];
	if (i == p->extensions && has_fragment_header(p))
		return IPPROTO_FRAGMENT;
	return (__u8)p->protocol;
}

static __u8 *put_extensions(__u8 *to, const struct packet *p)
{
	int i;

	for (i = 0; i < p->extensions; i++) {
		*to++ = next_header(p, i + 1);
		*to++ = 0;		   /* 8 octets long */
		to = put_be16(to, 0x0104); /* PadN, 4 octets of data: an option that fills it */
		to = put_fill(to, 0, 4);
	}
	if (has_fragment_header(p)) {
		*to++ = next_header(p, i + 1);
		*to++ = 0;
		to = put_be16(to, (__u32)p->fragment_offset << 3 | (p->more_fragments ? 1 : 0));
		to = put_be32(to, 0x12345678);
	}
	return to;
}

static __u8 *put_ip6(__u8 *to, const struct packet *p, size_t segment_len)
{
	size_t chain_len = EXTENSION_LEN * (size_t)(p->extensions + has_fragment_header(p));

	to = put_be32(to, 0x61012345); /* some traffic class and flow label */
	to = put_be16(to, (__u32)(chain_len + segment_len));
	*to++ = next_header(p, 0);
	*to++ = 57;
	to = put_address(to, p, p->client);
	to = put_address(to, p, p->server);
	return put_extensions(to, p);
}

static __u8 tcp_flags(const char *letters)
{
	static const char order[] = "FSRPAUEC"; /* from bit 0 up */
	const char *at;
	__u8 flags = 0;

	for (; *letters; letters++) {
		at = strchr(order, *letters);
		if (!at)
			abort();
		flags |= (__u8)(1 << (at - order));
	}
	return flags;
}

static __u8 *put_tcp(__u8 *to, const struct packet *p)
{
	to = put_be16(to, p->client_port);
	to = put_be16(to, p->server_port);
	to = put_be32(to, p->seq);
	to = put_be32(to, p->ack);
	*to++ = (__u8)(tcp_header_len(p) / 4 << 4 | (p->ae ? 1 : 0));
	*to++ = tcp_flags(p->flags);
	to = put_be16(to, p->window);
	to = put_be32(to, 0); /* checksum, urgent pointer */
	if (p->timestamps) {
		to = put_be32(to, 0x0101080a);
		to = put_be32(to, p->tsval);
		to = put_be32(to, p->tsecr);
	}
	to = put_octets(to, p->tcp_options, p->tcp_options_len);
	if (p->payload)
		return put_octets(to, p->payload, p->payload_len);
	return put_fill(to, 'a', p->payload_len);
}

/* Over the pseudo header (RFC 9293 3.1, RFC 8200 8.1) and what lies at tcp, as it stands. */
static __u16 segment_checksum(const __u8 *ip, const __u8 *tcp, size_t segment_len)
{
	int is_ip6 = ip[0] >> 4 == 6;
	__u32 sum = is_ip6 ? sum_words(0, ip + 8, 32) : sum_words(0, ip + 12, 8);

	return sum_fold(sum_words(sum + IPPROTO_TCP + (__u32)segment_len, tcp, segment_len));
}

size_t packet_build(const struct packet *packet, __u8 out[PACKET_MAX])
{
	struct packet p = with_defaults(packet);
	size_t segment_len = tcp_header_len(&p) + p.payload_len;
	__u8 *ip, *tcp, *end;

	check_limits(&p);
	ip = put_link(out, &p);
	tcp = p.ipv6 ? put_ip6(ip, &p, segment_len) : put_ip4(ip, &p, segment_len);
	end = put_tcp(tcp, &p);
	put_be16(tcp + TCP_CHECK,
		 segment_checksum(ip, tcp, segment_len) ^ (p.bad_checksum ? 1U : 0));
	end = put_fill(end, 0x5a, (size_t)p.padding);
	return (size_t)(end - out);
}

size_t packet_ip_offset(const __u8 *frame, size_t len)
{
	size_t at = ETH_LEN - 2;
	__u32 type;

	for (; at + 2 <= len; at += VLAN_LEN) {
		type = get_be16(frame + at);
		if (type == ETH_P_IP || type == ETH_P_IPV6)
			return at + 2 + IP4_LEN <= len ? at + 2 : 0;
		if (type != ETH_P_8021Q && type != ETH_P_8021AD)
			return 0;
	}
	return 0;
}

static size_t skip_extensions(const __u8 *frame, size_t len, size_t at, __u8 type)
{
	while (type != IPPROTO_TCP) {
		if (at + EXTENSION_LEN > len)
			return 0;
		type = frame[at];
		at += EXTENSION_LEN * (size_t)(frame[at + 1] + 1);
	}
	return at;
}

size_t packet_tcp_offset(const __u8 *frame, size_t len)
{
	size_t ip = packet_ip_offset(frame, len);
	size_t tcp;

	if (!ip)
		return 0;
	if (frame[ip] >> 4 == 4)
		tcp = ip + (frame[ip] & 0xfU) * 4;
	else
		tcp = skip_extensions(frame, len, ip + IP6_LEN, frame[ip + 6]);
	return tcp && tcp + TCP_LEN <= len ? tcp : 0;
}

size_t packet_ip_end(const __u8 *frame, size_t len)
{
	size_t ip = packet_ip_offset(frame, len);

	if (!ip)
		return 0;
	return ip + (frame[ip] >> 4 == 4 ? get_be16(frame + ip + 2)
					 : IP6_LEN + get_be16(frame + ip + 4));
}

__u16 packet_tcp_checksum(const __u8 *frame, size_t len)
{
	size_t tcp = packet_tcp_offset(frame, len);
	size_t end = packet_ip_end(frame, len);

	if (!tcp || end > len || end < tcp + TCP_LEN)
		return 0xffff;
	return segment_checksum(frame + packet_ip_offset(frame, len), frame + tcp, end - tcp);
}

__u16 packet_ip_checksum(const __u8 *frame, size_t len)
{
	size_t ip = packet_ip_offset(frame, len);
	size_t header_len;

	if (!ip)
		return 0xffff;
	if (frame[ip] >> 4 == 6)
		return 0;
	header_len = (frame[ip] & 0xfU) * 4;
	return ip + header_len <= len ? sum_fold(sum_words(0, frame + ip, header_len)) : 0xffff;
}
