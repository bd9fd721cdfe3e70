# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Real clients speak plaintext HTTP to the TLS port and get a complete 426.

expect_complete_426() { # URL
	local answer head body
	answer=$(fetch -i "$1")
	head=$(sed '/^\r$/q' <<<"$answer")
	body=$(fetch "$1")
	expect_426 "$answer"
	expect_match "the header" $'^Upgrade: TLS/1.2, HTTP/1.1\r$' "$head"
	expect_match "the header" $'^Connection: close, Upgrade\r$' "$head"
	expect_match "the header" $'^Date: [A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} 20[0-9]{2} [0-9:]{8} GMT\r$' "$head"
	expect_match "the header" "^Content-Length: $((${#body} + 1))"$'\r$' "$head"
	expect_match "the body" "https://" "$body"
	expect_no_match "the header" "Strict-Transport-Security" "$head"
}

test_curl_gets_a_complete_426_over_ipv4() {
	run_start --port 443
	expect_complete_426 "http://$SERVER_IP:443/"
	expect_counted answered
	expect_no_socket_left
}

test_curl_gets_a_complete_426_over_ipv6() {
	run_start --port 443
	expect_complete_426 "http://[$SERVER_IP6]:443/"
	expect_no_socket_left
}

test_curl_gets_426_in_generic_mode() {
	run_start --port 443 --xdp-mode generic
	expect_match "the hook" "xdpgeneric" "$(ip -n "$SERVER_NS" link show dev "$SERVER_IF")"
	expect_426_everywhere
	expect_tls_works
	wrk_without_errors 5000 "http://$SERVER_IP:443/"
	expect_no_socket_left
}

test_date_is_now() {
	local date
	run_start --port 443
	fetch -o /dev/null "http://$SERVER_IP:443/"
	sleep 2 # the answer made first must not be sent for ever
	date=$(fetch -i "http://$SERVER_IP:443/" | sed -n 's/^Date: \(.*\)\r$/\1/p')
	[ $(($(date +%s) - $(date -d "$date" +%s))) -le 1 ] || fail "Date is now, got $date"
}

test_any_method_is_refused() {
	local method
	run_start --port 443
	for method in GET POST PUT DELETE PATCH OPTIONS TRACE PROPFIND QUERY M-SEARCH UPDATEREDIRECTREF; do
		expect_426 "$(fetch -i -X "$method" "http://$SERVER_IP:443/some/path?and=query")"
	done
	expect_426 "$(fetch -i -X OPTIONS --request-target '*' "http://$SERVER_IP:443/")"
	expect_426 "$(fetch -i --proxy "http://$SERVER_IP:443" http://example.invalid/)"
	expect_match "curl's word on CONNECT" "426" \
		"$(fetch --proxytunnel --proxy "http://$SERVER_IP:443" http://example.invalid/ 2>&1 || true)"
}

test_head_gets_the_header_alone() {
	run_start --port 443
	on_client python3 - <<-PYTHON
		import http.client
		def ask(method):
		    connection = http.client.HTTPConnection("$SERVER_IP", 443, timeout=10)
		    connection.request(method, "/")
		    answer = connection.getresponse()
		    return answer, answer.read()
		(get, body), (head, nothing) = ask("GET"), ask("HEAD")
		assert (get.status, head.status) == (426, 426)
		assert head.getheader("Content-Length") == get.getheader("Content-Length") == str(len(body))
		assert nothing == b"" and body
	PYTHON
	on_client node -e "
		require('http').request({host: '$SERVER_IP', port: 443, method: 'HEAD'}, answer => {
			answer.resume().on('end', () => process.exit(answer.statusCode === 426 ? 0 : 1));
		}).on('error', error => { console.log(error); process.exit(1); }).end();"
}

test_wget_gets_426() {
	local host
	run_start --port 443
	for host in $HOSTS; do
		expect_match "wget's output" "426 Upgrade Required" \
			"$(on_client wget -S --tries=1 --timeout=10 -O /dev/null "http://$host:443/" 2>&1 || true)"
	done
}

test_python_and_node_get_426() {
	local host
	run_start --port 443
	for host in "$SERVER_IP" "$SERVER_IP6"; do
		on_client python3 -c "
import http.client
connection = http.client.HTTPConnection('$host', 443, timeout=10)
connection.request('GET', '/')
answer = connection.getresponse()
assert answer.status == 426 and b'https://' in answer.read(), answer.status"
		on_client node -e "
			require('http').get({host: '$host', port: 443}, answer => {
				answer.resume().on('end', () => process.exit(answer.statusCode === 426 ? 0 : 1));
			}).on('error', error => { console.log(error); process.exit(1); });"
	done
}

test_ab_gets_426_without_failures() {
	local host report
	run_start --port 443
	for host in $HOSTS; do
		report=$(on_client ab -q -n 2000 -c 20 -s 10 "http://$host:443/" 2>&1)
		expect_match "the report" "^Complete requests: +2000$" "$report"
		expect_match "the report" "^Failed requests: +0$" "$report"
		expect_match "the report" "^Non-2xx responses: +2000$" "$report"
	done
	[ "$(counter answered)" -ge 4000 ] || fail "edge426 gave all 4000 answers"
}

test_wrk_sees_no_error_in_100000_requests_over_ipv4() {
	run_start --port 443
	wrk_without_errors 100000 "http://$SERVER_IP:443/"
	expect_no_socket_left
	expect_tls_works
}

test_wrk_sees_no_error_over_ipv6() {
	run_start --port 443
	wrk_without_errors 20000 "http://[$SERVER_IP6]:443/"
	expect_no_socket_left
}

# This kernel may have no VLAN devices: the handshake goes untagged, the data tagged.
test_tagged_frames_get_tagged_answers() {
	run_start --port 443
	raw with_one_tag
	raw with_one_tag --six
	raw with_two_tags
	raw with_two_tags --six
}

test_ip_options_and_extension_headers_are_understood() {
	run_start --port 443
	raw in_one_go
	raw in_one_go --six
	raw with_ip_options
	raw with_ip_options --six
	expect_counted answered
}

test_timestamps_are_echoed() {
	run_start --port 443
	raw with_timestamps
	raw with_timestamps --six
}

test_damaged_segment_is_not_answered() {
	run_start --port 443
	raw bad_checksum
	raw bad_checksum --six
	expect_counted bad_checksum
}

test_keepalive_probe_is_acknowledged() {
	run_start --port 443
	raw keepalive
	raw keepalive --six
}
