/* SPDX-License-Identifier: GPL-2.0-only */
/* Namespace, veth, listener, programs; see fixture.h. */
#include "fixture.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_xdp.h>
#include <linux/tcp.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "edge_tc.skel.h"
#include "edge_xdp.skel.h"

#define UMEM_SIZE (16 * 4096)
#define SERVICE_PORT 443
#define WAIT_MS 1000

/* As packet_build addresses them: the server's MAC is 02:…:01, the client's 02:…:02. */
static const char *const commands[] = {
	"ip link set lo up",
	"ip link add server address 02:00:00:00:00:01 type veth peer name wire",
	"sysctl -qw net.ipv6.conf.server.accept_dad=0 net.ipv6.conf.wire.disable_ipv6=1",
	"sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.server.rp_filter=0",
	"ip address add 10.9.0.1/24 dev server",
	"ip address add fd00::1/64 dev server nodad",
	"ip link set server up",
	"ip link set wire up",
	"ip neighbour add 10.9.0.2 lladdr 02:00:00:00:00:02 dev server nud permanent",
	"ip neighbour add fd00::2 lladdr 02:00:00:00:00:02 dev server nud permanent",
};

static void need(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "fixture: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void make_network(void)
{
	size_t i;

	need(unshare(CLONE_NEWNET) == 0, "a network namespace of its own (is this root?)");
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		need(system(commands[i]) == 0, commands[i]);
}

static int open_listener(void)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(SERVICE_PORT)};
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);

	need(fd >= 0, "socket");
	need(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0, "bind");
	need(listen(fd, 64) == 0, "listen");
	return fd;
}

static int open_wire(void)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));

	need(fd >= 0, "packet socket");
	address.sll_ifindex = (int)if_nametoindex("wire");
	need(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0, "bind to the wire");
	return fd;
}

/* The XSKMAP takes any AF_XDP socket that has memory and an RX ring; nothing is received here. */
static int open_xsk(void)
{
	struct xdp_umem_reg memory = {.len = UMEM_SIZE, .chunk_size = 4096};
	int fd = socket(AF_XDP, SOCK_RAW, 0), entries = 16;
	static void *area;

	need(fd >= 0, "AF_XDP socket");
	if (!area)
		area = mmap(NULL, UMEM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);
	need(area != MAP_FAILED, "memory");
	memory.addr = (__u64)(uintptr_t)area;
	need(!setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &memory, sizeof(memory)), "XDP_UMEM_REG");
	need(!setsockopt(fd, SOL_XDP, XDP_UMEM_FILL_RING, &entries, sizeof(entries)), "fill ring");
	need(!setsockopt(fd, SOL_XDP, XDP_UMEM_COMPLETION_RING, &entries, sizeof(entries)),
	     "completion ring");
	need(!setsockopt(fd, SOL_XDP, XDP_RX_RING, &entries, sizeof(entries)), "RX ring");
	return fd;
}

static void put(struct bpf_map *map, __u32 index, const void *value, size_t len)
{
	need(!bpf_map__update_elem(map, &index, sizeof(index), value, len, 0), bpf_map__name(map));
}

static void get(const struct bpf_map *map, void *value, size_t len)
{
	__u32 first = 0;

	need(!bpf_map__lookup_elem(map, &first, sizeof(first), value, len, 0), bpf_map__name(map));
}

void fixture_put_service(struct fixture *fixture, __u32 index,
			 const struct edge426_service *service)
{
	put(fixture->xdp->maps.services, index, service, sizeof(*service));
}

void fixture_put_port(struct fixture *fixture, __u32 index, const struct edge426_port *port)
{
	put(fixture->xdp->maps.ports, index, port, sizeof(*port));
}

void fixture_set_service(struct fixture *fixture, const struct edge426_service *service)
{
	fixture_put_service(fixture, 0, service);
}

struct edge426_service fixture_service(__u32 handshake)
{
	return (struct edge426_service){
		.handshake = handshake,
		.syn_threshold = 4,
		.calm_seconds = 2,
		.other = EDGE426_ACTION_PASS,
		.percent = 100,
	};
}

void fixture_set_handshake(struct fixture *fixture, __u32 handshake, __u32 flags)
{
	struct edge426_service service = fixture_service(handshake);

	service.flags = flags;
	if (flags & EDGE426_SERVICE_NO_BACKEND)
		service.other = EDGE426_ACTION_RESET;
	fixture_set_service(fixture, &service);
}

