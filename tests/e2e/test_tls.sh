# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# TLS reaches the server exactly as before, whatever edge426 does meanwhile.

test_tls_works_with_curl_and_openssl() {
	run_start --port 443
	expect_tls_works
	expect_match "what s_client got" "The page behind TLS." \
		"$(printf 'GET / HTTP/1.0\r\n\r\n' | on_client timeout 10 openssl s_client -quiet -connect "$SERVER_IP:443" 2>/dev/null)"
	expect_equal "answers" 0 "$(counter answered)"
	expect_counted tls
}

# Both ways at once; each transfer takes some seconds and is compared at the end.
start_transfers() {
	head -c 12000000 /dev/urandom >"$topology_dir/nginx/pages/down"
	head -c 12000000 /dev/urandom >"$topology_dir/up"
	start_on_client curl -sSk --max-time 60 -o "$topology_dir/down" "https://$SERVER_IP/slow/down"
	download=$started
	start_on_client curl -sSk --max-time 60 --limit-rate 2M -T "$topology_dir/up" "https://[$SERVER_IP6]/put/up"
	upload=$started
	wait_for 10 test -s "$topology_dir/down"
}

finish_transfers() {
	kill -0 "$download" || fail "the download is still going on: the test was too slow"
	kill -0 "$upload" || fail "the upload is still going on: the test was too slow"
	wait "$download"
	wait "$upload"
	cmp "$topology_dir/down" "$topology_dir/nginx/pages/down"
	cmp "$topology_dir/up" "$topology_dir/nginx/pages/up"
}

test_tls_transfer_lives_through_run_apply_and_detach() {
	start_transfers
	run_start --port 443
	expect_426_everywhere
	write_policy "$topology_dir/policy.yaml" 443 "Another https:// text."
	edge policy apply "$topology_dir/policy.yaml"
	expect_match "the body" "Another https:// text." "$(fetch "http://$SERVER_IP:443/")"
	run_stop
	expect_nothing_attached
	finish_transfers
}

test_tls_transfer_lives_through_attach_kill_and_detach() {
	start_transfers
	edge attach --interface "$SERVER_IF"
	run_start --port 443
	expect_426_everywhere
	run_kill
	edge detach --interface "$SERVER_IF"
	expect_nothing_attached
	finish_transfers
}
