"""Collations with which SQLite compares the columns of a table, view or query."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from airflow_legacy_events.core.columns import Column, Kind

BINARY = "BINARY"
_NO_TEXT = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT, Kind.BOOLEAN, Kind.BYTES})
_COLLATION = "CASE WHEN {0} = 'A' THEN 'NOCASE' WHEN {0} = 'a ' THEN 'RTRIM' ELSE 'BINARY' END"


def collations(session: sqlite3.Connection, source: str, columns: Iterable[Column]) -> dict[str, str]:
    """Return the collation of each column that may contain text, by name.

    No pragma reports it, so a text is compared as if it were a value of the column. No row of the source is read. If
    this session lacks a collation, nothing is reported: the source can't be read either then.

    Args:
        session: of the database.
        source: a FROM element, as SQL.
        columns: of it.
    """
    names = [column.name for column in columns if column.kind not in _NO_TEXT]
    try:
        return _found(session, source, names)
    except sqlite3.OperationalError:
        return {}


def _found(session: sqlite3.Connection, source: str, names: Sequence[str]) -> dict[str, str]:
    if not names:
        return {}
    quoted = [f"`{name.replace('`', '``')}`" for name in names]
    texts = ", ".join("'a'" for _ in names)
    probe = f"SELECT * FROM (SELECT {', '.join(quoted)} FROM {source} LIMIT 0) UNION ALL SELECT {texts}"  # noqa: S608
    [found] = session.execute(f"SELECT {', '.join(map(_COLLATION.format, quoted))} FROM ({probe})").fetchall()  # noqa: S608
    return dict(zip(names, found, strict=True))
