# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Coming, going and being killed; with bpftool, too.

test_run_says_in_one_line_what_it_serves() {
	run_start --port 443
	expect_equal "lines on stderr" 1 "$(wc -l <"$run_log")"
	expect_match "the line" "$SERVER_IF: native, 1 queue, (copy|zero-copy) mode, 1 service" "$(cat "$run_log")"
}

test_run_ends_on_sigterm_and_leaves_nothing() {
	run_start --port 443
	expect_426_everywhere
	run_stop
	expect_nothing_attached
	expect_nginx_answers_plaintext
}

test_run_ends_on_sigint_and_leaves_nothing() {
	run_start --port 443
	run_stop INT
	expect_nothing_attached
}

traffic_flows() {
	[ "$(counter answered)" -gt 1000 ]
}

test_run_ends_cleanly_under_traffic() {
	run_start --port 443
	start_on_client wrk -t1 -c32 -d4s "http://$SERVER_IP:443/"
	wait_for 5 traffic_flows
	run_stop
	expect_nothing_attached
	wait "$started"
	expect_nginx_answers_plaintext
	expect_tls_works
}

test_killed_run_is_followed_by_another_without_cleaning_up() {
	local round
	for round in 1 2 3; do
		run_start --port 443
		expect_426_everywhere
		run_kill
		expect_nginx_answers_plaintext # nobody responds: traffic passes
		expect_tls_works
	done
	run_start --port 443
	expect_426_everywhere
	run_stop
	expect_nothing_attached
	echo "$round kills"
}

test_detach_cleans_up_after_a_killed_run() {
	run_start --port 443
	run_kill
	expect_exit 0 edge detach --interface "$SERVER_IF"
	expect_nothing_attached
	expect_exit 1 edge detach --interface "$SERVER_IF"
}

test_attach_passes_everything_until_run_and_after_it() {
	expect_exit 0 edge attach --interface "$SERVER_IF"
	expect_match "the XDP hook" "prog/xdp" "$(hook_of_server)"
	expect_nginx_answers_plaintext
	expect_exit 1 edge status --wait 0
	run_start --port 443
	expect_426_everywhere
	run_stop
	expect_match "the XDP hook" "prog/xdp" "$(hook_of_server)" # attach stays until detach
	expect_nginx_answers_plaintext
	expect_tls_works
	expect_exit 0 edge detach --interface "$SERVER_IF"
	expect_nothing_attached
}

test_responder_gone_is_counted() {
	run_start --port 443
	run_kill
	expect_nginx_answers_plaintext
	expect_counted no_responder
}

test_status_tells_the_truth() {
	expect_exit 1 edge status --wait 0
	run_start --port 443
	expect_equal "pid of the responder" "$run_pid" "$(edge status --json | json_value pid)"
	expect_equal "alive" true "$(edge status --json | json_value alive)"
	expect_equal "mode" native "$(edge status --json | json_value mode)"
	expect_equal "by" run "$(edge status --json | json_value by)"
	expect_match "the text" "responder +process $run_pid" "$(edge status)"
	run_kill
	expect_equal "alive" false "$(edge status --json | json_value alive)"
	expect_exit 1 edge status --wait 1
}

test_usual_place_of_the_pins() {
	start_on_server "$EDGE426" run --interface "$SERVER_IF" --port 443
	local pid=$started
	wait_for 10 on_server "$EDGE426" status --wait 5
	expect_exit 0 test -e "/sys/fs/bpf/edge426/$SERVER_IF/state"
	expect_426_everywhere
	expect_match "stats" "answered" "$(on_server "$EDGE426" stats)"
	kill -TERM "$pid"
	wait "$pid"
	expect_nothing_attached
}

test_policy_outlives_a_killed_run() {
	write_policy "$topology_dir/policy.yaml" 443 "Kept, https:// is."
	run_start --policy "$topology_dir/policy.yaml"
	run_kill
	run_start
	expect_match "the body" "Kept, https:// is." "$(fetch "http://$SERVER_IP:443/")"
}

