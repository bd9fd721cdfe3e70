# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# What cannot work is refused: one clear line, the right exit status, nothing left attached.

attach_another_program() {
	clang --target=bpf -O2 -g "-I/usr/include/$(uname -m)-linux-gnu" -c -o "$topology_dir/other.o" "$ROOT/tests/e2e/other_program.bpf.c"
	bpftool prog load "$topology_dir/other.o" /sys/fs/bpf/other
	on_server bpftool net attach xdpdrv pinned /sys/fs/bpf/other dev "$SERVER_IF"
	rm /sys/fs/bpf/other # the hook holds it
}

test_hook_of_another_program_is_respected() {
	attach_another_program
	local before
	before=$(hook_of_server)
	expect_refusal 1 edge run --interface "$SERVER_IF" --port 443
	expect_match "the message" "somebody_else" "$output"
	expect_refusal 1 edge run --interface "$SERVER_IF" --port 443 --xdp-mode generic
	expect_match "the message" "somebody_else" "$output"
	expect_refusal 1 edge attach --interface "$SERVER_IF"
	expect_match "the message" "somebody_else" "$output"
	expect_exit 1 edge detach --interface "$SERVER_IF"
	expect_equal "the XDP hook" "$before" "$(hook_of_server)"
	on_server bpftool net detach xdpdrv dev "$SERVER_IF"
	expect_nothing_attached
}

test_unknown_interface() {
	expect_refusal 1 edge run --interface nosuch0 --port 443
	expect_match "the message" "nosuch0" "$output"
	expect_refusal 1 edge attach --interface nosuch0
	expect_match "the message" "nosuch0" "$output"
	expect_refusal 1 edge run --interface nosuch0 # nor is there a policy, which is the lesser evil
	expect_match "the message" "nosuch0" "$output"
	expect_nothing_attached
}

# One good interface and one bad: the good one is left as it was.
test_second_interface_unknown() {
	expect_exit 1 edge run --interface "$SERVER_IF" --interface nosuch0 --port 443
	expect_match "the message" "nosuch0" "$output"
	expect_nothing_attached
	expect_nginx_answers_plaintext
}

test_missing_bpffs() {
	while umount /sys/fs/bpf 2>/dev/null; do :; done # ours, and what lies below it here
	expect_refusal 1 on_server "$EDGE426" run --interface "$SERVER_IF" --port 443
	expect_match "the message" "bpf" "$output"
	expect_refusal 1 on_server "$EDGE426" attach --interface "$SERVER_IF" --pin-dir "$topology_dir/pins"
	expect_match "the message" "bpf" "$output"
	mount -t bpf edge426 /sys/fs/bpf
	expect_nothing_attached
}

test_not_root() {
	cp "$EDGE426" "$topology_dir/edge426"
	expect_refusal 1 on_server setpriv --reuid 65534 --regid 65534 --clear-groups "$topology_dir/edge426" run --interface "$SERVER_IF" --port 443
	expect_match "the message" "root" "$output"
	expect_refusal 1 on_server setpriv --reuid 65534 --regid 65534 --clear-groups "$topology_dir/edge426" attach --interface "$SERVER_IF"
	expect_match "the message" "root" "$output"
	expect_nothing_attached
}

# A library before libc makes the kernel look older than it is.
with_lacking_kernel() { # WHAT COMMAND…
	[ -e "$topology_dir/lacking.so" ] || gcc -shared -fPIC -O2 -o "$topology_dir/lacking.so" "$ROOT/tests/e2e/lacking_kernel.c"
	on_server env "LACKS=$1" "LD_PRELOAD=$topology_dir/lacking.so" "${@:2}"
}

test_kernel_without_af_xdp() {
	expect_refusal 1 with_lacking_kernel af_xdp "$EDGE426" run --interface "$SERVER_IF" --port 443 --pin-dir "$PINS"
	expect_match "the message" "AF_XDP" "$output"
	expect_nothing_attached
}

