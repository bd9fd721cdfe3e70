# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# handshake: edge, where the host or the listener does not allow it, and when
# `run` comes and goes in the middle of handshakes.

log_has_lines() { # TEXT COUNT
	[ "$(grep -cF -- "$1" "$run_log")" -eq "$2" ]
}

# The backend does the handshakes of https: all works, and it is said once.
expect_fallback() { # CAUSE
	expect_handshakes_at https "backend $1"
	expect_tls_works
	expect_426_everywhere
	expect_tls_works
	wait_for 5 log_has_lines "service https: the backend does the handshakes: $1" 1
	sleep 2.2 # two more looks of `run`
	log_has_lines "service https: the backend does the handshakes: $1" 1 || fail "said once: $(cat "$run_log")"
	expect_match "status" "handshakes https: by the backend: $1" "$(edge status)"
}

expect_recovery() {
	local before
	expect_handshakes_at https edge
	before=$(counter syn_answered)
	expect_tls_works
	expect_426_everywhere
	expect_equal "SYNs answered at the edge" $((before + 4)) "$(counter syn_answered)"
	wait_for 5 log_has_lines "service https: the edge does the handshakes" 1
	expect_match "status" "handshakes https: at the edge" "$(edge status)"
	expect_no_refusal_at_tc
}

test_edge_falls_back_without_syncookies() {
	on_server sysctl -qw net.ipv4.tcp_syncookies=0
	run_start_with
	expect_fallback "net.ipv4.tcp_syncookies is 0"
	expect_counted fallback_host
	expect_equal "SYNs answered at the edge" 0 "$(counter syn_answered)"
	on_server sysctl -qw net.ipv4.tcp_syncookies=1
	expect_recovery
}

test_edge_falls_back_when_syncookies_are_taken_away() {
	run_start_with
	expect_tls_works
	on_server sysctl -qw net.ipv4.tcp_syncookies=0
	expect_fallback "net.ipv4.tcp_syncookies is 0"
	on_server sysctl -qw net.ipv4.tcp_syncookies=1
	expect_recovery
}

# Connections are tracked on the server, and what is not tracked from its SYN on is dropped.
track_connections() {
	on_server nft -f - <<-NFT
		table inet track {
			chain in {
				type filter hook input priority 0;
				ct state invalid counter drop
			}
		}
	NFT
}

test_edge_falls_back_where_tracking_is_strict() {
	track_connections
	on_server sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0
	run_start_with
	expect_fallback "net.netfilter.nf_conntrack_tcp_loose is 0"
	on_server sysctl -qw net.netfilter.nf_conntrack_tcp_loose=1
	expect_recovery
}

# An HTTPS server on 8443 that listens as MPTCP (262), or as TCP (0).
tls_server_start() { # PROTOCOL
	cat >"$topology_dir/server.py" <<-'PYTHON'
		import socket, ssl, sys, threading
		context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
		context.load_cert_chain(sys.argv[2] + "/cert.pem", sys.argv[2] + "/key.pem")
		server = socket.socket(socket.AF_INET6, socket.SOCK_STREAM, int(sys.argv[1]))
		server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
		server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
		server.bind(("::", 8443))
		server.listen(64)

		def serve(client):
		    try:
		        with context.wrap_socket(client, server_side=True) as tls:
		            tls.recv(4096)
		            tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nHello")
		    except OSError:
		        pass

		while True:
		    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
	PYTHON
	start_on_server python3 "$topology_dir/server.py" "$1" "$topology_dir"
	tls_server=$started
	wait_for 10 server_listens 8443
}

expect_hello_and_426() {
	local host
	for host in $HOSTS; do
		expect_equal "the page" Hello "$(fetch -k "https://$host:8443/")"
		expect_426 "$(fetch -i "http://$host:8443/")"
	done
}

test_edge_falls_back_before_an_mptcp_listener() {
	local before
	on_server sysctl -qw net.mptcp.enabled=1
	make_certificate
	tls_server_start 262
	run_start_with "[{name: go, port: 8443, handshake: edge}]"
	expect_hello_and_426
	expect_hello_and_426
	expect_handshakes_at go "backend the listener is an MPTCP socket"
	wait_for 5 log_has_lines "service go: the backend does the handshakes: the listener is an MPTCP socket" 1
	expect_match "status" "handshakes go: by the backend: the listener is an MPTCP socket" "$(edge status)"
	expect_counted fallback_mptcp
	expect_equal "SYNs answered at the edge" 0 "$(counter syn_answered)"
	topology_end "$tls_server"
	tls_server_start 0
	expect_hello_and_426 # the first SYN tells that the cause is gone
	expect_handshakes_at go edge
	expect_equal "SYNs answered at the edge" 4 "$(counter syn_answered)"
	wait_for 5 log_has_lines "service go: the edge does the handshakes" 1
	expect_no_refusal_at_tc
}