load_with_bpftool() {
	mkdir "$PINS"
	bpftool prog load "$BPF/edge_xdp.bpf.o" "$PINS/edge426_xdp" pinmaps "$PINS"
	on_server bpftool net attach xdp pinned "$PINS/edge426_xdp" dev "$SERVER_IF"
}

test_bpftool_is_a_way_in() {
	load_with_bpftool
	expect_nginx_answers_plaintext # no policy: everything passes
	expect_tls_works
	run_start --attached --port 443
	expect_426_everywhere
	expect_tls_works
	expect_no_socket_left
	run_stop
	expect_nginx_answers_plaintext
	expect_tls_works
	expect_match "the XDP hook" "prog/xdp" "$(hook_of_server)" # bpftool attached it, bpftool takes it off
	on_server bpftool net detach xdp dev "$SERVER_IF"
	rm -r "$PINS"
	expect_nothing_attached
}

test_bpftool_shows_what_run_loaded() {
	run_start --port 443
	expect_match "bpftool net" "$SERVER_IF" "$(on_server bpftool net show dev "$SERVER_IF")"
	expect_match "bpftool prog" "edge426_xdp" "$(bpftool prog show pinned "$PINS/edge426_xdp")"
	expect_exit 0 bpftool map dump pinned "$PINS/state"
}

test_sighup_reads_a_valid_policy() {
	write_policy "$topology_dir/policy.yaml" 443
	run_start --policy "$topology_dir/policy.yaml"
	write_policy "$topology_dir/policy.yaml" 443 "Read again, https:// still."
	kill -HUP "$run_pid"
	wait_for 5 generation_is 2
	expect_match "the body" "Read again, https:// still." "$(fetch "http://$SERVER_IP:443/")"
}

test_sighup_with_an_invalid_policy_changes_nothing() {
	write_policy "$topology_dir/policy.yaml" 443
	run_start --policy "$topology_dir/policy.yaml"
	echo "services: [{name: a, port: 99999}]" >"$topology_dir/policy.yaml"
	kill -HUP "$run_pid"
	wait_for 5 grep -q 99999 "$run_log"
	expect_equal "the generation" 1 "$(generation)"
	expect_426_everywhere
}

test_reload_by_signal_and_command_under_traffic() {
	local round report
	write_policy "$topology_dir/policy.yaml" 443
	run_start --policy "$topology_dir/policy.yaml"
	on_client wrk -t1 -c32 -d5s --timeout 5s "http://$SERVER_IP:443/" >"$topology_dir/report" &
	local wrk=$!
	for round in $(seq 1 40); do
		write_policy "$topology_dir/policy.yaml" 443 "Text $round of https://."
		edge policy apply "$topology_dir/policy.yaml" >/dev/null
		kill -HUP "$run_pid"
	done
	wait "$wrk"
	report=$(cat "$topology_dir/report")
	expect_no_match "the report" "Socket errors" "$report"
	expect_equal "answers other than 2xx and 3xx" "$(requests_of "$report")" \
		"$(awk '/Non-2xx/ { print $NF }' <<<"$report")"
	expect_match "the body" "Text 40 of https://" "$(fetch "http://$SERVER_IP:443/")"
	expect_no_socket_left
}

test_run_ends_cleanly_without_its_pins() {
	run_start --port 443
	rm -r "$PINS"
	expect_426_everywhere
	run_stop
	expect_nothing_attached
	expect_equal "the clsact qdisc" "" "$(tc -n "$SERVER_NS" qdisc show dev "$SERVER_IF" clsact)"
}

test_run_ends_cleanly_after_a_rename() {
	run_start --port 443
	ip -n "$SERVER_NS" link set dev "$SERVER_IF" name renamed0
	run_stop
	ip -n "$SERVER_NS" link set dev renamed0 name "$SERVER_IF"
	expect_nothing_attached
	expect_equal "the clsact qdisc" "" "$(tc -n "$SERVER_NS" qdisc show dev "$SERVER_IF" clsact)"
}

