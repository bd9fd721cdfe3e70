/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets by named fields, so that a test row reads as a sentence. Used by the
 * unit tests, by the BPF_PROG_TEST_RUN tests and by the benchmark. It shares no
 * code with what is tested: checksums and offsets are computed a second way.
 */
#ifndef EDGE426_PACKET_H
#define EDGE426_PACKET_H

#include <linux/types.h>
#include <stddef.h>

#define PACKET_MAX 9100 /* octets of the longest packet */

/* Whatever is zero or NULL gets a sensible default; see packet_build. */
struct packet {
	int group;	     /* to an Ethernet group address, not to the server's */
	int stranger;	     /* to another host's Ethernet address */
	int vlans;	     /* VLAN tags; the outer one of several is 802.1ad */
	__u16 vlan;	     /* id of the outermost tag; default 100, see priority_tag */
	int priority_tag;    /* the outermost tag has no id, IEEE 802.1Q 6.9 */
	int ipv6;	     /* else IPv4 */
	const char *client;  /* source address; default 10.9.0.2 or fd00::2 */
	const char *server;  /* destination; default 10.9.0.1 or fd00::1 */
	int ip_options;	     /* IPv4: octets of options, multiple of 4, at most 40 */
	int extensions;	     /* IPv6: extension headers of 8 octets each: hop-by-hop, then others */
	int fragment_offset; /* in 8 octet units */
	int more_fragments;
	int atomic_fragment; /* IPv6: a fragment header of offset 0 without more fragments */
	int protocol;	     /* default IPPROTO_TCP */
	__u16 client_port;   /* default 40000 */
	__u16 server_port;   /* default 443 */
	__u32 seq;
	__u32 ack;
	const char *flags; /* letters of "SAFRPUEC"; default "AP" with payload, "A" without */
	int ae;		   /* the ninth flag, of accurate ECN: RFC 9768 */
	__u16 window;	   /* default 502; see zero_window */
	int zero_window;
	int timestamps; /* 1: NOP NOP TS with tsval, tsecr */
	__u32 tsval, tsecr;
	const void *tcp_options; /* raw options after the timestamps, multiple of 4 octets */
	size_t tcp_options_len;
	const char *payload; /* NULL with a payload_len: that many letters */
	size_t payload_len;  /* default strlen(payload) */
	int padding;	     /* octets after the IP packet, not zeros */
	int bad_checksum;    /* TCP's */
};

/* Writes the frame with right lengths and checksums; returns its length. Aborts over PACKET_MAX. */
size_t packet_build(const struct packet *packet, __u8 out[PACKET_MAX]);

/* The Internet checksum over pseudo header and TCP segment of a frame: 0 when right. */
__u16 packet_tcp_checksum(const __u8 *frame, size_t len);

/* The Internet checksum over the IPv4 header of a frame: 0 when right, and for IPv6. */
__u16 packet_ip_checksum(const __u8 *frame, size_t len);

/* Offset of the IP header, and of the TCP header, of a frame; 0 if unreadable. */
size_t packet_ip_offset(const __u8 *frame, size_t len);
size_t packet_tcp_offset(const __u8 *frame, size_t len);

/* Octets from the frame's start to the end of the IP packet by its header; 0 if unreadable. */
size_t packet_ip_end(const __u8 *frame, size_t len);

#endif
