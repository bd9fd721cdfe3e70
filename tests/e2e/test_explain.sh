# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# explain: what a policy does to a request or to a capture, without touching what runs.

# One service for each thing that can decide; all of them in one file.
write_explained_policy() { # FILE
	cat >"$1" <<-POLICY
		services:
		  - {name: https, port: 443, exempt_paths: [acme, /open/], exempt_hosts: [plain.example]}
		  - {name: edge, port: 1000, handshake: edge, exempt_paths: [acme]}
		  - {name: auto, port: 1001, handshake: auto}
		  - {name: alone, port: 1002, backend: none}
		  - {name: reset, port: 1003, action: reset}
		  - {name: reset-syn, port: 1004, handshake: edge, action: reset-syn}
		  - {name: drop, port: 1005, action: drop}
		  - {name: pass, port: 1006, action: pass}
		  - {name: other-reset, port: 1007, other: reset}
		  - {name: other-drop, port: 1008, handshake: edge, other: drop}
		  - {name: monitor, port: 1009, mode: monitor, exempt_paths: [acme]}
		  - {name: monitor-reset, port: 1010, mode: monitor, action: reset}
		  - {name: monitor-drop, port: 1011, mode: monitor, action: drop}
		  - {name: monitor-edge, port: 1012, mode: monitor, handshake: edge}
		  - {name: bypass, port: 1013, mode: bypass}
		  - {name: bypass-edge, port: 1014, mode: bypass, handshake: edge}
		  - {name: vlan, port: 1015, vlan: 7}
		  - {name: net, port: 1016, address: 192.0.2.0/24}
		  - {name: range, port: 2000-2010}
		allow:
		  - 203.0.113.0/24
		  - address: 203.0.113.128/25
		    until: 2001-01-01T00:00:00Z
	POLICY
}

explain() { # ARGUMENT… , under $topology_dir/policy.yaml
	on_server "$EDGE426" explain --policy "$topology_dir/policy.yaml" "$@"
}

# Of a request the reasons of all packets, in one line; text on stdin.
reasons_of() {
	sed -n 's/^[0-9].*: \([a-z_]*\) - [a-z ]*: .*/\1/p' | paste -sd ' '
}

# Of its last packet the service and the rule: "https; action respond".
rule_of() {
	sed -n 's/^  service \([^ ]*\) ([^)]*)\(.*\)/\1\2/p' | tail -1
}

responds="action respond; the responder sends the answer"
resets_both="at TC the client gets RST, and so does the server"
hands_over="at TC the server's kernel makes the connection its own"

# The policy at work is a file's; no edge426 runs.
expect_explained() { # "REASON…" "SERVICE; RULE" ARGUMENT…
	local text
	text=$(explain "${@:3}")
	expect_equal "the reasons of '${*:3}'" "$1" "$(reasons_of <<<"$text")"
	expect_equal "the rule of '${*:3}'" "$2" "$(rule_of <<<"$text")"
}

test_explain_names_the_reason_and_the_rule() {
	local to=198.51.100.9 acme='GET /.well-known/acme-challenge/x HTTP/1.1'
	write_explained_policy "$topology_dir/policy.yaml"
	expect_explained "no_data answered" "https; $responds" --to $to:443
	expect_explained "no_data answered" "https; $responds" --to '[2001:db8::9]:443' 'HEAD / HTTP/1.0'
	expect_explained "no_data tls" "https" --to $to:443 --tls
	expect_explained "no_data other" "https" --to $to:443 --raw 'SSH-2.0-OpenSSH\r\n'
	expect_explained "no_data held" "https" --to $to:443 --raw 'GE'
	expect_explained "no_data held" "https" --to $to:443 --raw 'GET /op'
	expect_explained "no_data exempt_path" "https; path prefix /.well-known/acme-challenge/ (preset acme)" --to $to:443 "$acme"
	expect_explained "no_data exempt_path" "https; path prefix /open/" --to $to:443 'GET /open/a HTTP/1.1'
	expect_explained "no_data answered" "https; $responds" --to $to:443 'GET /open/../a HTTP/1.1'
	expect_explained "no_data exempt_host" "https; host plain.example" --to $to:443 --host Plain.Example:80
	expect_explained "no_data reset_http" "reset; action reset; $resets_both" --to $to:1003
	expect_explained "no_data dropped_http" "drop; action drop; at TC it becomes the server's RST" --to $to:1005
	expect_explained "no_data action_pass" "pass; action pass" --to $to:1006
	expect_explained "no_data reset_other" "other-reset; other reset; $resets_both" --to $to:1007 --raw 'SSH-2.0'
	expect_nothing_attached
}

