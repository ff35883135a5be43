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
_FIXED_BYTES, _SIZE_OF_SIZE, _LARGEST_BYTE = 8, 2, 250


def rows_event(kind: int, body: bytes) -> RowsEvent:
    """Return what a rows event says of its images; a compressed one is opened before.

    Args:
        kind: its type code, one of `codes.ROWS`.
        body: of the event.

    Raises:
        ValueError: it is damaged.
    """
    at = _FIXED_BYTES
    if kind in _EXTRA:
        extra = int.from_bytes(body[at : at + _SIZE_OF_SIZE], "little")
        if extra < _SIZE_OF_SIZE:
            raise ValueError("the extra information of a rows event is less than its size")
        at += extra
    width, at = _width(body, at)
    op, behind = OPERATIONS[kind], at + (width + 7) // 8
    present = after = body[at:behind]
    if op == "u":
        at, behind = behind, 2 * behind - at
        after = body[at:behind]
    if behind > len(body):
        raise ValueError("a rows event ends before its images")
    return RowsEvent(
        int.from_bytes(body[:ID_BYTES], "little"),
        op,
        bool(body[ID_BYTES] & STATEMENT_ENDS),
        width,
        present,
        after,
        body,
        behind,
        kind == PARTIAL_UPDATE_ROWS,
    )


def _width(body: bytes, at: int) -> tuple[int, int]:
    """Return the number of columns, and where it ends; nearly always it is one byte."""
    if at < len(body) and body[at] <= _LARGEST_BYTE:
        return body[at], at + 1
    data = Bytes(body, at)
    return data.packed(), data.at
