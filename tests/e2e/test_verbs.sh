# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# The verbs that change a running policy, each with what it prints and what it
# refuses; and the way back of a change that nobody confirms.

json_eval() { # EXPRESSION of Python: the JSON on stdin is `data`, that of the interface `here`
	python3 -c '
import json, sys
data = json.load(sys.stdin)
here = data.get(sys.argv[2])
print(eval(sys.argv[1]))' "$1" "$SERVER_IF"
}

expect_json() { # EXPRESSION WANTED VERB…
	expect_equal "$1 of '${*:3}'" "$2" "$(edge "${@:3}" --json | json_eval "$1")"
}

expect_output() { # WHAT WANTED; of the last command
	expect_equal "$1" "$2" "$output"
}

# A request of the client goes by, and is counted so.
counts_as() { # REASON
	local before
	before=$(counter "$1")
	fetch -o "$topology_dir/body" "http://$SERVER_IP:443/" && [ "$(counter "$1")" -gt "$before" ]
}

expect_counts_as() { # REASON
	counts_as "$1" || fail "a request is counted as $1: $(edge stats | awk '$1')"
}

# --- policy apply, diff, check ------------------------------------------------

write_services() { # FILE SERVICES in YAML
	printf 'services: %s\n' "$2" >"$topology_dir/$1"
}

test_apply_prints_what_it_changes() {
	run_start_with '[{name: https, port: 443}, {name: old, port: 81}]'
	write_services new.yaml '[{name: https, port: 443, action: reset}, {name: new, port: 82}]'
	expect_exit 0 edge policy apply "$topology_dir/new.yaml"
	expect_equal "the first line" "$SERVER_IF: applied: generation 2, 2 services" "$(head -1 <<<"$output")"
	expect_match "the lines" "^  \+ service new$" "$output"
	expect_match "the lines" "^  - service old$" "$output"
	expect_match "the lines" "^  ~ service https: action respond -> reset$" "$output"
	expect_equal "number of lines" 4 "$(wc -l <<<"$output")"
	expect_exit 0 edge policy apply "$topology_dir/new.yaml"
	expect_output "the same again" "$SERVER_IF: applied: generation 3, 2 services"$'\n'"  no change"
}

test_diff_tells_what_apply_would_change_and_changes_nothing() {
	local before
	run_start_with '[{name: https, port: 443}]'
	before=$(edge policy show)
	write_services new.yaml '[]'
	expect_exit 0 edge policy diff "$topology_dir/new.yaml"
	expect_output "the difference" "$SERVER_IF:"$'\n'"  - service https"
	expect_equal "the policy" "$before" "$(edge policy show)"
	expect_equal "the generation" 1 "$(generation)"
	expect_426_everywhere
	expect_exit 0 edge policy diff - <<<"$before"
	expect_output "the difference" "$SERVER_IF:"$'\n'"  no change"
	write_services bad.yaml '[{name: https, port: 0}]'
	expect_refusal 3 edge policy diff "$topology_dir/bad.yaml"
	expect_refusal 3 edge policy diff "$topology_dir/nosuch.yaml"
	expect_exit 2 edge policy diff
	expect_match "the message" "FILE is missing" "$output"
}

# Nothing was ever applied: the difference is to a policy without services.
test_diff_without_a_policy() {
	edge attach --interface "$SERVER_IF"
	write_services new.yaml '[{name: https, port: 443}]'
	expect_exit 0 edge policy diff "$topology_dir/new.yaml"
	expect_output "the difference" "$SERVER_IF:"$'\n'"  + service https"
	expect_equal "the generation" 0 "$(generation)"
}