test_explain_plays_the_handshake_of_the_edge() {
	local to=198.51.100.9 acme='GET /.well-known/acme-challenge/x HTTP/1.1'
	write_explained_policy "$topology_dir/policy.yaml"
	expect_explained "syn_answered handshake_ended answered" "edge; $responds" --to $to:1000
	expect_explained "syn_answered handshake_ended handed_over" "edge; $hands_over" --to '[2001:db8::9]:1000' --tls
	expect_explained "syn_answered handshake_ended exempt_path" "edge; path prefix /.well-known/acme-challenge/ (preset acme); $hands_over" --to $to:1000 "$acme"
	expect_explained "syn_to_backend answered" "auto; $responds" --to $to:1001
	expect_explained "syn_answered handshake_ended reset_other" "alone; other reset" --to $to:1002 --tls
	expect_explained "reset_syn" "reset-syn; action reset-syn" --to $to:1004
	expect_explained "syn_answered handshake_ended dropped_other" "other-drop; other drop" --to $to:1008 --raw 'SSH-2.0\r\n'
	expect_explained "syn_to_backend would_answer" "monitor-edge; mode monitor" --to $to:1012
	expect_explained "syn_to_backend bypassed" "bypass-edge; mode bypass" --to $to:1014
	expect_explained "syn_unfit answered" "edge; $responds" --to $to:1000 --from 127.0.0.1
}

test_explain_knows_modes_places_and_allowed_sources() {
	local to=198.51.100.9
	write_explained_policy "$topology_dir/policy.yaml"
	expect_explained "no_data would_answer" "monitor; mode monitor" --to $to:1009
	expect_explained "no_data would_hold" "monitor; mode monitor" --to $to:1009 --raw 'GET /.well'
	expect_explained "no_data would_reset" "monitor-reset; mode monitor" --to $to:1010
	expect_explained "no_data would_drop" "monitor-drop; mode monitor" --to $to:1011
	expect_explained "no_data bypassed" "bypass; mode bypass" --to $to:1013
	expect_explained "no_data answered" "vlan; $responds" --to $to:1015 --vlan 7
	expect_explained "not_protected not_protected" "" --to $to:1015 --vlan 8
	expect_explained "no_data answered" "net; $responds" --to 192.0.2.1:1016 # the default source's own
	expect_explained "not_protected not_protected" "" --to $to:1016
	expect_explained "no_data answered" "range; $responds" --to $to:2005
	expect_explained "allowed allowed" "edge; allow entry 203.0.113.0/24" --to $to:1000 --from 203.0.113.5
	expect_explained "no_data allowed" "https; allow entry 203.0.113.0/24" --to $to:443 --from 203.0.113.200:1
}

test_explain_text_says_all_of_it() {
	write_explained_policy "$topology_dir/policy.yaml"
	expect_equal "the text" "\
1 192.0.2.1:40000 > 198.51.100.9:1000 VLAN 5 SYN: syn_answered - sent back: a SYN, answered with a cookie
  service edge (port 1000, handshake edge, mode enforce, action respond); handshake edge
2 192.0.2.1:40000 > 198.51.100.9:1000 VLAN 5 ACK: handshake_ended - dropped: the bare ACK that ends a handshake of the edge
  service edge (port 1000, handshake edge, mode enforce, action respond)
3 192.0.2.1:40000 > 198.51.100.9:1000 VLAN 5 'GET /.well-known/acme-challenge/x HTTP/1.1': exempt_path - passed: plaintext HTTP for an exempt path
  service edge (port 1000, handshake edge, mode enforce, action respond); path prefix /.well-known/acme-challenge/ (preset acme); at TC the server's kernel makes the connection its own" \
		"$(explain --to 198.51.100.9:1000 --vlan 5 'GET /.well-known/acme-challenge/x HTTP/1.1')"
	expect_match "the text over IPv6" \
		"^2 \[2001:db8::1\]:40000 > \[2001:db8::9\]:443 'GET / HTTP/1.1': answered - answered: " \
		"$(explain --to '[2001:db8::9]:443')"
	expect_match "the text" "assumed: the server's kernel did the handshake" "$(explain --to 198.51.100.9:443)"
}

