#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What one core of server makes of refused plaintext connections, when the
# client costs next to nothing: an XDP program that keeps connections going
# (tests/bench/load.c). All in one run, taking turns:
#
#   nginx     its own answer on a TLS port: error_page 497 =426, one worker
#   haproxy   http-request return status 426 on a plaintext port, one thread
#   backend   edge426 before nginx's TLS port, handshake: backend
#   edge      the same, handshake: edge
#
#     CPU 0, client namespace                  CPU 1, server namespace
#   .------------------------------.         .------------------------------.
#   | load, NAPI thread of cli     | cli-srv | nginx, haproxy, edge426,     |
#   | with the client's program    |  veth   | NAPI thread of srv           |
#   | 198.18.0.0/20, one per slot  |         | 198.18.0.0/16 by way of cli  |
#   '------------------------------'         '------------------------------'
#
# Threaded NAPI puts each end's receive work, XDP and TCP included, in a kernel
# thread on that end's CPU. The CPU time of a side is that of its threads, from
# the scheduler's own clock (/proc/PID/schedstat); other load on the machine is
# not in it, but takes from the rate. So "per core" is what a whole core would
# make: one second by the CPU time of a connection. More than some 200
# connections at a time overflow the rings of a veth, 256 frames each; fewer
# than 64 measure the wake-ups of the two sides in turn.
#
#   bench_load.sh [ROUNDS [SECONDS [CONNECTIONS]]]     default 5 rounds of 4 seconds, 128
#   PEERS="nginx edge" bench_load.sh                   only these
set -eu -o pipefail
ROOT=$(cd "$(dirname "$0")/.." && pwd)
EDGE426=${EDGE426:-$ROOT/build/edge426}
LOAD=${LOAD:-$ROOT/build/tests/bench/load}
ROUNDS=${1:-5}
ROUND_SECONDS=${2:-4}
CONNECTIONS=${3:-128}
PEERS=${PEERS:-nginx haproxy backend edge}
CLIENT_CPU=0 SERVER_CPU=1
SLOTS_NETWORK=198.18.0.0/16
NGINX_PORT=8443 HAPROXY_PORT=8426
ANSWER='This port speaks HTTPS only. Use https:// in place of http://.'

. "$ROOT/scripts/topology.sh"
. "$ROOT/scripts/bench_lib.sh"
topology_isolate "$@"

# --- the two CPUs -----------------------------------------------------------

client_threads() {
	napi_threads "$CLIENT_IF"
	pgrep -x "ksoftirqd/$CLIENT_CPU"
}

# --- the peers ----------------------------------------------------------------

# On a port of its own, so that no TIME_WAIT of it is in the edge's way.
start_nginx() {
	nginx_configure "
		listen $NGINX_PORT ssl backlog=4096;
		error_page 497 =426 @plaintext;
		access_log off;
		location @plaintext {
			default_type 'text/plain; charset=utf-8';
			add_header Upgrade 'TLS/1.2, HTTP/1.1' always;
			return 426 '$ANSWER\n';
		}"
	start_on_server taskset -c "$SERVER_CPU" nginx -e "$topology_dir/nginx/logs/error.log" \
		-c "$topology_dir/nginx/nginx.conf"
	wait_for 10 server_listens "$NGINX_PORT"
}

# Comes and goes each round, so that the others are measured without it.
start_edge426() { # backend|edge
	echo "services: [{name: https, port: 443, handshake: $1}]" >"$topology_dir/$1.yaml"
	start_on_server taskset -c "$SERVER_CPU" "$EDGE426" run --interface "$SERVER_IF" \
		--policy "$topology_dir/$1.yaml" 2>"$topology_dir/run.log"
	edge426_pid=$started
	on_server "$EDGE426" status --wait 5 >/dev/null || fail "edge426 does not serve: $(cat "$topology_dir/run.log")"
	pin_napi_threads "$SERVER_IF" "$SERVER_CPU"
}

stop_edge426() {
	topology_end "$edge426_pid" || true
}

port_of() { # PEER
	case $1 in
	nginx) echo "$NGINX_PORT" ;;
	haproxy) echo "$HAPROXY_PORT" ;;
	*) echo 443 ;;
	esac
}

expect_peer_answers() { # PEER
	local status
	status=$(on_client curl -sS -o /dev/null -w '%{http_code}' --max-time 10 "http://$SERVER_IP:$(port_of "$1")/")
	[ "$status" = 426 ] || fail "$1 answers $status, not 426"
}

# --- measuring ----------------------------------------------------------------

FIGURES="connections_per_second server_cpu_ns client_cpu_ns losses resets refused not_http strays"

