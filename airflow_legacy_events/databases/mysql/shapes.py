"""Result shape check for MySQL and MariaDB: a result must have the requested columns."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.columns import Column
from airflow_legacy_events.core.errors import SchemaChangedError
from airflow_legacy_events.databases.mysql.types import JSON, Type

Described = Sequence[tuple[str, Type, int]]
"""Names, types and longest lengths of columns."""

_LENGTH = re.compile(r"\([^)]*\)")
_JSON_OF_MARIADB = "text"  # in a result, for any length


def bare(query: Any, expected: Sequence[Column]) -> Any:
    """Return a query for the types of the bare columns, for a page that selects expressions of them."""
    columns: list[Any] = [sa.column(column.name) for column in expected]
    return sa.select(*columns).select_from(query.get_final_froms()[0]).limit(0)


def are_bare(query: Any, sent: Any, expected: Sequence[Column], json: Collection[str]) -> bool:
    """Return whether a page selects its first columns bare, so that its result has their types.

    Args:
        query: the original query.
        sent: the query as it is sent.
        expected: the first columns of its result.
        json: columns whose type is not visible in a result.
    """
    selected = [one for each in (query, sent) for one in list(each.selected_columns)[: len(expected)]]
    return all(isinstance(one, sa.ColumnClause) and one.name not in json for one in selected)


def check_shape(conn_id: str, expected: Sequence[Column], found: Described, json: Collection[str]) -> None:
    """Check that a result's first columns are those its encoder expects; a length or precision may differ.

    Args:
        conn_id: Airflow's name of the connection.
        expected: the columns.
        found: the columns of the result.
        json: JSON columns that MariaDB stores as text.

    Raises:
        SchemaChangedError: naming the column and both types.
    """
    seen = [_type_of(name, type_, json) for name, type_, _ in found[: len(expected)]]
    wanted = [(column.name, column.kind, _bare(column.type)) for column in expected]
    if seen == wanted:
        return
    for (name, _, type_), (is_name, _, is_type) in zip(wanted, seen, strict=False):
        if (name, type_) != (is_name, is_type):
            raise _changed(conn_id, f"column {name!r} was {type_}, found was {is_name!r}, {is_type}")
    raise _changed(conn_id, f"{len(wanted)} columns were selected, {len(seen)} were returned")


def _type_of(name: str, type_: Type, json: Collection[str]) -> tuple[str, Any, str]:
    kept = JSON if name in json and type_.name == _JSON_OF_MARIADB else type_
    return name, kept.kind, _bare(kept.name)


def _bare(type_: str) -> str:
    return _LENGTH.sub("", type_)


def _changed(conn_id: str, what: str) -> SchemaChangedError:
    return SchemaChangedError(f"connection {conn_id!r}: {what}, while the rows were read; no row of the page was sent")
