"""Columns of tables as the catalog has them now."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

from airflow_legacy_events.core.model.log import TableName
from airflow_legacy_events.core.ports import LogColumn
from airflow_legacy_events.databases.mysql.catalog import CHECKS, json_among
from airflow_legacy_events.databases.mysql.changelog.declared import BINARY, precise
from airflow_legacy_events.databases.mysql.changelog.model import BinlogAccess
from airflow_legacy_events.databases.mysql.changelog.shape import ShapeColumn, TableShape

_DOING = "looking at the columns"
_COLUMNS = """
SELECT column_name, column_type, character_set_name, character_octet_length, extra,
       CASE WHEN is_nullable = 'NO' OR (column_default IS NOT NULL AND column_default <> 'NULL') THEN 1 ELSE 0 END
  FROM information_schema.columns WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position
"""
_SERVER = "SELECT VERSION(), @@lower_case_table_names"
_TABLE = """
SELECT t.table_type, t.engine, (SELECT COUNT(DISTINCT s.index_name) FROM information_schema.statistics AS s
         WHERE s.table_schema = %s AND s.table_name = %s AND s.index_type = 'HASH' AND s.non_unique = 0)
  FROM information_schema.tables AS t WHERE t.table_schema = %s AND t.table_name = %s
"""
_ENDS = """
SELECT column_name FROM information_schema.columns
 WHERE table_schema = %s AND table_name = %s AND generation_expression = 'ROW END'
"""
_VERSIONED, _MEMORY = "SYSTEM VERSIONED", "MEMORY"
_VERSION_COLUMNS = 2
_VECTOR = "vector("
ROW_END = "row_end"
"""Name of the column that ends a version, where the table does not name it."""

_BINARY_TYPES = ("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob")


class CatalogColumns(NamedTuple):
    """Columns of a table in the catalog.

    Attributes:
        shape: of the table, numbered by the places of its columns.
        filled: names of columns that hold a value in every row: NOT NULL, with a default, or generated.
    """

    shape: TableShape
    filled: frozenset[str]


class Catalog:
    """Asks the catalog.

    Args:
        access: ways into the server.
    """

    def __init__(self, access: BinlogAccess) -> None:
        self._access = access

    @cached_property
    def _server(self) -> tuple[bool, bool]:
        [(version, folded)] = self._access.ask(_DOING, _SERVER)
        return "mariadb" in str(version).lower(), str(folded) != "0"

    @property
    def mariadb(self) -> bool:
        """Whether the server is MariaDB."""
        return self._server[0]

    @property
    def folds(self) -> bool:
        """Whether names of databases and tables are compared without case."""
        return self._server[1]

    def columns(self, table: TableName) -> CatalogColumns | None:
        """Return the columns of a table; None if there is no such table, or this user may see nothing of it."""
        rows = [
            [None if one is None else _text(one) for one in row] for row in self._access.ask(_DOING, _COLUMNS, *table)
        ]
        if not rows:
            return None
        mariadb = self._server[0]
        texts = {name for name, type_, *_ in rows if type_ == "longtext"}
        json = json_among(self._access.ask(_DOING, CHECKS, *table)) & texts if mariadb and texts else frozenset()
        columns, filled = [], []
        for at, (name, type_, charset, octets, extra, has) in enumerate(rows):
            declared = "json" if name in json else str(type_)
            if mariadb and declared.startswith(_VECTOR):  # it stores and reports bytes
                declared = f"varbinary({octets})"
            bytes_ = declared.partition("(")[0] in _BINARY_TYPES
            length = None if octets is None else int(octets)
            columns.append(ShapeColumn(str(name), at + 1, declared, BINARY if bytes_ else charset, length))
            if has == "1" or "GENERATED" in (extra or ""):
                filled.append(str(name))
        shape = TableShape(tuple(columns), last=len(columns))
        return CatalogColumns(self._versioned(table, shape) if mariadb else shape, frozenset(filled))

    def _versioned(self, table: TableName, shape: TableShape) -> TableShape:
        """Return a shape with the hidden columns of MariaDB."""
        rows = self._access.ask(_DOING, _TABLE, *table, *table)
        if not rows:
            return shape
        [(type_, engine, hashes)] = rows
        hidden = 0 if str(engine).upper() == _MEMORY else int(hashes)
        if str(type_) != _VERSIONED:
            return replace(shape, hidden=hidden)
        ends = self._access.ask(_DOING, _ENDS, *table)
        if ends:
            return replace(shape, hidden=hidden, row_end=str(ends[0][0]))
        return replace(shape, hidden=hidden + _VERSION_COLUMNS, row_end=ROW_END)

    def is_memory(self, table: TableName) -> bool:
        """Return whether a table loses its rows when the server is restarted."""
        rows = self._access.ask(_DOING, _TABLE, *table, *table)
        return any(str(engine).upper() == _MEMORY for _, engine, _ in rows)


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def log_columns(shape: TableShape, filled: Collection[str]) -> Mapping[str, LogColumn]:
    """Return the columns of a shape for `core.ports.ChangeLog.columns`."""
    came = {*filled, *shape.came}
    return {one.name: LogColumn(one.number, one.name in came, precise(one.declared)) for one in shape.columns}
