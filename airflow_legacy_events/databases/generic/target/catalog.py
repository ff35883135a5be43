"""Catalog of a table that is written to, as far as SQLAlchemy's inspector and a few dialects report it."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any, NamedTuple

import sqlalchemy as sa

from airflow_legacy_events.core.model.changes import TargetColumn
from airflow_legacy_events.databases.applying.facts import Fold
from airflow_legacy_events.databases.applying.relations import ForeignKey
from airflow_legacy_events.databases.generic.catalog import tried
from airflow_legacy_events.databases.generic.collations import attributes_of_firebird
from airflow_legacy_events.databases.generic.target.columns import column_of, is_firebird
from airflow_legacy_events.databases.table_names import TableName

_PADS, _FOLDS_CASE, _FOLDS_ACCENTS = 1, 2, 4


class Table(NamedTuple):
    """A table.

    Attributes:
        name: in the catalog.
        is_view: whether it is a view.
        columns: in order.
        types: of SQLAlchemy, of each.
        defaults: SQL of each column's default, None without one.
        primary: names of the primary key's columns.
        unique: names of the columns of each unique index that covers every row.
    """

    name: TableName
    is_view: bool
    columns: tuple[TargetColumn, ...]
    types: tuple[Any, ...]
    defaults: tuple[str | None, ...]
    primary: tuple[str, ...]
    unique: tuple[tuple[str, ...], ...]


def read_table(connection: sa.Connection, name: TableName) -> Table:
    """Return what the catalog has of a table that is there."""
    inspector = sa.inspect(connection)
    rows = inspector.get_columns(name.name, schema=name.schema)
    primary = tuple(inspector.get_pk_constraint(name.name, schema=name.schema).get("constrained_columns") or ())
    constraints = tried(lambda: inspector.get_unique_constraints(name.name, schema=name.schema))
    unique = [tuple(one["column_names"]) for one in constraints]
    unique += [
        tuple(one["column_names"])
        for one in tried(lambda: inspector.get_indexes(name.name, schema=name.schema))
        if one["unique"] and all(one["column_names"]) and not _is_partial(one)
    ]
    return Table(
        name,
        name.name in tried(lambda: inspector.get_view_names(schema=name.schema)),
        tuple(column_of(one, connection.dialect) for one in rows),
        tuple(one["type"] for one in rows),
        tuple(one.get("default") for one in rows),
        primary,
        tuple(dict.fromkeys(one for one in unique if one)),
    )


def foreign_keys(connection: sa.Connection, schema: str | None) -> list[ForeignKey]:
    """Return the foreign keys of all tables of a schema."""
    found: dict[Any, Any] = tried(lambda: sa.inspect(connection).get_multi_foreign_keys(schema=schema)) or {}
    return [
        ForeignKey(
            str(one.get("name") or ""),
            TableName(schema, str(table)),
            tuple(one["constrained_columns"]),
            TableName(one.get("referred_schema") or schema, str(one["referred_table"])),
            str((one.get("options") or {}).get("ondelete") or "").upper(),
            str((one.get("options") or {}).get("onupdate") or "").upper(),
            tuple(one["referred_columns"]),
        )
        for (_, table), some in found.items()
        for one in some
    ]


def fold_of(connection: sa.Connection, name: TableName, column: TargetColumn) -> tuple[Fold, str]:
    """Return how a key column compares values, and its collation in words; exactly, where that is not known."""
    said, pads = "", column.type.upper().startswith(("CHAR", "NCHAR"))
    steps: list[Callable[[str], str]] = [_unpadded] if pads else []
    if is_firebird(connection.dialect) and (found := attributes_of_firebird(connection, name.name, column.name)):
        said, attributes = found
        steps = [step for bit, step in _STEPS if attributes & bit]
    if not steps:
        return _same, said

    def fold(value: Any) -> Any:
        if isinstance(value, str):
            for step in steps:
                value = step(value)
        return value

    return fold, said


def _same(value: Any) -> Any:
    return value


def _unpadded(text: str) -> str:
    return text.rstrip(" ")


def _without_accents(text: str) -> str:
    return "".join(one for one in unicodedata.normalize("NFD", text) if not unicodedata.combining(one))


_STEPS: tuple[tuple[int, Callable[[str], str]], ...] = (
    (_PADS, _unpadded),
    (_FOLDS_CASE, str.casefold),
    (_FOLDS_ACCENTS, _without_accents),
)


def _is_partial(index: Any) -> bool:
    return any(value for option, value in index.get("dialect_options", {}).items() if option.endswith("_where"))
