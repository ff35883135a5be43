"""Catalog of a SQLite table that is written to, from pragmas."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import sqlalchemy as sa

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.model.changes import TargetColumn
from airflow_legacy_events.databases.applying.relations import ForeignKey
from airflow_legacy_events.databases.sqlite.names import folded
from airflow_legacy_events.databases.sqlite.target.binds import affinity_of
from airflow_legacy_events.databases.sqlite.values import kind_of
from airflow_legacy_events.databases.table_names import TableName

_COLUMNS = 'SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?) ORDER BY cid'
_INDEXES = 'SELECT name, origin FROM pragma_index_list(?) WHERE "unique" AND NOT partial ORDER BY seq DESC'
_OF_INDEX = "SELECT name, upper(coll) FROM pragma_index_xinfo(?) WHERE key ORDER BY seqno"
_TABLE = "SELECT name, type, strict FROM pragma_table_list WHERE schema = 'main' AND lower(name) = lower(?)"
_TRIGGERS = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND lower(tbl_name) = lower(?) ORDER BY name"
_KEYS = 'SELECT id, "table", "from", on_delete, on_update, "to" FROM pragma_foreign_key_list(?) ORDER BY id, seq'
_TABLES = "SELECT name, sql FROM sqlite_master WHERE type = 'table'"
_DEFERRED = re.compile(r"\bINITIALLY\s+DEFERRED\b", re.IGNORECASE)
_GENERATED, _ARGUMENT = (2, 3), 1


class Table(NamedTuple):
    """A table.

    Attributes:
        name: in the catalog.
        kind: `table`, `view`, `virtual` or `shadow`.
        columns: in order.
        defaults: SQL of each column's default, None without one.
        affinities: of each column.
        primary: names of the primary key's columns.
        unique: columns of each other unique index that covers every row, each with its collation.
        collations: of the primary key's index, by column.
        triggers: names of them.
    """

    name: str
    kind: str
    columns: tuple[TargetColumn, ...]
    defaults: tuple[str | None, ...]
    affinities: tuple[str, ...]
    primary: tuple[str, ...]
    unique: tuple[tuple[tuple[str, str], ...], ...]
    collations: dict[str, str]
    triggers: tuple[str, ...]


def read_table(connection: sa.Connection, table: str) -> Table:
    """Return what the catalog has of a table that is there."""
    [(name, kind, strict)] = _ask(connection, _TABLE, table)
    rows = _ask(connection, _COLUMNS, name)
    primary = tuple(one[0] for one in sorted((one for one in rows if one[4]), key=lambda one: one[4]))
    indexes = [(origin, _ask(connection, _OF_INDEX, index)) for index, origin in _ask(connection, _INDEXES, name)]
    plain = [(origin, some) for origin, some in indexes if all(one is not None for one, _ in some)]
    of_primary = {one: coll for origin, some in plain if origin == "pk" for one, coll in some}
    alias = primary[0] if len(primary) == 1 and not of_primary else None
    kept = [one for one in rows if one[5] != _ARGUMENT]
    return Table(
        str(name),
        str(kind),
        tuple(_column(one, is_alias=one[0] == alias) for one in kept),
        tuple(one[3] for one in kept),
        tuple(affinity_of(one[1], strict=bool(strict)) for one in kept),
        primary,
        tuple(tuple((str(a), str(b)) for a, b in some) for origin, some in plain if origin != "pk"),
        of_primary,
        tuple(str(one) for (one,) in _ask(connection, _TRIGGERS, name)),
    )


def foreign_keys(connection: sa.Connection) -> list[ForeignKey]:
    """Return the foreign keys of all tables; names of tables are folded."""
    found = []
    for table, sql in connection.exec_driver_sql(_TABLES).fetchall():
        by_id: dict[int, list[Any]] = {}
        for row in _ask(connection, _KEYS, table):
            by_id.setdefault(row[0], []).append(row)
        deferred = _DEFERRED.search(sql or "") is not None
        for rows in by_id.values():
            _, parent, _, on_delete, on_update, _ = rows[0]
            to = tuple(str(one[5]) for one in rows if one[5] is not None) or _primary(connection, parent)
            columns = tuple(str(one[2]) for one in rows)
            own, other = TableName(None, folded(table)), TableName(None, folded(parent))
            name = f"({', '.join(columns)})"
            found.append(ForeignKey(name, own, columns, other, on_delete, on_update, to, deferred))
    return found


def _primary(connection: sa.Connection, table: str) -> tuple[str, ...]:
    rows = [one for one in _ask(connection, _COLUMNS, table) if one[4]]
    return tuple(str(one[0]) for one in sorted(rows, key=lambda one: one[4]))


def _column(row: Any, *, is_alias: bool) -> TargetColumn:
    name, type_, not_null, default, _, hidden = row
    kind = kind_of(type_)
    return TargetColumn(
        str(name),
        kind,
        str(type_) or "no type",
        nullable=not (not_null or is_alias),
        has_default=default is not None or is_alias,
        written=hidden not in _GENERATED,
        numbered=is_alias,
        low=-(2**63) if kind is Kind.INTEGER else None,
        high=2**63 - 1 if kind is Kind.INTEGER else None,
    )


def _ask(connection: sa.Connection, statement: str, parameter: str) -> list[Any]:
    return list(connection.exec_driver_sql(statement, (parameter,)).fetchall())
