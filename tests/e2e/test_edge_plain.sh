# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# handshake: edge. Plaintext gets its 426 and the server never hears of it.

half_open_on_server() {
	on_server ss -Htan state syn-recv
}

# Each URL is a connection; up to 50 at a time. (ab opens some more than it uses.)
many_statuses() { # URL…
	local url urls=()
	for url in "$@"; do
		urls+=(-o /dev/null "$url")
	done
	on_client curl -sS --no-progress-meter -Z --parallel-max 50 --max-time 60 -w '%{http_code}\n' "${urls[@]}"
}

test_edge_plaintext_is_no_connection_of_the_server() {
	local passive received
	run_start_with
	passive=$(server_tcp PassiveOpens)
	received=$(server_tcp InSegs)
	many_statuses "http://$SERVER_IP:443/[1-3000]" "http://[$SERVER_IP6]:443/[1-3000]" >"$topology_dir/statuses" &
	local load=$!
	while kill -0 "$load" 2>/dev/null; do
		expect_equal "half-open connections" "" "$(half_open_on_server)"
	done
	wait "$load"
	expect_equal "statuses" "6000 426" "$(sort "$topology_dir/statuses" | uniq -c | xargs)"
	expect_equal "connections that the server accepted" "$passive" "$(server_tcp PassiveOpens)"
	expect_equal "segments that its TCP saw" "$received" "$(server_tcp InSegs)"
	expect_server_knows_nothing
	expect_tls_works
	expect_equal "connections that the server accepted, by TLS" $((passive + 2)) "$(server_tcp PassiveOpens)"
}

test_edge_large_and_slow_requests() {
	local host
	run_start_with
	head -c 300000 /dev/zero >"$topology_dir/body"
	for host in $HOSTS; do
		expect_426 "$(fetch -i -H Expect: --data-binary "@$topology_dir/body" "http://$host:443/")"
		expect_426 "$(fetch -i -H "Cookie: a=$(head -c 16000 /dev/zero | tr '\0' x)" "http://$host:443/")"
		expect_equal "the status for HEAD" 426 "$(fetch -o /dev/null -w '%{http_code}' -I "http://$host:443/")"
	done
	expect_equal "connections that the server accepted" 0 "$(server_tcp PassiveOpens)"
	expect_server_knows_nothing
}

# Octets to the port; prints what came back, then how the connection ended.
send_octets() { # HOST PORT TEXT
	on_client python3 - "$@" <<-'PYTHON'
		import socket, sys
		host, port, text = sys.argv[1:]
		client = socket.create_connection((host.strip("[]"), int(port)), 5)
		client.settimeout(5)
		client.sendall(text.encode("latin-1").decode("unicode_escape").encode("latin-1"))
		try:
		    while octets := client.recv(4096):
		        print(octets.decode("latin-1"), end="")
		    print("ended")
		except ConnectionResetError:
		    print("reset")
		except socket.timeout:
		    print("silent")
	PYTHON
}

# Nothing listens on 81.
test_edge_without_a_backend() {
	local host
	run_start_with "[{name: refuse, port: 81, backend: none}]"
	expect_equal "the handshakes" edge "$(handshakes_at refuse)"
	for host in $HOSTS; do
		expect_426 "$(fetch -i "http://$host:81/")"
		expect_equal "what TLS gets" reset "$(send_octets "$host" 81 '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03')"
		expect_equal "what SSH gets" reset "$(send_octets "$host" 81 'SSH-2.0-OpenSSH_9.2\r\n')"
		expect_exit 35 fetch -k "https://$host:81/"
	done
	expect_equal "statuses" "1000 426" "$(many_statuses "http://$SERVER_IP:81/[1-1000]" | sort | uniq -c | xargs)"
	expect_counted reset_other
	expect_equal "connections that the server accepted" 0 "$(server_tcp PassiveOpens)"
	run_kill # nobody serves: as any port without a listener
	expect_exit 7 fetch "http://$SERVER_IP:81/"
}

# 30 seconds of silence after the handshake, then the first octets.
test_edge_idle_before_the_first_octet() {
	run_start_with
	on_client python3 - "$SERVER_IP" "$SERVER_IP6" <<-'PYTHON'
		import socket, ssl, sys, time
		context = ssl._create_unverified_context()
		idle = [(host, tls, socket.create_connection((host, 443), 5))
		        for host in sys.argv[1:] for tls in (False, True)]
		time.sleep(30)
		for host, tls, client in idle:
		    if tls:
		        client = context.wrap_socket(client)
		    client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		    answer = b"".join(iter(lambda: client.recv(4096), b""))
		    wanted = b"HTTP/1.1 200" if tls else b"HTTP/1.1 426"
		    assert answer.startswith(wanted), (host, tls, answer)
	PYTHON
	expect_equal "connections that the server accepted" 2 "$(server_tcp PassiveOpens)"
	expect_no_socket_left
}

# One client port again and again: the server ends TLS and keeps it in
# TIME-WAIT, plaintext leaves nothing behind. The client waits for the server's
# FIN, and a moment for the acknowledgement of its own.
test_edge_port_used_again_at_once() {
	run_start_with
	on_client python3 - "$SERVER_IP" "$SERVER_IP6" <<-'PYTHON'
		import errno, socket, ssl, sys, time
		context = ssl._create_unverified_context()

		def connect(host):
		    for _ in range(200):
		        try:
		            return socket.create_connection(
		                (host, 443), 10, ("fd00::2" if ":" in host else "10.9.0.2", 33333))
		        except OSError as error:
		            if error.errno != errno.EADDRNOTAVAIL:
		                raise
		            time.sleep(0.01)
		    raise AssertionError("the port stays in use")

		def fetch(host, tls):
		    client = connect(host)
		    if tls:
		        client = context.wrap_socket(client)
		    client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		    answer = b"".join(iter(lambda: client.recv(4096), b""))
		    raw = socket.socket(fileno=client.detach())
		    raw.settimeout(10)
		    while raw.recv(4096):
		        pass
		    raw.close()
		    return answer

		for host in sys.argv[1:]:
		    for turn in range(24):
		        tls = turn % 3 != 0
		        answer = fetch(host, tls)
		        assert answer.startswith(b"HTTP/1.1 200" if tls else b"HTTP/1.1 426"), (host, turn, answer)
	PYTHON
	expect_counted syn_of_kernel
	expect_counted syn_answered
	expect_no_socket_left
}
