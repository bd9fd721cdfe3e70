/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the policy wants done with the first octets of a connection, and with
 * a SYN that the edge would answer: the allow list first, then bypass,
 * exemptions, action, mode, limit. It is asked only where something would be
 * done; what passes anyway never comes here. It answers with a reason and
 * does nothing, but for counting answers against a limit.
 */
#ifndef EDGE426_RULE_BPF_H
#define EDGE426_RULE_BPF_H

#include "allow.bpf.h"
#include "explain.bpf.h"
#include "packet.bpf.h"
#include "policy.bpf.h"
#include "request.h"
#include "source.h"
#include "verdict.bpf.h"

#define RULE_HOLD_MAX 536 /* octets that fit in any segment, RFC 9293 3.7.1 */

static __always_inline int rule_is_bypassed(const struct edge426_service *service)
{
	struct edge426_state *now = policy_state();

	return service->mode == EDGE426_MODE_BYPASS || !now || now->bypass;
}

static __always_inline int rule_is_monitored(const struct edge426_service *service,
					     const struct segment *segment)
{
	struct edge426_source_key source;

	if (service->mode == EDGE426_MODE_ENFORCE && service->percent >= SOURCE_SHARES)
		return 0;
	source_read(segment, &source);
	if (service->mode == EDGE426_MODE_ENFORCE && source_share(&source) < service->percent)
		return 0;
	explain_monitored();
	return 1;
}

/*
 * Whether the source has had its answers for now; if not, one more is noted.
 * A client with a closed window is sent none yet.
 */
static __always_inline int rule_is_limited(const struct edge426_service *service,
					   const struct segment *segment)
{
	struct edge426_source_key source;
	__u64 now, fresh = 0, *next;

	if (!service->limit_every || segment->window == 0)
		return 0;
	now = bpf_ktime_get_ns();
	source_read(segment, &source);
	next = bpf_map_lookup_elem(&sources, &source);
	if (next)
		return !source_take(next, now, service->limit_every, service->limit_burst);
	source_take(&fresh, now, service->limit_every, service->limit_burst);
	bpf_map_update_elem(&sources, &source, &fresh, BPF_ANY);
	return 0;
}

struct rule_look {
	struct request request;
	struct edge426_scratch *scratch;
};

/* Not static: the verifier walks it once, and not for each octet and all that came before. */
__noinline int rule_step(struct request *request, __u32 octet)
{
	return request ? request_step(request, octet) : REQUEST_ENDS;
}

/* One octet of the request; 1 ends the loop. */
static long rule_look_at(__u32 i, struct rule_look *look)
{
	__u8 octet = look->scratch->octets[i & (EDGE426_LOOK_MAX - 1)];
	__u8 *name = look->scratch->host.name;

	switch (rule_step(&look->request, octet)) {
	case REQUEST_HOST_BEGINS:
		__builtin_memset(name, 0, sizeof(look->scratch->host.name));
		return 0;
	case REQUEST_HOST_OCTET:
		name[(look->request.host_len - 1) & 0xff] = classify_lower(octet);
		return 0;
	case REQUEST_ENDS:
		return 1;
	default:
		return 0;
	}
}

static __always_inline void rule_read_request(struct xdp_md *ctx, const struct segment *segment,
					      struct rule_look *look)
{
	__u32 len = segment->payload_len;

	if (len > EDGE426_LOOK_MAX)
		len = EDGE426_LOOK_MAX;
	if (len == 0 ||
	    bpf_xdp_load_bytes(ctx, segment->payload_offset, look->scratch->octets, len))
		return;
	__builtin_memset(&look->scratch->host, 0, sizeof(look->scratch->host));
	bpf_loop(len, rule_look_at, look, 0);
}

static __always_inline int rule_has_path(struct xdp_md *ctx, __u32 index,
					 const struct segment *segment, struct rule_look *look)
{
	__u32 half = index / EDGE426_SERVICE_SLOTS, len = look->request.path_len;
	struct edge426_path_key *key = &look->scratch->path;
	void *of_half = bpf_map_lookup_elem(&paths, &half);

	if (!of_half || len == 0)
		return 0;
	if (len > EDGE426_PATH_MAX)
		len = EDGE426_PATH_MAX;
	__builtin_memset(key, 0, sizeof(*key));
	if (bpf_xdp_load_bytes(ctx, segment->payload_offset + look->request.path_at, key->octets,
			       len))
		return 0;
	key->prefix_len = EDGE426_PATH_BITS + 8 * EDGE426_PATH_MAX;
	key->service = index % EDGE426_SERVICE_SLOTS;
	return bpf_map_lookup_elem(of_half, key) != NULL;
}