test_check_and_apply_warn_of_what_is_doubtful() {
	local file=$topology_dir/doubtful.yaml
	write_services doubtful.yaml '[{name: https, port: 443, action: pass}]'
	expect_exit 0 on_server "$EDGE426" policy check "$file"
	expect_match "the lines" "^$file: valid, 1 service$" "$output"
	expect_match "the lines" "^$file: warning: .*https" "$output"
	expect_equal "stdout" "$file: valid, 1 service" "$("$EDGE426" policy check "$file" 2>"$topology_dir/warnings")"
	run_start --port 443
	expect_exit 0 edge policy apply "$file"
	expect_equal "warnings of apply" "$(cat "$topology_dir/warnings")" "$(grep warning <<<"$output")"
	write_services plain.yaml '[{name: https, port: 443}]'
	expect_exit 0 on_server "$EDGE426" policy check "$topology_dir/plain.yaml"
	expect_output "the line" "$topology_dir/plain.yaml: valid, 1 service"
}

write_everything() { # FILE; every key, with a value that says something
	cat >"$1" <<-POLICY
		services:
		  - name: https
		    port: 443
		    address: 10.9.0.0/24
		    interface: $SERVER_IF
		    vlan: 7
		    handshake: auto
		    syn_threshold: 50
		    calm_seconds: 30
		    other: drop
		    mode: monitor
		    limit: {rate: 5, burst: 20}
		    exempt_paths: [acme, /healthz]
		    exempt_hosts: [www.example.org, "[2001:db8::1]"]
		  - name: gone
		    port: 8000-8100
		    backend: none
		    action: reset-syn
		    other: drop
		    percent: 10
		  - name: passed
		    port: 9000
		    address: 2001:db8::/32
		    action: pass
		    mode: bypass
		allow:
		  - 192.0.2.0/24
		  - address: 2001:db8::/48
		    until: 2126-12-01T12:00:00Z
		answers:
		  default:
		    upgrade: ["HTTP/3.0", "TLS/1.3"]
		    content_type: application/json
		    body: '{"use": "https://"}'
	POLICY
}

test_show_prints_all_that_apply_reads() {
	write_everything "$topology_dir/policy.yaml"
	run_start --port 443
	edge policy apply "$topology_dir/policy.yaml"
	edge policy show >"$topology_dir/shown.yaml"
	expect_exit 0 edge policy apply - <"$topology_dir/shown.yaml"
	expect_match "the lines" "^  no change$" "$output"
	edge policy show | cmp - "$topology_dir/shown.yaml"
	expect_exit 0 edge policy diff "$topology_dir/policy.yaml"
	expect_match "the lines" "^  no change$" "$output"
}

# --- a change that has to be confirmed ------------------------------------------

# Nginx is seen while the change counts, 426 before and after it.
test_change_goes_back_unless_confirmed() {
	run_start_with '[{name: https, port: 443}]'
	write_services none.yaml '[]'
	expect_exit 0 edge policy apply "$topology_dir/none.yaml" --confirm-within 12s
	expect_match "the lines" "^$SERVER_IF: goes back in 12 s unless confirmed: edge426 policy confirm$" "$output"
	expect_nginx_answers_plaintext
	expect_match "status" "waiting +goes back in 1?[0-9] s unless confirmed" "$(edge status)"
	expect_json 'here["policy"]["waiting_seconds"] in range(1, 13)' True status
	wait_for 20 counts_as answered
	expect_426_everywhere
	expect_no_match "status" "waiting" "$(edge status)"
	expect_match "status" "policy +generation [0-9]+, 1 service$" "$(edge status)"
	expect_json 'here["policy"]["waiting_seconds"]' None status
	expect_match "the policy" "name: https" "$(edge policy show)"
	expect_refusal 1 edge policy confirm
	expect_match "the message" "gone back" "$output"
}

