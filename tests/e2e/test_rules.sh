# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# What a policy can want: actions, modes, allow list, exemptions, limits, places.

apply() { # the policy in YAML on stdin; it must be valid
	cat >"$topology_dir/rules.yaml"
	edge policy apply "$topology_dir/rules.yaml" >"$topology_dir/applied" 2>&1 ||
		fail "the policy is applied: $(cat "$topology_dir/applied")"
}

services() { # A SERVICE IN YAML…, applied
	local IFS=,
	apply <<<"services: [$*]"
}

status_of() { # [CURL ARGUMENT…] URL
	fetch -o /dev/null -w '%{http_code}' "$@"
}

both_hosts() { # FUNCTION ARGUMENT… HOST is appended
	local host
	for host in $HOSTS; do
		"$@" "$host"
	done
}

# What SSH gets to see, in a word: echoes what send_octets (test_edge_plain.sh) says at the end.
ends_of_banner() { # HOST
	send_octets "$1" 443 'SSH-2.0-OpenSSH_9.2\r\n' | tail -1
}

handshakes="backend edge"

# --- actions ---------------------------------------------------------------

expect_reset() { # HOST
	expect_exit 56 fetch "http://$1:443/" # CURLE_RECV_ERROR
	expect_match "what curl says" "reset by peer" "$output"
}

test_action_reset_resets_both_sides() {
	local handshake
	run_start --port 8443
	for handshake in $handshakes; do
		services "{name: https, port: 443, action: reset, handshake: $handshake}"
		both_hosts expect_reset
		expect_no_socket_left
		expect_tls_works
		expect_equal "answers" 0 "$(counter answered)"
	done
	expect_counted reset_http
	expect_counted tc_reset_both
}

expect_refused() { # HOST
	expect_exit 7 fetch "http://$1:80/" # CURLE_COULDNT_CONNECT
}

test_action_reset_syn_refuses_before_a_byte_is_sent() {
	run_start --port 8443
	services "{name: http, port: 80, action: reset-syn, handshake: edge}" "{name: none, port: 81, backend: none, action: reset-syn}"
	both_hosts expect_refused
	expect_exit 7 fetch "http://$SERVER_IP:81/"
	expect_equal "connections that the server accepted" 0 "$(server_tcp PassiveOpens)"
	[ "$(counter reset_syn)" -ge 3 ] || fail "three SYNs are refused"
	expect_refusal 3 edge service add web --port 443 --action reset-syn
	expect_tls_works
}

expect_silence() { # HOST
	expect_exit 28 fetch --max-time 1 "http://$1:443/" # CURLE_OPERATION_TIMEDOUT
}

# The server's half must not wait for the client's.
test_action_drop_is_silent_and_leaves_no_socket() {
	local handshake
	run_start --port 8443
	for handshake in $handshakes; do
		services "{name: https, port: 443, action: drop, handshake: $handshake}"
		both_hosts expect_silence
		wait_for 5 no_socket_in_use "$SERVER_NS" || fail "no socket of the server waits"
		expect_tls_works
	done
	expect_counted dropped_http
}

test_action_pass_is_as_if_nobody_looked() {
	local handshake
	run_start --port 8443
	for handshake in $handshakes; do
		services "{name: https, port: 443, action: pass, handshake: $handshake}"
		expect_nginx_answers_plaintext
		expect_tls_works
	done
	[ "$(counter action_pass)" -ge 2 ] || fail "both requests are counted"
}

# --- neither TLS nor HTTP --------------------------------------------------

