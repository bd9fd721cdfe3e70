# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# What the end-to-end tests share: starting edge426, expectations, clients.
# A test runs under `set -eu`; the first command that fails ends it.

EDGE426=${EDGE426:-$ROOT/build/edge426}
BPF=${BPF:-$ROOT/build/bpf}
PINS=/sys/fs/bpf/edge426-test
HOSTS="$SERVER_IP [$SERVER_IP6]"

fail() {
	echo "expected otherwise: $*"
	exit 1
}

expect_equal() { # WHAT WANTED GOT
	[ "$2" = "$3" ] || fail "$1 is '$2', got '$3'"
}

expect_match() { # WHAT REGEX GOT
	grep -Eq -- "$2" <<<"$3" || fail "$1 matches '$2', got '$3'"
}

expect_no_match() { # WHAT REGEX GOT
	! grep -Eq -- "$2" <<<"$3" || fail "$1 does not match '$2', got '$3'"
}

# Runs a command, its exit status must be N; leaves its output in $output.
expect_exit() { # N COMMAND…
	local wanted=$1 got=0
	shift
	output=$("$@" 2>&1) || got=$?
	[ "$got" -eq "$wanted" ] || fail "exit status $wanted of '$*', got $got: $output"
}

# The same, for a refusal: one line, no more.
expect_refusal() { # N COMMAND…
	expect_exit "$@"
	expect_equal "number of lines of '$output'" 1 "$(grep -c . <<<"$output")"
}

# --- edge426 ---------------------------------------------------------------

edge() { # VERB… , on the pins of this test
	on_server "$EDGE426" "$@" --pin-dir "$PINS"
}

run_start() { # [ARGUMENT…] of `edge426 run`; $run_pid, output in $run_log
	run_log=$topology_dir/run.log
	start_on_server "$EDGE426" run --interface "$SERVER_IF" --pin-dir "$PINS" "$@" 2>>"$run_log"
	run_pid=$started
	wait_for 10 run_serves_or_has_ended || fail "edge426 run serves, it said: $(cat "$run_log")"
	! run_has_ended || fail "edge426 run serves, it ended and said: $(cat "$run_log")"
}

run_has_ended() {
	! kill -0 "$run_pid" 2>/dev/null
}

run_serves_or_has_ended() {
	run_has_ended || edge status --wait 5
}

run_stop() { # [SIGNAL]; `run` must end with 0
	local status=0
	kill "-${1:-TERM}" "$run_pid"
	wait "$run_pid" || status=$?
	expect_equal "the exit status of edge426 run" 0 "$status"
}

run_kill() {
	kill -KILL "$run_pid"
	wait "$run_pid" || true
}

