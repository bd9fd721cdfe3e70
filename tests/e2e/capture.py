#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Makes captures out of captures, for the tests of explain.

    capture.py skip N IN OUT      without the first N packets
    capture.py pick N IN OUT      the Nth packet, from 0 on
    capture.py pcapng IN OUT      the same packets as pcapng
    capture.py link N IN OUT      the same packets under another link type
    capture.py truncate N IN OUT  the file without its last N octets
    capture.py damage N IN OUT    N packets, each one of IN with octets changed
    capture.py repeat N IN OUT    N packets, those of IN again and again

Only what tcpdump writes on this machine is read: pcap, microseconds, the
machine's byte order.
"""
import random
import struct
import sys

HEADER = struct.Struct("=IHHiIII")
RECORD = struct.Struct("=IIII")


def read(path):
    with open(path, "rb") as file:
        data = file.read()
    header = HEADER.unpack_from(data)
    assert header[0] == 0xA1B2C3D4, "not such a pcap"
    packets, at = [], HEADER.size
    while at < len(data):
        _, _, kept, length = RECORD.unpack_from(data, at)
        at += RECORD.size
        packets.append((data[at : at + kept], length))
        at += kept
    return packets


def write(path, packets, link=1):
    with open(path, "wb") as file:
        file.write(HEADER.pack(0xA1B2C3D4, 2, 4, 0, 0, 262144, link))
        for number, (octets, length) in enumerate(packets):
            file.write(RECORD.pack(number, 0, len(octets), length) + octets)


def block(kind, body):
    body += bytes(-len(body) % 4)
    length = len(body) + 12
    return struct.pack("=II", kind, length) + body + struct.pack("=I", length)


def write_pcapng(path, packets):
    with open(path, "wb") as file:
        file.write(block(0x0A0D0D0A, struct.pack("=IHHq", 0x1A2B3C4D, 1, 0, -1)))
        file.write(block(1, struct.pack("=HHI", 1, 0, 262144)))
        for octets, length in packets:
            file.write(block(6, struct.pack("=IIIII", 0, 0, 0, len(octets), length) + octets))


def damage(octets, dice):
    octets = bytearray(octets)
    for _ in range(dice.randint(1, 8)):
        octets[dice.randrange(12, len(octets))] = dice.randrange(256)
    end = dice.choice([len(octets), dice.randint(1, len(octets))])
    return bytes(octets[:end])


def main():
    what, arguments = sys.argv[1], sys.argv[2:]
    source, target = arguments[-2:]
    count = int(arguments[0]) if len(arguments) == 3 else 0
    if what == "truncate":
        with open(source, "rb") as file:
            data = file.read()
        with open(target, "wb") as file:
            file.write(data[:-count])
        return
    packets = read(source)
    if what == "skip":
        write(target, packets[count:])
    elif what == "pick":
        write(target, packets[count : count + 1])
    elif what == "pcapng":
        write_pcapng(target, packets)
    elif what == "link":
        write(target, packets, count)
    elif what == "repeat":
        write(target, [packets[i % len(packets)] for i in range(count)])
    elif what == "damage":
        dice = random.Random(426)
        damaged = (damage(dice.choice(packets)[0], dice) for _ in range(count))
        write(target, [(octets, len(octets)) for octets in damaged])
    else:
        sys.exit(__doc__)


main()
