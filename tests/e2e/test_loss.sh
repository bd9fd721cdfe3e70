# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Packets get lost and change places; every client still gets its answer, none hangs.

many_fetches() { # COUNT [CURL ARGUMENT…]
	local count=$1 i
	shift
	for ((i = 0; i < count; i++)); do
		expect_426 "$(fetch -i "$@")"
	done
}

# Two other clients, as often each. wget ends with 8 when a server answers with an error.
other_clients_fetch() { # COUNT
	local i status
	on_client python3 - "$SERVER_IP" "$1" <<-'PYTHON'
		import http.client, sys
		for _ in range(int(sys.argv[2])):
		    connection = http.client.HTTPConnection(sys.argv[1], 443, timeout=20)
		    connection.request("GET", "/")
		    answer = connection.getresponse()
		    assert answer.status == 426 and b"https://" in answer.read()
	PYTHON
	for ((i = 0; i < $1; i++)); do
		status=0
		on_client wget -q --tries=1 --timeout=20 -O /dev/null "http://$SERVER_IP:443/" || status=$?
		expect_equal "the exit status of wget" 8 "$status"
	done
}

# Each client takes its turn while the first answer of each connection is lost.
test_first_answer_lost() {
	run_start --port 443
	client_rules <<-NFT
		tcp sport 443 tcp flags & fin == fin tcp dport != @seen add @seen { tcp dport } counter drop
	NFT
	many_fetches 5 "http://$SERVER_IP:443/"
	many_fetches 5 "http://[$SERVER_IP6]:443/"
	many_fetches 3 -H "Cookie: a=$(head -c 16000 /dev/zero | tr '\0' x)" "http://$SERVER_IP:443/"
	other_clients_fetch 2
	expect_rules_dropped
	expect_no_socket_left
}

test_first_answer_lost_during_a_large_post() {
	run_start --port 443
	head -c 1000000 /dev/zero >"$topology_dir/body"
	client_rules <<-NFT
		tcp sport 443 tcp flags & fin == fin tcp dport != @seen add @seen { tcp dport } counter drop
	NFT
	many_fetches 3 -H Expect: --data-binary "@$topology_dir/body" "http://$SERVER_IP:443/"
	expect_rules_dropped
	expect_no_socket_left
}

test_acknowledgement_of_the_fin_lost() {
	run_start --port 443
	client_rules <<-NFT
		ip length 40-52 tcp sport 443 tcp flags == ack tcp dport != @seen add @seen { tcp dport } counter drop
	NFT
	many_fetches 5 "http://$SERVER_IP:443/"
	other_clients_fetch 2
	expect_no_socket_left
	expect_rules_dropped
}

test_client_fin_lost() {
	run_start --port 443
	client_rules 'tcp dport 443 tcp flags & fin == fin tcp sport != @seen add @seen { tcp sport } counter drop' </dev/null
	many_fetches 5 "http://$SERVER_IP:443/"
	other_clients_fetch 2
	expect_no_socket_left
	expect_rules_dropped
}

test_request_lost() {
	run_start --port 443
	client_rules 'tcp dport 443 tcp flags & psh == psh tcp sport != @seen add @seen { tcp sport } counter drop' </dev/null
	many_fetches 5 "http://$SERVER_IP:443/"
	many_fetches 3 -H "Cookie: a=$(head -c 16000 /dev/zero | tr '\0' x)" "http://$SERVER_IP:443/"
	other_clients_fetch 2
	expect_no_socket_left
	expect_rules_dropped
}

test_one_packet_in_ten_lost_both_ways() {
	run_start --port 443
	client_rules 'tcp dport 443 numgen random mod 10 == 0 counter drop' <<-NFT
		tcp sport 443 numgen random mod 10 == 0 counter drop
	NFT
	many_fetches 20 "http://$SERVER_IP:443/"
	many_fetches 10 -H "Cookie: a=$(head -c 16000 /dev/zero | tr '\0' x)" "http://[$SERVER_IP6]:443/"
	other_clients_fetch 5
	expect_rules_dropped
	on_client nft delete table inet loss
	expect_no_socket_left
}

test_segments_swapped() {
	run_start --port 443
	raw swapped
	raw swapped --six
	raw swapped_after_the_first
	raw swapped_after_the_first --six
	raw reversed_order
	raw reversed_order --six
	expect_counted out_of_order
}

test_losses_at_exact_places() {
	run_start --port 443
	raw answer_lost
	raw answer_lost --six
	raw fin_ack_lost
	raw fin_ack_lost --six
}
