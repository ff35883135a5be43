"""Catalog of MySQL and MariaDB: what it says of one table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import groupby, takewhile
from typing import Any, NamedTuple

from airflow_legacy_events.databases.mysql.session import Session
from airflow_legacy_events.databases.reflection import TableFacts, no_such_table, split_name

# Whether names are compared with their case here depends on the server.
_TABLES = """
SELECT table_schema, table_name, table_type, engine FROM information_schema.tables
 WHERE table_schema = COALESCE(%s, DATABASE()) AND table_name = %s
"""
_NAMES = "SELECT table_name FROM information_schema.tables WHERE table_schema = COALESCE(%s, DATABASE())"
_COLUMNS = """
SELECT column_name, is_nullable, data_type FROM information_schema.columns
 WHERE table_schema = %s AND table_name = %s
"""
_INDEXES = """
SELECT index_name, non_unique, column_name, sub_part, index_type FROM information_schema.statistics
 WHERE table_schema = %s AND table_name = %s ORDER BY index_name <> 'PRIMARY', index_name, seq_in_index
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
        sorted_by: for each index by name, the columns by which it sorts the rows.
    """

    facts: TableFacts
    json: frozenset[str]
    sorted_by: Mapping[str, tuple[str, ...]]


def inspect_table(session: Session, table: str) -> CatalogEntry:
    """Return the entry of a table or view. Its name is looked up as written, then in lower case.

    Raises:
        ConfigurationError: there is none of that name.
    """
    schema, name = split_name(table)
    row = _find(session, schema, name) or _find(session, schema, name.lower())
    if row is None:
        raise no_such_table(table, [str(one) for (one,) in session.rows(_NAMES, schema)])
    where, name, kind, engine = row
    columns = session.rows(_COLUMNS, where, name)
    indexes = _indexes(session.rows(_INDEXES, where, name))
    primary = next((index.columns for index in indexes if index.name == "PRIMARY" and index.whole), ())
    facts = TableFacts(
        name=name,
        schema=where if schema is not None else None,
        primary_key=primary,
        unique=tuple(index.columns for index in indexes if index.unique and index.name != "PRIMARY"),
        indexes=None if "VIEW" in kind else tuple(dict.fromkeys(index.columns for index in indexes)),
        not_null=frozenset(column for column, nullable, _ in columns if nullable == "NO"),
    )
    texts = {column for column, _, type_ in columns if type_ == "longtext"}
    json = _json(session, where, name) & texts if session.mariadb and texts else frozenset()
    # InnoDB keeps the primary key behind the columns of every index.
    behind = primary if engine == "InnoDB" else ()
    return CatalogEntry(
        facts,
        json,
        {one.name: tuple(dict.fromkeys(one.columns + (behind if one.whole else ()))) for one in indexes},
    )


def _find(session: Session, schema: str | None, name: str) -> tuple[Any, ...] | None:
    return next((row for row in session.rows(_TABLES, schema, name) if row[1] == name), None)


class _Index(NamedTuple):
    name: str
    unique: bool
    columns: tuple[str, ...]
    whole: bool


def _indexes(rows: list[tuple[Any, ...]]) -> list[_Index]:
    """Return the ordered indexes, as far as they hold whole columns."""
    found = []
    for name, group in groupby(rows, key=lambda row: row[0]):
        parts = list(group)
        plain = list(takewhile(lambda part: part[2] is not None and part[3] is None and part[4] == "BTREE", parts))
        whole = len(plain) == len(parts)
        if plain:
            found.append(_Index(str(name), whole and parts[0][1] == "0", tuple(str(part[2]) for part in plain), whole))
    return found


def _json(session: Session, schema: str, table: str) -> frozenset[str]:
    """Return the columns that MariaDB declares as JSON: LONGTEXT with a check."""
    checks = [_IS_JSON.fullmatch(str(clause)) for (clause,) in session.rows(_CHECKS, schema, table)]
    return frozenset(check[1].replace("``", "`") for check in checks if check)
