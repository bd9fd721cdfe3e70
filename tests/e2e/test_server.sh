# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Plaintext leaves no trace on the server: no socket, no request in its log.

expect_server_knows_nothing() {
	expect_no_socket_left
	expect_equal "nginx's access log" "" "$(cat "$topology_dir/nginx/logs/access.log")"
	expect_equal "nginx's error log" "" "$(cat "$topology_dir/nginx/logs/error.log")"
}

test_10000_requests_leave_no_socket_and_no_log_line() {
	run_start --port 443
	on_client ab -q -n 5000 -c 50 -s 10 "http://$SERVER_IP:443/" >/dev/null
	on_client ab -q -n 5000 -c 50 -s 10 "http://[$SERVER_IP6]:443/" >/dev/null
	[ "$(counter answered)" -ge 10000 ] || fail "at least 10000 answers"
	expect_server_knows_nothing
	expect_tls_works
}

test_large_requests_leave_no_socket() {
	run_start --port 443
	head -c 300000 /dev/zero >"$topology_dir/body"
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		expect_426 "$(fetch -i -H Expect: --data-binary "@$topology_dir/body" "http://$SERVER_IP:443/")"
	done
	expect_server_knows_nothing
}

test_client_that_gives_up_leaves_no_socket() {
	run_start --port 443
	on_client python3 - <<-PYTHON
		import socket, struct
		for number in range(200):
		    client = socket.create_connection(("$SERVER_IP", 443), 10)
		    client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		    if number % 2:
		        client.recv(4096)
		    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
		    client.close()  # with a reset
	PYTHON
	expect_server_knows_nothing
}
