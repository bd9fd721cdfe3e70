# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# What the benchmarks have in common: each side on a CPU of its own, and HAProxy
# as a peer. To be sourced after topology.sh, with SERVER_CPU, HAPROXY_PORT and
# ANSWER set before anything is called.

fail() {
	echo "${0##*/}: $*" >&2
	exit 1
}

# Kernel threads that poll one end of the veth, as their names have it.
napi_threads() { # IF
	local comm
	for comm in /proc/[0-9]*/comm; do
		if grep -qs "^napi/$1-" "$comm"; then
			basename "$(dirname "$comm")"
		fi
	done
}

set_threaded_napi() { # NS IF CPU
	mkdir -p "$topology_dir/sys"
	nsenter --net="/run/netns/$1" mount -t sysfs edge426 "$topology_dir/sys"
	echo 1 >"$topology_dir/sys/class/net/$2/threaded"
	umount "$topology_dir/sys"
	pin_napi_threads "$2" "$3"
}

pin_napi_threads() { # IF CPU
	local thread found=0
	for thread in $(napi_threads "$1"); do
		taskset -pc "$2" "$thread" >/dev/null
		found=1
	done
	[ "$found" -eq 1 ] || fail "no NAPI thread for $1: its receive work would run on either CPU"
}

# The server side: threads of what was started there, of the NAPI, and ksoftirqd.
server_threads() {
	local pid
	napi_threads "$SERVER_IF"
	pgrep -x "ksoftirqd/$SERVER_CPU"
	for pid in "${topology_pids[@]}"; do
		[ ! -d "/proc/$pid" ] || find "/proc/$pid/task" -mindepth 1 -maxdepth 1 -printf '%f\n'
		pgrep -P "$pid" || true # nginx's worker
	done
}

start_haproxy() {
	cat >"$topology_dir/haproxy.cfg" <<-CONF
		global
			nbthread 1
			maxconn 8192
		defaults
			mode http
			timeout client 10s
			timeout server 10s
			timeout connect 10s
			option httpclose
		frontend plaintext
			bind :::$HAPROXY_PORT v4v6 backlog 4096
			http-request return status 426 content-type "text/plain; charset=utf-8" string "$ANSWER\n" hdr Upgrade "TLS/1.2, HTTP/1.1"
	CONF
	start_on_server taskset -c "$SERVER_CPU" haproxy -db -q -f "$topology_dir/haproxy.cfg"
	wait_for 10 server_listens "$HAPROXY_PORT"
}