test_explain_in_json() {
	write_explained_policy "$topology_dir/policy.yaml"
	explain --to 198.51.100.9:1000 --vlan 5 'GET /.well-known/acme-challenge/x HTTP/1.1' --json >"$topology_dir/rows.json"
	expect_equal "what differs from the last packet of the JSON" "" "$(python3 - "$topology_dir/rows.json" <<-'PYTHON'
		import json, sys
		with open(sys.argv[1]) as file:
		    rows = json.load(file)
		wanted = {
		    "number": 3, "from": "192.0.2.1:40000", "to": "198.51.100.9:1000", "vlan": 5,
		    "packet": "'GET /.well-known/acme-challenge/x HTTP/1.1'", "data_len": 71,
		    "skipped": None, "assumed": None,
		    "reason": "exempt_path", "verdict": "passed", "why": "plaintext HTTP for an exempt path",
		    "service": "edge", "class": "http", "monitored": False,
		    "rule": {"kind": "exempt_path", "value": "/.well-known/acme-challenge/", "note": "preset acme"},
		    "message": "tc_hand_over",
		}
		verdicts = [row["verdict"] for row in rows]
		if verdicts != ["sent back", "dropped", "passed"]:
		    print(verdicts)
		for key in wanted.keys() | rows[-1].keys():
		    if wanted.get(key, "missing") != rows[-1].get(key, "missing"):
		        print(key, rows[-1].get(key, "missing"))
	PYTHON
	)"
}

# The share is said, and it is the one by which the program decides.
test_explain_says_the_share_of_a_source() {
	local share
	write_share() { # PERCENT
		printf 'services:\n  - {name: https, port: 443, percent: %d}\n' "$1" >"$topology_dir/policy.yaml"
	}
	write_share 0
	share=$(explain --to 198.51.100.9:443 | sed -n 's/.*this source is \([0-9]*\) of.*/\1/p')
	expect_explained "no_data would_answer" "https; percent 0 (this source is $share of 0 to 99, those below 0 are enforced)" --to 198.51.100.9:443
	write_share "$share"
	expect_explained "no_data would_answer" "https; percent $share (this source is $share of 0 to 99, those below $share are enforced)" --to 198.51.100.9:443
	write_share $((share + 1))
	expect_explained "no_data answered" "https; action respond (this source is $share of 0 to 99, those below $((share + 1)) are enforced); the responder sends the answer" --to 198.51.100.9:443
}

test_explain_needs_the_interface_that_a_policy_is_for() {
	printf 'services:\n  - {name: https, port: 443, interface: eth7}\n' >"$topology_dir/policy.yaml"
	expect_refusal 2 explain --to 198.51.100.9:443
	expect_match "the message" "--interface is missing: service 'https' is for interface 'eth7'" "$output"
	expect_explained "no_data answered" "https; $responds" --to 198.51.100.9:443 --interface eth7
	expect_explained "not_protected not_protected" "" --to 198.51.100.9:443 --interface eth8
}

# The cookie's settings are the host's.
test_explain_says_why_the_edge_is_unable() {
	write_explained_policy "$topology_dir/policy.yaml"
	on_server sysctl -qw net.ipv4.tcp_syncookies=0
	expect_match "the text" "fallback_host - passed: .*" "$(explain --to 198.51.100.9:1000)"
	expect_match "the text" "; host net.ipv4.tcp_syncookies is 0$" "$(explain --to 198.51.100.9:1000)"
}