# Connections that the edge has shaken hands with wait at $topology_dir/go, then
# speak. Each must end within a client's patience: answered, or with a RST.
start_in_flight() {
	rm -f "$topology_dir/ready" "$topology_dir/go"
	cat >"$topology_dir/in_flight.py" <<-'PYTHON'
		import os, socket, ssl, sys, time
		context = ssl._create_unverified_context()
		waiting = [(tls, socket.create_connection((host, 443), 10))
		           for host in sys.argv[2:] for tls in (False, True) for _ in range(10)]
		open(sys.argv[1] + "/ready", "w").close()
		while not os.path.exists(sys.argv[1] + "/go"):
		    time.sleep(0.02)
		ends = {}
		for tls, client in waiting:
		    client.settimeout(10)
		    try:
		        client = context.wrap_socket(client) if tls else client
		        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		        end = b"".join(iter(lambda: client.recv(4096), b""))[9:12].decode()
		    except (ConnectionResetError, BrokenPipeError):
		        end = "reset"
		    except TimeoutError:
		        end = "hangs"
		    name = ("tls " if tls else "plain ") + end
		    ends[name] = ends.get(name, 0) + 1
		print(", ".join("%s: %d" % end for end in sorted(ends.items())), file=open(sys.argv[1] + "/ends", "w"))
	PYTHON
	start_on_client python3 "$topology_dir/in_flight.py" "$topology_dir" "$SERVER_IP" "$SERVER_IP6"
	in_flight=$started
	wait_for 20 test -e "$topology_dir/ready"
}

finish_in_flight() { # leaves in $ends how they ended
	touch "$topology_dir/go"
	wait "$in_flight"
	ends=$(cat "$topology_dir/ends")
	echo "connections in flight: $ends"
	expect_no_match "the ends of connections in flight" "hangs" "$ends"
}

# New secrets: what the former process shook hands with ends with the kernel's RST.
test_edge_restart_in_the_middle_of_handshakes() {
	run_start_with
	start_in_flight
	run_stop
	run_start_with
	finish_in_flight
	expect_equal "the ends" "plain reset: 20, tls reset: 20" "$ends"
	expect_tls_works
	expect_426_everywhere
	expect_no_socket_left
}

# The maps stay, and with them the secrets: nothing is lost.
test_edge_killed_in_the_middle_of_handshakes() {
	run_start_with
	start_in_flight
	run_kill
	run_start_with
	finish_in_flight
	expect_equal "the ends" "plain 426: 20, tls 200: 20" "$ends"
	expect_tls_works
	expect_426_everywhere
	expect_no_socket_left
}

# Nobody serves: the server gets what was under way, and says 400 to plaintext.
test_edge_killed_for_good() {
	run_start_with
	start_in_flight
	run_kill
	finish_in_flight
	expect_equal "the ends" "plain 400: 20, tls 200: 20" "$ends"
	expect_tls_works
	expect_nginx_answers_plaintext
	expect_match "status" "handshakes https: by the backend: no responder serves" "$(edge status)"
}

# Requests go on while `run` comes and goes: each works, or ends at once.
test_edge_requests_during_restarts() {
	local turn requests host
	run_start_with
	(
		while [ ! -e "$topology_dir/enough" ]; do
			for host in $HOSTS; do
				fetch -k --max-time 10 -o /dev/null -w '%{errormsg}\n' "https://$host/" 2>/dev/null || true
				fetch --max-time 10 -o /dev/null -w '%{errormsg}\n' "http://$host:443/" 2>/dev/null || true
			done
		done
	) >"$topology_dir/outcomes" &
	requests=$!
	for turn in stop kill stop kill; do
		sleep 0.5
		"run_$turn"
		run_start_with
	done
	touch "$topology_dir/enough"
	wait "$requests"
	sort "$topology_dir/outcomes" | uniq -c
	expect_no_match "the outcomes" "timed out|Timeout" "$(cat "$topology_dir/outcomes")"
	[ "$(wc -l <"$topology_dir/outcomes")" -ge 40 ] || fail "at least 40 requests"
	expect_tls_works
	expect_426_everywhere
}
