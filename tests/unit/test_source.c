/* SPDX-License-Identifier: GPL-2.0-only */
/* Sources: how they are told apart, which share they are of, how many answers they get. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

#include "source.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

static struct edge426_source_key read_source(const char *address, __u16 port)
{
	struct segment segment = {.key.server_port = htons(port)};
	struct edge426_source_key key;
	__be32 ip4;

	memset(&key, 0xa5, sizeof(key));
	segment.family = strchr(address, ':') ? 6 : 4;
	if (segment.family == 4) {
		cr_assert_eq(inet_pton(AF_INET, address, &ip4), 1);
		segment_map_ip4(ip4, segment.key.client);
	} else {
		cr_assert_eq(inet_pton(AF_INET6, address, segment.key.client), 1);
	}
	source_read(&segment, &key);
	return key;
}

static const struct {
	const char *name, *one, *other;
	__u16 port;
	int same;
} pairs[] = {
	{"an IPv4 address", "192.0.2.1", "192.0.2.1", 443, 1},
	{"IPv4 addresses", "192.0.2.1", "192.0.2.2", 443, 0},
	{"IPv4 ports of the service", "192.0.2.1", "192.0.2.1", 8443, 0},
	{"an IPv6 address", "2001:db8::1", "2001:db8::1", 443, 1},
	{"IPv6 addresses of one network", "2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", 443, 1},
	{"IPv6 networks", "2001:db8::1", "2001:db8:0:1::1", 443, 0},
	{"IPv6 ports of the service", "2001:db8::1", "2001:db8::1", 8443, 0},
	{"an IPv4 address and ::", "0.0.0.0", "::", 443, 0},
};

Test(source, is_an_ipv4_address_or_an_ipv6_network)
{
	size_t i;

	for (i = 0; i < ROWS(pairs); i++) {
		struct edge426_source_key one = read_source(pairs[i].one, 443);
		struct edge426_source_key other = read_source(pairs[i].other, pairs[i].port);

		cr_assert_eq(!memcmp(&one, &other, sizeof(one)), pairs[i].same, "%s",
			     pairs[i].name);
	}
}

/* The share is of the source and not of the service, and the padding is no part of it. */
Test(source, has_one_share_everywhere)
{
	struct edge426_source_key here = read_source("192.0.2.1", 443);
	struct edge426_source_key there = read_source("192.0.2.1", 80);
	struct edge426_source_key six = read_source("2001:db8::1", 443);
	struct edge426_source_key other = read_source("2001:db8::2:3", 1);

	cr_assert_eq(source_share(&here), source_share(&there));
	cr_assert_eq(source_share(&six), source_share(&other));
}

#define SOURCES 10000
#define EXPECTED (SOURCES / SOURCE_SHARES)

/* Of sources that lie side by side, as those of one network do, or far apart. */
static void count_shares(__u32 first, __u32 step, int ipv6, unsigned int counts[SOURCE_SHARES])
{
	__u32 i;

	memset(counts, 0, SOURCE_SHARES * sizeof(counts[0]));
	for (i = 0; i < SOURCES; i++) {
		struct edge426_source_key key = {};
		__be32 address = htonl(first + i * step);

		if (ipv6) {
			memcpy(key.address, "\x20\x01\x0d\xb8", 4);
			memcpy(key.address + 4, &address, sizeof(address));
		} else {
			segment_map_ip4(address, key.address);
		}
		cr_assert_lt(source_share(&key), SOURCE_SHARES);
		counts[source_share(&key)]++;
	}
}

static const struct {
	const char *name;
	__u32 first, step;
	int ipv6;
} spreads[] = {
	{"side by side", 0x0a000000, 1, 0},
	{"side by side elsewhere", 0xc0000201, 1, 0},
	{"one of each network", 0x0a000001, 256, 0},
	{"one of each large network", 0x01000001, 65536, 0},
	{"far apart", 0x01020304, 429496, 0},
	{"IPv6 networks side by side", 0, 1, 1},
	{"IPv6 networks of a provider each", 0, 65536, 1},
};

