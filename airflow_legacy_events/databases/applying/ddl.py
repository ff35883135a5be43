"""Tables and columns that are made for messages: the statements, and their runs."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

import sqlalchemy as sa

from airflow_legacy_events.core.errors import TargetError
from airflow_legacy_events.core.ports.target import NewColumn, ObjectionError, TransactionLostError
from airflow_legacy_events.databases.applying.finding import name_to_make
from airflow_legacy_events.databases.quoting import quoted_for_people
from airflow_legacy_events.databases.table_names import TableName


class Maker(Protocol):
    """What DDL needs of a target; see `SqlTarget`."""

    made_with: str
    adds: str
    adds_one_at_a_time: bool

    @property
    def engine(self) -> sa.Engine:
        """Engine of the sessions."""

    def asking(self, doing: str) -> AbstractContextManager[sa.Connection]:
        """Return a connection in a transaction of its own."""

    def find(self, connection: sa.Connection, table: str) -> TableName | None:
        """Return the catalog's name of a table."""

    def type_of(self, column: NewColumn, *, in_key: bool) -> str:
        """Return the type of a new column."""


def make(target: Maker, table: str, columns: Sequence[NewColumn], key: Sequence[str]) -> None:
    """Create a table, unless there is one of that name; see `core.ports.target.Target.make`."""
    name = name_to_make(target.engine.dialect, table)
    parts = [_column(target, one, in_key=one.name in key) for one in columns]
    if key:
        parts.append(f"PRIMARY KEY ({', '.join(_quoted(target, one) for one in key)})")
    statement = f"CREATE TABLE {_named(target, name)} ({', '.join(parts)}){target.made_with}"
    _run(target, table, f"creating table {table!r}", statement, ())


def add(target: Maker, table: str, columns: Sequence[NewColumn]) -> None:
    """Add columns, but those that are there; see `core.ports.target.Target.add`."""
    with target.asking(f"looking for the columns of table {table!r}") as connection:
        name = target.find(connection, table)
        if name is None:
            raise TargetError(f"table {table!r} is gone, so no column can be added to it; create it, then run again")
        there = _there(connection, name)
    for one in columns:
        if one.name.lower() not in there:
            _run(target, table, f"adding a column to table {table!r}", _added(target, name, [one]), (one.name,))


def added(target: Maker, table: str, columns: Sequence[NewColumn]) -> str:
    """Return the ALTER TABLE; see `core.ports.target.Target.added`."""
    with target.asking(f"looking for table {table!r}") as connection:
        name = target.find(connection, table) or name_to_make(connection.dialect, table)
    return _added(target, name, columns)


def _added(target: Maker, name: TableName, columns: Sequence[NewColumn]) -> str:
    alter = f"ALTER TABLE {_named(target, name)} "
    each = [f"{target.adds} {_column(target, one, in_key=False)}" for one in columns]
    if target.adds_one_at_a_time:
        return "; ".join(alter + one for one in each)
    return alter + ", ".join(each)


def _run(target: Maker, table: str, doing: str, statement: str, new: Sequence[str]) -> None:
    try:
        with target.asking(doing) as connection:
            cursor = connection.connection.cursor()  # some drivers have no row count of DDL, which SQLAlchemy asks for
            with contextlib.closing(cursor):
                cursor.execute(statement)
    except (TargetError, ObjectionError, TransactionLostError) as error:
        if _is_done(target, table, new):  # another run was faster
            return
        raise TargetError(
            f"{doing} was refused; have somebody with the right run the statement below. {error}\n{statement}",
            retry_helps=isinstance(error, TargetError) and error.retry_helps,
        ) from None


def _is_done(target: Maker, table: str, new: Sequence[str]) -> bool:
    with target.asking(f"looking for table {table!r}") as connection:
        name = target.find(connection, table)
        return name is not None and {one.lower() for one in new} <= _there(connection, name)


def _there(connection: sa.Connection, name: TableName) -> set[str]:
    return {one["name"].lower() for one in sa.inspect(connection).get_columns(name.name, schema=name.schema)}


def _column(target: Maker, column: NewColumn, *, in_key: bool) -> str:
    type_ = column.type or target.type_of(column, in_key=in_key)
    not_null = "" if column.nullable and not in_key else " NOT NULL"
    return f"{_quoted(target, column.name)} {type_}{not_null}"


def _named(target: Maker, name: TableName) -> str:
    return ".".join(_quoted(target, one) for one in (name.schema, name.name) if one is not None)


def _quoted(target: Maker, name: str) -> str:
    return quoted_for_people(target.engine.dialect, name)