# Counters tell which policy counts, as nobody answers: the monitoring one, the
# bypassing one, and again the first. `stats` writes nothing into the maps.
test_change_goes_back_with_every_process_dead() {
	local start
	run_start_with '[{name: https, port: 443, mode: monitor}]'
	expect_counts_as would_answer
	write_services bypassed.yaml '[{name: https, port: 443, mode: bypass}, {name: more, port: 81}]'
	start=$SECONDS
	edge policy apply "$topology_dir/bypassed.yaml" --confirm-within 12s
	run_kill
	expect_counts_as bypassed
	wait_for 20 counts_as would_answer
	[ $((SECONDS - start)) -ge 12 ] || fail "it went back after its time, not after $((SECONDS - start)) s"
	! counts_as bypassed || fail "the change counts no more"
	output=$(edge status) # the first that could write down what time has decided
	expect_match "status" "policy +generation [0-9]+, 1 service$" "$output"
	expect_match "status" "mode +https: monitor" "$output"
	expect_match "the policy" "mode: monitor" "$(edge policy show)"
	run_start
	expect_counts_as would_answer
}

test_confirmed_change_stays() {
	run_start_with '[{name: https, port: 443}]'
	write_services none.yaml '[]'
	edge policy apply "$topology_dir/none.yaml" --confirm-within 2s
	expect_exit 0 edge policy confirm
	expect_output "the line" "$SERVER_IF: confirmed: generation 2"
	expect_json 'here["policy"]["waiting_seconds"]' None status
	sleep 3 # past the time that no longer counts
	expect_nginx_answers_plaintext
	expect_equal "the generation" 2 "$(generation)"
	expect_refusal 1 edge policy confirm
	expect_match "the message" "no change waits" "$output"
}

test_rollback_takes_the_change_back_at_once() {
	run_start_with '[{name: https, port: 443}]'
	expect_refusal 1 edge policy rollback
	expect_match "the message" "no change waits" "$output"
	write_services none.yaml '[]'
	edge policy apply "$topology_dir/none.yaml" --confirm-within 10m
	expect_nginx_answers_plaintext
	expect_exit 0 edge policy rollback
	expect_output "the lines" "$SERVER_IF: rolled back: 1 service"$'\n'"  + service https"
	expect_426_everywhere
	expect_refusal 1 edge policy rollback
	expect_exit 0 edge service add other --port 81 # nothing is in the way any more
}

test_second_change_is_refused_while_one_waits() {
	local before verb
	run_start_with '[{name: https, port: 443}]'
	write_services none.yaml '[]'
	write_services other.yaml '[{name: https, port: 444}]'
	edge policy apply "$topology_dir/none.yaml" --confirm-within 10m
	before=$(edge policy show)
	for verb in "policy apply $topology_dir/other.yaml" "policy apply $topology_dir/none.yaml --confirm-within 1s" \
		"service add web --port 80" "allow add 10.9.0.2"; do
		# shellcheck disable=SC2086 # words of a verb
		expect_refusal 1 edge $verb
		expect_match "the message" "a change waits to be confirmed, for [0-9]+ s more; edge426 policy confirm" "$output"
	done
	expect_equal "the policy" "$before" "$(edge policy show)"
	expect_equal "the generation" 2 "$(generation)"
	expect_nginx_answers_plaintext
	edge policy rollback
	expect_426_everywhere
}

test_time_of_a_confirmation_is_checked() {
	local time
	write_services none.yaml '[]'
	for time in 0 -1 5x 1.5s "" 11000d; do
		expect_exit 2 edge policy apply "$topology_dir/none.yaml" --confirm-within "$time"
		expect_match "the message" "--confirm-within '$time': allowed is a number from 1 s to 10 years" "$output"
	done
}

# --- allow --------------------------------------------------------------------