test_kernel_that_refuses_the_program() {
	expect_refusal 1 with_lacking_kernel xdp_load "$EDGE426" run --interface "$SERVER_IF" --port 443 --pin-dir "$PINS"
	expect_match "the message" "Can't load program edge426_xdp: the kernel refused it: Invalid argument" "$output"
	expect_nothing_attached
	expect_nginx_answers_plaintext
}

test_kernel_without_type_information() {
	mkdir "$topology_dir/empty"
	mount --bind "$topology_dir/empty" /sys/kernel/btf # here only: the mounts are the test's own
	expect_refusal 1 edge run --interface "$SERVER_IF" --port 443
	expect_match "the message" "no type information in '/sys/kernel/btf/vmlinux'" "$output"
	umount /sys/kernel/btf
	expect_nothing_attached
}

into_full_device() { # COMMAND…
	"$@" >/dev/full
}

# What a script would take for a complete answer.
test_output_that_cannot_be_written_is_a_failure() {
	local verb
	run_start --port 443
	for verb in "policy show" "service list" "service list --json" status "status --json" \
		stats "stats --json" "stats --watch"; do
		# shellcheck disable=SC2086 # words of a verb
		expect_refusal 1 into_full_device edge $verb
		expect_match "the message" "Can't write to standard output: (No space left on device|a part is lost)" "$output"
	done
	expect_refusal 1 into_full_device on_server "$EDGE426" version
	expect_refusal 1 into_full_device on_server "$EDGE426" help
}

test_second_run_is_refused_and_the_first_goes_on() {
	run_start --port 443
	expect_refusal 1 edge run --interface "$SERVER_IF" --port 8443
	expect_426_everywhere
	run_stop
	expect_nothing_attached
}

test_usage_errors_exit_with_2() {
	expect_exit 2 on_server "$EDGE426"
	expect_exit 2 on_server "$EDGE426" frobnicate
	expect_exit 2 on_server "$EDGE426" run --port 443
	expect_exit 2 on_server "$EDGE426" run --interface "$SERVER_IF" --port 0
	expect_exit 2 on_server "$EDGE426" run --interface "$SERVER_IF" --port 65536
	expect_exit 2 on_server "$EDGE426" run --interface "$SERVER_IF" --port 443 --xdp-mode fast
	expect_exit 2 on_server "$EDGE426" run --interface "$SERVER_IF"
	expect_exit 2 on_server "$EDGE426" run --interface "$SERVER_IF" --interface "$SERVER_IF" --port 443
	expect_match "the message" "'$SERVER_IF' is given twice" "$output"
	expect_exit 2 on_server "$EDGE426" stats --nonsense
	expect_exit 2 on_server "$EDGE426" service add
	expect_exit 2 on_server "$EDGE426" help frobnicate
	expect_exit 0 on_server "$EDGE426" --help
	expect_exit 0 on_server "$EDGE426" run --help
	expect_exit 0 on_server "$EDGE426" version
	expect_match "the version" "^edge426 [0-9]+\.[0-9]+\.[0-9]+$" "$output"
	expect_equal "the version, as an option" "$output" "$("$EDGE426" --version)"
	expect_nothing_attached
}

test_help_of_a_verb() {
	expect_equal "help run" "$("$EDGE426" run --help)" "$("$EDGE426" help run)"
	expect_equal "help service" "$("$EDGE426" service --help)" "$("$EDGE426" help service)"
	expect_equal "help service add" "$("$EDGE426" service add --help)" "$("$EDGE426" help service add)"
	expect_equal "service help add" "$("$EDGE426" service add --help)" "$("$EDGE426" service help add)"
}

# --- other pins than those of the run that serves ---------------------------

OTHER_PINS=/sys/fs/bpf/edge426-other

other_edge() { # VERB… , on pins of which the run knows nothing
	on_server "$EDGE426" "$@" --pin-dir "$OTHER_PINS"
}

expect_same_hooks() { # XDP TC, as they were
	expect_equal "the XDP hook" "$1" "$(hook_of_server)"
	expect_equal "filters at TC ingress" "$2" "$(filters_of_server)"
}

