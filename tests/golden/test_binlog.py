"""Golden binlogs of each server: what they mean, what the server says of them, and the same files damaged."""

import json
import re

import pytest

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.databases.mysql.changelog.binlog import codes
from airflow_legacy_events.databases.mysql.changelog.binlog.file import file_events
from airflow_legacy_events.databases.mysql.changelog.places import place_in
from tests.golden.binlog.expected import HERE, NAMES, events_of, lines
from tests.support import binlog
from tests.support.profile import LONG

SERVER_KINDS = {"XA_prepare": codes.XA_PREPARE, "Xid": codes.XID, "Rotate": codes.ROTATE, "Table_map": codes.TABLE_MAP}


@pytest.mark.parametrize("name", NAMES)
def test_meaning(name):
    assert list(lines(name)) == (HERE / f"{name}.jsonl").read_text().splitlines()


def rows_info(found):
    return f"table_id: {found.table} flags: STMT_END_F" if found.ends else f"table_id: {found.table}"


def gtid_info(found):
    return re.compile(".*".join(map(re.escape, filter(None, [found.prepares, found.name]))))


def statement_info(found):
    return found.text.replace("\\", "\\\\") if "/* generated" in found.text else found.text


INFOS = {
    codes.TABLE_MAP: lambda found: f"table_id: {found.id} ({found.database}.{found.table})",
    **dict.fromkeys(codes.ROWS, rows_info),
    **dict.fromkeys(codes.STATEMENTS, statement_info),
    **dict.fromkeys(codes.GTIDS, gtid_info),
    codes.XID: "COMMIT /* xid={} */".format,
    codes.XA_PREPARE: lambda found: f"{found.xid}{' ONE PHASE' if found.one_phase else ''}",
    codes.ROTATE: lambda found: f"{found.file};pos={found.position}",
}
"""What SHOW BINLOG EVENTS says of events, or a part of it."""


@pytest.mark.parametrize("name", NAMES)
def test_what_the_server_says(name):
    said = json.loads((HERE / f"{name}.json").read_text())
    given = iter([one for one in said if one[1] != "Transaction_payload"])
    for (event, found), (start, kind, end, info) in zip(events_of(HERE / f"{name}.binlog"), given, strict=True):
        if not event.nested:
            assert (event.start, event.end) == (start, end or event.end)
        assert SERVER_KINDS.get(kind, event.kind) == event.kind
        wanted = INFOS.get(event.kind, lambda _: "")(found)
        assert wanted.search(info) if isinstance(wanted, re.Pattern) else wanted in info
    assert event.end == len((HERE / f"{name}.binlog").read_bytes())


def decoded(path):
    """The events that a file gives, and its error, if there is one."""
    found = []
    try:
        for event in file_events(path):
            found.append(event)  # noqa: PERF402  those before an error count
    except SourceError as error:
        return found, error
    return found, None


def unfinished(found, right):
    """Whether what is wrong is only the begin of a compressed transaction, whose last event did not come."""
    whole = [event for event in found if not event.nested or event.end < found[-1].end]
    return (
        found[-1].nested and whole == right[: len(whole)] and all(one.kind != codes.XID for one in found[len(whole) :])
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("flip", [0x01, 0xFF])
def test_every_byte_damaged(name, flip, tmp_path):
    data = (HERE / f"{name}.binlog").read_bytes()
    path = tmp_path / "binlog.000002"
    path.write_bytes(data)
    right = list(file_events(path))
    for at in range(flip % 7, len(data), 7 if LONG else 71):
        path.write_bytes(data[:at] + bytes([data[at] ^ flip]) + data[at + 1 :])
        found, error = decoded(path)
        if error is None:
            assert found[1:] == right[1:]
            continue
        assert found == right[: len(found)] or unfinished(found, right)
        place = place_in(re.search(r"binlog\.000002:\d+", str(error))[0])
        assert place.position <= at < (found[-1].end if found else 4) + 2**20
        assert all(event.end <= place.position or event.nested for event in found)


@pytest.mark.parametrize("name", NAMES)
def test_every_end_torn_off(name, tmp_path):
    data = (HERE / f"{name}.binlog").read_bytes()
    path = tmp_path / "binlog.000002"
    path.write_bytes(data)
    right = list(file_events(path))
    ends = {4, *(event.end for event in right)}
    for size in range(4, len(data), 7 if LONG else 113):
        path.write_bytes(data[:size])
        found, error = decoded(path)
        assert found == [event for event in right if event.end <= size]
        assert (error is None) == (size in ends)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_without_checksums(name, tmp_path):
    path = tmp_path / "binlog.000002"
    path.write_bytes(binlog.without_checksums((HERE / f"{name}.binlog").read_bytes()))
    right = list(file_events(HERE / f"{name}.binlog"))
    found = list(file_events(path))
    assert [(one.kind, one.body, one.nested) for one in found[1:]] == [
        (one.kind, one.body, one.nested) for one in right[1:]
    ]
    assert [one.end - one.start for one in found[1:] if not one.nested] == [
        one.end - one.start - 4 for one in right[1:] if not one.nested
    ]


def test_from_the_middle():
    path = HERE / "mysql97.binlog"
    right = list(file_events(path))
    for event in right[1::7]:
        assert list(file_events(path, event.start))[-1] == right[-1]
        assert next(file_events(path, event.start)).start == event.start