test_explain_refuses_what_it_cannot_do() {
	write_explained_policy "$topology_dir/policy.yaml"
	local to=198.51.100.9:443
	expect_exit 2 explain
	expect_match "the message" "--to is missing" "$output"
	expect_exit 2 explain --to 198.51.100.9
	expect_match "the message" "allowed is ADDRESS:PORT" "$output"
	expect_exit 2 explain --to 2001:db8::1:443x
	expect_exit 2 explain --to $to --from 2001:db8::1
	expect_exit 2 explain --to $to --vlan 4095
	expect_exit 2 explain --to $to 'GET / HTTP/1.1' again
	expect_exit 2 explain --to $to 'GET / HTTP/1.1' --tls
	expect_exit 2 explain --to $to --tls --host a
	expect_exit 2 explain --to $to --raw '\q'
	expect_exit 2 explain --to $to $'GET /\r\nX: y'
	expect_exit 2 explain --to $to "GET /$(head -c 2000 /dev/zero | tr '\0' x) HTTP/1.1"
	expect_match "the message" "up to 1428 octets" "$output"
	expect_exit 2 explain --to $to --pcap /dev/null
	expect_exit 2 explain --to $to --pin-dir "$PINS"
	printf 'services:\n  - {name: https, port: 99999}\n' >"$topology_dir/policy.yaml"
	expect_refusal 3 explain --to $to
	rm "$topology_dir/policy.yaml"
	expect_refusal 3 explain --to $to
	expect_refusal 1 edge explain --to $to
	expect_match "the message" "nothing is pinned there" "$output"
	write_explained_policy "$topology_dir/policy.yaml"
	cp "$EDGE426" "$topology_dir/edge426"
	expect_refusal 1 setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$topology_dir/edge426" explain --policy "$topology_dir/policy.yaml" --to $to
	expect_match "the message" "run as root" "$output"
}

# --- under a policy that runs ------------------------------------------------

# What must be the same before and after: counters, flows, limits, loads, state.
print_running() {
	edge stats --json
	edge status --json
	edge policy show
	for map in flows sources loads reasons explain owned services; do
		on_server bpftool --json map dump pinned "$PINS/$map" | md5sum
	done
}

test_explain_tells_what_a_running_edge426_does_and_leaves_it_alone() {
	cat >"$topology_dir/policy.yaml" <<-POLICY
		services:
		  - {name: https, port: 443, handshake: edge, exempt_paths: [/open/], limit: {rate: 1000, burst: 1000}}
		allow:
		  - 203.0.113.0/24
	POLICY
	run_start --policy "$topology_dir/policy.yaml"
	expect_426_everywhere
	expect_equal "nginx's page" "404" "$(fetch -o /dev/null -w '%{http_code}' -H 'Host: x' "http://$SERVER_IP:443/open/x" | sed 's/400/404/')"
	local before
	before=$(print_running)
	expect_running() { # "REASON…" ARGUMENT…
		expect_equal "the reasons of '${*:2}'" "$1" "$(edge explain "${@:2}" | reasons_of)"
	}
	for _ in 1 2 3; do
		expect_running "syn_answered handshake_ended answered" --to "$SERVER_IP:443" --from "$CLIENT_IP"
		expect_running "syn_answered handshake_ended answered" --to "[$SERVER_IP6]:443" --from "$CLIENT_IP6"
		expect_running "syn_answered handshake_ended exempt_path" --to "$SERVER_IP:443" 'GET /open/x HTTP/1.1'
		expect_running "syn_answered handshake_ended handed_over" --to "$SERVER_IP:443" --tls
		expect_running "allowed allowed" --to "$SERVER_IP:443" --from 203.0.113.9
		expect_running "not_protected not_protected" --to "$SERVER_IP:444"
	done
	expect_equal "what runs" "$before" "$(print_running)"
	expect_426_everywhere
	expect_tls_works
}

