/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one list of reasons. Each row becomes an enum for the packet programs,
 * a name for `edge426 stats` and a line of the manual; rows are only added
 * at the end of their list, so that numbers keep their meaning.
 */
#ifndef EDGE426_REASONS_H
#define EDGE426_REASONS_H

/* Why a packet program left a packet: one count per packet and program. */
#define EDGE426_REASONS(X)                                                                         \
	X(not_tcp, "passed: not TCP over IPv4 or IPv6, or a later fragment")                       \
	X(malformed, "passed: headers that cannot be read")                                        \
	X(not_protected, "passed: no service has this address and port")                           \
	X(no_data, "passed: no payload and no plaintext flow")                                     \
	X(tls, "passed: payload starts like TLS")                                                  \
	X(other, "passed: payload is neither TLS nor HTTP")                                        \
	X(no_socket, "passed: looks like HTTP, the kernel has no such connection")                 \
	X(not_first, "passed: looks like HTTP, not the first octets of its connection")            \
	X(no_responder,                                                                            \
	  "passed: would be answered, reset or dropped, but nobody serves this queue")             \
	X(no_metadata, "passed: plaintext HTTP, the driver has no room for metadata")              \
	X(no_flow, "passed: plaintext HTTP, the flow table took no entry")                         \
	X(let_go, "passed: held too long without telling what it is")                              \
	X(other_in_flow, "passed: a first segment sent again turned out not to be HTTP")           \
	X(new_connection, "passed: a SYN ended a plaintext flow")                                  \
	X(early_ack, "passed: an ACK of the client from before its answer")                        \
	X(stray_rst, "passed: a RST that does not fit its plaintext flow")                         \
	X(answered, "answered: plaintext HTTP, first answer")                                      \
	X(answered_again, "answered: data of a client that has no answer yet")                     \
	X(acked, "acknowledged: data or FIN after the answer")                                     \
	X(keepalive, "acknowledged: a keep-alive probe")                                           \
	X(reset_client, "reset: client sent too much after its answer")                            \
	X(reset_server, "rewritten: the packet became the server's RST")                           \
	X(held, "dropped: too few octets to tell; the client will send them again")                \
	X(zero_window, "dropped: plaintext HTTP of a client that cannot take an answer yet")       \
	X(out_of_order, "dropped: ahead of a gap in a plaintext flow")                             \
	X(absorbed, "dropped: an ACK or RST of a plaintext flow that needs nothing more")          \
	X(tc_reset, "at TC: the server's RST made")                                                \
	X(tc_acked, "at TC: acknowledged to the client, the server's RST made")                    \
	X(tc_failed, "at TC: the packet could not be rewritten and was dropped")                   \
	X(syn_answered, "sent back: a SYN, answered with a cookie")                                \
	X(syn_of_kernel, "passed: a SYN for which the kernel has a socket, or has no listener")    \
	X(syn_to_backend, "passed: a SYN that the server's kernel is to answer")                   \
	X(syn_unfit, "passed: a SYN with options or addresses that only the kernel may judge")     \
	X(fallback_mptcp, "passed: a SYN, because the listener is an MPTCP socket")                \
	X(fallback_host,                                                                           \
	  "passed: a SYN, because the host or the responder is not ready for the edge")            \
	X(reply_failed, "dropped: the frame could not be rewritten; the client sends again")       \
	X(handshake_ended, "dropped: the bare ACK that ends a handshake of the edge")              \
	X(ahead, "dropped: it overtook the first data of a handshake of the edge")                 \
	X(handed_over, "handed over: first data of a handshake of the edge that is not HTTP")      \
	X(reset_other, "reset: neither TLS nor HTTP, or TLS without a backend")                    \
	X(tc_handed_over, "at TC: the kernel took the connection")                                 \
	X(tc_refused, "at TC: the kernel did not take the connection")                             \
	X(acked_back, "sent back: an ACK of the FIN after the answer")                             \
	X(allowed, "passed: would be judged, but its source is in the allow list")                 \
	X(bypassed, "passed: would be judged, but bypass is on")                                   \
	X(exempt_path, "passed: plaintext HTTP for an exempt path")                                \
	X(exempt_host, "passed: plaintext HTTP for an exempt host")                                \
	X(action_pass, "passed: plaintext HTTP, the action is pass")                               \
	X(would_answer, "passed: monitored; enforced, it would be answered")                       \
	X(would_reset, "passed: monitored; enforced, it would be reset")                           \
	X(would_drop, "passed: monitored; enforced, it would be dropped")                          \
	X(would_limit, "passed: monitored; enforced, its source would be over its limit")          \
	X(would_hold, "passed: monitored; enforced, it would be held as too few octets to tell")   \
	X(reset_http, "reset: plaintext HTTP, the action is reset")                                \
	X(reset_syn, "sent back: a SYN, refused with RST")                                         \
	X(dropped_http, "dropped: plaintext HTTP, the action is drop")                             \
	X(dropped_other, "dropped: neither TLS nor HTTP, or TLS without a backend")                \
	X(limited, "dropped: plaintext HTTP of a source over its limit")                           \
	X(tc_reset_both, "at TC: RST to the client, and to the server")

/* What the responder did with a frame. */
#define EDGE426_WORKER_REASONS(X)                                                                  \
	X(received, "frames received")                                                             \
	X(sent, "frames sent")                                                                     \
	X(bad_frame, "frames dropped: headers or lengths that cannot be right")                    \
	X(bad_checksum, "frames dropped: TCP checksum wrong")                                      \
	X(no_answer, "frames dropped: the answer was being replaced")                              \
	X(tx_full, "frames dropped: transmit ring full")                                           \
	X(rx_dropped, "frames the kernel dropped before the responder")                            \
	X(send_failed, "transmit calls the kernel refused")

#define EDGE426_REASON_ENUM(name, text) EDGE426_REASON_##name,
enum edge426_reason { EDGE426_REASONS(EDGE426_REASON_ENUM) EDGE426_REASON_COUNT };

#define EDGE426_WORKER_ENUM(name, text) EDGE426_WORKER_##name,
enum edge426_worker_reason { EDGE426_WORKER_REASONS(EDGE426_WORKER_ENUM) EDGE426_WORKER_COUNT };

#endif