static void protect(struct fixture *fixture, __u32 port)
{
	fixture_set_handshake(fixture, EDGE426_HANDSHAKE_BACKEND, 0);
	fixture_put_port(fixture, port, &(struct edge426_port){.service = 1});
}

void fixture_read_state(const struct fixture *fixture, struct edge426_state *state)
{
	get(fixture->xdp->maps.state, state, sizeof(*state));
}

void fixture_write_state(struct fixture *fixture, const struct edge426_state *state)
{
	put(fixture->xdp->maps.state, 0, state, sizeof(*state));
}

void fixture_read_edge(const struct fixture *fixture, struct edge426_edge *edge)
{
	get(fixture->xdp->maps.edge, edge, sizeof(*edge));
}

void fixture_write_edge(struct fixture *fixture, const struct edge426_edge *edge)
{
	put(fixture->xdp->maps.edge, 0, edge, sizeof(*edge));
}

void fixture_read_load(const struct fixture *fixture, struct edge426_load *load)
{
	get(fixture->xdp->maps.loads, load, sizeof(*load));
}

/* How user space makes the map of one half. */
static const struct {
	const char *name;
	enum bpf_map_type type;
	__u32 key_size, value_size;
} lists[] = {
	{"addresses", BPF_MAP_TYPE_LPM_TRIE, sizeof(struct edge426_address_key), sizeof(__u32)},
	{"allow", BPF_MAP_TYPE_LPM_TRIE, sizeof(struct edge426_allow_key),
	 sizeof(struct edge426_allow)},
	{"allow_exact", BPF_MAP_TYPE_HASH, sizeof(struct edge426_allow_key),
	 sizeof(struct edge426_allow)},
	{"paths", BPF_MAP_TYPE_LPM_TRIE, sizeof(struct edge426_path_key), sizeof(__u32)},
	{"hosts", BPF_MAP_TYPE_HASH, sizeof(struct edge426_host_key), sizeof(__u32)},
};

static struct bpf_map *outer_map(const struct fixture *fixture, enum fixture_list list)
{
	return bpf_object__find_map_by_name(fixture->xdp->obj, lists[list].name);
}

static void put_in_list(struct fixture *fixture, enum fixture_list list, __u32 half,
			const void *key, const void *value)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_NO_PREALLOC);
	int *fd = &fixture->lists[list][half];

	if (!*fd) {
		*fd = bpf_map_create(lists[list].type, lists[list].name, lists[list].key_size,
				     lists[list].value_size, 256, &options);
		need(*fd > 0, "make an inner map");
		put(outer_map(fixture, list), half, fd, sizeof(*fd));
	}
	need(!bpf_map_update_elem(*fd, key, value, BPF_ANY), lists[list].name);
}

void fixture_drop_list(struct fixture *fixture, enum fixture_list list, __u32 half)
{
	static const struct edge426_allow_lengths none;
	int *fd = &fixture->lists[list][half];

	need(!bpf_map__delete_elem(outer_map(fixture, list), &half, sizeof(half), 0),
	     lists[list].name);
	if (list == FIXTURE_ALLOW_EXACT) {
		put(fixture->xdp->maps.allow_lengths, 2 * half, &none, sizeof(none));
		put(fixture->xdp->maps.allow_lengths, 2 * half + 1, &none, sizeof(none));
	}
	close(*fd);
	*fd = 0;
}

/* "10.9.0.0/24" or "fd00::2/128": the address's family and its bits. */
static void read_prefix(const char *text, __u8 address[16], __u8 *family, __u32 *bits)
{
	char host[64];

	need(sscanf(text, "%63[^/]/%u", host, bits) == 2, text);
	memset(address, 0, 16);
	*family = strchr(host, ':') ? 6 : 4;
	need(inet_pton(*family == 6 ? AF_INET6 : AF_INET, host, address) == 1, text);
}

void fixture_put_address(struct fixture *fixture, __u32 half, __u16 set, __u16 vlan,
			 const char *prefix, __u32 service)
{
	struct edge426_address_key key = {.set = set, .vlan = vlan};
	__u32 bits;

	read_prefix(prefix, key.address, &key.family, &bits);
	key.prefix_len = EDGE426_ADDRESS_BITS + bits;
	put_in_list(fixture, FIXTURE_ADDRESSES, half, &key, &service);
}

