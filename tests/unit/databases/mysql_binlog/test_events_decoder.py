"""A log's events from their bytes: places, checksums, what a server makes up, what is unknown or damaged."""

import re

import pytest

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.databases.mysql.changelog.binlog import codes
from airflow_legacy_events.databases.mysql.changelog.binlog.decoder import Decoder
from airflow_legacy_events.databases.mysql.changelog.binlog.file import file_events
from airflow_legacy_events.databases.mysql.changelog.model import BinlogPlace
from airflow_legacy_events.databases.mysql.changelog.torn_file import TornFileError
from tests.support import binlog

FILE = "binlog.000012"


def whole(*events):
    return [(one, ()) for one in events]


def rotated(name=FILE, position=4, *, checksum=True):
    body = position.to_bytes(8, "little") + name.encode()
    return binlog.event(codes.ROTATE, body, flags=codes.ARTIFICIAL_FLAG, checksum=checksum)


def dumped(*events, **options):
    return list(Decoder(holes=True, **options).events(whole(*events)))


def begun(position, *, checksum=True):
    """A decoder of a file that stands at a position."""
    decoder = Decoder(BinlogPlace(FILE, position), holes=False)
    decoder.describe(binlog.format_description(checksum=checksum))
    return decoder


@pytest.mark.parametrize("checksum", [True, False])
@pytest.mark.parametrize("summed", [True, False])
def test_a_dump_from_the_middle(checksum, summed):
    found = dumped(
        rotated(position=500, checksum=summed),
        binlog.format_description(start=None, checksum=checksum),
        binlog.event(codes.XID, b"12345678", start=500, checksum=checksum),
    )
    assert [(one.kind, one.file, one.start, one.body) for one in found] == [(codes.XID, FILE, 500, b"12345678")]


def test_a_dump_over_files():
    first, description = binlog.event(codes.STOP, b"", start=500), binlog.format_description(start=4)
    found = dumped(
        rotated(position=500), binlog.format_description(start=None), first, rotated("binlog.1000000"), description
    )
    assert [(one.kind, one.file, one.start) for one in found] == [
        (codes.STOP, FILE, 500),
        (codes.FORMAT_DESCRIPTION, "binlog.1000000", 4),
    ]
    assert found[-1].end == 4 + len(description)


def test_bytes_before_each_event():
    events = (rotated(), binlog.format_description(), binlog.event(codes.STOP, b"", start=200))
    assert dumped(*(b"\0" + one for one in events), skipped=1) == dumped(*events)


def test_a_large_event_in_parts():
    event = binlog.event(codes.ROWS_QUERY, b"x" * 1000, start=4)
    parts = [(event[:200], iter([event[200:300], event[300:]]))]
    assert [one.body for one in begun(4).events(parts)] == [b"x" * 1000]


def test_events_that_the_server_leaves_out():
    found = dumped(
        rotated(),
        binlog.format_description(),
        binlog.event(codes.XID, bytes(8), start=900),
        binlog.event(19, b"", start=950),
    )
    assert [one.start for one in found] == [4, 900, 950]
    with pytest.raises(SourceError, match="says position 81"):
        list(begun(4).events(whole(binlog.event(codes.XID, bytes(8), start=50))))


def test_events_of_a_cache_say_no_position():
    """MariaDB 11.4 and later."""
    events = [binlog.event(codes.TABLE_MAP, b"map"), binlog.event(codes.WRITE_ROWS_V1, b"rows")]
    found = list(begun(1000).events(whole(*events, binlog.event(codes.XID, bytes(8), start=1053))))
    assert [(one.start, one.end) for one in found] == [(1000, 1026), (1026, 1053), (1053, 1084)]


def test_positions_beyond_4_gib():
    beyond = 2**32 - 40
    events = [binlog.event(codes.XID, bytes(8), start=beyond + 31 * at) for at in range(4)]
    assert [one.start for one in begun(beyond).events(whole(*events))] == [beyond + 31 * at for at in range(4)]
    ignorable = binlog.event(99, b"", start=beyond + 20, flags=codes.IGNORABLE_FLAG)
    after = binlog.event(codes.STOP, b"", start=beyond + 43)
    assert [one.start for one in begun(beyond + 20).events(whole(ignorable, after))] == [beyond + 43]
    exactly = binlog.event(codes.XID, bytes(8), start=2**33 - 31)
    assert [one.end for one in begun(2**33 - 31).events(whole(exactly))] == [2**33]


