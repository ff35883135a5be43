"""Columns of tables as the catalog has them now."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, NamedTuple

from airflow_legacy_events.core.model.log import TableName
from airflow_legacy_events.core.ports import LogColumn
from airflow_legacy_events.databases.mysql.catalog import CHECKS, json_among
from airflow_legacy_events.databases.mysql.changelog.declared import BINARY, precise
from airflow_legacy_events.databases.mysql.changelog.model import BinlogAccess
from airflow_legacy_events.databases.mysql.changelog.shape import ShapeColumn, TableShape

_DOING = "looking at the columns"
_COLUMNS = """
SELECT column_name, column_type, character_set_name, character_octet_length, extra,
       CASE WHEN is_nullable = 'NO' OR (column_default IS NOT NULL AND column_default <> 'NULL') THEN '1' ELSE '0' END
  FROM information_schema.columns WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position
"""
_SERVER = "SELECT VERSION(), @@lower_case_table_names"
_TABLE = """
SELECT t.table_type, t.engine, (SELECT COUNT(DISTINCT s.index_name) FROM information_schema.statistics AS s
         WHERE s.table_schema = %s AND s.table_name = %s AND s.index_type = 'HASH' AND s.non_unique = 0)
  FROM information_schema.tables AS t WHERE t.table_schema = %s AND t.table_name = %s
"""
_TIMES = """
SELECT generation_expression, column_name FROM information_schema.columns
 WHERE table_schema = %s AND table_name = %s AND generation_expression IN ('ROW START', 'ROW END')
"""
_LEAVES_OUT_SINCE = (11,)
"""Release of MariaDB since which images of an UPDATE and a DELETE lack generated columns: 11.8 does so, 10.11 not."""

_HISTORY = """
SELECT 1 FROM information_schema.partitions
 WHERE table_schema = %s AND table_name = %s AND partition_method = 'SYSTEM_TIME' LIMIT 1
"""
_EXTRA = 4
_GENERATED = ("VIRTUAL GENERATED", "STORED GENERATED", "PERSISTENT")
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
        period: names of columns that say from or until when a version of a row holds.
    """

    shape: TableShape
    filled: frozenset[str]
    period: frozenset[str] = frozenset()


class Catalog:
    """Asks the catalog.

    Args:
        access: ways into the server.
    """

    def __init__(self, access: BinlogAccess) -> None:
        self._access = access

    @cached_property
    def _server(self) -> tuple[bool, bool, bool]:
        [(version, folded)] = self._access.ask(_DOING, _SERVER)
        mariadb, numbers = "mariadb" in str(version).lower(), re.findall("[0-9]+", str(version))
        leaves_out = mariadb and tuple(map(int, numbers[:2])) >= _LEAVES_OUT_SINCE
        return mariadb, str(folded) != "0", leaves_out

    @property
    def mariadb(self) -> bool:
        """Whether the server is MariaDB."""
        return self._server[0]

    @property
    def folds(self) -> bool:
        """Whether names of databases and tables are compared without case."""
        return self._server[1]

    @property
    def leaves_out(self) -> bool:
        """Whether images of rows may lack generated columns."""
        return self._server[2]

    def columns(self, table: TableName) -> CatalogColumns | None:
        """Return the columns of a table; None if there is no such table, or this user may see nothing of it."""
        rows = self._ask(_COLUMNS, *table)
        if not rows:
            return None
        filled = frozenset(name for name, *_, extra, has in rows if has == "1" or _is_generated(extra))
        if not self.mariadb:
            columns = tuple(_column(at, row) for at, row in enumerate(rows))
            return CatalogColumns(TableShape(columns, last=len(columns)), filled)
        texts = {name for name, type_, *_ in rows if type_ == "longtext"}
        json = json_among(self._access.ask(_DOING, CHECKS, *table)) & texts if texts else frozenset[str]()
        type_, hashes = self._kept(table)
        times = dict(self._ask(_TIMES, *table)) if type_ == _VERSIONED else {}
        found = []
        for at, row in enumerate(rows):
            column = _column(at, row)
            if column.declared.startswith(_VECTOR):  # it stores and reports bytes
                column = column._replace(declared=f"varbinary({column.octets})", character_set=BINARY)
            elif column.name in json:
                column = column._replace(declared="json")
            left_out = self.leaves_out and _is_generated(row[_EXTRA]) and column.name not in times.values()
            found.append(column._replace(left_out=left_out))
        shape = TableShape(tuple(found), last=len(found), hidden=hashes)
        shape = _versioned(shape, times) if type_ == _VERSIONED else shape
        return CatalogColumns(shape, filled, frozenset(times.values()))

    def _ask(self, statement: str, *parameters: str) -> list[list[Any]]:
        rows = self._access.ask(_DOING, statement, *parameters)
        return [[one.decode() if isinstance(one, bytes) else one for one in row] for row in rows]

    def _kept(self, table: TableName) -> tuple[str, int]:
        """Return the type of a table of MariaDB, and how many hidden columns its long unique keys have."""
        rows = self._ask(_TABLE, *table, *table)
        if not rows:
            return "", 0
        [(type_, engine, hashes)] = rows
        return str(type_), 0 if str(engine).upper() == _MEMORY else int(hashes)

    def is_memory(self, table: TableName) -> bool:
        """Return whether a table loses its rows when the server is restarted."""
        rows = self._ask(_TABLE, *table, *table)
        return any(str(engine).upper() == _MEMORY for _, engine, _ in rows)

    def keeps_history(self, table: TableName) -> bool:
        """Return whether partitions of a table hold its history: the one with the current rows can't be dropped."""
        return self.mariadb and bool(self._ask(_HISTORY, *table))


def _is_generated(extra: str | None) -> bool:
    return extra is not None and extra.startswith(_GENERATED)


def _column(at: int, row: Sequence[Any]) -> ShapeColumn:
    name, declared, charset, octets = row[:4]
    length, base = None if octets is None else int(octets), str(declared).partition("(")[0]
    return ShapeColumn(str(name), at + 1, str(declared), BINARY if base in _BINARY_TYPES else charset, length)


def _versioned(shape: TableShape, times: Mapping[str, str]) -> TableShape:
    if times:
        return replace(shape, row_end=times["ROW END"])
    return replace(shape, hidden=shape.hidden + _VERSION_COLUMNS, row_end=ROW_END)


def log_columns(shape: TableShape, now: CatalogColumns) -> Mapping[str, LogColumn]:
    """Return the columns of a table for `core.ports.ChangeLog.columns`.

    Args:
        shape: of the table, with our numbers.
        now: the columns in the catalog.
    """
    came = now.filled | {*shape.came}
    return {
        one.name: LogColumn(one.number, one.name in came, precise(one.declared), one.name in now.period)
        for one in shape.columns
    }
