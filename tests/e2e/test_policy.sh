# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# The policy from the command line: check, apply, show, one service at a time.

test_apply_takes_effect_at_once_and_show_prints_what_apply_reads() {
	run_start --port 443
	write_policy "$topology_dir/policy.yaml" 443 "Applied: https:// it is."
	expect_exit 0 edge policy apply "$topology_dir/policy.yaml"
	expect_match "the body" "Applied: https:// it is." "$(fetch "http://$SERVER_IP:443/")"
	edge policy show >"$topology_dir/shown.yaml"
	expect_exit 0 edge policy apply "$topology_dir/shown.yaml"
	edge policy show | cmp - "$topology_dir/shown.yaml"
	expect_match "the body" "Applied: https:// it is." "$(fetch "http://$SERVER_IP:443/")"
}

test_service_taken_out_of_the_policy_is_nginx_again() {
	run_start --port 443
	write_policy "$topology_dir/policy.yaml" 8443
	edge policy apply "$topology_dir/policy.yaml"
	expect_nginx_answers_plaintext
	write_policy "$topology_dir/policy.yaml" 443
	edge policy apply "$topology_dir/policy.yaml"
	expect_426_everywhere
}

test_service_add_del_and_list() {
	run_start --port 8443
	expect_nginx_answers_plaintext
	expect_exit 0 edge service add web --port 443
	expect_426_everywhere
	expect_match "the list" "web.*443" "$(edge service list)"
	expect_equal "port in JSON" 443 "$(edge service list --json | python3 -c '
import json, sys
print(next(row["port"] for rows in json.load(sys.stdin).values() for row in rows if row["name"] == "web"))')"
	expect_exit 3 edge service add web --port 444 # the name is taken
	expect_exit 0 edge service del web
	expect_nginx_answers_plaintext
	expect_exit 1 edge service del web
}

# Only one of two addresses is protected; the longest prefix decides.
test_address_of_a_service_counts() {
	ip -n "$SERVER_NS" address add 10.9.0.7/24 dev "$SERVER_IF"
	ip -n "$CLIENT_NS" neighbour replace 10.9.0.7 lladdr "$SERVER_MAC" nud permanent dev "$CLIENT_IF"
	run_start --port 8443
	edge service add web --port 443 --address 10.9.0.7
	expect_426 "$(fetch -i "http://10.9.0.7:443/")"
	expect_nginx_answers_plaintext
	expect_match "the answer over IPv6" "400 Bad Request" "$(fetch -i "http://[$SERVER_IP6]:443/")"
	edge service del web
	edge service add web --port 443 --address fd00::/64
	expect_426 "$(fetch -i "http://[$SERVER_IP6]:443/")"
	expect_nginx_answers_plaintext
}

test_ipv4_written_as_ipv6_is_refused() {
	run_start --port 8443
	expect_exit 2 edge service add web --port 443 --address ::ffff:10.9.0.1
	expect_match "the message" "--address '::ffff:10.9.0.1': allowed is IPv4 written as IPv4, likely 10.9.0.1$" "$output"
	expect_exit 2 edge service add web --port 443 --address 10.9.0.1/24
	expect_match "the message" "a prefix without host bits, likely 10.9.0.0/24$" "$output"
	printf 'services:\n  - name: web\n    port: 443\n    address: ::ffff:10.9.0.0/120\n' >"$topology_dir/policy.yaml"
	expect_refusal 3 edge policy apply "$topology_dir/policy.yaml"
	expect_match "the message" "policy.yaml:4:14: .*: IPv4 written as IPv4, likely 10.9.0.0/24$" "$output"
}

test_invalid_policies_exit_with_3_and_name_the_place() {
	cat >"$topology_dir/bad.yaml" <<-POLICY
		services:
		  - name: https
		    port: 99999
	POLICY
	run_start --port 443
	expect_refusal 3 edge policy apply "$topology_dir/bad.yaml"
	expect_match "the message" "bad.yaml:3:[0-9]+:.*99999.*65535" "$output"
	expect_refusal 3 on_server "$EDGE426" policy check "$topology_dir/bad.yaml"
	expect_equal "the generation" 1 "$(generation)"
	expect_426_everywhere
	run_stop
	expect_refusal 3 edge run --interface "$SERVER_IF" --policy "$topology_dir/bad.yaml"
	expect_nothing_attached
}

# Nobody writes into it: reading would never end.
test_fifo_in_place_of_the_policy_is_refused_and_run_goes_on() {
	write_policy "$topology_dir/policy.yaml" 443
	run_start --policy "$topology_dir/policy.yaml"
	rm "$topology_dir/policy.yaml"
	mkfifo "$topology_dir/policy.yaml"
	kill -HUP "$run_pid"
	wait_for 5 grep -q "Can't read policy '.*': not a regular file" "$run_log"
	expect_426_everywhere
	expect_refusal 3 on_server timeout 5 "$EDGE426" policy check "$topology_dir/policy.yaml"
	run_stop
}

