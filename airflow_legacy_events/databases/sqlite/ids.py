"""Next generated ID of a SQLite column."""

from __future__ import annotations

import re
import sqlite3

from airflow_legacy_events.core.ports import NextId
from airflow_legacy_events.databases.sqlite.catalog import find_table, rowid_column

_QUOTED = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|--[^\n]*|/\*.*?\*/""", re.DOTALL)
_COUNTED = re.compile(r"\bAUTOINCREMENT\b", re.IGNORECASE)
_SQL = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?"
_HANDED_OUT = "SELECT seq FROM sqlite_sequence WHERE name = ?"
_LARGEST = 2**63 - 1


def next_id(session: sqlite3.Connection, table: str, column: str) -> NextId:
    """Return the next row's ID in an INTEGER PRIMARY KEY.

    It is one more than the highest existing ID, so IDs of deleted newest rows are reused. With AUTOINCREMENT it is one
    more than the highest ID ever. After the largest integer SQLite picks any free ID, so the next one is unknown.

    Raises:
        ConfigurationError: there is no such table.
    """
    name, kind = find_table(session, table)
    if kind == "view":
        return NextId(unknown=f"{table!r} is a view, and the generator of its ids is that of a table below it")
    if rowid_column(session, name) != column:
        return NextId()
    of, from_ = (f"`{one.replace('`', '``')}`" for one in (column, name))
    ((highest,),) = session.execute(f"SELECT max({of}) FROM {from_}").fetchall()  # noqa: S608
    counted = has_autoincrement(session, name)
    ever = session.execute(_HANDED_OUT, (name,)).fetchone() if counted else None
    last = max((one for one in (highest, *(ever or ())) if isinstance(one, int)), default=0)
    return NextId(last + 1 if last < _LARGEST else None, returns=not counted)


def has_autoincrement(session: sqlite3.Connection, name: str) -> bool:
    """Return whether a table's IDs are never reused; its name is as in the catalog."""
    found = session.execute(_SQL, (name,)).fetchone()
    return bool(found and found[0] and _COUNTED.search(without_quotes(found[0])))


def without_quotes(text: str) -> str:
    """Return a statement with each string, quoted name and comment replaced by an empty name."""
    return _QUOTED.sub('""', text)
