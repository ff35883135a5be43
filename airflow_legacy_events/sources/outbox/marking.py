"""Marks: how a row of an outbox is marked as published."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from airflow_legacy_events.core.columns import TEMPORAL, Column, Kind
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.ports import Database, Reflection
from airflow_legacy_events.sources import withheld

_FALSE: Any = sa.literal_column("false")
_TRUE: Any = sa.literal_column("true")
_MYSQL_BOOLEAN = frozenset({"tinyint(1)", "tinyint(1) unsigned"})


class Marking(NamedTuple):
    """Mark column, which distinguishes open rows from published ones.

    Attributes:
        column: the mark column.
        open: condition of the rows to be published.
        marked: condition of the published rows.
        done: expression that marks a row.
        constant: whether the column is equal in all open rows, so that an index may begin with it.
        spelled: the condition of open rows, as written in a CREATE INDEX.
    """

    column: Column
    open: Any
    marked: Any
    done: Any
    constant: bool
    spelled: str

    @property
    def timed(self) -> bool:
        """Whether the mark is the time of publishing."""
        return self.column.kind in TEMPORAL


def find_marking(table: str, name: str, values: Sequence[Any] | None, found: Reflection, database: Database) -> Marking:
    """Return the marking by the column `name`.

    Args:
        table: for messages.
        name: of the column.
        values: of open and of published rows; None: derived from the column's type.
        found: catalog facts of the table.
        database: for which the conditions are made.

    Raises:
        ConfigurationError: there is no such column, or the meaning of its values is unknown.
    """
    column = next((one for one in found.columns if one.name == name), None)
    withheld.refuse(f"table {table!r}", found, [name], "or name another one with mark_column=")
    if column is None:
        raise ConfigurationError(
            f"after_publish='mark' marks column {name!r} of table {table!r}, which does not exist; the table has"
            f" {', '.join(repr(one.name) for one in found.columns)}. Nothing was read; name it with mark_column=, or"
            f" add a nullable time column {name}"
        )
    if values is not None:
        return _by_values(table, column, values, database)
    if column.kind in TEMPORAL:
        return _by_time(table, column, database)
    if column.kind is Kind.BOOLEAN or column.type.lower() in _MYSQL_BOOLEAN:
        return _by_truth(column, database)
    raise ConfigurationError(
        f"mark_column={name!r} of table {table!r} is {column.type}: which value means open, and which published, is not"
        " known, and a wrong guess would mark rows that failed. Nothing was read; give both with mark_values=(open,"
        " published)"
    )


def _by_values(table: str, column: Column, values: Sequence[Any], database: Database) -> Marking:
    if column.kind not in (Kind.INTEGER, Kind.TEXT):
        raise ConfigurationError(
            f"mark_values= is for a column of integers or texts; mark_column={column.name!r} of table {table!r} is"
            f" {column.type}. Nothing was read; leave mark_values= out"
        )
    try:
        if column.kind is Kind.INTEGER:
            values = [*map(int, values)]
        first, last = (_bound(database.bind(str(value), column)) for value in values)
    except ValueError as error:
        raise ConfigurationError(
            f"mark_values= holds a value that column {column.name!r} of type {column.type} can't have. Nothing was read"
        ) from error
    one: Any = sa.column(column.name)
    spelled = f"= {values[0]}" if column.kind is Kind.INTEGER else "= '{}'".format(str(values[0]).replace("'", "''"))
    return Marking(column, one == first, one == last, last, constant=True, spelled=spelled)


def _by_time(table: str, column: Column, database: Database) -> Marking:
    if not column.nullable:
        raise ConfigurationError(
            f"mark_column={column.name!r} of table {table!r} is NOT NULL, so no row could be open: an open row has no"
            f" time there. Nothing was read; allow NULL in it, or name another column"
        )
    one: Any = sa.column(column.name)
    return Marking(column, one.is_(None), one.is_not(None), database.marking(column), constant=True, spelled="IS NULL")


def _by_truth(column: Column, database: Database) -> Marking:
    one: Any = sa.column(column.name)
    open_, spelled = one == _FALSE, "= false"
    if column.nullable and database.has_partial_indexes:  # a partial index matches only one condition
        open_, spelled = one.op("IS NOT")(_TRUE), "IS NOT true"
    elif column.nullable:
        open_ = sa.or_(one.is_(None), open_)
    return Marking(column, open_, one == _TRUE, _TRUE, constant=not column.nullable, spelled=spelled)


def _bound(value: Any) -> Any:
    """Return a bind parameter without a type; SQL expressions are returned unchanged."""
    if isinstance(value, sa.ColumnElement):
        return value
    return sa.bindparam(None, value, type_=sa.types.NullType(), unique=True)
