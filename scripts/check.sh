#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# `make check`, which is what CI runs: static checks, builds, unit tests, packet
# programs in the kernel, end-to-end tests. Must be root. Goes through all
# stages, whatever fails, and ends in one line: N passed, N failed.
set -u -o pipefail
cd "$(dirname "$0")/.." || exit 1

passed=0
failed=0
log=$(mktemp /tmp/edge426-check.XXXXXX)
child=

finish() {
	[ -z "$child" ] || kill -TERM "$child" 2>/dev/null
	rm -f "$log"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

count() { # PASSED FAILED
	passed=$((passed + $1))
	failed=$((failed + $2))
}

# One check that either holds or not; its output only when it does not.
check() { # TITLE COMMAND…
	local title=$1
	shift
	"$@" >"$log" 2>&1 &
	child=$!
	if wait "$child"; then
		echo "PASS  $title"
		count 1 0
	else
		echo "FAIL  $title"
		sed 's/^/      /' "$log"
		count 0 1
	fi
	child=
}

# A stage of many tests; FIND prints "PASSED FAILED" from its output. No test
# at all, or a bad end without a failure, is a failure too.
stage() { # TITLE FIND COMMAND…
	local title=$1 find=$2 good=0 bad=0 status=0
	shift 2
	echo "----  $title"
	"$@" > >(tee "$log") 2>&1 &
	child=$!
	wait "$child" || status=$?
	wait
	child=
	read -r good bad < <("$find" <"$log") || true
	good=${good:-0} bad=${bad:-0}
	if [ "$bad" -eq 0 ] && { [ "$status" -ne 0 ] || [ "$good" -eq 0 ]; }; then
		echo "FAIL  $title: exit status $status, $good tests passed"
		bad=1
	fi
	count "$good" "$bad"
}

# [====] Synthesis: Tested: 12 | Passing: 11 | Failing: 1 | Crashing: 0
find_criterion() {
	sed 's/\x1b\[[0-9;]*m//g' | sed -n \
		's/.*Tested: *\([0-9]*\) *| *Passing: *\([0-9]*\) .*/\1 \2/p' | awk 'END { print $2, $1 - $2 }'
}

find_e2e() {
	sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' | tail -1
}

c_files() {
	find include bpf user tests -name '*.[ch]'
}

check_formatting() {
	c_files | xargs clang-format --dry-run -Werror
}

check_cppcheck() {
	find user -name '*.c' -print0 | xargs -0 cppcheck --quiet --std=c11 --language=c \
		--enable=warning,performance --inline-suppr --error-exitcode=1 \
		--suppress=missingIncludeSystem -D_GNU_SOURCE -DEDGE426_VERSION='"0"' -Iinclude -Iuser
}

# Without the rules that see only one file: names from sourced files (`set -u` finds those).
check_shellcheck() {
	find scripts tests -name '*.sh' -print0 | xargs -0 shellcheck -e SC1090,SC1091,SC2119,SC2154,SC2034 .ci/run
}

main() {
	local jobs
	jobs=$(nproc)
	if [ "$(id -u)" -ne 0 ]; then
		echo "check.sh: must run as root: the tests load BPF programs and make network namespaces" >&2
		echo "0 passed, 1 failed"
		exit 1
	fi
	export PATH=$PATH:/usr/sbin:/sbin
	check "packages for build and tests" scripts/deps.sh test
	check "clang-format" check_formatting
	check "cppcheck" check_cppcheck
	check "shellcheck" check_shellcheck
	check "build with gcc and -Werror" make -j"$jobs" CC=gcc all tests
	check "build of user space with clang" make -j"$jobs" CC=clang B=build/clang all
	stage "unit tests" find_criterion build/tests/unit/run
	stage "packet programs in the kernel" find_criterion build/tests/prog/run
	stage "end to end" find_e2e tests/e2e/run.sh
	echo "$passed passed, $failed failed"
	[ "$failed" -eq 0 ]
}

main