/* Within 5 standard deviations of the binomial distribution: 100 +- 50. */
Test(source, is_spread_evenly_over_the_shares)
{
	unsigned int counts[SOURCE_SHARES], share, sum;
	size_t i;

	for (i = 0; i < ROWS(spreads); i++) {
		count_shares(spreads[i].first, spreads[i].step, spreads[i].ipv6, counts);
		for (sum = 0, share = 0; share < SOURCE_SHARES; share++) {
			cr_assert(counts[share] > EXPECTED / 2 && counts[share] < EXPECTED * 3 / 2,
				  "%s: share %u has %u sources", spreads[i].name, share,
				  counts[share]);
			sum += counts[share];
			/* Of all below a percentage: as near as 5 deviations of it. */
			cr_assert_lt(sum, (share + 1) * EXPECTED + 250, "%s: below %u",
				     spreads[i].name, share);
			cr_assert_gt(sum + 250, (share + 1) * EXPECTED, "%s: below %u",
				     spreads[i].name, share);
		}
	}
}

/* As the packet program asks: enforced at a percentage, so at any higher one. */
Test(source, stays_enforced_when_the_percentage_grows)
{
	unsigned int i, percent, enforced[SOURCE_SHARES + 1] = {};

	for (i = 0; i < SOURCES; i++) {
		struct edge426_source_key key = {};
		int before = 0;

		segment_map_ip4(htonl(0x0a000000 + i * 77), key.address);
		for (percent = 0; percent <= 100; percent += 10) {
			int now = source_share(&key) < percent;

			cr_assert(!before || now, "source %u at %u", i, percent);
			before = now;
			enforced[percent] += (unsigned int)now;
		}
	}
	cr_assert_eq(enforced[0], 0);
	cr_assert_eq(enforced[100], SOURCES);
	for (percent = 10; percent <= 100; percent += 10)
		cr_assert_gt(enforced[percent], enforced[percent - 10]);
}

/* Other values would enforce other sources after an upgrade. */
Test(source, has_the_same_share_in_every_version)
{
	struct edge426_source_key key = read_source("192.0.2.1", 443);
	struct edge426_source_key six = read_source("2001:db8::1", 443);

	cr_assert_eq(source_share(&key), 19);
	cr_assert_eq(source_share(&six), 76);
}

/*
 * A plain model of the limit: a bucket of answers that fills by one each
 * `every`, in units of 1/every of an answer. It holds burst / every + 1.
 */
struct bucket {
	uint64_t level, full, last;
};

static int model_take(struct bucket *bucket, uint64_t now, uint32_t every)
{
	bucket->level += now - bucket->last;
	bucket->last = now;
	if (bucket->level > bucket->full)
		bucket->level = bucket->full;
	if (bucket->level < every)
		return 0;
	bucket->level -= every;
	return 1;
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dULL;
}

static const struct {
	uint32_t every;
	uint64_t burst, start;
	uint64_t pause; /* between two requests, at most */
} limits[] = {
	{1000, 0, 1, 2500},
	{1000, 999, 1, 2500},
	{1000, 1000, 1000000, 1500},
	{1000, 9000, 5, 300},
	{1000, 9000, 5, 30000},
	{1, 0, 7, 3},
	{4294967295u, 42949672950u, 1ULL << 40, 6000000000u},
	{200000000, 1000000000, 1ULL << 62, 300000000},
};

Test(source, gets_as_many_answers_as_a_bucket_gives)
{
	uint64_t state = 42;
	size_t i;
	int step;

	for (i = 0; i < ROWS(limits); i++) {
		uint64_t now = limits[i].start;
		uint64_t full = limits[i].burst + limits[i].every;
		struct bucket bucket = {full, full, now};
		__u64 next = 0;

		for (step = 0; step < 20000; step++) {
			now += next_random(&state) % (limits[i].pause + 1);
			if (step % 1000 == 0)
				now += 20 * full; /* quiet for long: the burst is whole again */
			cr_assert_eq(source_take(&next, now, limits[i].every, limits[i].burst),
				     model_take(&bucket, now, limits[i].every),
				     "limit %zu, step %d", i, step);
		}
	}
}

Test(source, notes_nothing_when_it_refuses)
{
	__u64 next = 0, noted;
	int i;

	for (i = 0; i < 3; i++)
		cr_assert(source_take(&next, 5000, 1000, 2000));
	noted = next;
	cr_assert_not(source_take(&next, 5000, 1000, 2000));
	cr_assert_not(source_take(&next, 5999, 1000, 2000));
	cr_assert_eq(next, noted);
	cr_assert(source_take(&next, 6000, 1000, 2000));
	cr_assert_not(source_take(&next, 6000, 1000, 2000));
}
