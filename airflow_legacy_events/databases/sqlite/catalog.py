"""Catalog of SQLite: the facts of one table."""

from __future__ import annotations

import sqlite3

from airflow_legacy_events.databases.reflection import TableFacts, no_such_table, split_name


def inspect_table(session: sqlite3.Connection, table: str) -> TableFacts:
    """Return the facts of a table or view; SQLite compares names without case.

    Raises:
        ConfigurationError: there is none of that name.
    """
    schema, _ = split_name(table)
    name, kind = find_table(session, table)
    columns = session.execute('SELECT name, type, "notnull", pk FROM pragma_table_xinfo(?)', (name,)).fetchall()
    primary = tuple(column for column, _, _, place in sorted(columns, key=lambda one: one[3]) if place)
    not_null = {column for column, _, promised, _ in columns if promised}
    # Of all primary keys without NOT NULL only the one that is the rowid holds no NULL.
    rowid = [column for column, type_, _, place in columns if place and type_.upper() == "INTEGER"]
    if len(primary) == 1 and rowid:
        not_null |= {rowid[0]}
    indexes = _indexes(session, name)
    return TableFacts(
        name=name,
        schema=schema,
        primary_key=primary,
        unique=tuple(columns for columns, unique in indexes if unique and columns != primary),
        indexes=tuple(dict.fromkeys([*([primary] if primary else []), *(columns for columns, _ in indexes)]))
        if kind == "table"
        else None,
        not_null=frozenset(not_null),
    )


def find_table(session: sqlite3.Connection, table: str) -> tuple[str, str]:
    """Return the name of a table or view as the catalog has it, and which of them it is."""
    schema, name = split_name(table)
    listed = "SELECT name, type FROM pragma_table_list WHERE schema = ?"
    found = {
        str(one).lower(): (str(one), str(kind))
        for one, kind in session.execute(listed, (schema or "main",))
        if not one.startswith("sqlite_")
    }
    if name.lower() not in found:
        raise no_such_table(table, [one for one, _ in found.values()])
    return found[name.lower()]


def _indexes(session: sqlite3.Connection, table: str) -> list[tuple[tuple[str, ...], bool]]:
    """Return column lists and uniqueness of the indexes that have plain columns only and leave no row out."""
    found = []
    listed = 'SELECT name, "unique" FROM pragma_index_list(?) WHERE NOT partial ORDER BY seq DESC'
    for index, unique in session.execute(listed, (table,)).fetchall():
        columns = session.execute(
            "SELECT name FROM pragma_index_xinfo(?) WHERE key ORDER BY seqno", (index,)
        ).fetchall()
        if all(column is not None for (column,) in columns):
            found.append((tuple(str(column) for (column,) in columns), bool(unique)))
    return found
