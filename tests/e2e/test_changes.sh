# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# A policy that changes while traffic flows: nothing is lost, nothing is mixed.

# Two policies that differ in all their parts. Under a: /a is the server's, all
# else gets "Policy a."; under b the same with b. So whoever asks for /a gets
# the page or "Policy b.", never "Policy a.".
write_mixture() { # NAME OTHER HANDSHAKE ALLOWED…
	local name=$1 other=$2 handshake=$3
	shift 3
	{
		cat <<-YAML
			services:
			  - {name: http-$name, port: 80, handshake: $handshake, exempt_paths: [/$name]}
			  - {name: https-$name, port: 440-443, handshake: $handshake}
			answers: {default: {upgrade: [HTTP/2.0], body: "Policy $name. Use https://.\\n"}}
			allow:
		YAML
		printf '  - %s\n' "$@"
	} >"$topology_dir/$name.yaml"
	echo "The page $name." >"$topology_dir/nginx/pages/$name"
}

# Asks again and again, one connection after the other, until told to stop; prints what came how often.
ask_again_and_again() { # NAME, until $topology_dir/stop exists
	on_client python3 - "$SERVER_IP" "$1" "$topology_dir/stop" <<-'PYTHON'
		import collections, http.client, os, sys
		host, name, stop = sys.argv[1:]
		seen = collections.Counter()
		while not os.path.exists(stop):
		    connection = http.client.HTTPConnection(host, 80, timeout=20)
		    try:
		        connection.request("GET", "/" + name)
		        seen[connection.getresponse().read().decode().strip()] += 1
		    except Exception as error:
		        seen[repr(error)] += 1
		    connection.close()
		for text, times in sorted(seen.items()):
		    print("%s: %d" % (text, times))
	PYTHON
}

change_again_and_again() { # TIMES
	local i
	for i in $(seq "$1"); do
		if [ $((i % 2)) -eq 0 ]; then
			edge policy apply "$topology_dir/a.yaml" >/dev/null
		else
			edge policy apply "$topology_dir/b.yaml" >/dev/null
		fi
	done
}

# wrk for as long as it takes: rounds of a few seconds, each without an error.
load_until_stopped() { # URL
	local report total=0
	while [ ! -e "$topology_dir/stop" ]; do
		report=$(on_client wrk -t1 -c16 -d3s --timeout 10s "$1")
		expect_no_match "the report of wrk on $1" "Socket errors" "$report"
		total=$((total + $(requests_of "$report")))
	done
	[ "$total" -gt 0 ] || fail "wrk asked for $1"
	echo "wrk on $1: $total requests"
}

expect_no_mixture() { # NAME OTHER FILE
	expect_no_match "what came for /$1" "Policy $1|Error|error" "$(cat "$3")"
	expect_match "the page came" "The page $1" "$(cat "$3")"
	expect_match "the answer came" "Policy $2" "$(cat "$3")"
}

change_under_load() { # TIMES HANDSHAKE OF A, OF B
	local load_plain load_tls ask_a ask_b
	write_mixture a b "$2" 192.0.2.1 fd00::/64
	write_mixture b a "$3" 192.0.2.0/24
	run_start --policy "$topology_dir/a.yaml"
	load_until_stopped "http://$SERVER_IP:443/" &
	load_plain=$!
	load_until_stopped "https://$SERVER_IP:443/" &
	load_tls=$!
	ask_again_and_again a >"$topology_dir/asked-a" &
	ask_a=$!
	ask_again_and_again b >"$topology_dir/asked-b" &
	ask_b=$!
	change_again_and_again "$1"
	touch "$topology_dir/stop"
	wait "$load_plain" && wait "$load_tls" && wait "$ask_a" && wait "$ask_b"
	cat "$topology_dir/asked-a" "$topology_dir/asked-b"
	expect_no_mixture a b "$topology_dir/asked-a"
	expect_no_mixture b a "$topology_dir/asked-b"
	expect_equal "the generation" $((1 + $1)) "$(generation)"
	expect_no_refusal_at_tc
}

# A thousand changes, in three tests.

test_400_changes_under_load_lose_and_mix_nothing() {
	change_under_load 400 backend backend
}

test_400_changes_under_load_with_the_handshake_at_the_edge() {
	change_under_load 400 edge edge
}

# Services appear, vanish and change who does the handshake; connections of either are on their way.
test_200_changes_of_the_handshake_lose_no_connection() {
	change_under_load 200 edge backend
}

test_services_that_vanish_lose_no_connection() {
	local load
	run_start_with "[{name: https, port: 443, handshake: edge}, {name: other, port: 8443}]"
	load_until_stopped "https://$SERVER_IP:443/" &
	load=$!
	for _ in $(seq 100); do
		edge service del https >/dev/null
		edge service add https --port 443 --handshake edge >/dev/null
	done
	touch "$topology_dir/stop"
	wait "$load"
	expect_no_refusal_at_tc
	edge service del https
	expect_tls_works
	expect_nginx_answers_plaintext
}