test_allow_add_list_and_del() {
	run_start --port 443
	expect_exit 0 edge allow add "$CLIENT_IP" 2001:db8::/32 192.0.2.0/24
	expect_output "the line" "$SERVER_IF: ~ allow 3 added"
	expect_equal "the generation: one change" 2 "$(generation)"
	expect_nginx_answers_plaintext
	expect_counted allowed
	expect_426 "$(fetch -i "http://[$SERVER_IP6]:443/")" # another source
	expect_equal "the list" "$SERVER_IF:"$'\n'"  $CLIENT_IP"$'\n'"  192.0.2.0/24"$'\n'"  2001:db8::/32" "$(edge allow list)"
	expect_equal "a bare allow" "$(edge allow list)" "$(edge allow)"
	expect_json '[row["address"] for row in here]' "['$CLIENT_IP', '192.0.2.0/24', '2001:db8::/32']" allow list
	expect_json 'here[0]' "{'address': '$CLIENT_IP', 'until': None, 'expired': False}" allow
	expect_exit 0 edge allow del "$CLIENT_IP" 2001:db8::/32
	expect_output "the line" "$SERVER_IF: ~ allow 2 removed"
	expect_426_everywhere
	expect_json '[row["address"] for row in here]' "['192.0.2.0/24']" allow
}

test_allow_of_what_is_there_is_no_change() {
	run_start --port 443
	edge allow add 192.0.2.1 --until 2126-01-01T00:00:00Z
	expect_exit 0 edge allow add 192.0.2.1 --until 2126-01-01T01:00:00+01:00
	expect_output "the line" "$SERVER_IF: no change"
	expect_equal "the generation" 2 "$(generation)"
	expect_exit 0 edge allow add 192.0.2.1
	expect_output "the line" "$SERVER_IF: ~ allow 1 changed"
	expect_json 'here' "[{'address': '192.0.2.1', 'until': None, 'expired': False}]" allow
	expect_equal "the generation" 3 "$(generation)"
}

test_allow_entry_ends_by_itself() {
	run_start --port 443
	edge allow add "$CLIENT_IP" --for 8s
	expect_nginx_answers_plaintext
	expect_json 'here[0]["expired"]' False allow
	expect_match "the list" "^  $CLIENT_IP +until 20[0-9T:-]+Z$" "$(edge allow)"
	wait_for 12 counts_as answered
	expect_426_everywhere
	expect_json 'here[0]["expired"]' True allow
	expect_match "the list" "until 20[0-9T:-]+Z expired$" "$(edge allow)"
}

test_allow_says_what_was_likely_meant() {
	run_start --port 443
	expect_exit 2 edge allow add 10.0.0.1/8
	expect_match "the message" "'10.0.0.1/8': allowed is a prefix without host bits, likely 10.0.0.0/8$" "$output"
	expect_exit 2 edge allow add ::ffff:10.9.0.2
	expect_match "the message" "likely 10.9.0.2$" "$output"
	expect_exit 2 edge allow add any
	expect_exit 2 edge allow add 10.0.0.0/33
	expect_exit 2 edge allow add
	expect_match "the message" "a PREFIX is missing" "$output"
	expect_exit 2 edge allow del
	expect_match "the message" "a PREFIX is missing" "$output"
	expect_exit 2 edge allow add 10.0.0.0/8 --for -1
	expect_match "the message" "--for '-1': allowed is a number from 1 s to 10 years with s, m, h or d" "$output"
	expect_exit 2 edge allow add 10.0.0.0/8 --until tomorrow
	expect_match "the message" "--until 'tomorrow': allowed is a date and time like" "$output"
	expect_exit 2 edge allow add 10.0.0.0/8 --until 2001-01-01T00:00:00Z
	expect_match "the message" "is over already" "$output"
	expect_exit 2 edge allow add 10.0.0.0/8 --for 1h --until 2126-01-01T00:00:00Z
	expect_match "the message" "one end is enough" "$output"
	expect_exit 2 edge allow 10.0.0.0/8
	expect_match "the message" "there is no verb '10.0.0.0/8'" "$output"
	expect_match "the message" "^  add +" "$output"
	expect_equal "the generation" 1 "$(generation)"
}

# One that is not there keeps all the others.
test_allow_del_of_what_is_not_there_changes_nothing() {
	run_start --port 443
	edge allow add 192.0.2.0/24
	expect_refusal 1 edge allow del 192.0.2.0/24 192.0.2.0/25
	expect_match "the message" "Can't remove from the allow list on '$SERVER_IF': .*192.0.2.0/25" "$output"
	expect_json 'len(here)' 1 allow
	expect_equal "the generation" 2 "$(generation)"
}