filters_of_server() {
	tc -n "$SERVER_NS" filter show dev "$SERVER_IF" ingress
}

test_other_pins_take_no_served_interface() {
	local xdp tc
	run_start --port 443
	xdp=$(hook_of_server) tc=$(filters_of_server)
	expect_refusal 1 other_edge run --interface "$SERVER_IF" --port 8443
	expect_match "the message" "process $run_pid serves it; .*kill $run_pid" "$output"
	expect_refusal 1 other_edge attach --interface "$SERVER_IF"
	expect_match "the message" "process $run_pid serves it" "$output"
	expect_refusal 1 other_edge detach --interface "$SERVER_IF"
	expect_match "the message" "process $run_pid serves it" "$output"
	expect_refusal 1 on_server "$EDGE426" detach --interface "$SERVER_IF"
	expect_same_hooks "$xdp" "$tc"
	[ ! -e "$OTHER_PINS" ] || fail "a refusal leaves no directory"
	expect_426_everywhere
	expect_exit 0 edge attach --interface "$SERVER_IF" # its own pins: the programs are replaced
	expect_426_everywhere
	run_stop
	expect_exit 0 edge detach --interface "$SERVER_IF"
	expect_nothing_attached
}

test_other_pins_take_over_what_a_killed_run_left() {
	run_start --port 443
	run_kill
	expect_exit 0 other_edge attach --interface "$SERVER_IF"
	expect_exit 0 other_edge detach --interface "$SERVER_IF"
	expect_exit 0 edge detach --interface "$SERVER_IF"
	expect_nothing_attached
}

# The sockets are bound when all else is done: what was there is put back.
test_failure_at_the_last_step_restores_what_was_there() {
	local xdp tc
	expect_exit 0 edge attach --interface "$SERVER_IF"
	xdp=$(hook_of_server) tc=$(filters_of_server)
	expect_exit 1 with_lacking_kernel xsk_bind "$EDGE426" run --interface "$SERVER_IF" --port 443 --pin-dir "$PINS"
	expect_same_hooks "$xdp" "$tc"
	expect_exit 1 with_lacking_kernel xsk_bind "$EDGE426" run --interface "$SERVER_IF" --port 443 --pin-dir "$OTHER_PINS"
	expect_same_hooks "$xdp" "$tc"
	expect_exit 0 edge detach --interface "$SERVER_IF"
	expect_exit 1 with_lacking_kernel xsk_bind "$EDGE426" run --interface "$SERVER_IF" --port 443 --pin-dir "$PINS"
	expect_nothing_attached
}

# The first interface could be served, the second cannot: the first is as it was.
test_failure_at_the_second_interface_restores_the_first() {
	local xdp tc
	expect_exit 0 edge attach --interface "$SERVER_IF"
	xdp=$(hook_of_server) tc=$(filters_of_server)
	ip -n "$SERVER_NS" link add srv2 type veth peer name cli2
	ip -n "$SERVER_NS" link set dev srv2 xdpgeneric object "$(dirname "$EDGE426")/scripts/pass.bpf.o" section xdp.frags
	expect_refusal 1 other_edge run --interface "$SERVER_IF" --interface srv2 --port 443
	expect_match "the message" "Can't attach to 'srv2': XDP program" "$output"
	expect_same_hooks "$xdp" "$tc"
	expect_exit 0 edge detach --interface "$SERVER_IF"
	expect_nothing_attached
}

# Filters that cannot be listed may be there.
test_clsact_stays_when_its_filters_cannot_be_listed() {
	expect_exit 0 edge attach --interface "$SERVER_IF"
	expect_exit 0 with_lacking_kernel filter_dump "$EDGE426" detach --interface "$SERVER_IF" --pin-dir "$PINS"
	expect_match "the clsact qdisc" "clsact" "$(tc -n "$SERVER_NS" qdisc show dev "$SERVER_IF" clsact)"
	expect_nothing_attached
}
