/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A closed loop of TCP connections against any server, made by an XDP program
 * (client.bpf.c) on this interface: the loader begins each slot's first
 * connection, begins the next one where nothing moves for a second (a packet
 * was lost), and reports after a bounded time. It sets up no addresses and no
 * routes, and pins no CPU: scripts/bench_load.sh does.
 *
 * The clients are 198.18.0.0 to 198.18.15.255, one address per slot. No
 * host may own them; the server routes 198.18.0.0/16 by the interface's address.
 */
#include <argp.h>
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <jansson.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "client.skel.h"

#define NETWORK 0xc6120000 /* 198.18.0.0, RFC 2544 appendix C.2.2 */
#define SECONDS_MAX 120
#define THREADS_MAX 64
#define SWEEP_NS 20000000ULL   /* between looks at the slots */
#define STUCK_NS 1000000000ULL /* without a step: a packet was lost */
#define PORTION 32	       /* connections begun at once */
#define PORTION_NS 1000000
#define WARM_UP_NS 300000000ULL
#define DRAIN_NS 100000000ULL
#define SECOND_NS 1000000000ULL
#define TTL 64
#define DONT_FRAGMENT 0x4000 /* RFC 791 3.1 */
#define WINDOW 65535

struct options {
	const char *interface;
	struct in_addr server;
	int port, connections, seconds, first_port;
	int json;
	int server_threads[THREADS_MAX], client_threads[THREADS_MAX]; /* end with 0 */
};

/* What the loader remembers of a slot. */
struct watch {
	__u32 events;
	__u64 since; /* of the last change */
};

struct load {
	struct options options;
	struct client *skeleton;
	struct bpf_link *link;
	struct client_config config;
	struct client_slot *slots; /* mapped */
	struct watch watches[CLIENT_SLOTS_MAX];
	int packet_fd;
	unsigned int ifindex;
	__u64 losses;
};

/* All that only grows, at one moment. */
struct snapshot {
	__u64 at_ns;
	__u64 answered, resets, not_http, refused, strays, losses;
	__u64 server_cpu_ns, client_cpu_ns;
};

static __u64 clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (__u64)now.tv_sec * SECOND_NS + (__u64)now.tv_nsec;
}

static int fail(const char *what, int err)
{
	fprintf(stderr, "load: can't %s: %s\n", what, strerror(err));
	return -err;
}

/* --- the fixed parts of the frames ------------------------------------------- */

/* The server's link address must be known already: a permanent neighbour. */
static int read_link_addresses(struct load *load)
{
	struct arpreq arp = {.arp_pa.sa_family = AF_INET};
	struct ifreq request = {};
	int fd = socket(AF_INET, SOCK_DGRAM, 0), err = 0;

	if (fd < 0)
		return fail("open a socket", errno);
	strncpy(request.ifr_name, load->options.interface, IFNAMSIZ - 1);
	strncpy(arp.arp_dev, load->options.interface, sizeof(arp.arp_dev) - 1);
	((struct sockaddr_in *)&arp.arp_pa)->sin_addr = load->options.server;
	if (ioctl(fd, SIOCGIFHWADDR, &request))
		err = fail("read the interface's link address", errno);
	else if (ioctl(fd, SIOCGARP, &arp))
		err = fail("find the server among the neighbours", errno);
	close(fd);
	if (err)
		return err;
	memcpy(load->config.eth.h_source, request.ifr_hwaddr.sa_data, ETH_ALEN);
	memcpy(load->config.eth.h_dest, arp.arp_ha.sa_data, ETH_ALEN);
	return 0;
}

static void fill_headers(const struct options *options, struct client_config *config)
{
	config->eth.h_proto = htons(ETH_P_IP);
	config->ip.version = 4;
	config->ip.ihl = sizeof(config->ip) / 4;
	config->ip.frag_off = htons(DONT_FRAGMENT);
	config->ip.ttl = TTL;
	config->ip.protocol = IPPROTO_TCP;
	config->ip.saddr = htonl(NETWORK);
	config->ip.daddr = options->server.s_addr;
	config->tcp.dest = htons((__u16)options->port);
	config->tcp.window = htons(WINDOW);
}

