#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# End-to-end tests: a real nginx, real clients, the real kernel.
#
#     client namespace                     server namespace
#   .--------------------.               .--------------------------.
#   | 10.9.0.2  fd00::2  | cli --- srv   | 10.9.0.1  fd00::1        |
#   | curl, wget, wrk …  |     veth      | edge426 on srv           |
#   | raw.py as 10.9.0.3 |               | nginx: 443 TLS, 80 plain |
#   '--------------------'               '--------------------------'
#
#   run.sh               every test
#   run.sh NAME…         those whose name contains one of the words
#   run.sh --list        names
#   run.sh --shell       a shell inside, nginx running; exit takes all down
#   V=1 run.sh …         output of tests that pass, too
#
# Each test is a function test_*, in its own process, namespaces and bpffs, and
# may be run alone. No test is skipped: what cannot run fails.
set -u -o pipefail
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
TEST_SECONDS=240 # longest a test may take

. "$ROOT/scripts/topology.sh"
topology_isolate "$@"
. "$ROOT/tests/e2e/lib.sh"
for file in "$ROOT"/tests/e2e/test_*.sh; do
	. "$file"
done

list_tests() {
	grep -ho '^test_[a-z0-9_]*' "$ROOT"/tests/e2e/test_*.sh
}

# One test, in a process of its own.
run_alone() { # NAME
	set -eu -E
	trap 'echo "failed: $BASH_COMMAND (${FUNCNAME[0]-}, line $LINENO of ${BASH_SOURCE[0]##*/})"' ERR
	topology_trap
	topology_up
	nginx_start
	"$1"
}

run_shell() {
	topology_trap
	topology_up
	nginx_start
	echo "on the server: nsenter --net=/run/netns/$SERVER_NS COMMAND"
	echo "on the client: nsenter --net=/run/netns/$CLIENT_NS COMMAND"
	on_server bash --norc
}

interrupted() {
	trap '' INT TERM HUP
	kill -TERM "$child" 2>/dev/null
	wait "$child"
	rm -f "$log"
	echo "interrupted"
	exit 130
}

run_and_report() { # NAME
	local start=$SECONDS status=0
	EDGE426_ISOLATED='' timeout -k 20 "$TEST_SECONDS" "$0" --alone "$1" >"$log" 2>&1 &
	child=$!
	wait "$child" || status=$?
	[ "$status" -ne 124 ] || echo "took longer than $TEST_SECONDS s" >>"$log"
	if [ "$status" -eq 0 ]; then
		printf 'PASS  %s (%d s)\n' "$1" $((SECONDS - start))
		[ "${V-}" != 1 ] || sed 's/^/      /' "$log"
		return 0
	fi
	printf 'FAIL  %s (%d s)\n' "$1" $((SECONDS - start))
	sed 's/^/      /' "$log"
	return 1
}

run_all() { # [WORD…]
	local name passed=0 failed=0 pattern
	pattern=$(IFS='|' && echo "${*:-.}")
	log=$(mktemp /tmp/edge426-log.XXXXXX)
	child=
	trap interrupted INT TERM HUP
	for name in $(list_tests | grep -E -- "$pattern"); do
		if run_and_report "$name"; then
			passed=$((passed + 1))
		else
			failed=$((failed + 1))
		fi
	done
	rm -f "$log"
	echo "$passed passed, $failed failed"
	[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}

case "${1-}" in
--alone) run_alone "$2" ;;
--list) list_tests ;;
--shell) run_shell ;;
-*)
	echo "usage: run.sh [NAME…] | --list | --shell" >&2
	exit 2
	;;
*) run_all "$@" ;;
esac