test_explain_follows_what_operators_change() {
	run_start --port 443
	last_reason() {
		edge explain --to "$SERVER_IP:443" 2>/dev/null | reasons_of | sed 's/.* //'
	}
	expect_equal "the reason" answered "$(last_reason)"
	edge bypass on
	expect_equal "the reason under bypass" bypassed "$(last_reason)"
	expect_match "the text" "; bypass of all services$" "$(edge explain --to "$SERVER_IP:443")"
	edge bypass off
	edge allow add 192.0.2.0/24
	expect_equal "the reason of an allowed source" allowed "$(last_reason)"
	expect_match "the text" "; allow entry 192.0.2.0/24$" "$(edge explain --to "$SERVER_IP:443")"
	write_policy "$topology_dir/policy.yaml" 8443
	edge policy apply --confirm-within 60s "$topology_dir/policy.yaml"
	expect_match "the text" "the policy waits to be confirmed and goes back in [0-9]+ s" "$(edge explain --to "$SERVER_IP:443" 2>&1)"
	expect_equal "the reason where a service was" not_protected "$(last_reason)"
	expect_match "the text" "a service that a policy before this one had here" "$(edge explain --to "$SERVER_IP:443")"
	edge policy rollback
	expect_equal "the reason after going back" allowed "$(last_reason)"
}

# Who has used up its limit there is told so; the others are not.
test_explain_knows_who_is_over_the_limit() {
	printf 'services:\n  - {name: https, port: 443, limit: {rate: 1, burst: 1}}\n' >"$topology_dir/policy.yaml"
	run_start --policy "$topology_dir/policy.yaml"
	local tries=0 text=
	until grep -q "limited - " <<<"$text"; do # an answer is one for a second only
		[ $((tries += 1)) -le 20 ] || fail "a source over its limit, got '$text'"
		for _ in 1 2 3 4; do
			fetch --max-time 0.2 "http://$SERVER_IP:443/" >/dev/null 2>&1 || true
		done
		text=$(edge explain --to "$SERVER_IP:443" --from "$CLIENT_IP")
	done
	expect_match "the text" "; limit 1/1$" "$text"
	expect_equal "the reason of another source" answered \
		"$(edge explain --to "$SERVER_IP:443" 2>/dev/null | reasons_of | sed 's/.* //')"
}

# Attached, but never served: a copy needs secrets of its own.
test_explain_works_where_no_responder_ever_was() {
	edge attach --interface "$SERVER_IF"
	expect_refusal 1 edge explain --to "$SERVER_IP:443"
	expect_match "the message" "there is none" "$output"
	printf 'services:\n  - {name: https, port: 443, handshake: edge}\n' >"$topology_dir/policy.yaml"
	edge policy apply "$topology_dir/policy.yaml"
	expect_equal "the reasons" "syn_answered handshake_ended answered" \
		"$(edge explain --to "$SERVER_IP:443" 2>/dev/null | reasons_of)"
	expect_match "the message" "no responder serves" "$(edge explain --to "$SERVER_IP:443" 2>&1)"
	edge detach --interface "$SERVER_IF"
}

test_explain_while_traffic_flows() {
	run_start --port 443
	start_on_client wrk -t1 -c16 -d25s "http://$SERVER_IP:443/" >"$topology_dir/wrk.txt"
	local wrk=$started
	for _ in 1 2 3; do
		expect_equal "the reasons" "no_data answered" "$(edge explain --to "$SERVER_IP:443" --from "$CLIENT_IP" | reasons_of)"
	done
	kill -0 "$wrk" || fail "traffic flows all the time"
	wait "$wrk"
	expect_no_match "the report" "Socket errors" "$(cat "$topology_dir/wrk.txt")"
	[ "$(requests_of "$(cat "$topology_dir/wrk.txt")")" -gt 0 ] || fail "there were requests"
}

# --- captures ----------------------------------------------------------------

capture_tool() { # WHAT … IN OUT; names in $topology_dir
	(cd "$topology_dir" && python3 "$ROOT/tests/e2e/capture.py" "$@")
}

# A real exchange with nginx, on the client's wire: plaintext, then TLS, then IPv6.
make_capture() { # FILE [TCPDUMP ARGUMENT…]
	local file=$1 tcpdump
	shift
	start_on_client tcpdump -Z root -i "$CLIENT_IF" -w "$file" -U --immediate-mode "$@" tcp 2>"$topology_dir/tcpdump.log"
	tcpdump=$started
	wait_for 10 grep -q "listening on" "$topology_dir/tcpdump.log"
	expect_match "the answer" "400 Bad Request" "$(fetch -i "http://$SERVER_IP:443/plain")"
	fetch -k "https://$SERVER_IP:443/" >/dev/null
	fetch "http://[$SERVER_IP6]:443/six" >/dev/null
	wait_for 10 no_socket_in_use "$CLIENT_NS"
	topology_end "$tcpdump"
}