test_allow_add_of_a_file() {
	local file=$topology_dir/allow.txt
	{
		echo "# partners"
		echo "$CLIENT_IP 2126-01-01T00:00:00Z # the client"
		python3 -c 'for i in range(20000): print(f"100.{64 + i // 65536}.{i // 256 % 256}.{i % 256}")'
	} >"$file"
	run_start --port 443
	expect_exit 0 edge allow add --file "$file" 192.0.2.1 --for 1h
	expect_output "the line" "$SERVER_IF: ~ allow 20002 added"
	expect_nginx_answers_plaintext
	expect_json '[row["until"] for row in here if row["address"] == "'"$CLIENT_IP"'"]' "['2126-01-01T00:00:00Z']" allow
	expect_json 'sum(row["until"] is None for row in here)' 0 allow
	expect_exit 0 edge allow add --file "$file" --until 2126-01-01T00:00:00Z
	expect_exit 0 edge allow add --file "$file" --until 2126-01-01T00:00:00Z
	expect_output "the line" "$SERVER_IF: no change"
	printf '192.0.2.7\n10.0.0.1/8\n' >"$file"
	expect_refusal 3 edge allow add --file "$file"
	expect_match "the message" "allow.txt:2:1: .*'10.0.0.1/8' .*likely 10.0.0.0/8$" "$output"
	expect_refusal 3 edge allow add --file "$topology_dir/nosuch.txt"
	expect_json 'len(here)' 20002 allow
}

# --- exempt ---------------------------------------------------------------------

expect_passes() { # PATH HOST; nginx says its own
	expect_match "the answer to $1 for $2" "plain HTTP request was sent" "$(fetch -H "Host: $2" "http://$SERVER_IP:443$1")"
}

expect_answered() { # PATH HOST
	expect_426 "$(fetch -i -H "Host: $2" "http://$SERVER_IP:443$1")"
}

test_exempt_add_list_and_del() {
	run_start_with '[{name: https, port: 443}, {name: other, port: 81}]'
	expect_exit 0 edge exempt add https --path acme --path /health --host WWW.example.org
	expect_match "the line" "^$SERVER_IF: ~ service https: " "$output"
	expect_equal "the generation: one change" 2 "$(generation)"
	expect_passes /.well-known/acme-challenge/x a.example
	expect_passes /healthz a.example
	expect_passes / www.example.org
	expect_answered / a.example
	expect_match "the list" "^  https +path acme: /.well-known/acme-challenge/$" "$(edge exempt list)"
	expect_match "the list" "^  https +path /health$" "$(edge exempt list)"
	expect_match "the list" "^  https +host www.example.org$" "$(edge exempt list https)"
	expect_equal "a bare exempt" "$(edge exempt list)" "$(edge exempt)"
	expect_no_match "the list of another" "health" "$(edge exempt list other)"
	expect_json 'here["https"]["paths"]' "['acme', '/health']" exempt list
	expect_json 'here["https"]["prefixes"]' "['/.well-known/acme-challenge/', '/health']" exempt list https
	expect_json 'here["https"]["hosts"]' "['www.example.org']" exempt
	expect_json 'here["other"]' "{'paths': [], 'prefixes': [], 'hosts': []}" exempt
	expect_exit 0 edge exempt del https --path /health --host www.example.org
	expect_answered /healthz a.example
	expect_answered / www.example.org
	expect_passes /.well-known/acme-challenge/x a.example
}

