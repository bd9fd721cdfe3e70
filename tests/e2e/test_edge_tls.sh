# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# handshake: edge. TLS servers get every connection, and one like any other.

node_start() { # an HTTPS server of Node's on port 8443
	cat >"$topology_dir/server.js" <<-JS
		const fs = require("fs");
		require("https").createServer({
			key: fs.readFileSync("$topology_dir/key.pem"), cert: fs.readFileSync("$topology_dir/cert.pem"),
		}, (request, response) => response.end("The page of Node.")).listen(8443, "::");
	JS
	start_on_server node "$topology_dir/server.js"
	wait_for 10 server_listens 8443
}

haproxy_start() { # HTTPS on port 8443
	cat "$topology_dir/cert.pem" "$topology_dir/key.pem" >"$topology_dir/haproxy.pem"
	cat >"$topology_dir/haproxy.cfg" <<-CONF
		defaults
			mode http
			timeout client 10s
			timeout server 10s
			timeout connect 10s
		frontend https
			bind :::8443 v4v6 ssl crt $topology_dir/haproxy.pem
			http-request return status 200 content-type text/plain string "The page of HAProxy."
	CONF
	start_on_server haproxy -db -q -f "$topology_dir/haproxy.cfg"
	wait_for 10 server_listens 8443
}

# A ClientHello of three segments: a long list of protocols of which one is known.
large_hello() { # HOST PORT
	local protocols
	protocols=$(printf 'padding-%056d,' $(seq 40))http/1.1
	printf 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n' |
		on_client timeout 20 openssl s_client -quiet -alpn "$protocols" -connect "$1:$2" 2>/dev/null
}

expect_handed_over() { # AT LEAST
	[ "$(counter handed_over)" -ge "$1" ] || fail "at least $1 connections handed over, got $(counter handed_over)"
	expect_equal "what the kernel took at TC" "$(counter handed_over)" "$(counter tc_handed_over)"
	expect_no_refusal_at_tc
}

# One page for small and large ClientHellos, a 426 for plaintext.
expect_page_at_edge() { # PORT PAGE
	local host
	for host in $HOSTS; do
		for _ in 1 2 3 4 5; do
			expect_match "the page" "$2" "$(fetch -k "https://$host:$1/")"
			expect_match "the page after a large ClientHello" "$2" "$(large_hello "$host" "$1")"
		done
		expect_426 "$(fetch -i "http://$host:$1/")"
	done
	expect_handed_over 20
}

test_edge_before_nginx() {
	run_start_with
	expect_page_at_edge 443 "The page behind TLS."
}

test_edge_before_node() {
	node_start
	run_start_with "[{name: node, port: 8443, handshake: edge}]"
	expect_page_at_edge 8443 "The page of Node."
}

test_edge_before_haproxy() {
	haproxy_start
	run_start_with "[{name: haproxy, port: 8443, handshake: edge}]"
	expect_page_at_edge 8443 "The page of HAProxy."
}

# The second segment of a first flight comes in one batch with the first, or
# after it; both ends of the veth may or may not merge them (GRO).
test_edge_large_hello_with_and_without_gro() {
	local gro host
	run_start_with
	for gro in on off; do
		on_server ethtool -K "$SERVER_IF" gro "$gro" >/dev/null
		for host in $HOSTS; do
			for _ in $(seq 20); do
				expect_match "the page" "The page behind TLS." "$(large_hello "$host" 443)"
			done
		done
	done
	expect_handed_over 80
	expect_equal "retransmissions of the client" 0 "$(client_tcp RetransSegs)"
}

# Connections, not requests: each ends after one.
wrk_connections() { # COUNT URL
	local total=0 round=0 report
	while [ "$total" -lt "$1" ]; do
		[ "$((round += 1))" -le 14 ] || fail "$1 connections in 14 rounds, got $total"
		report=$(on_client wrk -t1 -c32 -d4s --timeout 10s -H 'Connection: close' "$2")
		expect_no_match "the report" "Socket errors|Non-2xx" "$report"
		total=$((total + $(requests_of "$report")))
	done
	echo "$total connections to $2"
}