static void put_allow(struct fixture *fixture, enum fixture_list list, __u32 half,
		      const char *prefix, __u64 counts_until, struct edge426_allow_key *key)
{
	struct edge426_allow value = {.counts_until = counts_until};
	__u32 bits;

	read_prefix(prefix, key->address, &key->family, &bits);
	key->prefix_len = EDGE426_ALLOW_BITS + bits;
	put_in_list(fixture, list, half, key, &value);
}

static void mask_of(__u32 bits, __u64 mask[2])
{
	__u8 octets[16] = {};
	__u32 i;

	for (i = 0; i < bits; i++)
		octets[i / 8] |= (__u8)(0x80 >> i % 8);
	memcpy(mask, octets, sizeof(octets));
}

/* Into the lengths of its family, the longest first. */
static void add_length(struct edge426_allow_lengths *lengths, __u32 prefix_len)
{
	__u32 i, at = 0;

	while (at < lengths->count && lengths->prefix_len[at] > prefix_len)
		at++;
	if (at < lengths->count && lengths->prefix_len[at] == prefix_len)
		return;
	need(lengths->count < EDGE426_ALLOW_LENGTHS, "another prefix length");
	for (i = lengths->count++; i > at; i--) {
		lengths->prefix_len[i] = lengths->prefix_len[i - 1];
		memcpy(lengths->mask[i], lengths->mask[i - 1], sizeof(lengths->mask[i]));
	}
	lengths->prefix_len[at] = prefix_len;
	mask_of(prefix_len - EDGE426_ALLOW_BITS, lengths->mask[at]);
}

/* The trie is asked for every address: which it may be spared is user space's to say. */
void fixture_put_allow(struct fixture *fixture, __u32 half, const char *prefix, __u64 counts_until)
{
	struct bpf_map *map = fixture->xdp->maps.allow_lengths;
	struct edge426_allow_lengths lengths;
	struct edge426_allow_key key = {};
	__u32 index;

	put_allow(fixture, FIXTURE_ALLOW, half, prefix, counts_until, &key);
	index = 2 * half + (key.family == 6);
	need(!bpf_map__lookup_elem(map, &index, sizeof(index), &lengths, sizeof(lengths), 0),
	     "map allow_lengths");
	memset(lengths.in_trie, 0xff, sizeof(lengths.in_trie));
	put(map, index, &lengths, sizeof(lengths));
}

void fixture_put_allow_exact(struct fixture *fixture, __u32 half, const char *prefix,
			     __u64 counts_until)
{
	struct bpf_map *map = fixture->xdp->maps.allow_lengths;
	struct edge426_allow_lengths lengths;
	struct edge426_allow_key key = {};
	__u32 index;

	put_allow(fixture, FIXTURE_ALLOW_EXACT, half, prefix, counts_until, &key);
	index = 2 * half + (key.family == 6);
	need(!bpf_map__lookup_elem(map, &index, sizeof(index), &lengths, sizeof(lengths), 0),
	     "map allow_lengths");
	add_length(&lengths, key.prefix_len);
	put(map, index, &lengths, sizeof(lengths));
}

void fixture_put_path(struct fixture *fixture, __u32 half, __u32 slot, const char *path)
{
	struct edge426_path_key key = {.service = slot};
	__u32 len = (__u32)strlen(path), nothing = 0;

	need(len <= sizeof(key.octets), path);
	memcpy(key.octets, path, len);
	key.prefix_len = EDGE426_PATH_BITS + 8 * len;
	put_in_list(fixture, FIXTURE_PATHS, half, &key, &nothing);
}

void fixture_put_host(struct fixture *fixture, __u32 half, __u32 slot, const char *name)
{
	struct edge426_host_key key = {.service = slot};
	__u32 len = (__u32)strlen(name), nothing = 0;

	need(len <= EDGE426_HOST_MAX, name);
	memcpy(key.name, name, len);
	put_in_list(fixture, FIXTURE_HOSTS, half, &key, &nothing);
}

void fixture_read_first(const struct fixture *fixture, const char *map, void *value, size_t len)
{
	get(bpf_object__find_map_by_name(fixture->xdp->obj, map), value, len);
}

void fixture_write_first(struct fixture *fixture, const char *map, const void *value, size_t len)
{
	put(bpf_object__find_map_by_name(fixture->xdp->obj, map), 0, value, len);
}