test_exempt_of_what_is_there_is_no_change() {
	run_start_with '[{name: https, port: 443, exempt_paths: [/a]}]'
	expect_exit 0 edge exempt add https --path /a
	expect_output "the line" "$SERVER_IF: no change"
	expect_exit 0 edge exempt add https --path /a --path /b --path /b
	expect_json 'here["https"]["paths"]' "['/a', '/b']" exempt
	expect_refusal 1 edge exempt del https --path /a --path /c
	expect_match "the message" "service 'https' on '$SERVER_IF': path '/c' is not exempt$" "$output"
	expect_json 'here["https"]["paths"]' "['/a', '/b']" exempt
	expect_equal "the generation" 2 "$(generation)"
}

test_exempt_refuses_what_is_wrong() {
	local i
	run_start_with '[{name: https, port: 443}]'
	expect_exit 2 edge exempt add
	expect_match "the message" "the name of the SERVICE is missing" "$output"
	expect_exit 2 edge exempt add https
	expect_match "the message" "--path or --host is missing" "$output"
	expect_exit 2 edge exempt add https --path health
	expect_match "the message" "--path 'health': allowed is a path .*acme" "$output"
	expect_exit 2 edge exempt add https --host www.example.org:443
	expect_match "the message" "--host 'www.example.org:443': allowed is a host name" "$output"
	expect_exit 2 edge exempt add https --path /a /b
	expect_match "the message" "'/b' is too much: each path has its --path" "$output"
	expect_refusal 1 edge exempt add nosuch --path /a
	expect_match "the message" "there is no service 'nosuch'" "$output"
	expect_refusal 1 edge exempt list nosuch
	expect_match "the message" "there is no such service" "$output"
	local paths=()
	for i in {1..33}; do
		paths+=(--path "/$i")
	done
	expect_refusal 3 edge exempt add https "${paths[@]}"
	expect_match "the message" "32" "$output"
	expect_equal "the generation" 1 "$(generation)"
}

# --- service ----------------------------------------------------------------------

test_service_set_changes_what_is_said_and_nothing_else() {
	local before
	run_start_with '[{name: https, port: 443, exempt_paths: [/a]}]'
	expect_exit 0 edge service set https --action reset
	expect_output "the line" "$SERVER_IF: ~ service https: action respond -> reset"
	expect_exit 56 fetch "http://$SERVER_IP:443/" # curl: connection reset
	expect_exit 0 edge service set https --action respond --mode monitor --limit 5/20
	expect_nginx_answers_plaintext
	expect_match "the list" "mode monitor limit 5/20 exempt_paths /a$" "$(edge service list)"
	expect_exit 0 edge service set https --mode enforce --percent 0
	expect_nginx_answers_plaintext
	expect_match "the list" "percent 0 limit 5/20 exempt_paths /a$" "$(edge service list)"
	expect_exit 0 edge service set https --limit none --percent 100
	expect_match "the list" "handshake backend exempt_paths /a$" "$(edge service list)"
	expect_426_everywhere
	expect_exit 0 edge service set https --mode enforce
	expect_output "the line" "$SERVER_IF: no change"
	expect_exit 0 edge service set https --exempt-path /b --exempt-host b.example
	expect_match "the list" "exempt_paths /b exempt_hosts b.example$" "$(edge service list)"
	before=$(edge policy show)
	expect_exit 0 edge service set https --port 8000-8100 --address 10.9.0.1 --vlan 7 --on-interface "$SERVER_IF"
	expect_match "the list" "port 8000-8100 address 10.9.0.1 interface $SERVER_IF vlan 7 handshake" "$(edge service list)"
	expect_nginx_answers_plaintext
	expect_exit 0 edge service set https --port 443 --address any --vlan any --on-interface any
	expect_equal "the policy" "$before" "$(edge policy show)"
	expect_426_everywhere
}

