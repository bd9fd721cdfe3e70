#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What the handshake at the edge does to the rate of large transfers over TLS:
# downloads and uploads of 200 MB from and to nginx, taking turns:
#
#   bare      no XDP program on the server's interface
#   pass      one that only passes: on a veth any XDP program ends segmentation
#             offload at the peer, which a real card does not do
#   edge426   with the handshake given
#
# Medians, and edge426's share of both. The hosts are those of topology.sh.
#
#   bench_rate.sh [ROUNDS [HANDSHAKE]]     default 7 rounds, edge
set -eu -o pipefail
ROOT=$(cd "$(dirname "$0")/.." && pwd)
EDGE426=${EDGE426:-$ROOT/build/edge426}
ROUNDS=${1:-7}
HANDSHAKE=${2:-edge}

. "$ROOT/scripts/topology.sh"
topology_isolate "$@"

start_edge426() {
	echo "services: [{name: https, port: 443, handshake: $HANDSHAKE}]" >"$topology_dir/edge.yaml"
	start_on_server "$EDGE426" run --interface "$SERVER_IF" --policy "$topology_dir/edge.yaml" 2>/dev/null
	edge426_pid=$started
	on_server "$EDGE426" status --wait 5 >/dev/null
}

transfer() { # bare|pass|edge426; one line for each direction: megabytes a second
	on_client curl -sSk -o /dev/null -w '%{speed_download}\n' "https://$SERVER_IP/large" |
		awk '{ printf "%.0f\n", $1 / 1e6 }' >>"$topology_dir/download.$1"
	on_client curl -sSk -o /dev/null -w '%{speed_upload}\n' -T "$topology_dir/nginx/pages/large" \
		"https://$SERVER_IP/put/up" | awk '{ printf "%.0f\n", $1 / 1e6 }' >>"$topology_dir/upload.$1"
	rm "$topology_dir/nginx/pages/up"
}

median() { # FILE
	sort -n "$1" | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'
}

report() { # download|upload
	local way=$1 bare pass edge
	bare=$(median "$topology_dir/$way.bare")
	pass=$(median "$topology_dir/$way.pass")
	edge=$(median "$topology_dir/$way.edge426")
	awk "BEGIN { printf \"%-10s %8d %8d %8d %10.2f %10.2f\\n\", \"$way\", $bare, $pass, $edge, $edge / $bare, $edge / $pass }"
}

main() {
	local round object
	topology_trap
	topology_up
	nginx_start
	object=$(dirname "$EDGE426")/scripts/pass.bpf.o
	head -c 200000000 /dev/urandom >"$topology_dir/nginx/pages/large"
	for ((round = 0; round < ROUNDS; round++)); do
		transfer bare
		ip -n "$SERVER_NS" link set dev "$SERVER_IF" xdpdrv object "$object" section xdp.frags
		transfer pass
		ip -n "$SERVER_NS" link set dev "$SERVER_IF" xdpdrv off
		start_edge426
		transfer edge426
		topology_end "$edge426_pid"
	done
	echo "MB/s, medians of $ROUNDS rounds, handshake: $HANDSHAKE"
	printf '%-10s %8s %8s %8s %10s %10s\n' "" bare pass edge426 of-bare of-pass
	report download
	report upload
}

main