@pytest.mark.parametrize("kind", [codes.HEARTBEAT, codes.HEARTBEAT_V2, codes.GTID_LIST])
def test_what_the_server_made_up_is_left_out(kind):
    flags = codes.ARTIFICIAL_FLAG if kind == codes.GTID_LIST else 0
    made = binlog.event(kind, b"binlog.000012", at=77, flags=flags)
    found = dumped(rotated(), binlog.format_description(), made, binlog.event(codes.STOP, b"", start=200))
    assert [one.kind for one in found] == [codes.FORMAT_DESCRIPTION, codes.STOP]


def test_a_damaged_event_is_not_made_up():
    """Its flags say that the server made it up, but it has no right checksum."""
    event = bytearray(binlog.event(codes.WRITE_ROWS, b"rows", start=200))
    event[17] ^= codes.ARTIFICIAL_FLAG
    with pytest.raises(SourceError, match="checksum"):
        dumped(rotated(), binlog.format_description(), bytes(event))
    with pytest.raises(SourceError, match="not of it"):
        list(begun(200).events(whole(bytes(event))))


def test_a_wrong_checksum():
    event = bytearray(binlog.event(codes.WRITE_ROWS, b"rows", start=200))
    event[-6] ^= 1
    with pytest.raises(SourceError, match=re.escape(f"{FILE}:200: the checksum of an event is wrong")) as caught:
        list(begun(200).events(whole(bytes(event))))
    assert caught.value.retry_helps
    assert "let the stream begin again" in str(caught.value)[:120]


@pytest.mark.parametrize("kind", [6, 8, 20, 22, 43, 159, 172, 255, 0])
def test_unknown_events(kind):
    ignorable = binlog.event(kind, b"what", start=4, flags=codes.IGNORABLE_FLAG)
    after = binlog.event(codes.STOP, b"", start=4 + len(ignorable))
    assert [one.start for one in begun(4).events(whole(ignorable, after))] == [4 + len(ignorable)]
    with pytest.raises(SourceError, match=f"event of type {kind} at {FILE}:4") as caught:
        list(begun(4).events(whole(binlog.event(kind, b"what", start=4))))
    assert not caught.value.retry_helps


def test_every_event_of_both_families_is_known():
    mysql = set(range(2, 43)) - {6, 8, 10, 12, 20, 21, 22} - {1}
    assert mysql | set(range(160, 172)) == codes.KNOWN


def test_a_log_without_its_description():
    with pytest.raises(SourceError, match="does not begin with FORMAT_DESCRIPTION"):
        dumped(rotated(), binlog.event(codes.STOP, b"", start=4))


@pytest.mark.parametrize("change", [lambda one: one[:-1], lambda one: one + b"x", lambda one: one[:10], lambda _: b""])
def test_events_of_another_size(change):
    with pytest.raises(SourceError, match=FILE):
        list(begun(4).events(whole(change(binlog.event(codes.STOP, b"more", start=4)))))


@pytest.mark.parametrize(
    ("at", "value", "why"),
    [(0, 3, "version 3"), (56, 13, "headers have 13 bytes"), (-1, 2, "checksum algorithm 2 is unknown")],
)
def test_formats_that_no_server_writes(at, value, why):
    described = binlog.format_description()
    body = bytearray(described[19:-4])
    body[at] = value
    with pytest.raises(SourceError, match=why):
        dumped(rotated(), binlog.event(codes.FORMAT_DESCRIPTION, bytes(body), start=4))


def test_a_file_in_use(tmp_path):
    path = tmp_path / FILE
    path.write_bytes(binlog.MAGIC + binlog.format_description(flags=1))
    assert [one.kind for one in file_events(path)] == [codes.FORMAT_DESCRIPTION]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "does not begin as a binlog"),
        (b"\xfdbin" + bytes(600), "encrypted"),
        (binlog.file_of((codes.START_ENCRYPTION, bytes(17))), "encrypted"),
    ],
)
def test_files_that_can_not_be_read(data, why, tmp_path):
    path = tmp_path / FILE
    path.write_bytes(data)
    with pytest.raises(SourceError, match=why):
        list(file_events(path))


def test_a_torn_file(tmp_path):
    path = tmp_path / FILE
    data = binlog.file_of((codes.XID, bytes(8)), (codes.XID, bytes(8)))
    path.write_bytes(data[:-1])
    with pytest.raises(TornFileError) as caught:
        list(file_events(path))
    assert caught.value.place == (FILE, len(data) - 31)
    assert f"{FILE}:{len(data) - 31}" in str(caught.value)
