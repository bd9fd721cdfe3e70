# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Requests that do not come in one segment: the client gets its 426, not a reset.

test_16_kilobytes_of_cookies() {
	local host
	run_start --port 443
	for host in $HOSTS; do
		expect_426 "$(fetch -i -H "Cookie: a=$(head -c 16000 /dev/zero | tr '\0' x)" "http://$host:443/")"
	done
}

# A frame of 3,400 octets lies in two chunks of the responder's memory. Larger
# frames would be in several buffers, which veth mishandles under XDP.
test_frames_longer_than_a_chunk() {
	local host
	ip -n "$SERVER_NS" link set dev "$SERVER_IF" mtu 3400
	ip -n "$CLIENT_NS" link set dev "$CLIENT_IF" mtu 3400
	run_start --port 443
	head -c 300000 /dev/zero >"$topology_dir/body"
	for host in $HOSTS; do
		expect_426 "$(fetch -i -H "Cookie: a=$(head -c 7000 /dev/zero | tr '\0' x)" "http://$host:443/")"
		expect_426 "$(fetch -i -H Expect: --data-binary "@$topology_dir/body" "http://$host:443/")"
	done
	expect_counted answered
	expect_equal "frames with a bad checksum" 0 "$(counter bad_checksum)"
	expect_equal "frames dropped" 0 "$(counter rx_dropped)"
	expect_no_socket_left
}

test_curl_posts_a_megabyte() {
	local host
	run_start --port 443
	head -c 1000000 /dev/zero >"$topology_dir/body"
	for host in $HOSTS; do
		expect_426 "$(fetch -i -H Expect: --data-binary "@$topology_dir/body" "http://$host:443/")"
		expect_426 "$(fetch -i -H 'Expect: 100-continue' --data-binary "@$topology_dir/body" "http://$host:443/")"
	done
}

test_python_posts_a_megabyte() {
	run_start --port 443
	on_client python3 - <<-PYTHON
		import http.client
		for host in ("$SERVER_IP", "$SERVER_IP6"):
		    connection = http.client.HTTPConnection(host, 443, timeout=20)
		    connection.request("POST", "/", body=b"x" * 1000000)
		    answer = connection.getresponse()
		    assert answer.status == 426 and b"https://" in answer.read()
	PYTHON
}

test_node_posts_a_megabyte() {
	run_start --port 443
	on_client timeout 30 node -e "
		const request = require('http').request({host: '$SERVER_IP', port: 443, method: 'POST'}, answer => {
			answer.resume().on('end', () => process.exit(answer.statusCode === 426 ? 0 : 1));
		});
		request.on('error', error => { console.log(error); process.exit(1); });
		request.end(Buffer.alloc(1000000));"
}

test_endless_upload_is_reset_in_the_end() {
	run_start --port 443
	on_client python3 - <<-PYTHON
		import socket
		client = socket.create_connection(("$SERVER_IP", 443), 20)
		sent = 0
		try:
		    while sent < 64 << 20:
		        sent += client.send(b"POST / HTTP/1.1\r\n\r\n" if not sent else b"x" * 65536)
		    raise SystemExit("64 MiB were taken")
		except (ConnectionResetError, BrokenPipeError):
		    print("reset after", sent)
	PYTHON
	expect_counted reset_client
	expect_no_socket_left
}

test_request_of_one_octet_a_segment() {
	run_start --port 443
	raw one_octet_each
	raw one_octet_each --six
	on_client python3 - <<-PYTHON
		import socket, time
		client = socket.create_connection(("$SERVER_IP", 443), 20)
		client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
		for octet in b"GET / HTTP/1.1\r\nHost: a\r\n\r\n":
		    client.send(bytes([octet]))
		    time.sleep(0.01)
		assert client.recv(4096).startswith(b"HTTP/1.1 426 ")
	PYTHON
}

test_leading_empty_lines_are_skipped() {
	run_start --port 443
	expect_match "the answer" "^HTTP/1.1 426 " "$(on_client python3 - <<-PYTHON
		import socket
		client = socket.create_connection(("$SERVER_IP", 443), 20)
		client.sendall(b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
		print(client.recv(4096).decode())
	PYTHON
	)"
}

test_request_after_a_long_silence() {
	run_start --port 443
	on_client python3 - <<-PYTHON
		import socket, time
		client = socket.create_connection(("$SERVER_IP", 443), 20)
		time.sleep(3)
		client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		assert client.recv(4096).startswith(b"HTTP/1.1 426 ")
	PYTHON
	expect_no_socket_left
}
