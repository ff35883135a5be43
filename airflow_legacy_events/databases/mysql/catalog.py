"""Catalog of MySQL and MariaDB: what it says of one table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from airflow_legacy_events.databases.mysql.indexes import Index, read_indexes
from airflow_legacy_events.databases.mysql.session import Session
from airflow_legacy_events.databases.reflection import TableFacts, no_such_table, split_name

# Whether names are compared with their case here depends on the server.
_TABLES = """
SELECT table_schema, table_name, table_type, engine FROM information_schema.tables
 WHERE table_schema = COALESCE(%s, DATABASE()) AND table_name = %s
"""
_NAMES = "SELECT table_name FROM information_schema.tables WHERE table_schema = COALESCE(%s, DATABASE())"
_COLUMNS = """
SELECT column_name, is_nullable, data_type, extra FROM information_schema.columns
 WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position
"""
_CHECKS = """
SELECT check_clause FROM information_schema.check_constraints WHERE constraint_schema = %s AND table_name = %s
"""
_IS_JSON = re.compile(r"json_valid\(`((?:[^`]|``)+)`\)")


class CatalogEntry(NamedTuple):
    """What the catalog says of one table.

    Attributes:
        facts: what every database knows of a table.
        json: columns that MariaDB keeps as JSON.
        sorted_by: for each index by name, the columns by which it sorts the rows in ascending order.
        invisible: columns that `SELECT *` leaves out.
    """

    facts: TableFacts
    json: frozenset[str]
    sorted_by: Mapping[str, tuple[str, ...]]
    invisible: tuple[str, ...]


def inspect_table(session: Session, table: str) -> CatalogEntry:
    """Return the entry of a table or view. Its name is looked up as written, then in lower case.

    Raises:
        ConfigurationError: there is none of that name.
    """
    schema, _ = split_name(table)
    row = find_table(session, table)
    where, name, _, engine = row
    columns = session.rows(_COLUMNS, where, name)
    indexes = read_indexes(session, where, name)
    texts = {column for column, _, type_, _ in columns if type_ == "longtext"}
    return CatalogEntry(
        _facts(row, schema, indexes, frozenset(column for column, nullable, *_ in columns if nullable == "NO")),
        _json(session, where, name) & texts if session.mariadb and texts else frozenset(),
        _sorted_by(indexes, engine),
        tuple(str(column) for column, *_, extra in columns if "INVISIBLE" in str(extra)),
    )


def _facts(row: tuple[Any, ...], schema: str | None, indexes: Sequence[Index], not_null: frozenset[str]) -> TableFacts:
    where, name, kind, _ = row
    return TableFacts(
        name=name,
        schema=where if schema is not None else None,
        primary_key=next((one.columns for one in indexes if one.name == "PRIMARY" and one.unique), ()),
        unique=tuple(one.columns for one in indexes if one.unique and one.name != "PRIMARY"),
        indexes=None if "VIEW" in kind else tuple(dict.fromkeys(one.ascending for one in indexes if one.ascending)),
        not_null=not_null,
    )


def _sorted_by(indexes: Sequence[Index], engine: str | None) -> dict[str, tuple[str, ...]]:
    # InnoDB keeps the primary key behind the columns of every index.
    behind = next((one.ascending for one in indexes if one.name == "PRIMARY" and engine == "InnoDB"), ())
    return {
        one.name: tuple(dict.fromkeys(one.ascending + (behind if one.whole else ())))
        for one in indexes
        if one.ascending
    }


def find_table(session: Session, table: str) -> tuple[str, str, str, str | None]:
    """Return schema, name, type and engine of a table or view, looked up as written, then in lower case.

    Raises:
        ConfigurationError: there is none of that name.
    """
    schema, name = split_name(table)
    row: tuple[str, str, str, str | None] | None
    row = _find(session, schema, name) or _find(session, schema, name.lower())
    if row is None:
        raise no_such_table(table, [str(one) for (one,) in session.rows(_NAMES, schema)])
    return row


def _find(session: Session, schema: str | None, name: str) -> Any:
    return next((row for row in session.rows(_TABLES, schema, name) if row[1] == name), None)


def _json(session: Session, schema: str, table: str) -> frozenset[str]:
    """Return the columns that MariaDB declares as JSON: LONGTEXT with a check."""
    checks = [_IS_JSON.fullmatch(str(clause)) for (clause,) in session.rows(_CHECKS, schema, table)]
    return frozenset(check[1].replace("``", "`") for check in checks if check)
