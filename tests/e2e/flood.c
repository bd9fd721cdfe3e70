/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A flood of TCP segments that nobody asked for, bounded in count and time:
 *
 *   flood INTERFACE syn|ack|http|tls 4|6 own|random COUNT PER_SECOND
 *
 * from 10.9.0.2 / fd00::2 or from random sources out of 198.18.0.0/15 /
 * fd00:0:0:1::/64 to port 443 of 10.9.0.1 / fd00::1, with random ports and
 * numbers and right checksums. Prints how many were sent. It receives nothing.
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#define BATCH 32
#define FRAME_MAX 160
#define COUNT_MAX 4000000
#define SECONDS_MAX 60

static const unsigned char link_header[12] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
static const char http[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
static const char tls[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 and so on, at random";
static const unsigned char syn_options[] = {2, 4, 5, 180, 4, 2, 1, 1, 1, 3, 3, 7};

/* What a segment of each kind carries. */
static const struct kind {
	const char *name;
	uint8_t flags;
	const void *options, *payload;
	size_t options_len, payload_len;
} kinds[] = {
	{"syn", TH_SYN, syn_options, NULL, sizeof(syn_options), 0},
	{"ack", TH_ACK, NULL, NULL, 0, 0},
	{"http", TH_ACK | TH_PUSH, NULL, http, 0, sizeof(http) - 1},
	{"tls", TH_ACK | TH_PUSH, NULL, tls, 0, sizeof(tls) - 1},
};

struct flood {
	const struct kind *kind;
	int family, random_source;
	unsigned long count, rate;
	uint64_t dice;
};

static uint64_t roll(struct flood *flood) /* xorshift64*, seeded by getrandom */
{
	flood->dice ^= flood->dice >> 12;
	flood->dice ^= flood->dice << 25;
	flood->dice ^= flood->dice >> 27;
	return flood->dice * 0x2545f4914f6cdd1dULL;
}

static uint32_t add(uint32_t sum, const void *data, size_t len)
{
	const unsigned char *octets = data;

	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? octets[i] : (uint32_t)octets[i] << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* The TCP segment at `out`; `sum` is that of the addresses. */
static size_t write_segment(struct flood *flood, unsigned char *out, uint32_t sum)
{
	const struct kind *kind = flood->kind;
	struct tcphdr tcp = {
		.th_dport = htons(443), .th_flags = kind->flags, .th_win = htons(64240)};
	size_t len = sizeof(tcp) + kind->options_len + kind->payload_len;
	uint64_t numbers = roll(flood);

	tcp.th_sport = htons((uint16_t)(1024 + roll(flood) % 64000));
	tcp.th_seq = (uint32_t)numbers;
	tcp.th_ack = kind->flags & TH_ACK ? (uint32_t)(numbers >> 32) : 0;
	tcp.th_off = (sizeof(tcp) + kind->options_len) / 4 & 15;
	memcpy(out, &tcp, sizeof(tcp));
	if (kind->options_len)
		memcpy(out + sizeof(tcp), kind->options, kind->options_len);
	if (kind->payload_len)
		memcpy(out + sizeof(tcp) + kind->options_len, kind->payload, kind->payload_len);
	tcp.th_sum = fold(add(sum + IPPROTO_TCP + (uint32_t)len, out, len));
	memcpy(out, &tcp, sizeof(tcp));
	return len;
}

static size_t write_ip4(struct flood *flood, unsigned char *out)
{
	struct ip ip = {.ip_v = 4, .ip_hl = 5, .ip_ttl = 64, .ip_p = IPPROTO_TCP};
	size_t len;

	inet_pton(AF_INET, "10.9.0.2", &ip.ip_src);
	inet_pton(AF_INET, "10.9.0.1", &ip.ip_dst);
	if (flood->random_source)
		ip.ip_src.s_addr = htonl(0xc6120000 | (roll(flood) & 0x1ffff));
	len = sizeof(ip) + write_segment(flood, out + sizeof(ip), add(0, &ip.ip_src, 8));
	ip.ip_len = htons((uint16_t)len);
	ip.ip_sum = fold(add(0, &ip, sizeof(ip)));
	memcpy(out, &ip, sizeof(ip));
	return len;
}

static size_t write_ip6(struct flood *flood, unsigned char *out)
{
	struct ip6_hdr ip = {.ip6_nxt = IPPROTO_TCP, .ip6_hlim = 64};
	uint64_t low = roll(flood);
	size_t len;

	ip.ip6_flow = htonl(6U << 28);
	inet_pton(AF_INET6, "fd00::2", &ip.ip6_src);
	inet_pton(AF_INET6, "fd00::1", &ip.ip6_dst);
	if (flood->random_source) {
		inet_pton(AF_INET6, "fd00:0:0:1::", &ip.ip6_src);
		memcpy((unsigned char *)&ip.ip6_src + 8, &low, sizeof(low));
	}
	len = write_segment(flood, out + sizeof(ip), add(0, &ip.ip6_src, 32));
	ip.ip6_plen = htons((uint16_t)len);
	memcpy(out, &ip, sizeof(ip));
	return sizeof(ip) + len;
}

static size_t write_frame(struct flood *flood, unsigned char *out)
{
	uint16_t type = htons(flood->family == 4 ? ETH_P_IP : ETH_P_IPV6);

	memcpy(out, link_header, sizeof(link_header));
	memcpy(out + sizeof(link_header), &type, sizeof(type));
	out += ETH_HLEN;
	return ETH_HLEN + (flood->family == 4 ? write_ip4(flood, out) : write_ip6(flood, out));
}

static long send_batch(struct flood *flood, int fd)
{
	static unsigned char frames[BATCH][FRAME_MAX];
	struct mmsghdr messages[BATCH] = {0};
	struct iovec parts[BATCH];
	int sent;

	for (int i = 0; i < BATCH; i++) {
		parts[i] = (struct iovec){frames[i], write_frame(flood, frames[i])};
		messages[i].msg_hdr.msg_iov = &parts[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	sent = sendmmsg(fd, messages, BATCH, 0);
	return sent < 0 ? 0 : sent; /* a full queue is no error of a flood */
}

static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* As many as are due by now, again and again. */
static unsigned long run(struct flood *flood, int fd)
{
	double start = seconds_now(), passed = 0;
	unsigned long sent = 0;

	while (sent < flood->count && passed < SECONDS_MAX) {
		passed = seconds_now() - start;
		if ((double)sent < passed * (double)flood->rate)
			sent += (unsigned long)send_batch(flood, fd);
		else
			nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
	}
	return sent;
}

static int open_wire(const char *interface)
{
	struct sockaddr_ll place = {.sll_family = AF_PACKET,
				    .sll_ifindex = (int)if_nametoindex(interface)};
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	if (fd < 0 || !place.sll_ifindex || bind(fd, (struct sockaddr *)&place, sizeof(place))) {
		perror(interface);
		exit(1);
	}
	return fd;
}

static void parse(char **argv, struct flood *flood)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(argv[2], kinds[i].name))
			flood->kind = &kinds[i];
	flood->family = atoi(argv[3]);
	flood->random_source = !strcmp(argv[4], "random");
	flood->count = strtoul(argv[5], NULL, 10);
	flood->rate = strtoul(argv[6], NULL, 10);
	if (!flood->kind || flood->count > COUNT_MAX ||
	    getrandom(&flood->dice, sizeof(flood->dice), 0) != sizeof(flood->dice))
		exit(2);
}

int main(int argc, char **argv)
{
	struct flood flood = {0};

	if (argc != 7)
		return 2;
	parse(argv, &flood);
	printf("%lu sent\n", run(&flood, open_wire(argv[1])));
	return 0;
}
