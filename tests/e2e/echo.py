#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Echo over TCP, UDP and ICMP: `serve` on the server; the clients send random
octets and compare what comes back. Exits 0 when not an octet differs."""

import os
import socket
import struct
import sys
import threading

PORT = 7000
GREETINGS = [b"SSH-2.0-OpenSSH_9.2\r\n", b"\x05\x01\x00", b"*1\r\n$4\r\nPING\r\n", b"EHLO example\r\n", b"\x00" * 40,
             b"\r\n\r\n\x00\r\nQUIT\n!\x11\x00\x0c", b"PROXY TCP4 10.9.0.2 10.9.0.1 1 2\r\nx", b"GET key\r\n",
             b"CONNECT {\"verbose\":false}\r\n", b"OPTIONS sip:a@b SIP/2.0\r\n", b"get / http/1.1\r\n\r\n"]


def serve_stream(connection):
    with connection:
        while data := connection.recv(65536):
            connection.sendall(data)


def serve_datagrams(server):
    while True:
        data, client = server.recvfrom(65536)
        server.sendto(data, client)


def serve(_):
    datagrams = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    datagrams.bind(("::", PORT))
    threading.Thread(target=serve_datagrams, args=(datagrams,), daemon=True).start()
    server = socket.create_server(("::", PORT), family=socket.AF_INET6, dualstack_ipv6=True)
    while True:
        threading.Thread(target=serve_stream, args=(server.accept()[0],), daemon=True).start()


def exchange(host, data):
    with socket.create_connection((host, PORT), 10) as client:
        sender = threading.Thread(target=client.sendall, args=(data,))
        sender.start()
        echo = b""
        while len(echo) < len(data):
            piece = client.recv(65536)
            assert piece, "closed after %d octets of %d" % (len(echo), len(data))
            echo += piece
        sender.join()
        assert echo == data, "other octets came back"


def tcp(hosts):
    for host in hosts:
        exchange(host, os.urandom(5_000_000))
        exchange(host, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 10)


def greetings(hosts):
    for host in hosts:
        for greeting in GREETINGS:
            exchange(host, greeting)


def udp(hosts):
    for host in hosts:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(5)
            client.connect((host, PORT))
            for size in (0, 1, 17, 512, 1400, 8000):  # the last one in fragments
                data = os.urandom(size)
                client.send(data)
                assert client.recv(65536) == data, "other octets came back"


def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    total = (total >> 16) + (total & 0xFFFF)
    return 0xFFFF ^ (total + (total >> 16)) & 0xFFFF


def icmp(hosts):
    for host in hosts:
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as client:
            client.settimeout(5)
            client.connect((host, 0))
            for number, size in enumerate((0, 56, 1400, 8000)):
                data = os.urandom(size)
                head = struct.pack("!BBHHH", 8, 0, 0, 426, number)
                client.send(head[:2] + struct.pack("!H", checksum(head + data)) + head[4:] + data)
                packet = client.recv(65536)
                assert packet[20:22] == b"\0\0" and packet[28:] == data, "other octets came back"


if __name__ == "__main__":
    {case.__name__: case for case in (serve, tcp, udp, icmp, greetings)}[sys.argv[1]](sys.argv[2:])