measure() { # PEER
	local report=$topology_dir/report first_port=$((1024 + RANDOM))
	topology_detach_pass # the load generator is a program on that hook
	pin_napi_threads "$CLIENT_IF" "$CLIENT_CPU"
	on_client taskset -c "$CLIENT_CPU" "$LOAD" --interface "$CLIENT_IF" --server "$SERVER_IP" \
		--port "$(port_of "$1")" --connections "$CONNECTIONS" --seconds "$ROUND_SECONDS" \
		--first-port "$first_port" --server-threads "$(server_threads | paste -sd,)" \
		--client-threads "$(client_threads | paste -sd,)" >"$report"
	topology_attach_pass
	awk -v names="$FIGURES" '
		{ value[$1] = $2 }
		END { n = split(names, name, " "); for (i = 1; i <= n; i++) printf "%d ", value[name[i]]; print "" }
	' "$report" >>"$topology_dir/$1.result"
	printf '  %-8s %s\n' "$1" "$(tail -1 "$topology_dir/$1.result")" >&2
}

measure_peer() { # PEER
	case $1 in backend | edge) start_edge426 "$1" ;; esac
	expect_peer_answers "$1"
	measure "$1"
	case $1 in backend | edge) stop_edge426 ;; esac
}

# --- the table ----------------------------------------------------------------

median() { # PEER COLUMN
	awk -v column="$2" '{ print $column }' "$topology_dir/$1.result" | sort -n |
		awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'
}

total() { # PEER COLUMN
	awk -v column="$2" '{ sum += $column } END { print sum + 0 }' "$topology_dir/$1.result"
}

ratio() {
	awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", b ? a / b : 0 }'
}

per_core() { # PEER
	awk -v ns="$(median "$1" 2)" 'BEGIN { printf "%d", ns ? 1e9 / ns : 0 }'
}

# The better of the two servers, or the first that was measured.
yardstick() { # METRIC
	local peer best='' most=-1
	for peer in nginx haproxy; do
		[ -e "$topology_dir/$peer.result" ] || continue
		if [ "$("$1" "$peer" 1)" -gt "$most" ]; then
			best=$peer most=$("$1" "$peer" 1)
		fi
	done
	echo "${best:-${PEERS%% *}}"
}

print_table() {
	local peer by_rate by_core
	by_rate=$(yardstick median) by_core=$(yardstick per_core)
	printf '\n| | connections/s | × %s | server CPU, µs | per core | × %s | client CPU, µs | losses | refused | no HTTP |\n' \
		"$by_rate" "$by_core"
	printf '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n'
	for peer in $PEERS; do
		printf '| %s | %d | %s | %s | %d | %s | %s | %d | %d | %d |\n' "$peer" "$(median "$peer" 1)" \
			"$(ratio "$(median "$peer" 1)" "$(median "$by_rate" 1)")" \
			"$(ratio "$(median "$peer" 2)" 1000)" "$(per_core "$peer")" \
			"$(ratio "$(per_core "$peer")" "$(per_core "$by_core")")" \
			"$(ratio "$(median "$peer" 3)" 1000)" "$(total "$peer" 4)" "$(total "$peer" 6)" "$(total "$peer" 7)"
	done
	printf '\nMedians of %d rounds of %d s, %d connections at a time; losses, refusals and answers that are no HTTP: sums.\n' \
		"$ROUNDS" "$ROUND_SECONDS" "$CONNECTIONS"
	printf 'Server side on CPU %d: %s.\n' "$SERVER_CPU" "napi/$SERVER_IF, nginx, haproxy, edge426"
	printf 'Client side on CPU %d: %s.\n' "$CLIENT_CPU" "napi/$CLIENT_IF with the client's XDP program, load"
	printf 'Linux %s, %s, %s.\n' "$(uname -r)" "$(nginx -v 2>&1 | sed 's/.*: //')" \
		"$(haproxy -v | sed -n 's/^HAProxy version \([^ ]*\).*/HAProxy \1/p')"
	printf 'Made by: scripts/bench_load.sh %d %d %d\n' "$ROUNDS" "$ROUND_SECONDS" "$CONNECTIONS"
}

main() {
	local round peer
	[ "$(nproc)" -ge 2 ] || fail "needs two CPUs, one for each side"
	"$ROOT/scripts/deps.sh" test
	topology_trap
	topology_up
	on_server ethtool -K "$SERVER_IF" gro on >/dev/null # NAPI at both ends for all
	ip -n "$SERVER_NS" route add "$SLOTS_NETWORK" via "$CLIENT_IP" dev "$SERVER_IF"
	set_threaded_napi "$CLIENT_NS" "$CLIENT_IF" "$CLIENT_CPU"
	set_threaded_napi "$SERVER_NS" "$SERVER_IF" "$SERVER_CPU"
	start_nginx
	start_haproxy
	for ((round = 1; round <= ROUNDS; round++)); do
		echo "round $round: $FIGURES" >&2
		for peer in $PEERS; do
			measure_peer "$peer"
		done
	done
	print_table
}

main
