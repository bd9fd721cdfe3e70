#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# `make bench`: what a refused plaintext request costs, side by side:
#
#   nginx     its own answer on the TLS port: error_page 497 =426, one worker
#   haproxy   http-request return status 426 on a plaintext port, one thread: the
#             fastest it can do, since behind `bind ssl` it answers no plaintext
#   edge426   before the same nginx's TLS port
#
#     CPU 0, client namespace              CPU 1, server namespace
#   .--------------------------.         .----------------------------------.
#   | wrk, NAPI thread of cli  | cli-srv | nginx, haproxy, edge426,         |
#   |                          |  veth   | NAPI thread of srv               |
#   '--------------------------'         '----------------------------------'
#
# "deferred" is the same nginx on a port with TCP_DEFER_ACCEPT (listen … deferred):
# it is not woken before a client's first data, which edge426 takes away. "edge" is
# edge426 with handshake: edge, the others leave the handshake to the server.
# HAProxy gets a plaintext port, see above.
#
# All use one connection per request. Threaded NAPI puts each end's receive
# work, XDP and TCP included, in a kernel thread on that end's CPU. So the
# server's CPU time is the sum over the threads of that NAPI, of the CPU's
# ksoftirqd, and of nginx, haproxy and edge426, from the scheduler's own clock
# (/proc/PID/schedstat, nanoseconds); other load on the machine is not counted.
# Rounds alternate and the medians are shown. Absolute numbers are this
# machine's; look at the ratios, and at a machine that does nothing else.
#
#   bench.sh [ROUNDS [SECONDS]]     default 5 rounds of 5 seconds
set -eu -o pipefail
ROOT=$(cd "$(dirname "$0")/.." && pwd)
EDGE426=${EDGE426:-$ROOT/build/edge426}
ROUNDS=${1:-5}
ROUND_SECONDS=${2:-5}
CONNECTIONS=64
CLIENT_CPU=0 SERVER_CPU=1
PEERS="nginx nginx-deferred haproxy edge426 edge426-deferred edge426-edge"
HAPROXY_PORT=8426

. "$ROOT/scripts/topology.sh"
. "$ROOT/scripts/bench_lib.sh"
topology_isolate "$@"

# --- the two CPUs -----------------------------------------------------------

require_two_cpus() {
	[ "$(nproc)" -ge 2 ] || fail "needs two CPUs, one for each side"
}

server_ns() { # CPU time the server side has used
	local thread
	for thread in $(server_threads); do
		cut -d' ' -f1 "/proc/$thread/schedstat"
	done | awk '{ sum += $1 } END { printf "%.0f\n", sum }'
}

# --- the peers ----------------------------------------------------------------

ANSWER='This port speaks HTTPS only. Use https:// in place of http://.'

start_nginx() {
	nginx_configure "
		error_page 497 =426 @plaintext;
		access_log off;
		location @plaintext {
			default_type 'text/plain; charset=utf-8';
			add_header Upgrade 'TLS/1.2, HTTP/1.1' always;
			return 426 '$ANSWER\n';
		}"
	start_on_server taskset -c "$SERVER_CPU" nginx -e "$topology_dir/nginx/logs/error.log" \
		-c "$topology_dir/nginx/nginx.conf"
	wait_for 10 server_listens 443
}

# Comes and goes each round, so that the others are measured without it.
start_edge426() { # PEER
	local handshake=backend
	[ "$1" != edge426-edge ] || handshake=edge
	cat >"$topology_dir/policy.yaml" <<-POLICY
		services:
		  - {name: https, port: 443, handshake: $handshake}
		  - {name: deferred, port: 444}
	POLICY
	start_on_server taskset -c "$SERVER_CPU" "$EDGE426" run --interface "$SERVER_IF" --policy "$topology_dir/policy.yaml" 2>"$topology_dir/run.log"
	edge426_pid=$started
	on_server "$EDGE426" status --wait 5 >/dev/null || fail "edge426 does not serve: $(cat "$topology_dir/run.log")"
	pin_napi_threads "$SERVER_IF" "$SERVER_CPU"
}

stop_edge426() {
	topology_end "$edge426_pid"
}

url_of() { # PEER
	case $1 in
	haproxy) echo "http://$SERVER_IP:$HAPROXY_PORT/" ;;
	*-deferred) echo "http://$SERVER_IP:444/" ;;
	*) echo "http://$SERVER_IP:443/" ;;
	esac
}