__u32 fixture_count_places(const struct fixture *fixture)
{
	int cpus = libbpf_num_possible_cpus(), cpu;
	struct edge426_place *places = calloc((size_t)cpus, sizeof(*places));
	__u32 index, used = 0;

	need(places != NULL, "memory");
	for (index = 0; index < EDGE426_PLACES_MAX; index++) {
		need(!bpf_map__lookup_elem(fixture->xdp->maps.places, &index, sizeof(index), places,
					   (size_t)cpus * sizeof(*places), 0),
		     "map places");
		for (cpu = 0; cpu < cpus; cpu++)
			used += places[cpu].tag != 0;
	}
	free(places);
	return used;
}

/* As a host with the kernel's defaults; the keys are known, so that tests can repeat. */
static void set_edge(struct fixture *fixture)
{
	struct edge426_edge edge = {
		.key = {{1, 2}, {3, 4}, {5, 6}, {7, 8}},
		.seed = 9,
		.ready = 1,
		.flags = EDGE426_TCP_TIMESTAMPS | EDGE426_TCP_SACK | EDGE426_TCP_WINDOW_SCALING |
			 EDGE426_TCP_ECN,
		.wscale = 10,
		.mtu = 1500,
	};

	fixture_write_edge(fixture, &edge);
}

static void load(struct fixture *fixture)
{
	fixture->xdp = edge_xdp__open_and_load();
	need(fixture->xdp != NULL, "load the XDP program");
	fixture->tc = edge_tc__open();
	need(fixture->tc != NULL, "open the TC program");
	need(!bpf_map__reuse_fd(fixture->tc->maps.reasons, bpf_map__fd(fixture->xdp->maps.reasons)),
	     "share the counters");
	need(!edge_tc__load(fixture->tc), "load the TC program");
}

static void attach_tc(struct fixture *fixture)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)fixture->server_ifindex,
		    .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, program,
		    .prog_fd = bpf_program__fd(fixture->tc->progs.edge426_tc));

	need(!bpf_tc_hook_create(&hook), "clsact");
	need(!bpf_tc_attach(&hook, &program), "attach the TC program");
}

void fixture_open(struct fixture *fixture)
{
	__u32 queue = 0;

	memset(fixture, 0, sizeof(*fixture));
	make_network();
	fixture->server_ifindex = if_nametoindex("server");
	fixture->listener = open_listener();
	fixture->wire = open_wire();
	load(fixture);
	attach_tc(fixture);
	protect(fixture, SERVICE_PORT);
	set_edge(fixture);
	fixture->xsk = open_xsk();
	need(!bpf_map__update_elem(fixture->xdp->maps.xsks, &queue, sizeof(queue), &fixture->xsk,
				   sizeof(fixture->xsk), 0),
	     "map xsks");
}

static void close_lists(struct fixture *fixture)
{
	int list, half;

	for (list = 0; list < FIXTURE_LISTS; list++)
		for (half = 0; half < 2; half++) {
			if (fixture->lists[list][half])
				close(fixture->lists[list][half]);
			fixture->lists[list][half] = 0;
		}
}

void fixture_reload(struct fixture *fixture, __u32 explaining)
{
	close_lists(fixture);
	edge_xdp__destroy(fixture->xdp);
	fixture->xdp = edge_xdp__open();
	need(fixture->xdp != NULL, "open the XDP program");
	fixture->xdp->rodata->explaining = explaining;
	need(!edge_xdp__load(fixture->xdp), "load the XDP program again");
}

void fixture_stop_responder(struct fixture *fixture)
{
	__u32 queue = 0;

	need(!bpf_map__delete_elem(fixture->xdp->maps.xsks, &queue, sizeof(queue), 0), "map xsks");
	close(fixture->xsk);
	fixture->xsk = -1;
}

void fixture_close(struct fixture *fixture)
{
	close_lists(fixture);
	edge_tc__destroy(fixture->tc);
	edge_xdp__destroy(fixture->xdp);
	close(fixture->wire);
	close(fixture->listener);
	if (fixture->xsk >= 0)
		close(fixture->xsk);
}

