# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# handshake: edge, under floods of SYNs and of forged segments from random
# sources, which are routed to the client's namespace. Each flood is bounded
# in count and time by flood.c.

flood_prepare() {
	cc -O2 -D_GNU_SOURCE -o "$topology_dir/flood" "$ROOT/tests/e2e/flood.c"
	ip -n "$SERVER_NS" route add 198.18.0.0/15 via "$CLIENT_IP" dev "$SERVER_IF"
	ip -n "$SERVER_NS" route add fd00:0:0:1::/64 via "$CLIENT_IP6" dev "$SERVER_IF"
}

flood() { # KIND FAMILY SOURCE COUNT PER_SECOND; prints how many were sent
	on_client "$topology_dir/flood" "$CLIENT_IF" "$@" | awk '{ print $1 }'
}

# TLS requests, one after the other, while a flood runs: "succeeded all".
requests_while() { # PID
	local good=0 all=0 host
	while kill -0 "$1" 2>/dev/null; do
		for host in $HOSTS; do
			all=$((all + 1))
			if on_client curl -sSk --max-time 4 -o /dev/null "https://$host/" 2>/dev/null; then
				good=$((good + 1))
			fi
		done
	done
	echo "$good $all"
}

request_sockets_in_kernel() { # of all namespaces: the slabs of half-open connections
	awk '$1 ~ /^request_sock_TCP/ { sum += $2 } END { print sum + 0 }' /proc/slabinfo
}

memory_of_run() { # kB that the process and its maps take
	local maps
	maps=$(find "$PINS" -type f ! -name 'edge426_*' -exec bpftool map show pinned {} \; | grep -o 'memlock [0-9]*' |
		awk '{ sum += $2 } END { print int(sum / 1024) }')
	awk -v maps="$maps" '/^VmRSS/ { print $2 + maps }' "/proc/$run_pid/status"
}

# Both families at once; "succeeded all half-open-at-most".
under_syn_flood() {
	local four six most=0 now result
	start_on_client "$topology_dir/flood" "$CLIENT_IF" syn 4 random 200000 20000 >/dev/null
	four=$started
	start_on_client "$topology_dir/flood" "$CLIENT_IF" syn 6 random 200000 20000 >/dev/null
	six=$started
	requests_while "$four" >"$topology_dir/requests" &
	result=$!
	while kill -0 "$result" 2>/dev/null; do
		now=$(half_open_on_server | wc -l)
		[ "$now" -le "$most" ] || most=$now
		sleep 0.5
	done
	wait "$four" "$six" "$result"
	echo "$(cat "$topology_dir/requests") $most"
}

test_edge_syn_flood() {
	local without within slabs memory good all most
	flood_prepare
	run_start_with
	expect_tls_works
	slabs=$(request_sockets_in_kernel)
	memory=$(memory_of_run)
	within=$(under_syn_flood)
	read -r good all most <<<"$within"
	[ "$all" -ge 20 ] || fail "at least 20 requests during the flood, got $all"
	expect_equal "requests that succeeded" "$all" "$good"
	[ "$(counter syn_answered)" -ge 300000 ] || fail "SYNs answered at the edge, got $(counter syn_answered)"
	expect_equal "half-open connections" 0 "$most"
	[ "$(request_sockets_in_kernel)" -le $((slabs + 200)) ] ||
		fail "no more request sockets than $slabs, got $(request_sockets_in_kernel)"
	[ "$(memory_of_run)" -le $((memory + 512)) ] || fail "memory stays at $memory kB, got $(memory_of_run)"
	expect_426_everywhere
	run_stop
	without=$(under_syn_flood)
	echo "20000 + 20000 SYNs a second for 10 s: TLS requests that succeeded, all of them, most half-open connections:"
	echo "handshake: edge: $within; without edge426: $without"
}