expect_peer_answers() { # PEER
	local status
	status=$(on_client curl -sS -o /dev/null -w '%{http_code}' --max-time 10 "$(url_of "$1")")
	[ "$status" = 426 ] || fail "$1 answers $status, not 426"
}

# --- measuring ----------------------------------------------------------------

# wrk's report to: requests a second, p99 in µs, requests, lines on errors
read_report() {
	awk '
		$1 == "99%" {
			value = $2 + 0
			if ($2 ~ /ms$/) value *= 1000
			else if ($2 !~ /us$/) value *= 1000000
			p99 = value
		}
		/requests in/ { requests = $1 }
		/^Requests\/sec/ { rate = $2 }
		/Socket errors/ { errors = 1 }
		END { printf "%d %d %d %d\n", rate, p99, requests, errors }'
}

measure() { # PEER: one line in its file: requests/s, p99 µs, server CPU ns a request
	local before used rate p99 requests errors
	before=$(server_ns)
	read -r rate p99 requests errors < <(on_client taskset -c "$CLIENT_CPU" wrk -t1 "-c$CONNECTIONS" \
		"-d${ROUND_SECONDS}s" --latency "$(url_of "$1")" | read_report)
	used=$(($(server_ns) - before))
	[ "$requests" -gt 0 ] || fail "$1: wrk made no request"
	[ "$errors" -eq 0 ] || echo "$1: wrk reports socket errors" >&2
	echo "$rate $p99 $((used / requests))" >>"$topology_dir/$1.result"
	tail -1 "$topology_dir/$1.result" | sed "s/^/  $1: /" >&2
}

measure_peer() { # PEER
	case $1 in edge426*) start_edge426 "$1" ;; esac
	expect_peer_answers "$1"
	measure "$1"
	case $1 in edge426*) stop_edge426 ;; esac
}

median() { # PEER COLUMN
	awk -v column="$2" '{ print $column }' "$topology_dir/$1.result" | sort -n |
		awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'
}

ratio() {
	awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", b ? a / b : 0 }'
}

print_table() {
	local peer cpu
	printf '\n| | requests/s | × nginx | p99, µs | server CPU per request, µs | of nginx |\n'
	printf '| --- | ---: | ---: | ---: | ---: | ---: |\n'
	for peer in $PEERS; do
		cpu=$(median "$peer" 3)
		printf '| %s | %d | %s | %d | %s | %s |\n' "$peer" "$(median "$peer" 1)" \
			"$(ratio "$(median "$peer" 1)" "$(median nginx 1)")" "$(median "$peer" 2)" \
			"$(ratio "$cpu" 1000)" "$(ratio "$cpu" "$(median nginx 3)")"
	done
	printf '\nMedians of %d rounds of %d s; Linux %s, %s, %s; haproxy on a plaintext port.\n' "$ROUNDS" \
		"$ROUND_SECONDS" "$(uname -r)" "$(nginx -v 2>&1 | sed 's/.*: //')" \
		"$(haproxy -v | sed -n 's/^HAProxy version \([^ ]*\).*/HAProxy \1/p')"
	printf 'Each: taskset -c %d wrk -t1 -c%d -d%ds --latency URL, server side on CPU %d.\n' \
		"$CLIENT_CPU" "$CONNECTIONS" "$ROUND_SECONDS" "$SERVER_CPU"
	printf 'Made by: scripts/bench.sh %d %d\n' "$ROUNDS" "$ROUND_SECONDS"
}

main() {
	local round peer
	require_two_cpus
	"$ROOT/scripts/deps.sh" test
	topology_trap
	topology_up
	on_server ethtool -K "$SERVER_IF" gro on >/dev/null # NAPI at both ends for all three
	set_threaded_napi "$CLIENT_NS" "$CLIENT_IF" "$CLIENT_CPU"
	set_threaded_napi "$SERVER_NS" "$SERVER_IF" "$SERVER_CPU"
	start_nginx
	start_haproxy
	for ((round = 1; round <= ROUNDS; round++)); do
		echo "round $round: requests/s, p99 in µs, server CPU in ns per request" >&2
		for peer in $PEERS; do
			measure_peer "$peer"
		done
	done
	print_table
}

main