__u64 fixture_count(const struct fixture *fixture, enum edge426_reason reason)
{
	int cpus = libbpf_num_possible_cpus(), i;
	__u64 *counts = calloc((size_t)cpus, sizeof(*counts)), sum = 0;
	__u32 key = reason;

	need(counts && !bpf_map__lookup_elem(fixture->xdp->maps.reasons, &key, sizeof(key), counts,
					     (size_t)cpus * sizeof(*counts), 0),
	     "map reasons");
	for (i = 0; i < cpus; i++)
		sum += counts[i];
	free(counts);
	return sum;
}

static void count_all(const struct fixture *fixture, __u64 counts[EDGE426_REASON_COUNT])
{
	int reason;

	for (reason = 0; reason < EDGE426_REASON_COUNT; reason++)
		counts[reason] = fixture_count(fixture, (enum edge426_reason)reason);
}

static int find_counted(const __u64 before[EDGE426_REASON_COUNT],
			const __u64 after[EDGE426_REASON_COUNT])
{
	int reason, found = -1, steps = 0;

	for (reason = 0; reason < EDGE426_REASON_COUNT; reason++) {
		if (after[reason] != before[reason])
			found = reason;
		steps += (int)(after[reason] - before[reason]);
	}
	return steps == 1 ? found : -1;
}

/* The kernel hands back the metadata, if there is any, and then the frame. */
static void read_outcome(const __u8 *out, __u32 len, const struct xdp_md *ctx,
			 struct outcome *outcome)
{
	__u32 meta_len = ctx->data - ctx->data_meta;
	struct edge426_tc_metadata for_tc;

	outcome->has_meta = meta_len != 0;
	if (meta_len == sizeof(outcome->meta))
		memcpy(&outcome->meta, out, sizeof(outcome->meta));
	if (meta_len == sizeof(for_tc)) {
		memcpy(&for_tc, out, sizeof(for_tc));
		outcome->meta = for_tc.verdict;
	}
	outcome->len = len - meta_len;
	memcpy(outcome->frame, out + meta_len, outcome->len);
}

struct outcome fixture_run_octets(struct fixture *fixture, const __u8 *frame, size_t len)
{
	__u64 before[EDGE426_REASON_COUNT], after[EDGE426_REASON_COUNT];
	struct xdp_md ctx_in = {.data_end = (__u32)len}, ctx_out = {};
	static __u8 out[PACKET_MAX + 64];
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_size_in = (__u32)len,
		    .data_out = out, .data_size_out = sizeof(out), .ctx_in = &ctx_in,
		    .ctx_size_in = sizeof(ctx_in), .ctx_out = &ctx_out,
		    .ctx_size_out = sizeof(ctx_out), .repeat = 1);
	struct outcome outcome = {};

	ctx_in.ingress_ifindex = fixture->server_ifindex;
	count_all(fixture, before);
	need(!bpf_prog_test_run_opts(bpf_program__fd(fixture->xdp->progs.edge426_xdp), &run),
	     "BPF_PROG_TEST_RUN");
	count_all(fixture, after);
	outcome.verdict = run.retval;
	outcome.reason = find_counted(before, after);
	read_outcome(out, run.data_size_out, &ctx_out, &outcome);
	return outcome;
}

struct outcome fixture_run(struct fixture *fixture, const struct packet *packet)
{
	__u8 frame[PACKET_MAX];

	return fixture_run_octets(fixture, frame, packet_build(packet, frame));
}

void fixture_deliver(struct fixture *fixture, const struct packet *packet)
{
	__u8 frame[PACKET_MAX];
	size_t len = packet_build(packet, frame);
	struct xdp_md ctx_in = {.data_end = (__u32)len};
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_size_in = (__u32)len,
		    .ctx_in = &ctx_in, .ctx_size_in = sizeof(ctx_in), .repeat = 1,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES);

	ctx_in.ingress_ifindex = fixture->server_ifindex;
	need(!bpf_prog_test_run_opts(bpf_program__fd(fixture->xdp->progs.edge426_xdp), &run),
	     "BPF_PROG_TEST_RUN with live frames");
}

static void map_address(int ipv6, const char *text, __u8 mapped[16])
{
	memset(mapped, 0, 16);
	if (!ipv6)
		mapped[10] = mapped[11] = 0xff;
	need(inet_pton(ipv6 ? AF_INET6 : AF_INET, text, ipv6 ? mapped : mapped + 12) == 1, text);
}