write_policy() { # FILE PORT [BODY]
	cat >"$1" <<-POLICY
		services:
		  - name: https
		    port: $2
		answers:
		  default:
		    body: |
		      ${3:-Use https:// here.}
	POLICY
}

json_value() { # NAME: the first value of this name, anywhere in the JSON on stdin
	python3 -c '
import json, sys
def walk(value):
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == sys.argv[1]:
                print(json.dumps(inner).strip("\""))
                sys.exit(0)
            walk(inner)
    elif isinstance(value, list):
        for inner in value:
            walk(inner)
walk(json.load(sys.stdin))
sys.exit("no value named " + sys.argv[1])' "$1"
}

counter() { # REASON
	edge stats --json | json_value "$1"
}

expect_counted() { # REASON
	[ "$(counter "$1")" -gt 0 ] || fail "counter $1 is above 0"
}

generation() {
	edge status --json | json_value generation
}

generation_is() {
	[ "$(generation)" = "$1" ]
}

hook_of_server() { # what the kernel says of the XDP hook; empty when it is free
	ip -n "$SERVER_NS" -d link show dev "$SERVER_IF" | grep -o 'prog/xdp.*' || true
}

expect_nothing_attached() {
	expect_equal "the XDP hook" "" "$(hook_of_server)"
	expect_equal "filters at TC ingress" "" "$(tc -n "$SERVER_NS" filter show dev "$SERVER_IF" ingress 2>/dev/null)"
	expect_equal "pins" "" "$(find /sys/fs/bpf -mindepth 1 -not -name '*.debug')" # the kernel's own
}

# --- clients ---------------------------------------------------------------

fetch() { # [CURL ARGUMENT…]
	on_client curl -sS --max-time 20 "$@"
}

expect_426() { # TEXT: header and body of an answer
	expect_match "the status line" $'^HTTP/1.1 426 Upgrade Required\r$' "$(head -1 <<<"$1")"
}

expect_tls_works() {
	local host
	for host in $HOSTS; do
		expect_equal "nginx's page over TLS" "The page behind TLS." "$(fetch -k "https://$host/")"
	done
}

expect_426_everywhere() {
	local host
	for host in $HOSTS; do
		expect_426 "$(fetch -i "http://$host:443/")"
	done
}

expect_nginx_answers_plaintext() { # edge426 is out of the way
	expect_match "the answer" "plain HTTP request was sent to HTTPS port" "$(fetch "http://$SERVER_IP:443/")"
}

# Sockets of port 443 that are in the middle of something.
sockets_in_use() { # NS
	nsenter --net="/run/netns/$1" ss -Htan "( sport = :443 or dport = :443 )" |
		grep -Ev '^(LISTEN|TIME-WAIT)' || true
}

no_socket_in_use() { # NS
	[ -z "$(sockets_in_use "$1")" ]
}

expect_no_socket_left() {
	wait_for 20 no_socket_in_use "$SERVER_NS" || fail "no socket of port 443 on the server: $(sockets_in_use "$SERVER_NS" | head -5)"
	wait_for 20 no_socket_in_use "$CLIENT_NS" || fail "no socket to port 443 on the client: $(sockets_in_use "$CLIENT_NS" | head -5)"
}

# At least so many requests of wrk in rounds of a few seconds, none in error.
wrk_without_errors() { # REQUESTS URL
	local total=0 round=0 report before
	before=$(counter answered)
	while [ "$total" -lt "$1" ]; do
		[ "$((round += 1))" -le 12 ] || fail "$1 requests in 12 rounds, got $total"
		report=$(on_client wrk -t1 -c64 -d5s --timeout 5s "$2")
		expect_no_match "the report" "Socket errors" "$report"
		expect_equal "answers other than 2xx and 3xx" "$(requests_of "$report")" \
			"$(awk '/Non-2xx/ { print $NF }' <<<"$report")"
		total=$((total + $(requests_of "$report")))
	done
	[ $(($(counter answered) - before)) -ge "$total" ] || fail "edge426 gave all $total answers"
	echo "$total requests"
}

requests_of() {
	awk '/requests in/ { print $1 }' <<<"$1"
}

raw() { # CASE [--six]: a TCP client made of frames, see raw.py
	ip -n "$SERVER_NS" neighbour replace 10.9.0.3 lladdr "$CLIENT_MAC" nud permanent dev "$SERVER_IF"
	ip -n "$SERVER_NS" neighbour replace fd00::3 lladdr "$CLIENT_MAC" nud permanent dev "$SERVER_IF"
	on_client python3 "$ROOT/tests/e2e/raw.py" "$@"
}

client_rules() { # nftables rules for what arrives at the client, on stdin
	{
		echo "table inet loss { set seen { type inet_service; flags dynamic; size 65535; }"
		echo "chain in { type filter hook input priority 0;"
		cat
		printf '}\nchain out { type filter hook output priority 0;\n'
		echo "${1-}"
		printf '}\n}\n'
	} | on_client nft -f -
}

dropped_by_rules() { # packets
	on_client nft list table inet loss | awk '/counter packets/ { for (i = 1; i < NF; i++) if ($i == "packets") sum += $(i + 1) } END { print sum + 0 }'
}

expect_rules_dropped() {
	[ "$(dropped_by_rules)" -gt 0 ] || fail "packets were really lost"
}

# --- the handshake at the edge ----------------------------------------------

# `run` with a policy of these services, or with 443 at the edge; counters start at 0.
run_start_with() { # [SERVICES in YAML]
	local services='[{name: https, port: 443, handshake: edge}]'
	printf 'services: %s\n' "${1:-$services}" >"$topology_dir/edge.yaml"
	run_start --policy "$topology_dir/edge.yaml"
}

# A figure of a host's TCP since its namespace was made: PassiveOpens, InSegs …
server_tcp() { # NAME
	on_server cat /proc/net/snmp | tcp_figure "$1"
}

client_tcp() { # NAME
	on_client cat /proc/net/snmp | tcp_figure "$1"
}

tcp_figure() { # NAME, out of /proc/net/snmp on stdin
	awk -v name="$1" '
		$1 == "Tcp:" && !column { for (i = 2; i <= NF; i++) if ($i == name) column = i; next }
		$1 == "Tcp:" { print $column }'
}

handshakes_at() { # SERVICE: edge or backend, then the cause when there is one
	edge status --json | python3 -c '
import json, sys
for target in json.load(sys.stdin).values():
    for service in target["services"]:
        if service["name"] == sys.argv[1]:
            print(" ".join(filter(None, (service["at"], service["fallback"]))))' "$1"
}

handshakes_are_at() { # SERVICE TEXT
	[ "$(handshakes_at "$1")" = "$2" ]
}

expect_handshakes_at() { # SERVICE TEXT, within a few seconds
	wait_for 5 handshakes_are_at "$1" "$2" || fail "handshakes of $1 are at '$2', got '$(handshakes_at "$1")'"
}

expect_no_refusal_at_tc() {
	expect_equal "hand-overs that the kernel refused" 0 "$(counter tc_refused)"
	expect_equal "packets that TC could not rewrite" 0 "$(counter tc_failed)"
}
