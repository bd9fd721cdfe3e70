# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Unprotected ports and other protocols: not an octet changed.

test_plain_http_on_another_port_is_nginx() {
	local host
	run_start --port 443
	for host in $HOSTS; do
		expect_equal "the page" "The page behind TLS." "$(fetch "http://$host:80/")"
	done
	expect_match "nginx's log" "GET / HTTP/1.1" "$(cat "$topology_dir/nginx/logs/access.log")"
	expect_counted not_protected
}

# Random octets there and back over TCP and UDP, on two address families.
test_random_octets_come_back_over_tcp_and_udp() {
	run_start --port 443
	start_on_server python3 "$ROOT/tests/e2e/echo.py" serve
	wait_for 10 server_listens 7000
	on_client python3 "$ROOT/tests/e2e/echo.py" tcp "$SERVER_IP" "$SERVER_IP6"
	on_client python3 "$ROOT/tests/e2e/echo.py" udp "$SERVER_IP" "$SERVER_IP6"
	expect_counted not_protected
	expect_counted not_tcp
}

test_ping_comes_back_over_icmp() {
	run_start --port 443
	on_client python3 "$ROOT/tests/e2e/echo.py" icmp "$SERVER_IP"
	expect_counted not_tcp
}

# A protocol other than HTTP and TLS on the protected port reaches its server.
test_other_protocols_on_a_protected_port() {
	run_start --port 7000
	start_on_server python3 "$ROOT/tests/e2e/echo.py" serve
	wait_for 10 server_listens 7000
	on_client python3 "$ROOT/tests/e2e/echo.py" greetings "$SERVER_IP" "$SERVER_IP6"
	expect_equal "answers" 0 "$(counter answered)"
	expect_no_socket_left
}

test_strange_frames_pass_octet_for_octet() {
	run_start --port 443
	start_on_server python3 "$ROOT/tests/e2e/raw.py" receive_strange >"$topology_dir/received" 2>"$topology_dir/ready"
	local receiver=$started
	wait_for 10 test -s "$topology_dir/ready"
	on_client python3 "$ROOT/tests/e2e/raw.py" send_strange >"$topology_dir/sent"
	wait "$receiver"
	[ "$(wc -l <"$topology_dir/sent")" -gt 200 ] || fail "frames were sent"
	diff <(sort "$topology_dir/sent") <(sort "$topology_dir/received")
}
