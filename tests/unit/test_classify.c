/* SPDX-License-Identifier: GPL-2.0-only */
/* The classifier's table, each row whole and at every truncation. */
#include <criterion/criterion.h>
#include <string.h>

#include "classify.h"
#include "guard.h"

struct row {
	const char *name;
	const char *octets;
	size_t len; /* 0: strlen */
	enum payload_class class;
	size_t decided; /* octets that are enough for the class; fewer need more */
};

static const struct row rows[] = {
	{"a TLS handshake record", "\x16\x03\x01\x02\x00\x01\x00", 7, PAYLOAD_TLS, 1},
	{"a TLS alert", "\x15\x03\x03\x00\x02", 5, PAYLOAD_TLS, 1},
	{"TLS application data", "\x17\x03\x03\x00\x02", 5, PAYLOAD_TLS, 1},
	{"an SSLv2 ClientHello", "\x80\x2e\x01\x00\x02", 5, PAYLOAD_TLS, 1},
	{"GET", "GET / HTTP/1.1\r\n", 0, PAYLOAD_HTTP, 5},
	{"HEAD", "HEAD / HTTP/1.1\r\n", 0, PAYLOAD_HTTP_HEAD, 6},
	{"POST", "POST /form HTTP/1.1\r\n", 0, PAYLOAD_HTTP, 6},
	{"OPTIONS *", "OPTIONS * HTTP/1.1\r\n", 0, PAYLOAD_HTTP, 9},
	{"a method of two letters", "GO / HTTP/1.1\r\n", 0, PAYLOAD_HTTP, 4},
	{"the longest registered method", "UPDATEREDIRECTREF / HTTP/1.1\r\n", 0, PAYLOAD_HTTP, 19},
	{"a method of twenty letters", "ABCDEFGHIJKLMNOPQRST /", 0, PAYLOAD_HTTP, 22},
	{"a method of twenty-one letters", "ABCDEFGHIJKLMNOPQRSTU /", 0, PAYLOAD_OTHER, 21},
	{"a method with a hyphen", "M-SEARCH * HTTP/1.1\r\n", 0, PAYLOAD_HTTP, 10},
	{"a method with an underscore", "RPC_CONNECT /x HTTP/1.1\r\n", 0, PAYLOAD_HTTP, 13},
	{"absolute form", "GET http://a/ HTTP/1.1\r\n", 0, PAYLOAD_HTTP, 11},
	{"absolute form with TLS", "GET https://a/ HTTP/1.1\r\n", 0, PAYLOAD_HTTP, 12},
	{"absolute form in capitals", "GET HTTP://a/ HTTP/1.1\r\n", 0, PAYLOAD_HTTP, 11},
	{"another scheme", "GET httpx://a/", 0, PAYLOAD_OTHER, 9},
	{"a control octet in the scheme", "GET http\x1a//a/", 0, PAYLOAD_OTHER, 9},
	{"CONNECT to a name", "CONNECT a:443 HTTP/1.1\r\n", 0, PAYLOAD_HTTP, 9},
	{"CONNECT to an IPv6 address", "CONNECT [::1]:443 HTTP/1.1\r\n", 0, PAYLOAD_HTTP, 9},
	{"NATS", "CONNECT {\"verbose\"", 0, PAYLOAD_OTHER, 9},
	{"the HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0, PAYLOAD_HTTP, 5},
	{"an empty line first", "\r\nGET / HTTP/1.1\r\n", 0, PAYLOAD_HTTP, 7},
	{"four empty lines first", "\r\n\r\n\r\n\r\nHEAD /", 0, PAYLOAD_HTTP_HEAD, 14},
	{"five empty lines first", "\r\n\r\n\r\n\r\n\r\nGET /", 0, PAYLOAD_OTHER, 9},
	{"a bare LF first", "\nGET / HTTP/1.1\r\n", 0, PAYLOAD_HTTP, 6},
	{"TLS after an empty line", "\r\n\x16\x03\x01", 0, PAYLOAD_OTHER, 3},
	{"a PROXY v2 header", "\r\n\r\n\x00\r\nQUIT\n", 12, PAYLOAD_OTHER, 5},
	{"a PROXY v1 header", "PROXY TCP4 192.0.2.1", 0, PAYLOAD_OTHER, 7},
	{"SSH", "SSH-2.0-OpenSSH", 0, PAYLOAD_OTHER, 5},
	{"Redis", "GET key\r\n", 0, PAYLOAD_OTHER, 5},
	{"SMTP", "EHLO a\r\n", 0, PAYLOAD_OTHER, 6},
	{"SIP", "OPTIONS sip:a SIP/2.0\r\n", 0, PAYLOAD_OTHER, 9},
	{"RTSP", "OPTIONS rtsp://a RTSP/1.0\r\n", 0, PAYLOAD_OTHER, 9},
	{"lower case", "get / HTTP/1.1\r\n", 0, PAYLOAD_OTHER, 1},
	{"mixed case", "Get / HTTP/1.1\r\n", 0, PAYLOAD_OTHER, 2},
	{"one letter and a space", "G / HTTP/1.1\r\n", 0, PAYLOAD_OTHER, 2},
	{"two spaces", "GET  / HTTP/1.1\r\n", 0, PAYLOAD_OTHER, 5},
	{"a tab", "GET\t/ HTTP/1.1\r\n", 0, PAYLOAD_OTHER, 4},
	{"RDP", "\x03\x00\x00\x13", 4, PAYLOAD_OTHER, 1},
	{"SOCKS5", "\x05\x01\x00", 3, PAYLOAD_OTHER, 1},
	{"a space", " GET / HTTP/1.1\r\n", 0, PAYLOAD_OTHER, 1},
	{"a NUL", "\0GET / HTTP/1.1\r\n", 8, PAYLOAD_OTHER, 1},
};

Test(classify, decides_each_row_as_early_as_it_can)
{
	size_t i, cut;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t len = rows[i].len ? rows[i].len : strlen(rows[i].octets);

		for (cut = 0; cut <= len; cut++) {
			enum payload_class expected =
				cut < rows[i].decided ? PAYLOAD_NEED_MORE : rows[i].class;
			const unsigned char *octets = guard_copy(rows[i].octets, cut);

			cr_assert_eq(classify_payload(octets, (__u32)cut), expected,
				     "%s at %zu octets", rows[i].name, cut);
		}
	}
}

Test(classify, looks_at_no_more_than_its_limit)
{
	char octets[GUARD_SIZE];

	memset(octets, 'A', sizeof(octets));
	cr_assert_eq(classify_payload(guard_copy(octets, sizeof(octets)), sizeof(octets)),
		     PAYLOAD_OTHER);
	memset(octets, '\n', sizeof(octets));
	cr_assert_eq(classify_payload(guard_copy(octets, sizeof(octets)), sizeof(octets)),
		     PAYLOAD_OTHER);
}

Test(classify, tells_every_octet_by_its_class)
{
	int octet;

	for (octet = 0; octet < 256; octet++) {
		enum octet_class expected = OCTET_OTHER;

		if (strchr("\r\n", octet) && octet)
			expected = OCTET_NEWLINE;
		else if (octet >= 'A' && octet <= 'Z')
			expected = OCTET_LETTER;
		else if (octet >= 0x80 || (octet >= 0x14 && octet <= 0x17))
			expected = OCTET_TLS;
		cr_assert_eq(classify_octet((__u8)octet), expected, "octet %#x", octet);
	}
}