static __always_inline int rule_has_host(__u32 index, struct rule_look *look)
{
	__u32 half = index / EDGE426_SERVICE_SLOTS;
	struct edge426_host_key *key = &look->scratch->host;
	void *of_half = bpf_map_lookup_elem(&hosts, &half);

	if (!of_half || look->request.state != REQUEST_DONE || look->request.host_len == 0 ||
	    look->request.host_len > EDGE426_HOST_MAX)
		return 0;
	key->service = index % EDGE426_SERVICE_SLOTS;
	return bpf_map_lookup_elem(of_half, key) != NULL;
}

/*
 * A path counts when all of it has been seen, for it must not climb. Until
 * then it is held, unless it can no longer become exempt, or is so long that
 * the client may be unable to send it in one segment.
 */
static __always_inline enum edge426_reason rule_judge_path(struct xdp_md *ctx, __u32 index,
							   const struct segment *segment,
							   struct rule_look *look)
{
	int whole = request_has_path(&look->request);

	if (look->request.climbs)
		return EDGE426_REASON_answered;
	if ((whole || look->request.path_len >= EDGE426_PATH_MAX) &&
	    !rule_has_path(ctx, index, segment, look))
		return EDGE426_REASON_answered;
	if (whole)
		return EDGE426_REASON_exempt_path;
	return segment->payload_len < RULE_HOLD_MAX ? EDGE426_REASON_held : EDGE426_REASON_answered;
}

/*
 * exempt_path, exempt_host; held while a path may still turn out to be exempt;
 * answered: none of these. Not static: the verifier walks it once, and its
 * variables are not on the caller's stack.
 */
__noinline int rule_exempt(struct xdp_md *ctx, __u32 index, const struct segment *segment)
{
	struct edge426_service *service = bpf_map_lookup_elem(&services, &index);
	enum edge426_reason path = EDGE426_REASON_answered;
	struct rule_look look = {};
	__u32 zero = 0;

	look.scratch = bpf_map_lookup_elem(&scratch, &zero);
	if (!service || !look.scratch || !segment)
		return EDGE426_REASON_answered;
	look.request.wants_host = (service->flags & EDGE426_SERVICE_HOSTS) != 0;
	rule_read_request(ctx, segment, &look);
	if (service->flags & EDGE426_SERVICE_PATHS)
		path = rule_judge_path(ctx, index, segment, &look);
	if (path != EDGE426_REASON_answered)
		return path;
	if (look.request.wants_host && rule_has_host(index, &look))
		return EDGE426_REASON_exempt_host;
	return EDGE426_REASON_answered;
}

/* What the service does with plaintext HTTP that is not exempt. */
static __always_inline enum edge426_reason rule_act(const struct edge426_service *service)
{
	switch (service->action) {
	case EDGE426_ACTION_RESET:
	case EDGE426_ACTION_RESET_SYN:
		return EDGE426_REASON_reset_http;
	case EDGE426_ACTION_DROP:
		return EDGE426_REASON_dropped_http;
	case EDGE426_ACTION_PASS:
		return EDGE426_REASON_action_pass;
	default:
		return EDGE426_REASON_answered;
	}
}

/* With `last`, or where it passes in any case, it is not worth waiting for more. */
static __always_inline enum edge426_reason rule_judge_http(struct xdp_md *ctx, __u32 index,
							   const struct edge426_service *service,
							   const struct segment *segment, int last)
{
	enum edge426_reason exempt = EDGE426_REASON_answered;

	if (service->flags & (EDGE426_SERVICE_PATHS | EDGE426_SERVICE_HOSTS))
		exempt = rule_exempt(ctx, index, segment);
	if (exempt == EDGE426_REASON_held && (last || service->action == EDGE426_ACTION_PASS))
		exempt = EDGE426_REASON_answered;
	return exempt == EDGE426_REASON_answered ? rule_act(service) : exempt;
}

/* Neither TLS nor HTTP; `passes` is the reason with which it passes. */
static __always_inline enum edge426_reason rule_judge_other(const struct edge426_service *service,
							    enum edge426_reason passes)
{
	if (service->other == EDGE426_ACTION_RESET)
		return EDGE426_REASON_reset_other;
	return service->other == EDGE426_ACTION_DROP ? EDGE426_REASON_dropped_other : passes;
}

