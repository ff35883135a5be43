"""SQLite catalog: facts about one table."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import NamedTuple

from airflow_legacy_events.core.columns import Column
from airflow_legacy_events.core.ports import TableState
from airflow_legacy_events.databases.reflection import TableFacts
from airflow_legacy_events.databases.sqlite.collations import BINARY, collations
from airflow_legacy_events.databases.sqlite.names import folded
from airflow_legacy_events.databases.sqlite.session import Guard
from airflow_legacy_events.databases.sqlite.values import kind_of
from airflow_legacy_events.databases.sqlite.views import definition
from airflow_legacy_events.databases.sqlite.written import read_writing
from airflow_legacy_events.databases.table_names import QUOTES, TableName, looked_up, no_such_table

_MAIN = "main"

_OF_A_CALL = 1
"""Marks a hidden column of a virtual table: an argument or a search rank, not a value of its rows."""


def inspect_table(session: sqlite3.Connection, table: str, guard: Guard, max_row_bytes: int) -> TableFacts:
    """Return the facts about a table or view; SQLite compares names case-insensitively.

    Raises:
        ConfigurationError: there is no table of that name.
    """
    (schema, _), name, kind = _find(session, table)
    found = session.execute('SELECT name, type, "notnull", pk, hidden FROM pragma_table_xinfo(?)', (name,)).fetchall()
    columns = [(column, type_, promised, place) for column, type_, promised, place, _ in found]
    primary = tuple(column for column, _, _, place in sorted(columns, key=lambda one: one[3]) if place)
    rowid = rowid_column(session, name)
    # A primary key without NOT NULL may contain NULLs, unless it is the rowid.
    not_null = {column for column, _, promised, _ in columns if promised} | ({rowid} if rowid else set())
    indexes = _indexes(session, name)
    source = f"`{name.replace('`', '``')}`"
    compared = collations(session, source, [Column(column, kind_of(type_), type_) for column, type_, _, _ in columns])
    return TableFacts(
        name=name,
        schema=schema,
        primary_key=primary,
        unique=tuple(index.columns for index in indexes if index.unique and index.columns != primary),
        indexes=tuple(dict.fromkeys([*([primary] if primary else []), *(index.columns for index in indexes)]))
        if kind == "table"
        else None,
        not_null=frozenset(not_null),
        small=kind == "table" and _file_bytes(session) <= max_row_bytes,
        state=TableState(
            distinct=(
                *([(rowid,)] if rowid else []),
                *(index.columns for index in indexes if index.proves(compared)),
            ),
            object=_place(session, name) if kind == "table" else None,
            order=compared,
            definition=definition(session, source, guard),
            writing=read_writing(session, name, rowid) if kind == "table" else None,
        ),
        readable=tuple(column for column, *_ in columns),
        unlisted=frozenset(column for column, *_, hidden in found if hidden == _OF_A_CALL),
    )


def rowid_column(session: sqlite3.Connection, name: str) -> str | None:
    """Return the INTEGER PRIMARY KEY column, an alias of a table's rowid; None if there is none.

    Args:
        session: of the database.
        name: of the table, as in the catalog.
    """
    key = session.execute("SELECT name, type FROM pragma_table_info(?) WHERE pk", (name,)).fetchall()
    if [type_.upper() for _, type_ in key] != ["INTEGER"]:
        return None
    indexed = "SELECT 1 FROM pragma_index_list(?) WHERE origin = 'pk'"  # WITHOUT ROWID, or INTEGER PRIMARY KEY DESC
    return None if session.execute(indexed, (name,)).fetchone() else str(key[0][0])


def find_table(session: sqlite3.Connection, table: str) -> tuple[str, str]:
    """Return the catalog name of a table or view, and which of the two it is; see `looked_up`."""
    _, name, kind = _find(session, table)
    return name, kind


def _find(session: sqlite3.Connection, table: str) -> tuple[TableName, str, str]:
    """Like `find_table`, but also return the name under which it was found."""
    found = session.execute("SELECT schema, name, type FROM pragma_table_list").fetchall()
    there = {(schema, folded(name)): (name, kind) for schema, name, kind in found if not name.startswith("sqlite_")}
    for one in looked_up(table, QUOTES["sqlite"]):
        if (row := there.get((one.schema or _MAIN, folded(one.name)))) is not None:
            return one, *row
    raise no_such_table(table, [name for (schema, _), (name, _) in there.items() if schema == _MAIN], QUOTES["sqlite"])


class _Index(NamedTuple):
    columns: tuple[str, ...]
    unique: bool
    collations: tuple[str, ...]

    def proves(self, compared: Mapping[str, str]) -> bool:
        """Whether its columns are distinct as they are compared. Equal bytes are equal under every collation."""
        return self.unique and all(
            compared.get(column, BINARY) in (BINARY, collation)
            for column, collation in zip(self.columns, self.collations, strict=True)
        )


def _indexes(session: sqlite3.Connection, table: str) -> list[_Index]:
    """Return the indexes that have only plain columns and cover every row."""
    found = []
    listed = 'SELECT name, "unique" FROM pragma_index_list(?) WHERE NOT partial ORDER BY seq DESC'
    of_index = "SELECT name, upper(coll) FROM pragma_index_xinfo(?) WHERE key ORDER BY seqno"
    for index, unique in session.execute(listed, (table,)).fetchall():
        columns = session.execute(of_index, (index,)).fetchall()
        if all(column is not None for column, _ in columns):
            found.append(_Index(tuple(one for one, _ in columns), bool(unique), tuple(one for _, one in columns)))
    return found


def _file_bytes(session: sqlite3.Connection) -> int:
    (pages,) = session.execute("PRAGMA page_count").fetchone()
    (page_bytes,) = session.execute("PRAGMA page_size").fetchone()
    return int(pages) * int(page_bytes)


def _place(session: sqlite3.Connection, name: str) -> dict[str, int]:
    """Return the number of tables created before this one.

    Unlike page numbers, it is not changed by VACUUM, an index or a new column. A table that is dropped and recreated
    comes after all others. That can't be detected if it was already the last one.
    """
    counted = (
        "SELECT count(*) FROM sqlite_master o WHERE o.type = 'table' AND o.rootpage > 0 AND o.name NOT LIKE 'sqlite~_%'"
        " ESCAPE '~' AND o.rowid < (SELECT m.rowid FROM sqlite_master m WHERE m.type = 'table' AND m.name = ?)"
    )
    ((place,),) = session.execute(counted, (name,)).fetchall()
    return {"place_in_schema": int(place)}
