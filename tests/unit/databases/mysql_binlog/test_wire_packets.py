"""Packets of the protocol are put together from what the socket gives, and a large one is never held as a whole."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_legacy_events.databases.mysql.changelog import packets as module
from airflow_legacy_events.databases.mysql.changelog.packets import WHOLE_BYTES, Packets, packed

CHUNK = 2**24 - 1


def written(packet):
    """A packet as it is sent: cut into chunks, the last of which is shorter than the longest possible one."""
    number, sent = itertools.count(), b""
    while True:
        chunk, packet = packet[:CHUNK], packet[CHUNK:]
        sent += len(chunk).to_bytes(3, "little") + bytes((next(number) % 256,)) + chunk
        if len(chunk) < CHUNK:
            return sent


def receiving(data, sizes):
    """What a socket does that gives so many bytes at a time."""
    left, turns = memoryview(data), itertools.cycle(sizes)

    def receive(into):
        nonlocal left
        size = min(next(turns), len(into), len(left))
        assert size, "more was read than was sent"
        into[:size] = left[:size]
        left = left[size:]
        return size

    return receive


def read(packets, count):
    found = []
    for _ in range(count):
        first, whole = packets.next()
        found.append(first if whole else first + b"".join(packets.rest()))
    return found


@given(
    st.lists(st.integers(0, 3 * WHOLE_BYTES), min_size=1, max_size=6),
    st.lists(st.integers(1, 2 * WHOLE_BYTES), min_size=1, max_size=4),
)
def test_packets_come_as_they_were_sent(sizes, received):
    sent = [bytes((number % 251,)) * size for number, size in enumerate(sizes)]
    slow = [max(size, 97) for size in received]
    packets = Packets(receiving(b"".join(map(written, sent)), slow))
    assert read(packets, len(sent)) == sent


@pytest.mark.parametrize("size", [CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 7])
def test_a_packet_of_several_chunks_comes_in_parts_and_is_followed_by_the_next_one(size):
    large = bytes(range(256)) * (size // 256 + 1)
    packets = Packets(receiving(written(large[:size]) + written(b"next"), [WHOLE_BYTES]))
    first, whole = packets.next()
    parts = [first, *packets.rest()]
    assert not whole
    assert len(first) >= WHOLE_BYTES
    assert max(map(len, parts)) <= 2 * WHOLE_BYTES
    assert b"".join(parts) == large[:size]
    assert packets.next() == (b"next", True)


def test_the_buffer_does_not_grow():
    packets = Packets(receiving(written(bytes(5 * WHOLE_BYTES)), [2**30]))
    packets.next()
    assert len(packets._view) == module._BUFFER_BYTES
    assert sum(map(len, packets.rest())) < 5 * WHOLE_BYTES


def test_a_command_is_one_packet():
    assert packed(0x15, b"abc") == b"\x04\x00\x00\x00\x15abc"
