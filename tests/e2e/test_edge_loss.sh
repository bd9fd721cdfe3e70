# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# handshake: edge. Segments lost, doubled and swapped around the handshake, for
# which nothing is remembered: each connection ends as without edge426, or with a 426.

# Plaintext and TLS over both families, some times each.
expect_clients_served() {
	local host
	for host in $HOSTS; do
		many_fetches 3 "http://$host:443/"
		for _ in 1 2 3; do
			expect_equal "nginx's page over TLS" "The page behind TLS." "$(fetch -k "https://$host/")"
			expect_match "nginx's page" "The page behind TLS." "$(large_hello "$host" 443)"
		done
	done
}

expect_clients_served_despite_loss() {
	expect_clients_served
	expect_rules_dropped
	on_client nft delete table inet loss
	expect_no_socket_left
	expect_no_refusal_at_tc
}

test_edge_syn_lost() {
	run_start_with
	client_rules 'tcp dport 443 tcp flags & syn == syn tcp sport != @seen add @seen { tcp sport } counter drop' </dev/null
	expect_clients_served_despite_loss
}

test_edge_syn_ack_lost() {
	run_start_with
	client_rules <<-NFT
		tcp sport 443 tcp flags & syn == syn tcp dport != @seen add @seen { tcp dport } counter drop
	NFT
	expect_clients_served_despite_loss
}

test_edge_handshake_ack_lost() {
	run_start_with
	client_rules 'tcp dport 443 tcp flags == ack tcp sport != @seen add @seen { tcp sport } counter drop' </dev/null
	expect_clients_served_despite_loss
}

test_edge_first_data_lost() {
	run_start_with
	client_rules 'tcp dport 443 tcp flags & psh == psh tcp sport != @seen add @seen { tcp sport } counter drop' </dev/null
	expect_clients_served_despite_loss
}

test_edge_first_answer_lost() {
	run_start_with
	client_rules <<-NFT
		tcp sport 443 tcp flags & (fin | psh) != 0 tcp dport != @seen add @seen { tcp dport } counter drop
	NFT
	expect_clients_served_despite_loss
}

test_edge_one_packet_in_ten_lost_both_ways() {
	run_start_with
	client_rules 'tcp dport 443 numgen random mod 10 == 0 counter drop' <<-NFT
		tcp sport 443 numgen random mod 10 == 0 counter drop
	NFT
	expect_clients_served_despite_loss
}

both_families() { # CASE…
	local case
	for case in "$@"; do
		raw "$case" || fail "$case over IPv4"
		raw "$case" --six || fail "$case over IPv6"
	done
}

test_edge_plaintext_doubled_and_swapped() {
	run_start_with
	both_families in_one_go with_timestamps doubled without_the_bare_ack syn_again swapped swapped_after_the_first \
		reversed_order one_octet_each answer_lost fin_ack_lost bad_checksum keepalive
	expect_equal "connections that the server accepted" 0 "$(server_tcp PassiveOpens)"
	expect_no_socket_left
}

test_edge_tls_doubled_and_swapped() {
	local gro
	run_start_with
	for gro in on off; do
		on_server ethtool -K "$SERVER_IF" gro "$gro" >/dev/null
		both_families tls_in_one_go tls_without_the_bare_ack tls_doubled tls_swapped tls_first_lost
	done
	expect_counted ahead
	expect_no_socket_left
}