static void fill_tails(struct client_config *config)
{
	static const __u8 offer[] = {2, 4, 0x05, 0xb4, /* MSS 1460 */
				     1, 1, 4,	 2,    /* SACK permitted */
				     1, 3, 3,	 7 /* window scale 7 */};

	_Static_assert(sizeof(offer) == sizeof(config->options), "options");
	memcpy(&config->options, offer, sizeof(offer));
	memcpy(&config->request, CLIENT_REQUEST, sizeof(config->request));
	config->ip_sum = checksum_add(0, &config->ip, sizeof(config->ip));
	config->options_sum = checksum_add(0, &config->options, sizeof(config->options));
	config->request_sum = checksum_add(0, &config->request, sizeof(config->request));
}

/* --- beginning and watching -------------------------------------------------- */

static int begin_connection(struct load *load, __u32 index)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_ifindex = (int)load->ifindex,
		.sll_halen = ETH_ALEN,
	};
	struct client_slot *slot = &load->slots[index];
	struct client_segment syn;
	__u8 frame[CLIENT_TAIL_AT + sizeof(struct client_options)];

	slot->port = client_port_after(slot->port);
	slot->state = CLIENT_SYN_SENT;
	syn = client_syn(&load->config, index, slot->port, clock_ns(CLOCK_MONOTONIC_COARSE));
	client_write_headers(&load->config, &syn, frame);
	memcpy(frame + CLIENT_TAIL_AT, &load->config.options, sizeof(load->config.options));
	if (sendto(load->packet_fd, frame, sizeof(frame), 0, (void *)&to, sizeof(to)) < 0 &&
	    errno != ENOBUFS)
		return fail("send a SYN", errno);
	return 0; /* a full ring of the veth is a loss like others */
}

static int sweep_slot(struct load *load, __u32 index, __u64 now)
{
	struct watch *watch = &load->watches[index];
	__u32 events = __atomic_load_n(&load->slots[index].events, __ATOMIC_RELAXED);

	if (events != watch->events || !watch->since) {
		watch->events = events;
		watch->since = now;
		return 0;
	}
	if (now - watch->since < STUCK_NS)
		return 0;
	load->losses++;
	watch->since = now;
	return begin_connection(load, index);
}

static int sweep_until(struct load *load, __u64 end)
{
	const struct timespec pause = {.tv_nsec = SWEEP_NS};
	__u64 now;
	int i, err;

	while ((now = clock_ns(CLOCK_MONOTONIC)) < end) {
		for (i = 0; i < load->options.connections; i++) {
			err = sweep_slot(load, (__u32)i, now);
			if (err)
				return err;
		}
		nanosleep(&pause, NULL);
	}
	return 0;
}

/* In portions, for the ring of a veth holds 256 frames. */
static int begin_all(struct load *load)
{
	const struct timespec pause = {.tv_nsec = PORTION_NS};
	int i, err = 0;

	for (i = 0; i < load->options.connections && !err; i++) {
		if (i % PORTION == 0)
			nanosleep(&pause, NULL);
		load->slots[i].port = (__u32)load->options.first_port;
		err = begin_connection(load, (__u32)i);
	}
	return err;
}

/* --- figures ----------------------------------------------------------------- */

/* The scheduler's own count of a thread's time; 0 when the thread is gone. */
static __u64 thread_cpu_ns(int thread)
{
	unsigned long long ns = 0;
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", thread);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%llu", &ns) != 1)
		ns = 0;
	fclose(file);
	return ns;
}

static __u64 threads_cpu_ns(const int threads[THREADS_MAX])
{
	__u64 sum = 0;
	int i;

	for (i = 0; i < THREADS_MAX && threads[i]; i++)
		sum += thread_cpu_ns(threads[i]);
	return sum;
}

static void take_snapshot(const struct load *load, struct snapshot *snapshot)
{
	int i;

	memset(snapshot, 0, sizeof(*snapshot));
	for (i = 0; i < load->options.connections; i++) {
		const struct client_slot *slot = &load->slots[i];

		snapshot->answered += slot->answered;
		snapshot->resets += slot->resets;
		snapshot->not_http += slot->not_http;
		snapshot->refused += slot->refused;
		snapshot->strays += slot->strays;
	}
	snapshot->losses = load->losses;
	snapshot->server_cpu_ns = threads_cpu_ns(load->options.server_threads);
	snapshot->client_cpu_ns = threads_cpu_ns(load->options.client_threads);
	snapshot->at_ns = clock_ns(CLOCK_MONOTONIC);
}

