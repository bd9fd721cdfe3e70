# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Two hosts for the demo, the benchmark and the end-to-end tests; to be sourced.
#
#     client namespace                     server namespace
#   .--------------------.               .--------------------------.
#   | 10.9.0.2  fd00::2  | cli --- srv   | 10.9.0.1  fd00::1        |
#   | curl, wrk, ab …    |     veth      | edge426 on srv, nginx    |
#   '--------------------'               '--------------------------'
#
# Everything lives in a private mount namespace (topology_isolate), its own
# bpffs and /run/netns included, so that even a killed script leaves no pin
# and no namespace. It starts nothing by itself and touches no other interface.
# Who sources it sets $EDGE426, the program in its build directory.

CLIENT_IP=10.9.0.2 CLIENT_IP6=fd00::2 CLIENT_MAC=02:00:00:00:00:02 CLIENT_IF=cli
SERVER_IP=10.9.0.1 SERVER_IP6=fd00::1 SERVER_MAC=02:00:00:00:00:01 SERVER_IF=srv
CLIENT_NS=edge426-client-$$
SERVER_NS=edge426-server-$$

topology_dir=    # scratch directory, removed at the end
topology_pids=() # processes to end

# Runs the calling script again in a mount namespace of its own.
topology_isolate() {
	if [ "$(id -u)" -ne 0 ]; then
		echo "$(basename "$0"): must run as root: it makes network namespaces and loads BPF programs" >&2
		exit 1
	fi
	export PATH=$PATH:/usr/sbin:/sbin
	[ -z "${EDGE426_ISOLATED-}" ] || return 0
	EDGE426_ISOLATED=1 exec unshare --mount --propagation private "$0" "$@"
}

on_client() {
	nsenter --net="/run/netns/$CLIENT_NS" "$@"
}

on_server() {
	nsenter --net="/run/netns/$SERVER_NS" "$@"
}

topology_mount() {
	mkdir -p /run/netns
	mount -t tmpfs edge426 /run/netns
	mount -t bpf edge426 /sys/fs/bpf
}

topology_make_hosts() {
	ip netns add "$CLIENT_NS"
	ip netns add "$SERVER_NS"
	ip link add name "$SERVER_IF" netns "$SERVER_NS" address "$SERVER_MAC" numrxqueues 1 numtxqueues 1 \
		type veth peer name "$CLIENT_IF" netns "$CLIENT_NS" address "$CLIENT_MAC" numrxqueues 1 numtxqueues 1
}

# Addresses at once usable: no duplicate detection, permanent neighbours.
topology_address_host() { # NS IF IP IP6 PEER_IP PEER_IP6 PEER_MAC
	local ns=$1 interface=$2
	nsenter --net="/run/netns/$ns" sysctl -qw "net.ipv6.conf.$interface.accept_dad=0" \
		"net.ipv6.conf.$interface.router_solicitations=0"
	ip -n "$ns" address add "$3/24" dev "$interface"
	ip -n "$ns" address add "$4/64" dev "$interface" nodad
	ip -n "$ns" link set lo up
	ip -n "$ns" link set "$interface" up
	ip -n "$ns" neighbour replace "$5" lladdr "$7" nud permanent dev "$interface"
	ip -n "$ns" neighbour replace "$6" lladdr "$7" nud permanent dev "$interface"
}

# On a wire checksums are whole: nothing is left for a card to fill in.
topology_set_offloads() {
	on_server ethtool -K "$SERVER_IF" tx off >/dev/null
	on_client ethtool -K "$CLIENT_IF" tx off >/dev/null
	on_client ethtool -K "$CLIENT_IF" gro on >/dev/null
}

# What XDP sends back (XDP_TX) on a veth arrives only where the peer has an XDP
# program in native mode, and so a NAPI of its own for such frames. GRO alone
# gives it one too, but frames are late or lost, and no counter tells. No real
# card needs this. A script whose client has a program of its own takes it off.
topology_attach_pass() {
	local object
	object=$(dirname "$EDGE426")/scripts/pass.bpf.o
	ip -n "$CLIENT_NS" link set dev "$CLIENT_IF" xdpdrv object "$object" section xdp.frags
}

topology_detach_pass() {
	ip -n "$CLIENT_NS" link set dev "$CLIENT_IF" xdpdrv off
}

