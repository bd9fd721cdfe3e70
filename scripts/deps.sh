#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Installs the Debian 12 packages that are missing, and starts no service.
#
#   deps.sh build    what `make` needs
#   deps.sh test     that and what `make check`, `make demo` and `make bench` need
#
# A command that is already there, from wherever, is not replaced. Does not
# remove or upgrade anything.
set -u -o pipefail

# COMMAND:PACKAGE, or :PACKAGE for what has no command (libraries, headers).
BUILD="gcc:gcc make:make clang:clang llvm-strip:llvm bpftool:bpftool
	:libc6-dev :linux-libc-dev :libbpf-dev :libxdp-dev :libyaml-dev :libjansson-dev :libpcap-dev"
TEST="curl:curl wget:wget openssl:openssl python3:python3-minimal node:nodejs
	nginx:nginx-light haproxy:haproxy wrk:wrk ab:apache2-utils
	ip:iproute2 nft:nftables ethtool:ethtool nsenter:util-linux sysctl:procps tcpdump:tcpdump
	clang-format:clang-format cppcheck:cppcheck shellcheck:shellcheck :libcriterion-dev"

POLICY=/usr/sbin/policy-rc.d # asked by package scripts before they start a service
policy_saved=

die() {
	echo "deps.sh: $*" >&2
	exit 1
}

has_package() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing_packages() {
	local row
	for row in "$@"; do
		if [ -n "${row%%:*}" ]; then
			command -v "${row%%:*}" >/dev/null || echo "${row#*:}"
		else
			has_package "${row#*:}" || echo "${row#*:}"
		fi
	done
}

forbid_service_starts() {
	policy_saved=$(mktemp -d)
	trap restore_policy EXIT
	trap 'exit 130' INT TERM HUP
	[ ! -e "$POLICY" ] || cp -a "$POLICY" "$policy_saved/"
	printf '#!/bin/sh\nexit 101\n' >"$policy_saved/forbid"
	install -m 755 "$policy_saved/forbid" "$POLICY"
}

restore_policy() {
	rm -f "$POLICY"
	[ ! -e "$policy_saved/policy-rc.d" ] || cp -a "$policy_saved/policy-rc.d" "$POLICY"
	rm -rf "$policy_saved"
}

install_packages() {
	echo "deps.sh: installing $*" >&2
	export DEBIAN_FRONTEND=noninteractive
	apt-get -qq update || die "apt-get update failed"
	apt-get -qq install --no-install-recommends "$@" >&2 || die "Can't install $*"
}

main() {
	local missing
	export PATH=$PATH:/usr/sbin:/sbin
	# shellcheck disable=SC2086 # the lists are words
	case "${1-}" in
	build) missing=$(missing_packages $BUILD | tr '\n' ' ') ;;
	test) missing=$(missing_packages $BUILD $TEST | tr '\n' ' ') ;;
	*)
		echo "usage: deps.sh build|test" >&2
		exit 2
		;;
	esac
	missing=${missing% }
	[ -n "$missing" ] || return 0
	command -v apt-get >/dev/null || die "not a Debian system; needed here: $missing"
	[ "$(id -u)" -eq 0 ] || die "not root; as root: apt-get install $missing"
	forbid_service_starts
	# shellcheck disable=SC2086
	install_packages $missing
}

main "$@"