test_edge_20000_tls_connections() {
	run_start_with
	wrk_connections 10000 "https://$SERVER_IP/"
	wrk_connections 10000 "https://[$SERVER_IP6]/"
	expect_handed_over 20000
	expect_equal "plaintext answers" 0 "$(counter answered)"
}

# What the two ends agreed on, as the server's kernel tells of one connection.
agreed_on() { # HOST
	local pid got
	start_on_client openssl s_client -quiet -connect "$1:443" >/dev/null 2>&1
	pid=$started
	wait_for 10 connection_on_server
	got=$(on_server ss -Htino state established "( sport = :443 )" | tr -s '[:blank:]' '\n' |
		grep -E '^(ts|sack|ecn|ecnseen|wscale:.*|mss:.*|advmss:.*|rcvmss:.*|pmtu:.*)$' | sort | tr '\n' ' ')
	topology_end "$pid"
	wait_for 10 no_socket_in_use "$SERVER_NS"
	echo "$got"
}

connection_on_server() {
	on_server ss -Htin state established "( sport = :443 )" | grep -q 'bytes_received:[1-9][0-9][0-9]'
}

# Settings of the client under which connections are to be compared.
set_client() { # SETTING
	case $1 in
	*=*) on_client sysctl -qw "net.ipv4.$1" ;;
	mtu-*) ip -n "$CLIENT_NS" link set "$CLIENT_IF" mtu "${1#mtu-}" ;;
	esac
}

SETTINGS="as-usual tcp_sack=0 tcp_sack=1 tcp_window_scaling=0 tcp_window_scaling=1 tcp_ecn=1 tcp_ecn=2
	mtu-1320 mtu-1500 tcp_timestamps=0 tcp_timestamps=1"

agreements() {
	local setting host
	for setting in $SETTINGS; do
		set_client "$setting"
		for host in $HOSTS; do
			echo "$setting $host: $(agreed_on "$host")"
		done
	done
}

test_edge_connections_are_like_the_kernels() {
	local without
	without=$(agreements)
	expect_match "the kernel's" "^as-usual .*: .*mss:14.* ts wscale:[0-9]+,[0-9]+ $" "$without"
	expect_equal "lines" 22 "$(wc -l <<<"$without")"
	run_start_with
	expect_equal "the agreements" "$without" "$(agreements)"
	expect_handed_over 22
}

test_edge_listener_with_a_fixed_buffer() {
	local without
	nginx_replace "rcvbuf=300000"
	without=$(agreed_on "$SERVER_IP"; agreed_on "$SERVER_IP6")
	run_start_with
	expect_equal "the agreements" "$without" "$(agreed_on "$SERVER_IP"; agreed_on "$SERVER_IP6")"
}

nginx_replace() { # PARAMETERS of its listen directives
	sed -i "s/\(listen .*443 ssl\)/\1 $1/" "$topology_dir/nginx/nginx.conf"
	topology_end "$(cat "$topology_dir/nginx/nginx.pid")"
	start_on_server nginx -e "$topology_dir/nginx/logs/error.log" -c "$topology_dir/nginx/nginx.conf"
	wait_for 10 server_listens 443
}

test_edge_transfers_of_200_mb() {
	run_start_with
	head -c 200000000 /dev/urandom >"$topology_dir/nginx/pages/large"
	local wanted
	wanted=$(sha256sum <"$topology_dir/nginx/pages/large")
	expect_equal "the download over IPv4" "$wanted" "$(fetch -k --max-time 60 "https://$SERVER_IP/large" | sha256sum)"
	expect_equal "the download over IPv6" "$wanted" "$(fetch -k --max-time 60 "https://[$SERVER_IP6]/large" | sha256sum)"
	fetch -k --max-time 60 -T "$topology_dir/nginx/pages/large" "https://$SERVER_IP/put/four"
	expect_equal "the upload over IPv4" "$wanted" "$(sha256sum <"$topology_dir/nginx/pages/four")"
	rm "$topology_dir/nginx/pages/four"
	fetch -k --max-time 60 -T "$topology_dir/nginx/pages/large" "https://[$SERVER_IP6]/put/six"
	expect_equal "the upload over IPv6" "$wanted" "$(sha256sum <"$topology_dir/nginx/pages/six")"
	expect_handed_over 4
}