test_other_octets_pass_are_reset_or_dropped() {
	local handshake
	run_start --port 8443
	for handshake in $handshakes; do
		services "{name: https, port: 443, handshake: $handshake}"
		expect_equal "what SSH gets by default" ended "$(ends_of_banner "$SERVER_IP")" # nginx's 400
		services "{name: https, port: 443, other: reset, handshake: $handshake}"
		expect_equal "what SSH gets" reset "$(ends_of_banner "$SERVER_IP6")"
		services "{name: https, port: 443, other: drop, handshake: $handshake}"
		expect_equal "what SSH gets" silent "$(ends_of_banner "$SERVER_IP")"
		wait_for 5 no_socket_in_use "$SERVER_NS" || fail "no socket of the server waits"
		expect_tls_works
		expect_426_everywhere
	done
}

# The octets in the middle of a TLS stream look like anything.
test_other_reset_never_hits_tls() {
	local handshake
	head -c 20000000 /dev/urandom >"$topology_dir/nginx/pages/large"
	cp "$topology_dir/nginx/pages/large" "$topology_dir/upload"
	run_start --port 8443
	for handshake in $handshakes; do
		services "{name: https, port: 443, other: reset, handshake: $handshake}"
		fetch -k "https://$SERVER_IP:443/large" | cmp - "$topology_dir/nginx/pages/large"
		expect_equal "the status of an upload" 201 "$(status_of -k -T "$topology_dir/upload" "https://$SERVER_IP:443/put/new")"
		rm "$topology_dir/nginx/pages/new"
	done
	expect_equal "resets" 0 "$(counter reset_other)"
}

# --- modes -----------------------------------------------------------------

test_mode_monitor_counts_and_changes_nothing() {
	local before
	run_start --port 8443
	before=$(server_tcp PassiveOpens)
	services "{name: https, port: 443, mode: monitor, handshake: edge}"
	expect_nginx_answers_plaintext
	expect_tls_works
	expect_counted would_answer
	expect_equal "handshakes of the server" $((before + 3)) "$(server_tcp PassiveOpens)"
	expect_equal "handshakes of the edge" 0 "$(counter syn_answered)"
	services "{name: https, port: 443, mode: monitor, action: reset, other: drop}"
	expect_nginx_answers_plaintext
	expect_counted would_reset
	expect_equal "what SSH gets" ended "$(ends_of_banner "$SERVER_IP")"
	expect_counted would_drop
	services "{name: http, port: 80, mode: monitor, handshake: edge, action: reset-syn}"
	expect_equal "the page" "The page behind TLS." "$(fetch "http://$SERVER_IP:80/")"
}

test_mode_bypass_passes() {
	run_start --port 8443
	services "{name: https, port: 443, mode: bypass, handshake: edge}"
	expect_nginx_answers_plaintext
	expect_tls_works
	expect_counted bypassed
	expect_equal "handshakes of the edge" 0 "$(counter syn_answered)"
}

# 40 addresses of a client; `percent` is by a hash of the address, so it is the same each time.
statuses_by_source() {
	local i
	for i in $(seq 101 140); do
		printf '%s ' "$(status_of --interface "10.9.0.$i" "http://$SERVER_IP:443/")"
	done
}

test_percent_enforces_the_same_share_each_time() {
	local half all more
	for i in $(seq 101 140); do
		ip -n "$CLIENT_NS" address add "10.9.0.$i/24" dev "$CLIENT_IF"
		ip -n "$SERVER_NS" neighbour replace "10.9.0.$i" lladdr "$CLIENT_MAC" nud permanent dev "$SERVER_IF"
	done
	run_start --port 8443
	services "{name: https, port: 443, percent: 40}"
	half=$(statuses_by_source)
	expect_match "some are refused" 426 "$half"
	expect_match "some are not" 400 "$half"
	run_stop
	run_start --port 8443
	services "{name: https, port: 443, percent: 40, handshake: edge}"
	expect_equal "the statuses after another start" "$half" "$(statuses_by_source)"
	services "{name: https, port: 443, percent: 70}"
	more=$(statuses_by_source)
	paste -d' ' <(tr ' ' '\n' <<<"$half") <(tr ' ' '\n' <<<"$more") | grep -q '^426 400' && fail "with 70 all of 40 are refused too"
	services "{name: https, port: 443, percent: 0}"
	all=$(statuses_by_source)
	expect_no_match "with 0 none is refused" 426 "$all"
	expect_counted would_answer
}

