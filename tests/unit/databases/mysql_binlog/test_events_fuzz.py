"""Golden binlogs without checksums, changed at random: events or an error with its place, and nothing else."""

import contextlib
import functools
import re
import tracemalloc
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.databases.mysql.changelog.binlog import codes
from airflow_legacy_events.databases.mysql.changelog.binlog.decoder import Decoder
from airflow_legacy_events.databases.mysql.changelog.binlog.file import file_events
from airflow_legacy_events.databases.mysql.changelog.model import BinlogPlace, UnreadableValueError
from tests.golden.binlog.expected import HERE, NAMES, named, said
from tests.golden.binlog.images import Tables
from tests.support import binlog
from tests.support.profile import LONG

MOST_BYTES = 8_000_000
"""Of memory, beside files of a few 10 kB."""


@functools.cache
def unprotected(name):
    return binlog.without_checksums((HERE / f"{name}.binlog").read_bytes())


def changed(data, changes):
    found = bytearray(data)
    for at, value in changes:
        found[at % len(found)] ^= value
    return bytes(found)


CHANGES = st.lists(st.tuples(st.integers(0, 2**16), st.integers(1, 255)), min_size=1, max_size=4)


def outcome(events):
    """Decode events with their bodies and their rows; return the error that ended it, if any did."""
    tables = Tables(named())
    try:
        for event in events:
            with contextlib.suppress(ValueError, UnreadableValueError):
                found = said(event, mariadb=event.server_id % 2 == 0)
                if event.kind == codes.TABLE_MAP:
                    tables.add(found)
                elif event.kind in codes.ROWS:
                    tables.rows(event)
    except SourceError as error:
        return str(error)
    return None


@settings(max_examples=3000 if LONG else 40, deadline=None)
@given(st.sampled_from(NAMES), CHANGES)
@example("mysql97", [(9, 255)])
def test_changed_files(tmp_path_factory, name, changes):
    path = Path(tmp_path_factory.getbasetemp()) / "binlog.000002"
    path.write_bytes(changed(unprotected(name), changes))
    error = outcome(file_events(path))
    assert error is None or re.search(r"binlog\.000002(:\d+|' )", error)


@settings(max_examples=3000 if LONG else 40, deadline=None)
@given(st.sampled_from(NAMES), CHANGES, st.integers(0, 5))
def test_changed_dumps(name, changes, cut):
    rotated = binlog.event(codes.ROTATE, (4).to_bytes(8, "little") + b"binlog.000002", flags=codes.ARTIFICIAL_FLAG)
    events = [rotated, *binlog.raw_events(unprotected(name))]
    at, value = changes[0]
    chosen = events[at % len(events)]
    events[at % len(events)] = changed(chosen, changes)[: len(chosen) - cut * value] or chosen
    error = outcome(Decoder(holes=True).events((one, ()) for one in events))
    assert error is None or re.search(r":\d+", error)


@given(st.sampled_from(sorted(codes.KNOWN)), st.binary(max_size=200))
def test_any_body(kind, body):
    decoder = Decoder(BinlogPlace("binlog.000002", 200), holes=False)
    decoder.describe(binlog.format_description())
    error = outcome(decoder.events([(binlog.event(kind, body, start=200), ())]))
    assert error is None or "binlog.000002" in error


def test_no_length_of_an_event_is_believed():
    """What a damaged length says is not allocated: lengths near 1 GiB in files of a few kB."""
    each = {(name, one[4]): one for name in NAMES for one in binlog.raw_events(unprotected(name))}
    tracemalloc.start()
    try:
        for event in each.values():
            for at in range(19, min(len(event) - 4, 60)):
                grown = event[:at] + b"\xfd\xff\xff\x3f" + event[at + 4 :]
                decoder = Decoder(BinlogPlace("binlog.000002", 200), holes=True)
                decoder.describe(binlog.format_description(checksum=False))
                outcome(decoder.events([(grown, ())]))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MOST_BYTES