struct figure {
	const char *name;
	__u64 value;
};

#define FIGURES 9

static void compute_figures(const struct snapshot *from, const struct snapshot *to,
			    struct figure figures[FIGURES])
{
	__u64 answered = to->answered - from->answered, ns = to->at_ns - from->at_ns;
	__u64 divisor = answered ? answered : 1;
	const struct figure all[FIGURES] = {
		{"connections_per_second", (__u64)((double)answered * SECOND_NS / (double)ns)},
		{"connections", answered},
		{"losses", to->losses - from->losses},
		{"resets", to->resets - from->resets},
		{"refused", to->refused - from->refused},
		{"not_http", to->not_http - from->not_http},
		{"strays", to->strays - from->strays},
		{"server_cpu_ns", (to->server_cpu_ns - from->server_cpu_ns) / divisor},
		{"client_cpu_ns", (to->client_cpu_ns - from->client_cpu_ns) / divisor},
	};

	memcpy(figures, all, sizeof(all));
}

static void print_figures(const struct figure figures[FIGURES], int json)
{
	json_t *object = json ? json_object() : NULL;
	int i;

	for (i = 0; i < FIGURES; i++)
		if (json)
			json_object_set_new(object, figures[i].name,
					    json_integer((json_int_t)figures[i].value));
		else
			printf("%-24s %llu\n", figures[i].name,
			       (unsigned long long)figures[i].value);
	if (json) {
		json_dumpf(object, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
		putchar('\n');
	}
	json_decref(object);
}

/* --- set-up ------------------------------------------------------------------ */

static int map_slots(struct load *load)
{
	void *mapped =
		mmap(NULL, CLIENT_SLOTS_MAX * sizeof(struct client_slot), PROT_READ | PROT_WRITE,
		     MAP_SHARED, bpf_map__fd(load->skeleton->maps.slots), 0);

	if (mapped == MAP_FAILED)
		return fail("map the slots", errno);
	load->slots = mapped;
	return 0;
}

static int attach_client(struct load *load)
{
	int err;

	load->skeleton = client__open();
	if (!load->skeleton)
		return fail("open the packet program", errno);
	load->skeleton->bss->config = load->config;
	err = client__load(load->skeleton);
	if (err)
		return fail("load the packet program", -err);
	load->link = bpf_program__attach_xdp(load->skeleton->progs.client, (int)load->ifindex);
	if (!load->link)
		return fail("attach the packet program; is there another one?", errno);
	return map_slots(load);
}

static int load_open(struct load *load)
{
	int err;

	load->ifindex = if_nametoindex(load->options.interface);
	if (!load->ifindex)
		return fail("find the interface", errno);
	err = read_link_addresses(load);
	if (err)
		return err;
	fill_headers(&load->options, &load->config);
	fill_tails(&load->config);
	load->packet_fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (load->packet_fd < 0)
		return fail("open a packet socket", errno);
	return attach_client(load);
}

static void load_close(struct load *load)
{
	if (load->slots)
		munmap(load->slots, CLIENT_SLOTS_MAX * sizeof(struct client_slot));
	bpf_link__destroy(load->link);
	client__destroy(load->skeleton);
	if (load->packet_fd >= 0)
		close(load->packet_fd);
}

/* The last connections end before the program goes, so that no server waits for them. */
static void drain(struct load *load)
{
	const struct timespec pause = {.tv_nsec = DRAIN_NS};

	load->skeleton->bss->stopping = 1;
	nanosleep(&pause, NULL);
}

static int load_run(struct load *load, struct figure figures[FIGURES])
{
	struct snapshot from, to;
	__u64 start;
	int err = begin_all(load);

	if (!err)
		err = sweep_until(load, clock_ns(CLOCK_MONOTONIC) + WARM_UP_NS);
	if (err)
		return err;
	take_snapshot(load, &from);
	start = from.at_ns;
	err = sweep_until(load, start + (__u64)load->options.seconds * SECOND_NS);
	if (err)
		return err;
	take_snapshot(load, &to);
	drain(load);
	compute_figures(&from, &to, figures);
	return 0;
}

/* --- options ----------------------------------------------------------------- */

enum key {
	KEY_INTERFACE = 'i',
	KEY_CONNECTIONS = 'c',
	KEY_SECONDS = 's',
	KEY_PORT = 'p',
	KEY_JSON = 'j',
	KEY_SERVER = 256,
	KEY_FIRST_PORT,
	KEY_SERVER_THREADS,
	KEY_CLIENT_THREADS,
};

static const struct argp_option option_table[] = {
	{"interface", KEY_INTERFACE, "NAME", 0, "the client's end of the wire", 0},
	{"server", KEY_SERVER, "ADDRESS", 0, "IPv4, a known neighbour (10.9.0.1)", 0},
	{"port", KEY_PORT, "PORT", 0, "of the server (443)", 0},
	{"connections", KEY_CONNECTIONS, "COUNT", 0, "at a time (64)", 0},
	{"seconds", KEY_SECONDS, "COUNT", 0, "to measure (5)", 0},
	{"first-port", KEY_FIRST_PORT, "PORT", 0, "of the clients (1024)", 0},
	{"server-threads", KEY_SERVER_THREADS, "ID,ID…", 0, "whose CPU time is the server's", 0},
	{"client-threads", KEY_CLIENT_THREADS, "ID,ID…", 0, "whose CPU time is the client's", 0},
	{"json", KEY_JSON, NULL, 0, "print an object", 0},
	{0},
};

static int read_number(struct argp_state *state, const char *text, int least, int most)
{
	char *end;
	long number = strtol(text, &end, 10);

	if (end == text || *end || number < least || number > most)
		argp_error(state, "'%s' is not a number from %d to %d", text, least, most);
	return (int)number;
}

static void read_threads(struct argp_state *state, char *text, int threads[THREADS_MAX])
{
	char *rest = NULL, *word;
	int count = 0;

	for (word = strtok_r(text, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
		if (count == THREADS_MAX)
			argp_error(state, "more than %d threads", THREADS_MAX);
		threads[count++] = read_number(state, word, 1, 1 << 22);
	}
}

static error_t read_option(int key, char *value, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case KEY_INTERFACE:
		options->interface = value;
		return 0;
	case KEY_SERVER:
		if (inet_pton(AF_INET, value, &options->server) != 1)
			argp_error(state, "'%s' is not an IPv4 address", value);
		return 0;
	case KEY_PORT:
		options->port = read_number(state, value, 1, 65535);
		return 0;
	case KEY_CONNECTIONS:
		options->connections = read_number(state, value, 1, CLIENT_SLOTS_MAX);
		return 0;
	case KEY_SECONDS:
		options->seconds = read_number(state, value, 1, SECONDS_MAX);
		return 0;
	case KEY_FIRST_PORT:
		options->first_port = read_number(state, value, CLIENT_PORT_FIRST, 65535);
		return 0;
	case KEY_SERVER_THREADS:
		read_threads(state, value, options->server_threads);
		return 0;
	case KEY_CLIENT_THREADS:
		read_threads(state, value, options->client_threads);
		return 0;
	case KEY_JSON:
		options->json = 1;
		return 0;
	case ARGP_KEY_END:
		if (!options->interface)
			argp_error(state, "--interface is needed");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int main(int argc, char **argv)
{
	static const struct argp parser = {
		.options = option_table,
		.parser = read_option,
		.doc = "Keeps TCP connections going in a loop and counts them.",
	};
	static struct load load = {
		.options = {.port = 443, .connections = 64, .seconds = 5, .first_port = 1024},
		.packet_fd = -1,
	};
	struct figure figures[FIGURES];
	int err;

	inet_pton(AF_INET, "10.9.0.1", &load.options.server);
	argp_parse(&parser, argc, argv, 0, NULL, &load.options);
	err = load_open(&load);
	if (!err)
		err = load_run(&load, figures);
	load_close(&load);
	if (err)
		return 1;
	print_figures(figures, load.options.json);
	return 0;
}