test_bypass_for_everything_at_once() {
	run_start_with
	expect_exit 0 edge bypass on
	expect_match "what it says" "bypass on" "$output"
	expect_nginx_answers_plaintext
	expect_tls_works
	expect_counted bypassed
	expect_match "status" "bypass" "$(edge status)"
	run_stop
	expect_exit 1 edge bypass on
	run_start_with
	expect_426_everywhere
	edge bypass on
	edge bypass off
	expect_426_everywhere
}

# --- allow list ------------------------------------------------------------

test_allowed_sources_are_as_without_edge426() {
	local handshake before
	run_start --port 8443
	for handshake in $handshakes; do
		apply <<-YAML
			services: [{name: https, port: 443, action: drop, handshake: $handshake}]
			allow: [10.9.0.2, "fd00::/64", 192.0.2.0/24]
		YAML
		before=$(counter syn_answered)
		expect_nginx_answers_plaintext
		expect_match "the answer over IPv6" "400 Bad Request" "$(fetch -i "http://[$SERVER_IP6]:443/")"
		expect_tls_works
		expect_equal "handshakes of the edge" "$before" "$(counter syn_answered)"
	done
	expect_counted allowed
	edge allow del 10.9.0.2
	expect_silence "$SERVER_IP"
	expect_match "the answer over IPv6" "400 Bad Request" "$(fetch -i "http://[$SERVER_IP6]:443/")"
	edge allow add 10.0.0.0/8
	expect_nginx_answers_plaintext
}

