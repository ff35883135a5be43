"""Rows events: what stands before the images of rows.

Fixed part: the table's ID (6 bytes) and flags (2). Version 2 (MySQL 5.6 and later) has extra information, whose size
(2 bytes) counts itself. Then the number of columns (length-encoded) and a bit for each column that the images hold;
an UPDATE has a second such set for the images after it. The images follow: of PARTIAL_UPDATE_ROWS, options before each
image after the UPDATE. Source: `Rows_event` of MySQL, `Rows_log_event` of MariaDB.
"""

from __future__ import annotations

from airflow_legacy_events.databases.mysql.changelog.binlog.bytes import Bytes
from airflow_legacy_events.databases.mysql.changelog.binlog.codes import (
    DELETE_ROWS,
    OPERATIONS,
    PARTIAL_UPDATE_ROWS,
    UPDATE_ROWS,
    WRITE_ROWS,
)
from airflow_legacy_events.databases.mysql.changelog.binlog.table_map import ID_BYTES
from airflow_legacy_events.databases.mysql.changelog.model import RowsEvent

STATEMENT_ENDS = 1
"""Flag of the last rows event of a statement."""

_EXTRA = frozenset({WRITE_ROWS, UPDATE_ROWS, DELETE_ROWS, PARTIAL_UPDATE_ROWS})
_SIZE_OF_SIZE = 2


def rows_event(kind: int, body: bytes) -> RowsEvent:
    """Return what a rows event says of its images; a compressed one is opened before.

    Args:
        kind: its type code, one of `codes.ROWS`.
        body: of the event.

    Raises:
        ValueError: it is damaged.
    """
    data = Bytes(body)
    table, flags = data.number(ID_BYTES), data.number(2)
    if kind in _EXTRA:
        data.take(data.number(_SIZE_OF_SIZE) - _SIZE_OF_SIZE)
    width = data.packed()
    size = (width + 7) // 8
    present = data.take(size)
    after = data.take(size) if OPERATIONS[kind] == "u" else present
    return RowsEvent(
        table,
        OPERATIONS[kind],
        bool(flags & STATEMENT_ENDS),
        width,
        present,
        after,
        body,
        data.at,
        kind == PARTIAL_UPDATE_ROWS,
    )