# What belongs to a handshake comes and goes with it.
test_service_set_of_the_handshake() {
	local before
	run_start_with '[{name: https, port: 443, handshake: auto, syn_threshold: 7}]'
	expect_exit 0 edge service set https --handshake backend
	expect_match "the list" "handshake backend$" "$(edge service list)"
	expect_exit 0 edge service set https --handshake auto --calm-seconds 5
	expect_match "the list" "handshake auto syn_threshold 100 calm_seconds 5$" "$(edge service list)"
	expect_exit 0 edge service set https --no-backend
	expect_match "the list" "handshake edge backend none$" "$(edge service list)"
	expect_exit 0 edge service set https --other drop
	expect_exit 0 edge service set https --no-backend --mode monitor
	expect_match "the list" "handshake edge backend none other drop mode monitor$" "$(edge service list)"
	expect_exit 0 edge service set https --backend --other pass --mode enforce
	expect_match "the list" "handshake edge$" "$(edge service list)"
	before=$(generation)
	expect_refusal 3 edge service set https --handshake backend --calm-seconds 5
	expect_match "the message" "Can't change service 'https' on '$SERVER_IF': calm_seconds '5' is not allowed" "$output"
	expect_equal "the generation" "$before" "$(generation)"
}

test_service_set_refuses_what_is_wrong() {
	local before
	run_start_with '[{name: https, port: 443}, {name: other, port: 81}]'
	before=$(edge policy show)
	expect_refusal 3 edge service set https --port 81
	expect_match "the message" "Can't change service 'https' on '$SERVER_IF': .*'?other'?" "$output"
	expect_refusal 3 edge service set https --action reset-syn # the server's kernel meets the SYN
	expect_refusal 1 edge service set nosuch --port 82
	expect_match "the message" "there is no service 'nosuch'" "$output"
	expect_exit 2 edge service set https
	expect_match "the message" "what to set is missing" "$output"
	expect_exit 2 edge service set --port 82
	expect_match "the message" "the service's NAME is missing" "$output"
	expect_exit 2 edge service set https --backend --no-backend
	expect_match "the message" "exclude each other" "$output"
	expect_exit 2 edge service add web
	expect_match "the message" "--port is missing" "$output"
	expect_exit 2 edge service set https --port 100-90
	expect_match "the message" "--port '100-90': allowed is a port from 1 to 65535, or a range" "$output"
	expect_exit 2 edge service set https --action refuse
	expect_match "the message" "--action 'refuse': allowed is one of respond, reset, reset-syn, drop, pass" "$output"
	expect_exit 2 edge service set https --vlan 4095
	expect_exit 2 edge service set https --percent 101
	expect_exit 2 edge service set https --mode off
	expect_exit 2 edge service set https --other respond
	expect_exit 2 edge service set https --limit 0
	expect_exit 2 edge service set https --on-interface a/b
	expect_equal "the policy" "$before" "$(edge policy show)"
	expect_equal "the generation" 1 "$(generation)"
}

test_service_add_takes_every_key() {
	run_start --port 8443
	expect_exit 0 edge service add web --port 443-444 --on-interface "$SERVER_IF" --address 10.9.0.0/24 \
		--action respond --other reset --mode enforce --percent 100 --limit 50 \
		--exempt-path acme --exempt-path /x --exempt-host a.example --exempt-host b.example
	expect_output "the line" "$SERVER_IF: + service web"
	expect_426 "$(fetch -i "http://$SERVER_IP:443/")"
	expect_passes /x a.invalid
	expect_passes / b.example
	expect_json '[row for row in here if row["name"] == "web"][0]' \
		"{'name': 'web', 'port': 443, 'port_end': 444, 'address': '10.9.0.0/24', 'interface': '$SERVER_IF', 'vlan': None, 'handshake': 'backend', 'backend': True, 'syn_threshold': None, 'calm_seconds': None, 'action': 'respond', 'other': 'reset', 'mode': 'enforce', 'percent': 100, 'limit': {'rate': 50, 'burst': 50}, 'exempt_paths': ['acme', '/x'], 'exempt_hosts': ['a.example', 'b.example']}" \
		service list
	expect_json 'len(set(tuple(row) for row in here))' 1 service # all rows have the same keys
	expect_exit 0 edge service set web --on-interface other0
	expect_nginx_answers_plaintext
	expect_exit 0 edge service set web --on-interface any
	expect_426 "$(fetch -i "http://$SERVER_IP:443/")"
	expect_exit 0 edge service del web
	expect_output "the line" "$SERVER_IF: - service web"
	expect_nginx_answers_plaintext
}

