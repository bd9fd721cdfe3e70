/* SPDX-License-Identifier: GPL-2.0-only */
/* Escapes are those that text_quote prints, and the ends of lines. */
#include "explain_data.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "text_chars.h"

int explain_data_request(const char *line, const char *host, struct explain_data *data)
{
	int len = snprintf((char *)data->octets, sizeof(data->octets), "%s\r\nHost: %s\r\n\r\n",
			   line, host);

	if (len < 0 || (size_t)len >= sizeof(data->octets))
		return -ENOSPC;
	data->len = (size_t)len;
	return 0;
}

static int hex_value(char digit)
{
	const char *digits = "0123456789abcdef";
	const char *at = digit ? strchr(digits, char_lower(digit)) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* The octet of an escape behind its backslash; how many characters it takes, 0 when it is none. */
static size_t read_escape(const char *text, __u8 *octet)
{
	static const char names[] = "rn\\", octets[] = "\r\n\\";
	const char *name = *text ? strchr(names, *text) : NULL;
	int high, low;

	if (name) {
		*octet = (__u8)octets[name - names];
		return 1;
	}
	if (*text != 'x')
		return 0;
	high = hex_value(text[1]);
	low = high < 0 ? -1 : hex_value(text[2]);
	if (low < 0)
		return 0;
	*octet = (__u8)(high << 4 | low);
	return 3;
}

static size_t read_octet(const char *text, __u8 *octet)
{
	size_t len;

	if (*text == '\\') {
		len = read_escape(text + 1, octet);
		return len ? 1 + len : 0;
	}
	*octet = (__u8)*text;
	return char_is_visible(*text) || *text == ' ';
}

int explain_data_raw(const char *text, struct explain_data *data)
{
	size_t taken;

	data->len = 0;
	for (; *text; text += taken) {
		if (data->len == sizeof(data->octets))
			return -ENOSPC;
		taken = read_octet(text, &data->octets[data->len]);
		if (!taken)
			return -EINVAL;
		data->len++;
	}
	return data->len ? 0 : -EINVAL;
}

void explain_data_tls(struct explain_data *data)
{
	static const __u8 hello[] = {0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3};
	const size_t random_len = 32;

	memcpy(data->octets, hello, sizeof(hello));
	memset(data->octets + sizeof(hello), 0x5a, random_len);
	data->len = sizeof(hello) + random_len;
}
