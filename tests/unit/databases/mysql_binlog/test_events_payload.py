"""Compressed transactions and events: opened while they come, checked, bounded by what they say."""

import random
import tracemalloc
import zlib

import pytest
import zstandard

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.databases.mysql.changelog.binlog import codes
from airflow_legacy_events.databases.mysql.changelog.binlog.blocks import Blocks
from airflow_legacy_events.databases.mysql.changelog.binlog.compressed import opened
from airflow_legacy_events.databases.mysql.changelog.binlog.decoder import Decoder
from airflow_legacy_events.databases.mysql.changelog.model import BinlogPlace
from tests.support import binlog

PLACE = BinlogPlace("binlog.000001", 1000)
NESTED = [(codes.QUERY, b"begin"), (codes.WRITE_ROWS, b"r" * 70_000), (codes.TABLE_MAP, b""), (codes.XID, bytes(8))]
PLAIN = b"".join(binlog.event(kind, body, checksum=False) for kind, body in NESTED)
PACKED = zstandard.compress(PLAIN)


def decoder(*, checksum=True):
    found = Decoder(PLACE, holes=False)
    found.describe(binlog.format_description(checksum=checksum))
    return found


def parts(data, size):
    """An event in parts, the first of which holds its header."""
    first = max(size, 19)
    return [(data[:first], (data[at : at + size] for at in range(first, len(data), size)))]


def event(body, *, checksum=True):
    return binlog.event(codes.TRANSACTION_PAYLOAD, body, start=PLACE.position, checksum=checksum)


@pytest.mark.parametrize("checksum", [True, False])
@pytest.mark.parametrize("size", [1, 25, 26, 1000, 10**9])
@pytest.mark.parametrize(
    "body", [binlog.payload(PLAIN, PACKED), binlog.payload(PLAIN, PLAIN, compression=255)], ids=["zstd", "none"]
)
def test_a_transaction_in_parts_of_any_size(body, size, checksum):
    data = event(body, checksum=checksum)
    found = list(decoder(checksum=checksum).events(parts(data, size)))
    assert [(one.kind, one.body) for one in found] == NESTED
    assert all(one.nested and (one.start, one.end) == (1000, 1000 + len(data)) for one in found)


def test_several_frames_and_no_declared_size():
    body = binlog.payload(PLAIN, zstandard.compress(PLAIN[:100]) + zstandard.compress(PLAIN[100:]))
    assert len(list(decoder().events(parts(event(body), 77)))) == 4
    without = binlog.packed(1) + b"\1" + b"\0" + binlog.packed(2) + binlog.packed(3) + binlog.packed(255) + b"\0"
    assert list(decoder().events([(event(without), ())])) == []


def test_the_last_event_waits_for_the_checksum():
    data = bytearray(event(binlog.payload(PLAIN, PACKED)))
    data[-1] ^= 1
    found = []
    with pytest.raises(SourceError, match=r"binlog\.000001:1000: the checksum"):
        found.extend(decoder().events(parts(bytes(data), 1000)))
    assert [one.kind for one in found] == [codes.QUERY, codes.WRITE_ROWS, codes.TABLE_MAP]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (binlog.payload(PLAIN, PACKED, size=len(PLAIN) - 1), "27 bytes stands where 26"),
        (binlog.payload(PLAIN, PACKED, size=len(PLAIN) + 5), "ends before"),
        (binlog.payload(PLAIN, PACKED, size=len(PLAIN) - 27), "holds more than"),
        (binlog.payload(PLAIN, PACKED, compression=7), "unknown way 7"),
        (binlog.payload(PLAIN, PACKED[:-9]), "ends before"),
        (binlog.payload(PLAIN, b"not zstd"), "can't be decompressed"),
        (binlog.payload(PLAIN, PLAIN[:-1], compression=255), "ends before"),
        (b"\0", "does not say its size"),
        (b"\1\xfc\xff\xff", "ends before"),
        (b"\1\xfe" + b"\xff" * 8, "a field of"),
        (b"\xfb", "begins no length"),
        (b"", "ends before"),
    ],
)
@pytest.mark.parametrize("checksum", [True, False])
def test_payloads_that_are_damaged(body, why, checksum):
    with pytest.raises(SourceError, match=why) as caught:
        list(decoder(checksum=checksum).events(parts(event(body, checksum=checksum), 1000)))
    assert "binlog.000001:1000" in str(caught.value)