bool fixture_find_flow(const struct fixture *fixture, const struct packet *packet,
		       struct edge426_flow *flow)
{
	struct edge426_flow_key key = {.client_port = htons(packet->client_port),
				       .server_port = htons(SERVICE_PORT)};
	const char *client = packet->ipv6 ? "fd00::2" : "10.9.0.2";

	map_address(packet->ipv6, packet->client ? packet->client : client, key.client);
	map_address(packet->ipv6, packet->ipv6 ? "fd00::1" : "10.9.0.1", key.server);
	return bpf_map__lookup_elem(fixture->xdp->maps.flows, &key, sizeof(key), flow,
				    sizeof(*flow), 0) == 0;
}

void fixture_send(struct fixture *fixture, const struct packet *packet)
{
	__u8 frame[PACKET_MAX];
	size_t len = packet_build(packet, frame);

	need(send(fixture->wire, frame, len, 0) == (ssize_t)len, "send on the wire");
}

static bool has_flags(const struct tcphdr *tcp, const char *flags)
{
	for (; *flags; flags++) {
		if ((*flags == 'S' && !tcp->syn) || (*flags == 'A' && !tcp->ack) ||
		    (*flags == 'F' && !tcp->fin) || (*flags == 'R' && !tcp->rst))
			return false;
	}
	return true;
}

static bool is_from_server(const __u8 *frame, size_t len, const char *flags)
{
	size_t offset = packet_tcp_offset(frame, len);
	struct tcphdr tcp;

	if (!offset || offset + sizeof(tcp) > len)
		return false;
	memcpy(&tcp, frame + offset, sizeof(tcp));
	return tcp.source == htons(SERVICE_PORT) && has_flags(&tcp, flags);
}

size_t fixture_receive(struct fixture *fixture, const char *flags, __u8 frame[PACKET_MAX])
{
	struct pollfd wire = {.fd = fixture->wire, .events = POLLIN};

	while (poll(&wire, 1, WAIT_MS) == 1) {
		ssize_t len = recv(fixture->wire, frame, PACKET_MAX, 0);

		if (len > 0 && is_from_server(frame, (size_t)len, flags))
			return (size_t)len;
	}
	return 0;
}

void fixture_half_open(struct fixture *fixture, struct packet *packet)
{
	struct packet syn = *packet;
	__u8 frame[PACKET_MAX];
	struct tcphdr tcp;
	size_t len;

	syn.flags = "S";
	syn.payload = NULL;
	syn.payload_len = 0;
	syn.seq = packet->seq - 1;
	syn.ack = 0;
	fixture_send(fixture, &syn);
	len = fixture_receive(fixture, "SA", frame);
	need(len > 0, "the server's SYN-ACK");
	memcpy(&tcp, frame + packet_tcp_offset(frame, len), sizeof(tcp));
	packet->ack = ntohl(tcp.seq) + 1;
}

int fixture_connect(struct fixture *fixture, struct packet *packet)
{
	struct pollfd ready = {.fd = fixture->listener, .events = POLLIN};
	struct packet ack;
	int fd;

	fixture_half_open(fixture, packet);
	ack = *packet;
	ack.flags = "A";
	ack.payload = NULL;
	ack.payload_len = 0;
	fixture_send(fixture, &ack);
	need(poll(&ready, 1, WAIT_MS) == 1, "the server's connection");
	fd = accept(fixture->listener, NULL, NULL);
	need(fd >= 0, "accept");
	return fd;
}

/* MSS, SACK, scale 7: as Linux sends them. */
static const __u8 syn_options[] = {2, 4, 5, 0xb4, 4, 2, 1, 1, 1, 3, 3, 7};

void fixture_shake(struct fixture *fixture, struct packet *packet)
{
	struct packet syn = *packet;
	struct outcome outcome;
	struct tcphdr tcp;

	syn.flags = "S";
	syn.payload = NULL;
	syn.payload_len = 0;
	syn.seq = packet->seq - 1;
	syn.ack = 0;
	syn.tcp_options = syn_options;
	syn.tcp_options_len = sizeof(syn_options);
	outcome = fixture_run(fixture, &syn);
	errno = EPROTO;
	need(outcome.verdict == XDP_TX, "the edge's SYN-ACK");
	memcpy(&tcp, outcome.frame + packet_tcp_offset(outcome.frame, outcome.len), sizeof(tcp));
	packet->ack = ntohl(tcp.seq) + 1;
}