# By chance a forged segment is taken for ours: 24 bits of hash, two keys that
# count, and for a segment without data also the number of a keep-alive probe.
# The least count that is reached in less than one of 10^9 runs of this test.
too_many_by_chance() { # SEGMENTS
	python3 - "$1" <<-'PYTHON'
		import math, sys
		mean, reached, below, count = 4 * int(sys.argv[1]) / 2**24, 1.0, 0.0, 0
		while reached > 1e-9:
		    below += math.exp(-mean) * mean**count / math.factorial(count)
		    count += 1
		    reached = 1 - below
		print(count)
	PYTHON
}

flow_entries() {
	bpftool map dump pinned "$PINS/flows" -j | python3 -c 'import json, sys; print(len(json.load(sys.stdin)))'
}

answers_of_client_count() { # what left for the client and is not a RST
	on_client nft list table inet answers | grep -o 'packets [0-9]*' | cut -d' ' -f2
}

test_edge_forged_segments() {
	local kind family source sent=0 limit
	flood_prepare
	run_start_with
	on_client nft -f - <<-NFT
		table inet answers {
			chain in {
				type filter hook prerouting priority 0;
				tcp sport 443 tcp flags & rst == 0 counter
			}
		}
	NFT
	for kind in ack http tls; do
		for family in 4 6; do
			for source in own random; do
				sent=$((sent + $(flood "$kind" "$family" "$source" 20000 20000)))
			done
		done
	done
	[ "$sent" -ge 230000 ] || fail "230000 forged segments, got $sent"
	limit=$(too_many_by_chance "$sent")
	echo "$sent forged segments, fewer than $limit may be taken for ours by chance"
	[ "$(counter answered)" -lt "$limit" ] || fail "fewer than $limit answers, got $(counter answered)"
	[ "$(counter handed_over)" -lt "$limit" ] || fail "fewer than $limit hand-overs, got $(counter handed_over)"
	[ "$(flow_entries)" -lt "$limit" ] || fail "fewer than $limit flows, got $(flow_entries)"
	[ "$(counter sent)" -lt $((2 * limit)) ] || fail "fewer frames of the responder than $((2 * limit)), got $(counter sent)"
	[ "$(answers_of_client_count)" -lt $((2 * limit)) ] || fail "no segments but RSTs, got $(answers_of_client_count)"
	[ "$(server_tcp PassiveOpens)" -lt "$limit" ] || fail "no connection of the server, got $(server_tcp PassiveOpens)"
	expect_equal "sockets" "" "$(sockets_in_use "$SERVER_NS")"
	expect_tls_works
	expect_426_everywhere
}

log_says() { # REGEX COUNT
	[ "$(grep -Ec -- "$1" "$run_log")" -eq "$2" ]
}

# Half-open connections make the edge take over, five calm seconds end it.
test_edge_auto_under_flood_and_after() {
	local four
	flood_prepare
	on_server sysctl -qw net.ipv4.tcp_synack_retries=1 # half-open ones are gone after three seconds
	run_start_with "[{name: https, port: 443, handshake: auto, syn_threshold: 50, calm_seconds: 5}]"
	expect_tls_works
	expect_equal "the handshakes in peace" backend "$(handshakes_at https)"
	expect_equal "SYNs answered at the edge" 0 "$(counter syn_answered)"
	expect_426_everywhere
	start_on_client "$topology_dir/flood" "$CLIENT_IF" syn 4 random 60000 10000 >/dev/null
	four=$started
	flood syn 6 random 60000 10000 >/dev/null &
	wait_for 5 handshakes_are_at https edge
	wait_for 5 log_says "srv: service https: the edge does the handshakes$" 1
	expect_tls_works
	expect_426_everywhere
	wait "$four" "$!"
	expect_counted syn_answered
	expect_counted syn_to_backend
	wait_for 15 log_says "srv: service https: the backend does the handshakes$" 1
	expect_tls_works # the first SYN after the calm is the kernel's
	expect_equal "the handshakes after the flood" backend "$(handshakes_at https)"
	local answered
	answered=$(counter syn_answered)
	expect_tls_works
	expect_426_everywhere
	expect_equal "SYNs answered at the edge" "$answered" "$(counter syn_answered)"
	expect_equal "lines about it" 2 "$(grep -c 'does the handshakes' "$run_log")"
}
