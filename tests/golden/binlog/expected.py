"""What the golden binlogs mean: `python -m tests.golden.binlog.expected` writes it into `<name>.jsonl`."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from airflow_legacy_events.databases.mysql.changelog.binlog import codes
from airflow_legacy_events.databases.mysql.changelog.binlog.file import file_events
from airflow_legacy_events.databases.mysql.changelog.binlog.format_description import format_description
from airflow_legacy_events.databases.mysql.changelog.binlog.gtid import gtid
from airflow_legacy_events.databases.mysql.changelog.binlog.gtid_lists import gtid_list, previous_gtids
from airflow_legacy_events.databases.mysql.changelog.binlog.query import query
from airflow_legacy_events.databases.mysql.changelog.binlog.rotate import rotate
from airflow_legacy_events.databases.mysql.changelog.binlog.rows_event import rows_event
from airflow_legacy_events.databases.mysql.changelog.binlog.table_map import table_map
from airflow_legacy_events.databases.mysql.changelog.binlog.xa import xa_prepare, xid
from airflow_legacy_events.databases.mysql.changelog.model import Event, TableMap
from tests.golden.binlog.images import Tables, shape_of

HERE = Path(__file__).parent
NAMES = sorted(path.stem for path in HERE.glob("*.binlog"))


def events_of(path: Path) -> Iterator[tuple[Event, Any]]:
    """Yield the events of a file, each with what it says."""
    mariadb = False
    for event in file_events(path):
        if event.kind == codes.FORMAT_DESCRIPTION:
            mariadb = "MariaDB" in format_description(event.body + b"\0" * 4).server
        yield event, said(event, mariadb=mariadb)


def said(event: Event, *, mariadb: bool) -> Any:
    """Return what an event says, decoded."""
    kind, body = event.kind, event.body
    if kind == codes.TABLE_MAP:
        return table_map(body, mariadb=mariadb)
    if kind in codes.ROWS:
        return rows_event(kind, body)
    if kind in codes.STATEMENTS:
        return query(kind, body)
    if kind in codes.GTIDS:
        return gtid(kind, body, event.server_id)
    return _OTHERS.get(kind, bytes)(body)


def plain(value: Any) -> Any:
    """Return a decoded value as JSON has it."""
    if hasattr(value, "_asdict"):
        return {name: plain(one) for name, one in value._asdict().items() if name not in ("raw", "body")}
    if isinstance(value, tuple):
        return [plain(one) for one in value]
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return value if isinstance(value, int | str | None) else str(value)


def lines(name: str) -> Iterator[str]:
    """Yield what is expected of each event of a golden file, as lines of JSON; rows events with their rows."""
    tables = Tables(named())
    for event, found in events_of(HERE / f"{name}.binlog"):
        if event.kind == codes.TABLE_MAP:
            tables.add(found)
        what = [event.start, event.end, event.kind, event.nested, event.time, plain(found)]
        rows = [tables.rows(event)] if event.kind in codes.ROWS else []
        yield json.dumps(what + rows, ensure_ascii=False, default=lambda one: one.decode("latin-1"))


@functools.cache
def named() -> dict[tuple[Any, ...], TableMap]:
    """The table maps of MariaDB, whose names MySQL 5.6 does not log."""
    events = events_of(HERE / "mariadb10.binlog")
    return {shape_of(found): found for event, found in events if event.kind == codes.TABLE_MAP}


_OTHERS = {
    codes.FORMAT_DESCRIPTION: lambda body: format_description(body + b"\0" * 4),
    codes.PREVIOUS_GTIDS: previous_gtids,
    codes.GTID_LIST: gtid_list,
    codes.ROTATE: rotate,
    codes.XID: xid,
    codes.XA_PREPARE: xa_prepare,
}


if __name__ == "__main__":
    for each in sys.argv[1:] or NAMES:
        (HERE / f"{each}.jsonl").write_text("".join(f"{line}\n" for line in lines(each)))