test_answer_that_does_not_fit_is_refused_with_sizes() {
	write_policy "$topology_dir/long.yaml" 443 "$(head -c 600 /dev/zero | tr '\0' x)"
	expect_refusal 3 on_server "$EDGE426" policy check "$topology_dir/long.yaml"
	expect_match "the message" "524" "$output"
}

test_check_needs_neither_root_nor_interface() {
	write_policy "$topology_dir/policy.yaml" 443
	cp "$EDGE426" "$topology_dir/edge426"
	expect_exit 0 setpriv --reuid 65534 --regid 65534 --clear-groups "$topology_dir/edge426" policy check "$topology_dir/policy.yaml"
	expect_exit 3 on_server "$EDGE426" policy check "$topology_dir/nosuch.yaml"
}

test_1024_services() {
	{
		echo "services:"
		for port in $(seq 2000 3022); do
			printf '  - name: port-%d\n    port: %d\n' "$port" "$port"
		done
		printf '  - name: web\n    port: 443\n'
	} >"$topology_dir/many.yaml"
	run_start --policy "$topology_dir/many.yaml"
	expect_426_everywhere
	expect_equal "services" 1024 "$(edge status --json | json_value services)"
}

test_answer_of_the_policy_is_what_clients_get() {
	cat >"$topology_dir/policy.yaml" <<-POLICY
		services:
		  - name: https
		    port: 443
		    address: 10.9.0.0/24
		    handshake: backend
		answers:
		  default:
		    upgrade: ["HTTP/3.0"]
		    content_type: application/json
		    body: '{"use": "https://"}'
	POLICY
	run_start --policy "$topology_dir/policy.yaml"
	local answer
	answer=$(fetch -i "http://$SERVER_IP:443/")
	expect_426 "$answer"
	expect_match "the answer" $'^Upgrade: HTTP/3.0\r$' "$answer"
	expect_match "the answer" $'^Content-Type: application/json\r$' "$answer"
	expect_equal "the body" '{"use": "https://"}' "$(fetch "http://$SERVER_IP:443/")"
	expect_match "the answer over IPv6, which is not protected" "400 Bad Request" "$(fetch -i "http://[$SERVER_IP6]:443/")"
}

test_service_add_says_how_the_handshake_is_done() {
	run_start --port 8443
	expect_exit 0 edge service add web --port 443 --handshake auto --syn-threshold 7
	expect_exit 0 edge service add plain --port 80 --no-backend
	expect_match "the list" "web .*handshake auto syn_threshold 7 calm_seconds 60$" "$(edge service list)"
	expect_match "the list" "plain .*handshake edge backend none$" "$(edge service list)"
	expect_equal "the services in JSON" "backend True, auto True 7 60, edge False" "$(edge service list --json | python3 -c '
import json, sys
keys = "handshake", "backend", "syn_threshold", "calm_seconds"
rows = next(iter(json.load(sys.stdin).values()))
print(", ".join(" ".join(str(row[key]) for key in keys if row[key] is not None) for row in rows))')"
	expect_refusal 3 edge service add other --port 81 --handshake auto --no-backend
	expect_match "the message" "backend 'none' is not allowed with handshake 'auto'" "$output"
	expect_refusal 3 edge service add other --port 81 --calm-seconds 5
	expect_match "the message" "calm_seconds '5' is not allowed with handshake 'backend'" "$output"
	expect_exit 2 edge service add other --port 81 --handshake auto --syn-threshold 0
}

# Sets $key, as bpftool takes it: where the load of a service stands, edge426/abi.h.
find_load() { # HALF SERVICE, an index
	local index=$(($1 * 4096 + $2))
	key=($((index & 255)) $((index >> 8)) 0 0)
}

load_of() { # HALF SERVICE; its octets
	find_load "$1" "$2"
	on_server bpftool --json map lookup pinned "$PINS/loads" key "${key[@]}" |
		python3 -c 'import json, sys; print(*(int(octet, 16) for octet in json.load(sys.stdin)["value"]))'
}

mark_load() { # HALF SERVICE OCTET…
	find_load "$1" "$2"
	on_server bpftool map update pinned "$PINS/loads" key "${key[@]}" value "${@:3}"
}

# `auto` under a flood stays at the edge: the load goes with the name, and with nothing else.
test_load_of_a_service_outlives_a_policy() {
	local zero=() marked=()
	for _ in {1..40}; do # octets of a struct edge426_load
		zero+=(0) marked+=(9)
	done
	run_start --port 443 # the first policy is in half 1
	mark_load 1 0 "${marked[@]}"
	cat >"$topology_dir/policy.yaml" <<-POLICY
		services:
		  - name: new
		    port: 80
		  - name: port-443
		    port: 443
		    handshake: auto
	POLICY
	expect_exit 0 edge policy apply "$topology_dir/policy.yaml"
	expect_equal "the load of the new service" "${zero[*]}" "$(load_of 0 0)"
	expect_equal "the load of port-443" "${marked[*]}" "$(load_of 0 1)"
	write_policy "$topology_dir/policy.yaml" 443
	expect_exit 0 edge policy apply "$topology_dir/policy.yaml"
	expect_equal "the load of a service by another name" "${zero[*]}" "$(load_of 1 0)"
}