rows_with() { # KEY VALUE; JSON on stdin: the numbers of packets
	python3 -c '
import json, sys
print(*(row["number"] for row in json.load(sys.stdin) if row[sys.argv[1]] == sys.argv[2]))' "$@"
}

test_explain_tells_of_a_capture() {
	write_explained_policy "$topology_dir/policy.yaml"
	make_capture "$topology_dir/real.pcap"
	explain --pcap "$topology_dir/real.pcap" --json >"$topology_dir/rows.json"
	expect_equal "requests that are answered" "2" "$(rows_with reason answered <"$topology_dir/rows.json" | wc -w)"
	expect_match "packets of TLS" "[0-9]" "$(rows_with reason tls <"$topology_dir/rows.json")"
	expect_match "packets of the server" "[0-9]" "$(rows_with skipped from_server <"$topology_dir/rows.json")"
	expect_equal "packets that go nowhere" "" "$(rows_with reason not_protected <"$topology_dir/rows.json")"
	explain --pcap "$topology_dir/real.pcap" >"$topology_dir/text"
	expect_match "the text" "^[0-9]+ $CLIENT_IP:[0-9]+ > $SERVER_IP:443 SYN: no_data - " "$(cat "$topology_dir/text")"
	expect_match "the text" "'GET /plain HTTP/1.1': answered - " "$(cat "$topology_dir/text")"
	expect_match "the text" "\[$CLIENT_IP6\]:[0-9]+ > \[$SERVER_IP6\]:443 'GET /six HTTP/1.1': answered - " "$(cat "$topology_dir/text")"
	expect_match "the text" "> $CLIENT_IP:[0-9]+ SYN ACK: from the server, not to a service" "$(cat "$topology_dir/text")"
	expect_match "the summary" "^ +2  answered +answered: plaintext HTTP, first answer" "$(cat "$topology_dir/text")"
	expect_equal "packets by the summary" "$(grep -c ' > ' "$topology_dir/text")" "$(sed -n 's/^\([0-9]*\) packets$/\1/p' "$topology_dir/text")"
	expect_match "the standard input's" "2  answered" "$(explain --pcap - <"$topology_dir/real.pcap")"
	capture_tool pcapng real.pcap real.pcapng
	explain --pcap "$topology_dir/real.pcapng" | cmp - "$topology_dir/text"
}

# A SYN with the edge's answer, or octets let through: the capture's own ones count.
test_explain_judges_first_octets_of_a_capture_only() {
	write_explained_policy "$topology_dir/policy.yaml"
	make_capture "$topology_dir/real.pcap"
	capture_tool skip 1 real.pcap late.pcap
	explain --pcap "$topology_dir/late.pcap" >"$topology_dir/text"
	expect_match "the request without its SYN" "'GET /plain HTTP/1.1': not_first - " "$(cat "$topology_dir/text")"
	expect_match "what is said of it" "assumed: its SYN is not in the capture" "$(cat "$topology_dir/text")"
	expect_match "the other request" "'GET /six HTTP/1.1': answered - " "$(cat "$topology_dir/text")"
	printf 'services:\n  - {name: https, port: 443, mode: monitor}\n' >"$topology_dir/policy.yaml"
	capture_tool repeat 400 real.pcap again.pcap # retransmissions of what has arrived
	explain --pcap "$topology_dir/again.pcap" --json >"$topology_dir/rows.json"
	expect_equal "requests that would be answered" 2 "$(rows_with reason would_answer <"$topology_dir/rows.json" | wc -w)"
}

test_explain_of_a_capture_under_a_running_policy_leaves_it_alone() {
	make_capture "$topology_dir/real.pcap"
	printf 'services:\n  - {name: https, port: 443, handshake: edge}\n' >"$topology_dir/policy.yaml"
	run_start --policy "$topology_dir/policy.yaml"
	expect_426_everywhere
	local before
	before=$(print_running)
	expect_match "the summary" "^ +3  syn_answered" "$(edge explain --pcap "$topology_dir/real.pcap")"
	expect_equal "what runs" "$before" "$(print_running)"
}

