"""SQLite columns: declared types, the check that they are unchanged during a run, and times stored as text."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from typing import Any

from airflow_legacy_events.core.columns import Column
from airflow_legacy_events.core.errors import SchemaChangedError
from airflow_legacy_events.databases.sqlite.session import SHAPE, Guard
from airflow_legacy_events.databases.sqlite.times import Times
from airflow_legacy_events.databases.sqlite.values import kind_of

_REPEATED = re.compile(r"(.+):\d+")
_NAMES = "SELECT name FROM pragma_table_xinfo(?)"
_LENGTH = re.compile(r"\(.*?\)", re.DOTALL)


class Origin:
    """The table, view or query that columns were reflected from, and the schema version at that time.

    Args:
        source: a FROM element, as SQL.
        table: name of the table or view; None for a query.
        version: of the schema.
    """

    def __init__(self, source: str, table: str | None, version: int) -> None:
        self.source, self._table, self._version = source, table, version
        self._checked: set[tuple[int, tuple[str, ...]]] = set()

    def check(self, session: sqlite3.Connection, guard: Guard, version: int, expected: Sequence[Column]) -> None:
        """Check that columns still have their types. A length may differ, and so may other columns and indexes.

        The types are looked up only if the schema version has changed.

        Args:
            session: inside the transaction that reads the page.
            guard: of the session.
            version: of the schema in that transaction.
            expected: the columns.

        Raises:
            SchemaChangedError: naming the first column that differs, and both its types.
        """
        checked = version, tuple(column.name for column in expected)
        if version == self._version or checked in self._checked:
            return
        found = dict(declared(session, self.source, guard, self._table))
        for column in expected:
            type_ = found.get(column.name)
            if type_ is None or _plain(type_) != _plain(column.type):
                now = "is gone" if type_ is None else f"is {type_!r} now"
                raise SchemaChangedError(
                    f"column {column.name!r} was {column.type!r} when the columns were looked up, and {now}; no row of"
                    " this page was sent"
                )
        self._checked.add(checked)


class SqliteColumn(Column):
    """A column of a source.

    Attributes:
        origin: shared by the columns of one reflection.
        times: checks of its times; None if it can't contain times.
    """

    origin: Origin
    times: Times | None


def origin_of(columns: Sequence[Column]) -> Origin | None:
    """Return the source that columns were reflected from; None if they were created elsewhere."""
    return next((column.origin for column in columns if isinstance(column, SqliteColumn)), None)


def times_of(column: Column) -> Times | None:
    """Return the `Times` of a column with time bounds; None for any other column."""
    times = column.times if isinstance(column, SqliteColumn) else None
    return times if times is not None and times.timed else None


def check_times(columns: Sequence[Column], rows: Sequence[tuple[Any, ...]]) -> None:
    """Check the times of rows in columns with time bounds; see `Times.check`."""
    for at, column in enumerate(columns):
        if times := times_of(column):
            times.check(row[at] for row in rows)


def made(name: str, type_: str, origin: Origin, ask: Any, *, nullable: bool) -> SqliteColumn:
    """Return a column; its times run their queries with `ask`, see `Times`."""
    column = SqliteColumn(name, kind_of(type_), type_, nullable)
    column.origin = origin
    column.times = Times.of(column, origin.source, ask)
    return column


def declared(session: sqlite3.Connection, source: str, guard: Guard, table: str | None = None) -> list[tuple[str, str]]:
    """Return names and declared types of a FROM element's columns. Only a view reports them.

    The view is created in the temporary database, which is otherwise empty. For a table or view, the names come from
    the catalog, which includes the columns that `SELECT *` leaves out.

    Args:
        session: in a transaction.
        source: the FROM element, as SQL.
        guard: of the session.
        table: name of the table or view; None for a query.
    """
    known = [] if table is None else [name for (name,) in session.execute(_NAMES, (table,))]
    selected = ", ".join(f"`{name.replace('`', '``')}`" for name in known) or "*"
    with guard.shaping(session):
        session.execute(f"CREATE TEMP VIEW {SHAPE} AS SELECT {selected} FROM {source}")  # noqa: S608
    try:
        rows = session.execute("SELECT name, type FROM pragma_table_xinfo(?)", (SHAPE,)).fetchall()
    finally:
        with guard.shaping(session):
            session.execute(f"DROP VIEW temp.{SHAPE}")
    if known:
        return [(name, type_) for name, (_, type_) in zip(known, rows, strict=True)]
    return [(_real(session, source, guard, name, {one for one, _ in rows}), type_) for name, type_ in rows]


def _real(session: sqlite3.Connection, source: str, guard: Guard, name: str, names: set[str]) -> str:
    """Return a column's real name: SQLite renames the second of two equal names to "name:1".

    A column really has such a name if the statement reads a column of that name or contains the name in quotes.
    """
    again = _REPEATED.fullmatch(name)
    if again is None or again[1] not in names or any(f"{a}{name}{b}" in source for a, b in ('""', "``", "[]")):
        return name
    with guard.reading() as read:
        session.execute(f"EXPLAIN SELECT * FROM {source}").fetchall()  # noqa: S608
    return name if name in read else again[1]


def _plain(type_: str) -> str:
    return " ".join(_LENGTH.sub("", type_).upper().split())
