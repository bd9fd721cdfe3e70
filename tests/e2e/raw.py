#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A TCP client made of frames, for what no real client does on demand.

Lives at 10.9.0.3 / fd00::3, addresses that the client's kernel does not have,
so that nobody else answers for it. It is small but whole: retransmission
after 200 ms, acknowledgements, FIN. It checks every checksum it receives.
Not a test of its own: `raw.py CASE [--six]` exits 0 when the case went well.
"""

import random
import socket
import ssl
import struct
import sys
import time

INTERFACE = "cli"
CLIENT_MAC, SERVER_MAC = bytes.fromhex("020000000002"), bytes.fromhex("020000000001")
PORT = 443
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
SOL_PACKET, PACKET_AUXDATA, VLAN_VALID, OUTGOING = 263, 8, 0x10, 4
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def sum16(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


class Segment:
    def __init__(self, seq, ack, flags, options, payload, tags):
        self.seq, self.ack, self.flags = seq, ack, flags
        self.options, self.payload, self.tags = options, payload, tags


class Connection:
    def __init__(self, six=False, tags=(), ip_options=b"", extension=b"", timestamps=False):
        self.six, self.tags = six, list(tags)
        self.ip_options, self.extension, self.timestamps = ip_options, extension, timestamps
        family = socket.AF_INET6 if six else socket.AF_INET
        self.client = socket.inet_pton(family, "fd00::3" if six else "10.9.0.3")
        self.server = socket.inet_pton(family, "fd00::1" if six else "10.9.0.1")
        self.port = random.randrange(20000, 60000)
        self.isn = random.choice([0xFFFFFFF0, random.getrandbits(32)])  # wraps, half of the time
        self.ack, self.echo, self.clock = 0, 0, random.getrandbits(31)
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.bind((INTERFACE, 0))
        self.socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)

    # --- out ---

    def tcp(self, flags, offset, payload, ack, damage):
        options = b"\x02\x04\x05\xa0" if flags & SYN else b""
        if self.timestamps:
            self.clock += 1
            options += b"\x01\x01\x08\x0a" + struct.pack("!II", self.clock & 0xFFFFFFFF, self.echo)
        header = struct.pack("!HHIIBBHHH", self.port, PORT, (self.isn + offset) % 2**32, ack,
                             (5 + len(options) // 4) << 4, flags, 64000, 0, 0) + options
        pseudo = self.client + self.server + struct.pack("!II", len(header) + len(payload), 6)
        checksum = 0xFFFF ^ sum16(pseudo + header + payload)
        checksum ^= 0x5555 if damage else 0
        return header[:16] + struct.pack("!H", checksum) + header[18:] + payload

    def ip(self, tcp):
        if self.six:
            body = self.extension + tcp
            next_header = 0 if self.extension else 6  # hop-by-hop first, when there is one
            return 0x86DD, struct.pack("!IHBB", 6 << 28, len(body), next_header, 64) + \
                self.client + self.server + body
        length = 20 + len(self.ip_options)
        header = struct.pack("!BBHHHBBH4s4s", 0x40 | length // 4, 0, length + len(tcp), 7, 0x4000, 64,
                             6, 0, self.client, self.server) + self.ip_options
        header = header[:10] + struct.pack("!H", 0xFFFF ^ sum16(header)) + header[12:]
        return 0x0800, header + tcp

    def send(self, flags, offset=0, payload=b"", ack=None, tags=None, damage=False):
        ethertype, packet = self.ip(self.tcp(flags, offset, payload, self.ack if ack is None else ack, damage))
        frame = SERVER_MAC + CLIENT_MAC
        for kind, tag in (self.tags if tags is None else tags):
            frame += struct.pack("!HH", kind, tag)
        self.socket.send(frame + struct.pack("!H", ethertype) + packet)

    # --- in ---

    def read_frame(self, seconds):
        self.socket.settimeout(max(seconds, 0.001))
        frame, ancillary, _, address = self.socket.recvmsg(65536, 256)
        if address[2] == OUTGOING:
            return None
        for level, kind, data in ancillary:
            if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
                status, _, _, _, _, tag, protocol = struct.unpack("IIIHHHH", data[:20])
                if status & VLAN_VALID:
                    frame = frame[:12] + struct.pack("!HH", protocol, tag) + frame[12:]
        return frame

    def parse(self, frame):
        tags, at = [], 12
        while struct.unpack_from("!H", frame, at)[0] in (0x8100, 0x88A8):
            tags.append(struct.unpack_from("!HH", frame, at))
            at += 4
        packet = frame[at + 2:]
        if struct.unpack_from("!H", frame, at)[0] != (0x86DD if self.six else 0x0800):
            return None
        if self.six:
            if packet[6] != 6:
                return None
            source, target = packet[8:24], packet[24:40]
            tcp = packet[40:40 + struct.unpack_from("!H", packet, 4)[0]]
        else:
            if packet[9] != 6:
                return None
            assert sum16(packet[:(packet[0] & 15) * 4]) == 0xFFFF, "IP checksum"
            source, target = packet[12:16], packet[16:20]
            tcp = packet[(packet[0] & 15) * 4:struct.unpack_from("!H", packet, 2)[0]]
        if (source, target) != (self.server, self.client) or tcp[:4] != struct.pack("!HH", PORT, self.port):
            return None
        assert sum16(source + target + struct.pack("!II", len(tcp), 6) + tcp) == 0xFFFF, "TCP checksum"
        seq, ack, offset, flags = struct.unpack_from("!IIBB", tcp, 4)
        length = (offset >> 4) * 4
        return Segment(seq, ack, flags, tcp[20:length], tcp[length:], tags)

    def receive(self, seconds):
        end = time.monotonic() + seconds
        while True:
            try:
                frame = self.read_frame(end - time.monotonic())
            except (socket.timeout, BlockingIOError):
                return None
            segment = frame and self.parse(frame)
            if segment:
                self.note_timestamp(segment)
                return segment
            if time.monotonic() > end:
                return None

    def note_timestamp(self, segment):
        if not self.timestamps or segment.flags & RST:
            return
        at = segment.options.find(b"\x08\x0a")
        assert at >= 0, "a segment without the timestamps that were negotiated"
        value, echo = struct.unpack_from("!II", segment.options, at + 2)
        assert 0 < echo <= self.clock, "TSecr %d is nothing we sent" % echo
        assert segment.flags & SYN or (value - self.echo) % 2**32 < 2**31, "TSval goes back"
        self.echo = value

    # --- a whole conversation ---

    def connect(self, bare_ack=True):
        tags, self.tags = self.tags, []  # this kernel cannot answer tagged frames itself
        self.send(SYN, 0, ack=0)
        segment = self.receive(3)
        assert segment and segment.flags == SYN | ACK, "no SYN-ACK"
        self.ack = (segment.seq + 1) % 2**32
        if bare_ack:
            self.send(ACK, 1)
        self.tags = tags

    def read_in_order(self, sent, step):
        """What the server says until it is silent; acknowledges it, sends again what it has not."""
        said, acked, quiet, end = b"", 1, 0, time.monotonic() + 10
        while time.monotonic() < end and quiet < 2:
            segment = self.receive(0.3)
            if segment is None:
                quiet = quiet + 1 if said and acked > len(sent) else 0
                if acked <= len(sent):
                    for start in range(0, len(sent), step):
                        self.send(PSH | ACK, 1 + start, sent[start:start + step])
                continue
            assert not segment.flags & RST, "a reset in place of a handshake"
            acked = max(acked, (segment.ack - self.isn) % 2**32)
            if segment.payload and segment.seq == self.ack:
                said += segment.payload
                self.ack = (self.ack + len(segment.payload)) % 2**32
            if segment.payload:
                self.send(ACK, 1 + len(sent))
        return said

    def converse(self, pieces, order=None, lose=()):
        """Sends the pieces in this order, then what is missing; returns the answer.

        `lose`: what to overlook once: "answer", "fin".
        """
        lose, request = set(lose), b"".join(pieces)
        starts = [1 + len(b"".join(pieces[:i])) for i in range(len(pieces))]
        for i in order or range(len(pieces)):
            self.send(PSH | ACK, starts[i], pieces[i])
        acked, answer, finished, end = 1, b"", False, time.monotonic() + 10
        while time.monotonic() < end:
            segment = self.receive(0.2)
            if segment is None:  # retransmit
                if acked <= len(request):  # what is missing, in as few segments as will do
                    for start in range(acked, len(request) + 1, 1400):
                        self.send(PSH | ACK, start, request[start - 1:start + 1399])
                elif finished:
                    self.send(FIN | ACK, 1 + len(request))
                continue
            assert not segment.flags & RST, "a reset instead of an answer"
            assert segment.tags == self.tags, "tags %s" % segment.tags
            if segment.payload and "answer" in lose:
                lose.remove("answer")
                continue
            got = (segment.ack - self.isn) % 2**32
            if got == 2 + len(request) and "fin" in lose:
                lose.remove("fin")
                continue
            acked = max(acked, got)
            if finished and acked == 2 + len(request):
                return answer
            if segment.seq == self.ack and not finished:
                answer += segment.payload
                self.ack = (self.ack + len(segment.payload) + (segment.flags & FIN)) % 2**32
                finished = bool(segment.flags & FIN)
            if finished and acked == 1 + len(request):  # FIN and acknowledgement in one, as most do
                self.send(FIN | ACK, 1 + len(request))
        raise AssertionError("hangs: %d octets acknowledged of %d, answer %r" % (acked - 1, len(request), answer))


def expect_answer(answer):
    assert answer.startswith(b"HTTP/1.1 426 Upgrade Required\r\n"), answer
    head, body = answer.split(b"\r\n\r\n", 1)
    length = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    assert int(length[0].split(b":")[1]) == len(body), "Content-Length"


def talk(pieces=(GET,), order=None, lose=(), **connection):
    conversation = Connection(**connection)
    conversation.connect()
    expect_answer(conversation.converse(list(pieces), order, lose))


def pieces_of(size, count):
    request = b"GET / HTTP/1.1\r\nHost: a\r\nCookie: a=" + b"x" * size + b"\r\n\r\n"
    step = -(-len(request) // count)
    return [request[i:i + step] for i in range(0, len(request), step)]


def in_one_go(six):
    talk(six=six)


def with_timestamps(six):
    talk(six=six, timestamps=True, pieces=pieces_of(3000, 3))


def with_one_tag(six):
    talk(six=six, tags=[(0x8100, 42)])


def with_two_tags(six):
    talk(six=six, tags=[(0x88A8, 42), (0x8100, 7)])


def with_ip_options(six):
    """IPv4: no-operation options; IPv6: a hop-by-hop header with padding."""
    talk(six=six, ip_options=b"" if six else b"\x01" * 8,
         extension=b"\x06\x00\x01\x04\0\0\0\0" if six else b"")


def swapped(six):
    talk(six=six, pieces=pieces_of(2000, 2), order=[1, 0])


def swapped_after_the_first(six):
    talk(six=six, pieces=pieces_of(3000, 4), order=[0, 2, 1, 3])


def reversed_order(six):
    talk(six=six, pieces=pieces_of(5000, 5), order=[4, 3, 2, 1, 0])


def one_octet_each(six):
    talk(six=six, pieces=[bytes([octet]) for octet in GET])


def answer_lost(six):
    talk(six=six, lose=["answer"])
    talk(six=six, pieces=pieces_of(3000, 3), lose=["answer"])


def fin_ack_lost(six):
    talk(six=six, lose=["fin"])


def bad_checksum(six):
    """A damaged segment gets no answer and spoils nothing: the good one does get it."""
    conversation = Connection(six=six)
    conversation.connect()
    conversation.send(PSH | ACK, 1, b"GET / HTTP/1.1\r\n\r\n", damage=True)
    assert conversation.receive(0.3) is None, "an answer to a damaged segment"
    expect_answer(conversation.converse([GET]))


def keepalive(six):
    """A probe after the answer is acknowledged."""
    conversation = Connection(six=six)
    conversation.connect()
    conversation.send(PSH | ACK, 1, GET)
    segment = conversation.receive(2)
    assert segment and segment.payload, "no answer"
    conversation.ack = (segment.seq + len(segment.payload) + 1) % 2**32
    conversation.send(ACK, 1 + len(GET))
    conversation.send(ACK, len(GET))
    segment = conversation.receive(2)
    assert segment and segment.flags == ACK, "no acknowledgement"
    assert (segment.ack - conversation.isn) % 2**32 == 1 + len(GET), "wrong acknowledgement"


def strange_frames():
    """Frames that edge426 must hand on octet for octet, whether they make sense or not."""
    dice = random.Random(426)
    ethernet = SERVER_MAC + CLIENT_MAC
    four = Connection().ip
    tagged = ethernet + struct.pack("!HH", 0x8100, 5)
    tcp = Connection().tcp(PSH | ACK, 0, GET, 0, False)
    good = four(tcp)[1]
    yield ethernet + b"\x88\xb5" + dice.randbytes(100)  # an unknown EtherType
    yield ethernet + b"\x08\x00" + dice.randbytes(60)
    yield ethernet + b"\x86\xdd" + dice.randbytes(60)
    yield tagged + b"\x88\xb5" + dice.randbytes(100)
    yield tagged + b"\x81\x00\0\1\x81\x00\0\2\x08\0" + good  # three tags
    for length in range(1, len(good), 3):
        yield ethernet + b"\x08\x00" + good[:length].ljust(50, b"\0")  # cut short
    yield ethernet + b"\x08\x00" + good[:6] + b"\x20\0" + good[8:]  # a first fragment
    yield ethernet + b"\x08\x00" + good[:6] + b"\0\x40" + good[8:]  # a later one
    for _ in range(200):
        broken = bytearray(good)
        broken[dice.randrange(len(broken))] ^= 1 << dice.randrange(8)
        yield ethernet + b"\x08\x00" + bytes(broken)
    for protocol in (1, 17, 47, 50, 132, 255):
        yield ethernet + b"\x08\x00" + good[:9] + bytes([protocol]) + good[10:20] + dice.randbytes(400)


def send_strange(_):
    out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    out.bind((INTERFACE, 0))
    for frame in strange_frames():
        out.send(frame)
        print(frame.hex())
        time.sleep(0.001)
    out.send(SERVER_MAC + CLIENT_MAC + b"\x88\xb6" + b"end".ljust(50, b"\0"))


def receive_strange(_):
    """On the server; ends with the frame that says so."""
    inside = Connection.__new__(Connection)
    inside.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    inside.socket.bind(("srv", 0))
    inside.socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    print("ready", file=sys.stderr, flush=True)
    while True:
        frame = inside.read_frame(30)
        if frame and frame[12:14] == b"\x88\xb6":
            return
        if frame and frame[:12] == SERVER_MAC + CLIENT_MAC:
            print(frame.hex(), flush=True)


def client_hello(protocols):
    """The first flight of a real TLS client; a long list of protocols makes it long."""
    context = ssl._create_unverified_context()
    context.set_alpn_protocols(["padding-%056d" % i for i in range(protocols)] + ["http/1.1"])
    inside, outside = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(inside, outside)
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        return tls, inside, outside, outside.read()


def tls_talk(six, order=(0,), twice=False, pause=0.0, bare_ack=True, count=0, **connection):
    """A ClientHello of `count` segments, or as many as `order` names, in that order; then the server's flight."""
    conversation = Connection(six=six, **connection)
    conversation.connect(bare_ack)
    count = count or len(order)
    tls, inside, outside, hello = client_hello(20 * (count - 1))
    step = -(-len(hello) // count)
    assert step <= 1400, "segments too long"
    for i in order:
        for _ in range(2 if twice else 1):
            conversation.send(PSH | ACK, 1 + i * step, hello[i * step:(i + 1) * step])
            time.sleep(pause)
    records = conversation.read_in_order(hello, step)
    inside.write(records)
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:  # TLS 1.2: the server's Finished is still to come
        pass
    assert outside.pending, "the server's flight is not whole: %d octets" % len(records)
    conversation.send(RST | ACK, 1 + len(hello))


def tls_in_one_go(six):
    tls_talk(six)
    tls_talk(six, timestamps=True)


def tls_without_the_bare_ack(six):
    tls_talk(six, bare_ack=False)
    tls_talk(six, bare_ack=False, timestamps=True)


def tls_doubled(six):
    tls_talk(six, twice=True)
    tls_talk(six, order=[0, 1], twice=True)
    tls_talk(six, order=[0, 1], twice=True, timestamps=True)


def tls_swapped(six):
    tls_talk(six, order=[1, 0])
    tls_talk(six, order=[1, 0], pause=0.05)
    tls_talk(six, order=[2, 1, 0])
    tls_talk(six, order=[0, 2, 1])


def tls_first_lost(six):
    """Only the second segment arrives; the client sends both again."""
    tls_talk(six, order=[1], count=2)


def doubled(six):
    """Every segment of a plaintext request twice."""
    talk(six=six, pieces=pieces_of(2000, 2), order=[0, 0, 1, 1])
    talk(six=six, pieces=[GET], order=[0, 0])


def without_the_bare_ack(six):
    conversation = Connection(six=six)
    conversation.connect(bare_ack=False)
    expect_answer(conversation.converse([GET]))


def syn_again(six):
    """Two SYNs, as after a lost SYN-ACK: the client goes on with the second answer."""
    conversation = Connection(six=six)
    conversation.send(SYN, 0, ack=0)
    assert conversation.receive(3), "no SYN-ACK"
    conversation.connect()
    expect_answer(conversation.converse([GET]))


CASES = [tls_in_one_go, tls_without_the_bare_ack, tls_doubled, tls_swapped, tls_first_lost, doubled,
         without_the_bare_ack, syn_again, in_one_go, with_timestamps, with_one_tag, with_two_tags, with_ip_options, swapped, swapped_after_the_first,
         reversed_order, one_octet_each, answer_lost, fin_ack_lost, bad_checksum, keepalive, send_strange, receive_strange]

if __name__ == "__main__":
    {case.__name__: case for case in CASES}[sys.argv[1]]("--six" in sys.argv)