test_explain_skips_what_is_cut() {
	write_explained_policy "$topology_dir/policy.yaml"
	make_capture "$topology_dir/cut.pcap" -s 80
	explain --pcap "$topology_dir/cut.pcap" >"$topology_dir/text"
	expect_match "the text" "'GET [^']*': cut short in the capture" "$(cat "$topology_dir/text")"
	expect_match "the text" "SYN: no_data" "$(cat "$topology_dir/text")"
	expect_no_match "the text" "answered" "$(cat "$topology_dir/text")"
	make_capture "$topology_dir/short.pcap" -s 20
	expect_match "the text" "^1 cut short in the capture" "$(explain --pcap "$topology_dir/short.pcap")"
}

test_explain_refuses_what_is_no_capture() {
	write_explained_policy "$topology_dir/policy.yaml"
	make_capture "$topology_dir/real.pcap"
	: >"$topology_dir/empty"
	echo "This is no capture at all, but a text of some length." >"$topology_dir/text"
	head -c 4096 /dev/urandom >"$topology_dir/noise"
	capture_tool link 113 real.pcap cooked.pcap
	local file
	for file in empty text noise cooked.pcap nosuch .; do
		expect_refusal 1 explain --pcap "$topology_dir/$file"
		expect_match "the message" "Can't read capture '.*$file': ." "$output"
		expect_refusal 1 explain --pcap "$topology_dir/$file" --json
	done
	expect_refusal 1 explain --pcap "$topology_dir/cooked.pcap"
	expect_match "the message" "link type is LINUX_SLL \(113\), only Ethernet" "$output"
}

# A tcpdump that was killed leaves half a packet: what is whole is told, and the rest is not hidden.
test_explain_tells_what_a_broken_capture_has() {
	write_explained_policy "$topology_dir/policy.yaml"
	make_capture "$topology_dir/real.pcap"
	capture_tool truncate 3 real.pcap broken.pcap
	expect_exit 1 explain --pcap "$topology_dir/broken.pcap"
	expect_match "the output" "^ +2  answered" "$output"
	expect_match "the message" "Can't read capture '.*broken.pcap': truncated dump file" "$output"
	explain --pcap "$topology_dir/broken.pcap" --json 2>/dev/null >"$topology_dir/rows.json" || true
	expect_equal "requests in the JSON" 2 "$(rows_with reason answered <"$topology_dir/rows.json" | wc -w)"
}

# Whatever octets: every packet has its line, and the program its reason.
test_explain_takes_damaged_packets() {
	write_explained_policy "$topology_dir/policy.yaml"
	make_capture "$topology_dir/real.pcap"
	capture_tool damage 20000 real.pcap damaged.pcap
	explain --pcap "$topology_dir/damaged.pcap" --json >"$topology_dir/rows.json"
	expect_equal "rows" 20000 "$(python3 -c 'import json, sys; print(len(json.load(sys.stdin)))' <"$topology_dir/rows.json")"
	expect_match "malformed ones" "[0-9]" "$(rows_with reason malformed <"$topology_dir/rows.json")"
	expect_match "the summary" "^20000 packets$" "$(explain --pcap "$topology_dir/damaged.pcap")"
}

# Of one that is cheap: the server's SYN-ACK.
test_explain_stops_after_a_million_packets() {
	write_explained_policy "$topology_dir/policy.yaml"
	make_capture "$topology_dir/real.pcap"
	capture_tool pick 1 real.pcap one.pcap
	capture_tool repeat 1000001 one.pcap many.pcap
	explain --pcap "$topology_dir/many.pcap" >"$topology_dir/text" 2>"$topology_dir/log"
	expect_equal "packets" 1000000 "$(sed -n 's/^\([0-9]*\) packets$/\1/p' "$topology_dir/text")"
	expect_match "the log" "stopped after 1000000 packets" "$(cat "$topology_dir/log")"
}
