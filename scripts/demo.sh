#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# `make demo`: edge426 before a real nginx, seen from a client. The picture of
# the two hosts is in topology.sh. Needs root, leaves nothing behind.
set -eu -o pipefail
ROOT=$(cd "$(dirname "$0")/.." && pwd)
EDGE426=${EDGE426:-$ROOT/build/edge426}
WRK_SECONDS=3

. "$ROOT/scripts/topology.sh"
topology_isolate "$@"

# Prints a command as one would type it on that host, then runs it.
show() { # client|server COMMAND…
	local host=$1
	shift
	printf '\n\033[1m%s$ %s\033[0m\n' "$host" "$*" | plain_unless_terminal
	"on_$host" "$@"
}

plain_unless_terminal() {
	if [ -t 1 ]; then
		cat
	else
		sed 's/\x1b\[[0-9]*m//g'
	fi
}

say() {
	printf '\n== %s\n' "$*"
}

start_edge426() {
	echo "server\$ edge426 run --interface $SERVER_IF --port 443"
	start_on_server "$EDGE426" run --interface "$SERVER_IF" --port 443
	on_server "$EDGE426" status --wait 5 >/dev/null
}

main() {
	exec 2>&1 # one order on the screen
	"$ROOT/scripts/deps.sh" test
	topology_trap
	topology_up
	nginx_start
	PATH=$(dirname "$EDGE426"):$PATH
	hash -r

	say "nginx with TLS on port 443, on its own: plaintext costs it a connection and a 400"
	show client curl -sS -i "http://$SERVER_IP:443/"

	say "edge426 starts before it"
	start_edge426

	say "plaintext HTTP now gets 426 from the interface; nginx never hears of it"
	show client curl -sS -v "http://$SERVER_IP:443/"
	show client curl -sS -i "http://[$SERVER_IP6]:443/"

	say "TLS goes to nginx as before"
	show client curl -sS -k "https://$SERVER_IP/"

	say "many plaintext clients"
	show client wrk -t1 -c32 -d${WRK_SECONDS}s --latency "http://$SERVER_IP:443/"

	say "what edge426 counted"
	show server edge426 stats | grep -v '^ *0 '

	say "what is left on the server: sockets that are not listening or closing, and nginx's log of plaintext"
	on_server ss -Htan '( sport = :443 )' | grep -Ev '^(LISTEN|TIME-WAIT)' || echo "no socket"
	grep -c ' 400 ' "$topology_dir/nginx/logs/access.log" |
		sed 's/$/ plaintext request(s) in the log: the one before edge426 started/'
}

main
