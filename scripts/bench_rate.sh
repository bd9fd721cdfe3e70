#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What the handshake at the edge does to the rate of large transfers over TLS:
# downloads and uploads of 200 MB from and to nginx, in pairs with and without
# edge426, medians and their ratio. The hosts are those of topology.sh.
#
#   bench_rate.sh [PAIRS [HANDSHAKE]]     default 7 pairs, edge
set -eu -o pipefail
ROOT=$(cd "$(dirname "$0")/.." && pwd)
EDGE426=${EDGE426:-$ROOT/build/edge426}
PAIRS=${1:-7}
HANDSHAKE=${2:-edge}

. "$ROOT/scripts/topology.sh"
topology_isolate "$@"

start_edge426() {
	echo "services: [{name: https, port: 443, handshake: $HANDSHAKE}]" >"$topology_dir/edge.yaml"
	start_on_server "$EDGE426" run --interface "$SERVER_IF" --policy "$topology_dir/edge.yaml" 2>/dev/null
	edge426_pid=$started
	on_server "$EDGE426" status --wait 5 >/dev/null
}

transfer() { # with|without; one line for each direction: megabytes a second
	on_client curl -sSk -o /dev/null -w '%{speed_download}\n' "https://$SERVER_IP/large" |
		awk '{ printf "%.0f\n", $1 / 1e6 }' >>"$topology_dir/download.$1"
	on_client curl -sSk -o /dev/null -w '%{speed_upload}\n' -T "$topology_dir/nginx/pages/large" \
		"https://$SERVER_IP/put/up" | awk '{ printf "%.0f\n", $1 / 1e6 }' >>"$topology_dir/upload.$1"
	rm "$topology_dir/nginx/pages/up"
}

median() { # FILE
	sort -n "$1" | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'
}

main() {
	local pair way without within
	topology_trap
	topology_up
	nginx_start
	head -c 200000000 /dev/urandom >"$topology_dir/nginx/pages/large"
	for ((pair = 0; pair < PAIRS; pair++)); do
		transfer without
		start_edge426
		transfer with
		topology_end "$edge426_pid"
	done
	printf '%-10s %14s %14s %8s   medians of %d pairs, MB/s\n' "" "without" "with edge426" ratio "$PAIRS"
	for way in download upload; do
		without=$(median "$topology_dir/$way.without")
		within=$(median "$topology_dir/$way.with")
		printf '%-10s %14d %14d %8s\n' "$way" "$without" "$within" "$(awk "BEGIN { printf \"%.2f\", $within / $without }")"
	done
}

main