# --- bypass and status --------------------------------------------------------------

test_bypass_lets_everything_new_pass_until_it_is_off() {
	run_start --port 443
	expect_exit 0 edge bypass
	expect_output "the line" "$SERVER_IF: bypass off"
	expect_exit 0 edge bypass on
	expect_output "the line" "$SERVER_IF: bypass on"
	expect_nginx_answers_plaintext
	expect_tls_works
	expect_counted bypassed
	expect_match "status" "bypass +on" "$(edge status)"
	expect_json 'here["bypass"]' True status
	expect_json 'here' "{'bypass': True}" bypass show
	edge service add other --port 81 # no policy ends it
	expect_nginx_answers_plaintext
	expect_exit 0 edge bypass off
	expect_426_everywhere
	expect_json 'here["bypass"]' False status
	expect_no_match "status" "bypass" "$(edge status)"
	expect_exit 2 edge bypass onn
	expect_match "the message" "there is no verb 'onn'" "$output"
}

test_status_shows_what_keeps_services_from_counting() {
	run_start_with '[{name: https, port: 443, mode: monitor}, {name: some, port: 81, percent: 10}, {name: plain, port: 80}]'
	expect_match "status" "^  mode +https: monitor$" "$(edge status)"
	expect_match "status" "^  percent +some: 10$" "$(edge status)"
	expect_no_match "status" "plain" "$(edge status)"
	expect_json '[(row["name"], row["mode"], row["percent"]) for row in here["services"]]' \
		"[('https', 'monitor', 100), ('some', 'enforce', 10), ('plain', 'enforce', 100)]" status
}

# --- several interfaces ------------------------------------------------------------

test_change_that_one_interface_refuses_is_made_nowhere() {
	add_second_interface
	run_start --interface srv2 --port 443
	wait_for 10 test -e "$PINS/srv2/state"
	wait_for 10 edge status --wait 5
	expect_exit 0 edge service add web --port 80 --interface srv2
	expect_output "the line" "srv2: + service web"
	expect_refusal 3 edge service add web --port 80
	expect_match "the message" "on 'srv2'" "$output"
	expect_no_match "services of the other interface" "web" "$(edge service list --interface "$SERVER_IF")"
	expect_exit 0 edge allow add 192.0.2.1
	expect_output "the lines" "$SERVER_IF: ~ allow 1 added"$'\n'"srv2: ~ allow 1 added"
	write_services none.yaml '[]'
	edge policy apply "$topology_dir/none.yaml" --interface srv2 --confirm-within 10m
	expect_refusal 1 edge policy apply "$topology_dir/none.yaml"
	expect_match "the message" "on 'srv2': a change waits" "$output"
	expect_426_everywhere
	expect_exit 0 edge policy confirm
	expect_match "the line" "^srv2: confirmed" "$output"
}

test_every_verb_explains_itself() {
	local verb
	for verb in "policy check" "policy apply" "policy confirm" "policy rollback" "policy diff" "policy show" \
		"allow add" "allow del" "allow list" "exempt add" "exempt del" "exempt list" \
		"service add" "service set" "service del" "service list" "bypass on" "bypass off" "bypass show"; do
		# shellcheck disable=SC2086 # words of a verb
		expect_exit 0 "$EDGE426" $verb --help
		expect_match "the help" "^Usage: edge426 $verb" "$output"
		# shellcheck disable=SC2086
		expect_exit 2 "$EDGE426" $verb --nonsense
	done
	for verb in policy allow exempt service bypass; do
		expect_exit 2 "$EDGE426" "$verb" nonsense
		expect_match "the message" "there is no verb 'nonsense'" "$output"
		expect_match "the message" "^Usage: edge426 $verb" "$output"
	done
}