def test_no_payload_in_a_payload():
    inner = binlog.event(codes.TRANSACTION_PAYLOAD, binlog.payload(PLAIN, PACKED), checksum=False)
    with pytest.raises(SourceError, match="a payload stands in a payload"):
        list(decoder().events([(event(binlog.payload(inner, zstandard.compress(inner))), ())]))


def test_a_large_transaction_is_never_whole_in_memory():
    row = random.Random(1).randbytes(4000) * 2
    plain = binlog.event(codes.WRITE_ROWS, row, checksum=False) * 4000
    data = event(binlog.payload(plain, zstandard.compress(plain, 1)))
    size = len(plain)
    pieces = [data[at : at + 2**17] for at in range(0, len(data), 2**17)]
    del plain, data
    tracemalloc.start()
    try:
        count = sum(len(one.body) + 19 for one in decoder().events([(pieces[0], iter(pieces[1:]))]))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == size > 30_000_000
    assert peak < 2_000_000


def test_a_bomb_is_left_where_it_says_to_end():
    bomb = zstandard.compress(binlog.event(codes.QUERY, b"", checksum=False) + bytes(2**26))
    tracemalloc.start()
    try:
        with pytest.raises(SourceError, match="holds more than"):
            list(decoder().events([(event(binlog.payload(b"", bomb, size=19)), ())]))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000


def test_blocks():
    data = bytes(range(256)) * 3
    left = [data[at : at + 100] for at in range(0, len(data), 100)]
    blocks = Blocks(lambda _: left.pop(0) if left else b"")
    assert (blocks.take(250), blocks.take(0), blocks.read(1000), blocks.number(2)) == (
        data[:250],
        b"",
        data[250:300],
        0x2D2C,
    )
    assert blocks.take(len(data) - 302) == data[302:]
    assert blocks.read(5) == b""
    with pytest.raises(ValueError, match="ends before 1 bytes"):
        blocks.take(1)


def sealed(plain, *, size=None, size_bytes=4, first=None):
    """A part of an event as MariaDB compresses it."""
    mark = bytes([0x80 | size_bytes if first is None else first])
    return mark + (len(plain) if size is None else size).to_bytes(size_bytes, "big") + zlib.compress(plain)


def query_body(statement):
    return bytes(8) + b"\x04" + bytes(2) + b"\x05\0" + b"\0\1\2\3\4" + b"shop\0" + statement


ROWS_HEAD = bytes(8) + b"\x02\x03\x01"


@pytest.mark.parametrize("size_bytes", [1, 2, 3, 4])
def test_mariadb_compressed_events(size_bytes):
    statement = b"INSERT INTO t VALUES (1)" * 5
    opened_query = opened(codes.QUERY_COMPRESSED, query_body(sealed(statement, size_bytes=size_bytes)))
    assert opened_query == (codes.QUERY, query_body(statement))
    update = opened(codes.UPDATE_ROWS_COMPRESSED_V1, ROWS_HEAD + sealed(b"rows", size_bytes=size_bytes))
    assert update == (codes.UPDATE_ROWS_V1, ROWS_HEAD + b"rows")
    assert opened(codes.XID, b"left") == (codes.XID, b"left")
    second = bytes(8) + b"\x02\0" + b"\x02\x03"
    assert opened(codes.DELETE_ROWS_COMPRESSED, second + sealed(b"rows")) == (codes.DELETE_ROWS, second + b"rows")


@pytest.mark.parametrize(
    ("part", "why"),
    [
        (sealed(b"rows", first=0x04), "not zlib"),
        (sealed(b"rows", first=0x94), "not zlib"),
        (sealed(b"rows", size=3), "does not hold the 3 bytes"),
        (sealed(b"rows", size=5), "does not hold the 5 bytes"),
        (sealed(b"rows")[:-2], "does not hold|can't be opened"),
        (sealed(b"rows")[:3], "ends before"),
        (b"\x84\0\0\0\4what", "can't be opened"),
        (b"\x84\xff\xff\xff\xff", "more than any event"),
        (b"", "ends before"),
    ],
)
def test_mariadb_compressed_events_that_are_damaged(part, why):
    with pytest.raises(ValueError, match=why):
        opened(codes.UPDATE_ROWS_COMPRESSED_V1, ROWS_HEAD + part)