test_run_ends_when_its_interface_goes() {
	local status=0
	run_start --port 443
	ip -n "$SERVER_NS" link delete dev "$SERVER_IF"
	wait_for 5 run_has_ended
	wait "$run_pid" || status=$?
	expect_equal "the exit status" 1 "$status"
	expect_match "the message" "'$SERVER_IF' any more: the interface is gone" "$(cat "$run_log")"
	expect_equal "pins" "" "$(find /sys/fs/bpf -mindepth 1 -not -name '*.debug')"
}

# Somebody else took the program off: the responder lives, and gets no packet.
test_status_says_when_a_responder_does_not_serve() {
	run_start --port 443
	expect_equal "serves" true "$(edge status --json | json_value serves)"
	ip -n "$SERVER_NS" link set dev "$SERVER_IF" xdpdrv off
	expect_exit 1 edge status --wait 0
	expect_match "the text" "process $run_pid lives but does not serve" "$(edge status)"
	expect_equal "alive" true "$(edge status --json | json_value alive)"
	expect_equal "serves" false "$(edge status --json | json_value serves)"
	run_stop
	expect_nothing_attached
}

test_status_follows_a_rename() {
	run_start --port 443
	ip -n "$SERVER_NS" link set dev "$SERVER_IF" name renamed0
	expect_exit 0 edge status --wait 0
	expect_match "the text" "^renamed0" "$(edge status)"
}

test_status_from_another_namespace_relies_on_the_lock() {
	run_start --port 443
	expect_exit 0 on_client "$EDGE426" status --pin-dir "$PINS" --wait 0
	expect_match "the text" "another network namespace whose hook cannot be asked" "$output"
	run_kill
	expect_exit 1 on_client "$EDGE426" status --pin-dir "$PINS" --wait 0
}

add_second_interface() {
	ip -n "$SERVER_NS" link add srv2 numrxqueues 1 numtxqueues 1 type veth peer name cli2 numrxqueues 1 numtxqueues 1
	ip -n "$SERVER_NS" link set srv2 up
}

test_one_directory_for_several_interfaces() {
	local name
	add_second_interface
	run_start --interface srv2 --port 443
	wait_for 10 test -e "$PINS/srv2/state"
	wait_for 10 edge status --wait 5
	for name in "$SERVER_IF" srv2; do
		expect_match "status" "^$name\$" "$(edge status)"
		expect_match "stats" "^$name: packets" "$(edge stats)"
		expect_match "status of one" "pins +$PINS/$name" "$(edge status --interface "$name")"
		expect_refusal 1 edge detach --interface "$name"
		expect_match "the message" "process $run_pid serves it" "$output"
	done
	expect_426_everywhere
	run_kill
	expect_exit 0 edge detach --interface "$SERVER_IF"
	expect_exit 0 edge detach --interface srv2
	expect_nothing_attached
}

test_sighup_tells_which_interface_has_the_policy() {
	add_second_interface
	write_policy "$topology_dir/policy.yaml" 443
	run_start --interface srv2 --policy "$topology_dir/policy.yaml"
	wait_for 10 grep -q "serving srv2" "$run_log"
	rm -r "${PINS:?}/$SERVER_IF"
	kill -HUP "$run_pid"
	wait_for 5 grep -q "'srv2' has the new policy" "$run_log"
	expect_match "the log" "'$SERVER_IF' keeps the policy it had" "$(cat "$run_log")"
	expect_equal "the generation" 2 "$(edge status --interface srv2 --json | json_value generation)"
	run_stop
	expect_nothing_attached
}

noted_mtu_is() { # N
	[ "$(bpftool --json map dump pinned "$PINS/edge" | json_value mtu)" = "$1" ]
}

# Handshakes of the edge need it: a change is seen under the new name, too.
test_run_follows_the_mtu_after_a_rename() {
	run_start --port 443
	noted_mtu_is 1500
	ip -n "$SERVER_NS" link set dev "$SERVER_IF" name renamed0
	ip -n "$SERVER_NS" link set dev renamed0 mtu 1400
	wait_for 5 noted_mtu_is 1400
}