topology_up() {
	topology_dir=$(mktemp -d /tmp/edge426.XXXXXX)
	chmod 755 "$topology_dir"
	topology_mount
	topology_make_hosts
	topology_address_host "$SERVER_NS" "$SERVER_IF" "$SERVER_IP" "$SERVER_IP6" \
		"$CLIENT_IP" "$CLIENT_IP6" "$CLIENT_MAC"
	topology_address_host "$CLIENT_NS" "$CLIENT_IF" "$CLIENT_IP" "$CLIENT_IP6" \
		"$SERVER_IP" "$SERVER_IP6" "$SERVER_MAC"
	topology_set_offloads
	topology_attach_pass
}

# A command in the background, its process id in $started; topology_down ends it.
start_on_client() {
	nsenter --net="/run/netns/$CLIENT_NS" "$@" &
	started=$!
	topology_pids+=("$started")
}

start_on_server() {
	nsenter --net="/run/netns/$SERVER_NS" "$@" &
	started=$!
	topology_pids+=("$started")
}

# Ends one process of ours, and waits for its end.
topology_end() { # PID
	kill -TERM "$1" 2>/dev/null || return 0
	local tries=0
	while kill -0 "$1" 2>/dev/null && [ "$((tries += 1))" -lt 100 ]; do
		sleep 0.05
	done
	kill -KILL "$1" 2>/dev/null || true
	wait "$1" 2>/dev/null || true
}

topology_down() {
	local pid
	trap '' INT TERM HUP
	trap - ERR
	set +e
	for pid in "${topology_pids[@]}"; do
		topology_end "$pid"
	done
	topology_pids=()
	ip netns delete "$CLIENT_NS" 2>/dev/null
	ip netns delete "$SERVER_NS" 2>/dev/null
	umount /sys/fs/bpf /run/netns 2>/dev/null
	[ -z "$topology_dir" ] || rm -rf --one-file-system "$topology_dir"
	topology_dir=
}

# Cleans up however the script ends.
topology_trap() {
	trap topology_down EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
}

# Waits until a condition holds; the condition is the event, not the time.
wait_for() { # SECONDS COMMAND…
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		if [ "$SECONDS" -gt "$end" ]; then
			echo "waited in vain for: $*" >&2
			return 1
		fi
		sleep 0.02
	done
}

server_listens() { # PORT
	[ -n "$(on_server ss -Hltn "sport = :$1")" ]
}

make_certificate() {
	[ -e "$topology_dir/cert.pem" ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 \
		-nodes -days 2 -subj /CN=edge426.test -keyout "$topology_dir/key.pem" \
		-out "$topology_dir/cert.pem" 2>/dev/null
}

# A real nginx: TLS on 443, TLS with deferred accept on 444, plaintext on 80.
# Lines for the TLS server may be given. Logs and pages lie in $topology_dir/nginx.
nginx_configure() { # [EXTRA]
	local dir=$topology_dir/nginx
	mkdir -p "$dir/pages" "$dir/logs" "$dir/body"
	make_certificate
	echo "The page behind TLS." >"$dir/pages/index.html"
	cat >"$dir/nginx.conf" <<-CONF
		daemon off;
		master_process on;
		worker_processes 1;
		user root;
		pid $dir/nginx.pid;
		error_log $dir/logs/error.log warn;
		events { worker_connections 4096; }
		http {
			access_log $dir/logs/access.log;
			client_body_temp_path $dir/body;
			proxy_temp_path $dir/body;
			fastcgi_temp_path $dir/body;
			uwsgi_temp_path $dir/body;
			scgi_temp_path $dir/body;
			client_max_body_size 256m;
			root $dir/pages;
			ssl_certificate $topology_dir/cert.pem;
			ssl_certificate_key $topology_dir/key.pem;
			server {
				listen 443 ssl backlog=4096;
				listen [::]:443 ssl backlog=4096;
				listen 444 ssl deferred backlog=4096;
				listen [::]:444 ssl deferred backlog=4096;
				location /slow/ { alias $dir/pages/; limit_rate 2m; }
				location /put/ { alias $dir/pages/; dav_methods PUT; }
				${1-}
			}
			server {
				listen 80;
				listen [::]:80;
			}
		}
	CONF
}

nginx_start() { # [EXTRA]
	nginx_configure "${1-}"
	start_on_server nginx -e "$topology_dir/nginx/logs/error.log" -c "$topology_dir/nginx/nginx.conf"
	wait_for 10 server_listens 443
}