/* Too few octets to tell: to be held, unless whatever they become passes. */
static __always_inline enum edge426_reason rule_judge_few(const struct edge426_service *service,
							  int last)
{
	if (last)
		return rule_judge_other(service, EDGE426_REASON_let_go);
	if (service->action == EDGE426_ACTION_PASS && service->other == EDGE426_ACTION_PASS)
		return EDGE426_REASON_action_pass;
	return EDGE426_REASON_held;
}

/* By the class alone; answered: it is HTTP. Without a backend TLS is like all that is not HTTP. */
static __always_inline enum edge426_reason rule_judge_class(const struct edge426_service *service,
							    __u32 class, int last)
{
	switch (class) {
	case PAYLOAD_HTTP:
	case PAYLOAD_HTTP_HEAD:
		return EDGE426_REASON_answered;
	case PAYLOAD_NEED_MORE:
		return rule_judge_few(service, last);
	case PAYLOAD_OTHER:
		return rule_judge_other(service, EDGE426_REASON_other);
	default:
		return service->flags & EDGE426_SERVICE_NO_BACKEND
			       ? rule_judge_other(service, EDGE426_REASON_other)
			       : EDGE426_REASON_other;
	}
}

/* What is counted in place of what would be done; for what passes anyway that itself. */
static __always_inline enum edge426_reason rule_would(enum edge426_reason wanted)
{
	switch (wanted) {
	case EDGE426_REASON_answered:
		return EDGE426_REASON_would_answer;
	case EDGE426_REASON_reset_http:
	case EDGE426_REASON_reset_other:
		return EDGE426_REASON_would_reset;
	case EDGE426_REASON_dropped_http:
	case EDGE426_REASON_dropped_other:
		return EDGE426_REASON_would_drop;
	case EDGE426_REASON_held:
		return EDGE426_REASON_would_hold;
	default:
		return wanted;
	}
}

/* After the allow list, bypass and exemptions: whether what is wanted is done. */
static __always_inline enum edge426_reason rule_enforce(struct xdp_md *ctx,
							const struct edge426_service *service,
							const struct segment *segment,
							enum edge426_reason wanted)
{
	enum edge426_reason would = rule_would(wanted);
	int monitored;

	if (would == wanted)
		return wanted;
	monitored = rule_is_monitored(service, segment);
	if (!monitored && !verdict_has_responder(ctx))
		return EDGE426_REASON_no_responder;
	if (wanted == EDGE426_REASON_answered && rule_is_limited(service, segment))
		return monitored ? EDGE426_REASON_would_limit : EDGE426_REASON_limited;
	return monitored ? would : wanted;
}

/*
 * First octets of a connection: an enum edge426_reason. `class`
 * is an enum payload_class; `last` when they are not to be held any longer.
 */
__noinline int rule_judge(struct xdp_md *ctx, __u32 index, const struct segment *segment,
			  __u32 class, int last)
{
	struct edge426_service *service = bpf_map_lookup_elem(&services, &index);
	enum edge426_reason wanted;

	if (!service || !segment)
		return EDGE426_REASON_not_protected;
	wanted = rule_judge_class(service, class, last);
	if (wanted == EDGE426_REASON_other || wanted == EDGE426_REASON_let_go)
		return wanted;
	if (allow_has(segment, index / EDGE426_SERVICE_SLOTS))
		return EDGE426_REASON_allowed;
	if (rule_is_bypassed(service))
		return EDGE426_REASON_bypassed;
	if (wanted == EDGE426_REASON_answered)
		wanted = rule_judge_http(ctx, index, service, segment, last);
	return rule_enforce(ctx, service, segment, wanted);
}

/*
 * A SYN to a service whose handshakes are the edge's: syn_answered when the
 * edge may answer it, reset_syn when it is to be refused, else it passes.
 */
__noinline int rule_judge_syn(struct xdp_md *ctx, __u32 index, const struct segment *syn)
{
	struct edge426_service *service = bpf_map_lookup_elem(&services, &index);
	int refuses;

	if (!service || !syn)
		return EDGE426_REASON_not_protected;
	refuses = service->action == EDGE426_ACTION_RESET_SYN;
	if (allow_has(syn, index / EDGE426_SERVICE_SLOTS))
		return EDGE426_REASON_allowed;
	if (rule_is_bypassed(service))
		return EDGE426_REASON_syn_to_backend;
	if (rule_is_monitored(service, syn))
		return refuses ? EDGE426_REASON_would_reset : EDGE426_REASON_syn_to_backend;
	if (refuses && !verdict_has_responder(ctx))
		return EDGE426_REASON_no_responder;
	return refuses ? EDGE426_REASON_reset_syn : EDGE426_REASON_syn_answered;
}

#endif