plaintext_is_refused() {
	[ "$(status_of "http://$SERVER_IP:443/")" = 426 ]
}

# Nobody cleans up: `run` is killed, its packet program and its socket's place stay as they are.
test_allow_entries_expire_by_themselves() {
	run_start --port 443
	edge allow add 10.9.0.2 --until "$(date -u -d '+3 seconds' +%Y-%m-%dT%H:%M:%SZ)"
	edge allow add 10.9.0.0/16 --for 2
	expect_nginx_answers_plaintext
	kill -STOP "$run_pid"
	sleep 4
	kill -CONT "$run_pid"
	wait_for 2 plaintext_is_refused || fail "the entry has expired"
	expect_match "the list tells it" '"expired": true' "$(edge allow list --json)"
	edge allow add 10.9.0.0/24 # a shorter prefix than the one that has expired
	expect_nginx_answers_plaintext
}

test_allow_list_of_100000_entries_from_a_file() {
	python3 - >"$topology_dir/list.txt" <<-'PYTHON'
		print("# a list with comments")
		for i in range(99999):
		    print("198.%d.%d.%d%s" % (18 + (i >> 16), i >> 8 & 255, i & 255, "  # one" if i % 1000 == 0 else ""))
		print("fd00::2")
	PYTHON
	run_start --port 8443
	apply <<-YAML
		services: [{name: https, port: 443}]
		allow: [{file: list.txt}]
	YAML
	expect_match "what apply says" "allow 100000 added" "$(cat "$topology_dir/applied")"
	expect_match "the answer over IPv6" "400 Bad Request" "$(fetch -i "http://[$SERVER_IP6]:443/")"
	expect_426 "$(fetch -i "http://$SERVER_IP:443/")"
	edge policy show >"$topology_dir/shown.yaml"
	expect_exit 0 edge policy diff "$topology_dir/shown.yaml"
	expect_match "the difference of show" "no change" "$output"
	sed -i 's/^fd00::2$/10.9.0.2/' "$topology_dir/list.txt"
	expect_exit 0 edge policy apply "$topology_dir/rules.yaml"
	expect_match "what apply says" "allow 1 added 1 removed" "$output"
	expect_nginx_answers_plaintext
	expect_426 "$(fetch -i "http://[$SERVER_IP6]:443/")"
}

# --- exemptions ------------------------------------------------------------

# What Let's Encrypt sends to port 80 for http-01 (RFC 8555 8.3), field for field.
acme_validation() { # HOST TOKEN
	fetch -i --http1.1 -A "Mozilla/5.0 (compatible; Let's Encrypt validation server; +https://www.letsencrypt.org)" \
		-H "Host: edge426.test" -H "Accept: */*" -H "Accept-Encoding: gzip" -H "Connection: close" \
		"http://$1/.well-known/acme-challenge/$2"
}

test_acme_http01_goes_to_the_server() {
	local handshake host token=evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA
	mkdir -p "$topology_dir/nginx/pages/.well-known/acme-challenge"
	echo "$token.9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI" >"$topology_dir/nginx/pages/.well-known/acme-challenge/$token"
	run_start --port 8443
	for handshake in $handshakes; do
		services "{name: http, port: 80, exempt_paths: [acme], handshake: $handshake}"
		for host in $HOSTS; do
			expect_match "the key authorization" "^$token\\.9jg46" "$(acme_validation "$host" "$token")"
			expect_match "a token that is not there" "404 Not Found" "$(acme_validation "$host" other)"
			expect_426 "$(fetch -i "http://$host/.well-known/acme-challeng/$token")"
			expect_426 "$(fetch -i --path-as-is "http://$host/.well-known/acme-challenge/../../index.html")"
			expect_426 "$(fetch -i "http://$host/")"
		done
	done
	expect_counted exempt_path
}

test_exempt_paths_in_any_form_and_method() {
	local handshake method
	run_start --port 8443
	for handshake in $handshakes; do
		services "{name: http, port: 80, handshake: $handshake, exempt_paths: [/open/, /$(printf 'x%.0s' $(seq 63)), k8s-probe]}"
		for method in GET POST PUT DELETE OPTIONS PROPFIND HEAD; do
			expect_no_match "the status of $method" 426 "$(status_of -X "$method" --max-time 5 "http://$SERVER_IP/open/x?a=b" || true)"
		done
		expect_equal "the absolute form" 404 "$(status_of -x "http://$SERVER_IP:80" http://a.example/open/y)"
		expect_equal "the absolute form of another path" 426 "$(status_of -x "http://$SERVER_IP:80" http://a.example/closed)"
		expect_equal "64 octets" 404 "$(status_of "http://$SERVER_IP/$(printf 'x%.0s' $(seq 70))")"
		expect_equal "63 octets" 426 "$(status_of "http://$SERVER_IP/$(printf 'x%.0s' $(seq 62))")"
		expect_equal "a preset" 404 "$(status_of "http://$SERVER_IP/healthz")"
		expect_equal "the prefix cut short" 426 "$(status_of "http://$SERVER_IP/ope")"
	done
}

# Octet by octet: what may still become an exempt path is waited for.
dribble() { # PATH
	on_client python3 - "$SERVER_IP" "$1" <<-'PYTHON'
		import socket, sys, time
		client = socket.create_connection((sys.argv[1], 80), 20)
		client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
		for octet in ("GET %s HTTP/1.0\r\n\r\n" % sys.argv[2]).encode():
		    try:
		        client.send(bytes([octet]))
		    except OSError:
		        break
		    time.sleep(0.01)
		print(client.recv(4096).decode().split("\r\n")[0])
	PYTHON
}

test_exempt_paths_of_dribbled_requests() {
	local handshake
	run_start --port 8443
	for handshake in $handshakes; do
		services "{name: http, port: 80, exempt_paths: [/o/], handshake: $handshake}"
		expect_match "an exempt path" 404 "$(dribble /o/x)" # whole in the first ten segments, the window at first
		expect_match "another" 426 "$(dribble /p/x)"
		expect_match "one that takes more" 426 "$(dribble /o/xxxxxxxxxx)"
	done
}

test_exempt_hosts_by_the_host_field() {
	local handshake
	run_start --port 8443
	for handshake in $handshakes; do
		services "{name: http, port: 80, exempt_hosts: [Intern.example.org, '[fd00::1]'], handshake: $handshake}"
		expect_equal "the host" 200 "$(status_of -H "Host: intern.example.org" "http://$SERVER_IP/")"
		expect_equal "in any case, with a port" 200 "$(status_of -H "host:  INTERN.example.org:80" "http://$SERVER_IP/")"
		expect_equal "in the absolute form" 200 "$(status_of -x "http://$SERVER_IP:80" http://intern.example.org/)"
		expect_equal "an address" 200 "$(status_of "http://[$SERVER_IP6]/")"
		expect_equal "another host" 426 "$(status_of -H "Host: xintern.example.org" "http://$SERVER_IP/")"
		expect_equal "no host" 426 "$(status_of --http1.0 -H Host: "http://$SERVER_IP/")"
		expect_equal "the host beyond the first octets" 426 \
			"$(status_of -H Host: -H "A: $(head -c 3000 /dev/zero | tr '\0' a)" -H "Host : x" -H "X-Host: intern.example.org" "http://$SERVER_IP/")"
	done
	expect_counted exempt_host
}

# --- limits ----------------------------------------------------------------

test_limit_of_answers_per_source() {
	local handshake answered port=443
	ip -n "$CLIENT_NS" address add 10.9.0.99/24 dev "$CLIENT_IF"
	ip -n "$SERVER_NS" neighbour replace 10.9.0.99 lladdr "$CLIENT_MAC" nud permanent dev "$SERVER_IF"
	run_start --port 8443
	for handshake in $handshakes; do
		services "{name: https, port: $port, limit: {rate: 1, burst: 5}, handshake: $handshake}"
		answered=$(counter answered)
		for _ in 1 2 3 4 5 6 7 8; do
			fetch --max-time 0.3 -o /dev/null "http://$SERVER_IP:$port/" || true
		done 2>/dev/null
		answered=$(($(counter answered) - answered))
		expect_match "five answers at once and few more" '^[5-8]$' "$answered"
		expect_counted limited
		expect_426 "$(fetch -i --interface 10.9.0.99 "http://$SERVER_IP:$port/")" # another source
		expect_426 "$(fetch -i "http://$SERVER_IP:$port/")"		     # sent again until it gets its turn
		expect_tls_works
		port=444 # where nothing has been used up
	done
}

# --- places ----------------------------------------------------------------

test_port_ranges() {
	run_start --port 8443
	services "{name: all, port: 1-1000, action: drop}" "{name: https, port: 443}"
	expect_426_everywhere # the narrower range
	expect_exit 28 fetch --max-time 1 "http://$SERVER_IP:80/"
	expect_tls_works
	services "{name: web, port: 444-65535}"
	expect_nginx_answers_plaintext
	expect_426 "$(fetch -i "http://$SERVER_IP:444/")"
}

# This kernel has no VLAN device: the client is made of frames, see raw.py.
test_vlan_of_a_service() {
	run_start --port 8443
	services "{name: https, port: 443, vlan: 42}"
	raw with_one_tag
	raw with_two_tags
	raw with_one_tag --six
	expect_nginx_answers_plaintext
	services "{name: https, port: 443, vlan: 43}" "{name: any, port: 443, address: 192.0.2.1}"
	! raw with_one_tag 2>/dev/null || fail "another VLAN is none of the service's"
}

test_interface_of_a_service() {
	run_start --port 8443
	services "{name: https, port: 443, interface: $SERVER_IF, action: reset}" "{name: other, port: 443, interface: eth9}" "{name: any, port: 443}"
	both_hosts expect_reset
	services "{name: other, port: 443, interface: eth9}"
	expect_nginx_answers_plaintext
}
