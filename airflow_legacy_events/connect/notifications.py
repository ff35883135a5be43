"""Notifications of a Debezium connector: what became of a snapshot, table by table.

https://debezium.io/documentation/reference/stable/configuration/notification.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from airflow_legacy_events.core.ports import TailMessage

STARTED, COMPLETED, ABORTED, PAUSED, RESUMED = "STARTED", "COMPLETED", "ABORTED", "PAUSED", "RESUMED"
SCANNED = "TABLE_SCAN_COMPLETED"
SUCCEEDED, EMPTY = "SUCCEEDED", "EMPTY"
DONE = frozenset({SUCCEEDED, EMPTY})
"""States of a table whose rows are all on its topic."""

_SNAPSHOTS = {"incremental": "Incremental Snapshot", "blocking": "Initial Snapshot"}
_ENDS = frozenset({COMPLETED, ABORTED})


class Notification(NamedTuple):
    """A notification about a snapshot.

    Attributes:
        id: of the signal, where it came through the signal table.
        type: `STARTED`, `TABLE_SCAN_COMPLETED` and so on.
        table: that it is about; None for the snapshot as a whole.
        status: of the table.
        rows: read of the table.
    """

    id: str
    type: str
    table: str | None
    status: str | None
    rows: int


class TableResult(NamedTuple):
    """What became of one table."""

    status: str
    rows: int


class Progress(NamedTuple):
    """What a topic of notifications says of a snapshot.

    Attributes:
        started: whether it has begun.
        ended: how it ended, `COMPLETED` or `ABORTED`; None while it has not.
        tables: by name.
        paused: whether it is paused.
    """

    started: bool
    ended: str | None
    tables: Mapping[str, TableResult]
    paused: bool


def read(messages: Iterable[TailMessage], connector: str, snapshot: str) -> list[Notification]:
    """Return the notifications of one connector about its snapshots of a kind, in their order.

    Args:
        messages: of the topic, which connectors may share.
        connector: logical name of the connector, its topic prefix.
        snapshot: incremental or blocking.
    """
    found = []
    for message in sorted(messages, key=lambda one: (one.timestamp, one.partition, one.offset)):
        body = _body(message.value)
        more = body.get("additional_data") or {}
        if body.get("aggregate_type") == _SNAPSHOTS[snapshot] and more.get("connector_name") == connector:
            found.append(_notification(body, more))
    return found


def progress(found: Iterable[Notification]) -> Progress:
    """Return what notifications say of the last snapshot among them."""
    started, paused, ended = False, False, None
    tables: dict[str, TableResult] = {}
    for one in found:
        if one.type == STARTED:
            started, ended, paused = True, None, False
        elif one.type == SCANNED and one.table is not None:
            tables[one.table] = TableResult(one.status or "", one.rows)
        elif one.type in (PAUSED, RESUMED):
            paused = one.type == PAUSED
        elif one.type in _ENDS:
            ended = one.type
    return Progress(started, ended, tables, paused)


def is_running(found: Iterable[Notification]) -> bool:
    """Whether the last snapshot among the notifications has not ended."""
    now = progress(found)
    return now.started and now.ended is None


def _notification(body: Mapping[str, Any], more: Mapping[str, Any]) -> Notification:
    table = more.get("scanned_collection")
    rows = str(more.get("total_rows_scanned") or "0")
    return Notification(
        str(body.get("id")),
        str(body.get("type")),
        None if table is None else str(table),
        more.get("status"),
        int(rows) if rows.isdecimal() else 0,
    )


def _body(value: bytes | None) -> Mapping[str, Any]:
    """Return the notification in a message: with a converter that adds the schema it is the payload."""
    try:
        found = json.loads(value or b"{}")
    except ValueError:
        return {}
    if isinstance(found, dict) and set(found) == {"schema", "payload"}:
        found = found["payload"]
    return found if isinstance(found, dict) else {}
