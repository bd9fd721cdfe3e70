/* SPDX-License-Identifier: GPL-2.0-only */
/* A hash table with open addressing, at most half full; nothing is ever taken out. */
#include "connections.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_MIN 1024

/* FNV-1a; a capture made to collide makes only its own reading slow. */
static size_t hash_key(const struct edge426_flow_key *key)
{
	const __u8 *octets = (const __u8 *)key;
	__u64 hash = 0xcbf29ce484222325ULL;

	for (size_t i = 0; i < sizeof(*key); i++)
		hash = (hash ^ octets[i]) * 0x100000001b3ULL;
	return (size_t)(hash ^ hash >> 32);
}

/* The key's slot, or the empty one where it belongs. There is always an empty one. */
static struct connection *find_slot(struct connection *slots, size_t size,
				    const struct edge426_flow_key *key)
{
	size_t at = hash_key(key) & (size - 1);

	while (slots[at].used && memcmp(&slots[at].key, key, sizeof(*key)) != 0)
		at = (at + 1) & (size - 1);
	return &slots[at];
}

static struct connection *find(const struct connections *connections,
			       const struct edge426_flow_key *key)
{
	struct connection *slot;

	if (!connections->size)
		return NULL;
	slot = find_slot(connections->slots, connections->size, key);
	return slot->used ? slot : NULL;
}

static int grow(struct connections *connections)
{
	size_t size = connections->size ? 2 * connections->size : SIZE_MIN;
	struct connection *slots = calloc(size, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < connections->size; i++)
		if (connections->slots[i].used)
			*find_slot(slots, size, &connections->slots[i].key) = connections->slots[i];
	free(connections->slots);
	connections->slots = slots;
	connections->size = size;
	return 0;
}

static int add(struct connections *connections, const struct edge426_flow_key *key,
	       struct connection **connection)
{
	int err = 2 * connections->len >= connections->size ? grow(connections) : 0;
	struct connection *slot;

	if (err)
		return err;
	slot = find_slot(connections->slots, connections->size, key);
	if (!slot->used)
		connections->len++;
	*slot = (struct connection){.key = *key, .used = true};
	*connection = slot;
	return 0;
}

static struct edge426_flow_key turn(const struct edge426_flow_key *key)
{
	struct edge426_flow_key turned = {.client_port = key->server_port,
					  .server_port = key->client_port};

	memcpy(turned.client, key->server, sizeof(turned.client));
	memcpy(turned.server, key->client, sizeof(turned.server));
	return turned;
}

/* One sent again begins nothing anew. */
static int meet_syn(struct connections *connections, const struct segment *segment,
		    struct connection **connection)
{
	struct connection *known = find(connections, &segment->key);
	__u32 first = segment->seq + 1;
	int err;

	if (known && known->begun && known->first == first) {
		*connection = known;
		return 0;
	}
	err = add(connections, &segment->key, connection);
	if (err)
		return err;
	(*connection)->begun = true;
	(*connection)->first = first;
	return 0;
}

static int meet_syn_ack(struct connections *connections, const struct segment *segment,
			struct connection **connection)
{
	struct edge426_flow_key key = turn(&segment->key);

	*connection = find(connections, &key);
	return *connection ? 0 : add(connections, &key, connection);
}

int connections_meet(struct connections *connections, const struct segment *segment,
		     enum connections_side *side, struct connection **connection)
{
	struct edge426_flow_key turned = turn(&segment->key);

	*side = segment->syn && segment->has_ack ? CONNECTIONS_SERVER : CONNECTIONS_CLIENT;
	if (segment->syn)
		return segment->has_ack ? meet_syn_ack(connections, segment, connection)
					: meet_syn(connections, segment, connection);
	*connection = find(connections, &segment->key);
	if (*connection)
		return 0;
	*connection = find(connections, &turned);
	*side = *connection ? CONNECTIONS_SERVER : CONNECTIONS_UNKNOWN;
	return 0;
}

int connections_add(struct connections *connections, const struct segment *segment,
		    struct connection **connection)
{
	return add(connections, &segment->key, connection);
}

/* As bpf/proof.bpf.h asks a socket: nothing received yet, and this is what comes next. */
__u32 connection_proof(const struct connection *connection, const struct segment *segment)
{
	if (connection && connection->begun && !connection->received &&
	    segment->seq == connection->first)
		return EDGE426_EXPLAIN_FIRST;
	return EDGE426_EXPLAIN_LATER;
}

void connections_free(struct connections *connections)
{
	free(connections->slots);
	*connections = (struct connections){0};
}
