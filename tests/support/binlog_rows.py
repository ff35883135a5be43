"""Rows of a table as the binlog has them, beside what the query operators read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.columns import Column
from airflow_legacy_events.databases.mysql import MysqlDatabase
from airflow_legacy_events.databases.mysql.changelog.binlog import codes
from airflow_legacy_events.databases.mysql.changelog.binlog.rows_event import rows_event
from airflow_legacy_events.databases.mysql.changelog.binlog.table_map import table_map
from airflow_legacy_events.databases.mysql.changelog.character_sets import Conversion, texts
from airflow_legacy_events.databases.mysql.changelog.declared import parse
from airflow_legacy_events.databases.mysql.changelog.dump import BinlogDump
from airflow_legacy_events.databases.mysql.changelog.model import BinlogPlace, LoggedColumn, RowsEvent, TableMap
from airflow_legacy_events.databases.mysql.changelog.rows import row_reader
from airflow_legacy_events.databases.mysql.connecting import options_of
from airflow_legacy_events.databases.mysql.session import Session

_COLUMNS = """
SELECT column_name, column_type, COALESCE(character_set_name, 'binary') FROM information_schema.columns
 WHERE table_schema = DATABASE() AND table_name = %s ORDER BY ordinal_position
"""
_CHARSETS = "SELECT id, character_set_name FROM information_schema.{view}"


class LoggedTable:
    """A table, and what the log has of it behind the place where this was made.

    Args:
        url: of the database.
        name: of the table.
    """

    def __init__(self, url: str | sa.URL, name: str = "t") -> None:
        self._url, self._name = sa.make_url(url), name
        self._database = MysqlDatabase(self._url, conn_id="legacy", statement_timeout_seconds=60)
        dialect = sa.create_engine(self._url).dialect
        self._options = options_of("legacy", dialect, self._url)
        self._session = Session("legacy", self._options)
        self.convert = Conversion(lambda _, statement: self._session.rows(statement))
        self._place = self._now()

    def close(self) -> None:
        """End the sessions."""
        self._session.close()
        self._database.close()

    def read(self, order: str = "id") -> list[tuple[Any, ...]]:
        """Return the rows as the query operators read them."""
        return self._database.read(sa.select(*self._columns()).select_from(self._found()).order_by(sa.column(order)))

    def logged(self, *, metadata: bool) -> list[tuple[Any, ...]]:
        """Return the rows as the log has them.

        Args:
            metadata: use what FULL metadata of the log say, as far as it has them; else the catalog.
        """
        found: list[tuple[Any, ...]] = []
        columns: dict[bytes, list[LoggedColumn]] = {}
        for map_, event in self.events():
            if map_.raw not in columns:
                columns[map_.raw] = self._from_log(map_) if metadata else self._from_catalog(map_)
            found += row_reader(map_, columns[map_.raw], self.convert).images(event)
        return found

    def events(self) -> Iterator[tuple[TableMap, RowsEvent]]:
        """Yield the rows events of the table, each with its map."""
        dump, maps = BinlogDump("legacy", self._options, 60), dict[int, TableMap]()
        for event in dump.events(self._place):
            if event.kind == codes.TABLE_MAP:
                map_ = table_map(event.body, mariadb=self._session.mariadb)
                maps[map_.id] = map_
            elif event.kind in codes.ROWS:
                rows = rows_event(event.kind, event.body)
                map_ = maps[rows.table]
                if (map_.database, map_.table) == (self._url.database, self._name):
                    yield map_, rows

    def _now(self) -> BinlogPlace:
        status = "MASTER" if self._session.mariadb or self._session.version < (8, 4) else "BINARY LOG"
        [row] = self._session.rows(f"SHOW {status} STATUS")
        return BinlogPlace(str(row[0]), int(row[1]))

    def _found(self) -> Any:
        return self._database.reflect(self._name, None).selectable

    def _columns(self) -> list[Any]:
        return [sa.column(column.name) for column in self._database.reflect(self._name, None).columns]

    def _from_catalog(self, map_: TableMap) -> list[LoggedColumn]:
        """Return what the catalog says of the columns."""
        known = {column.name: column for column in self._database.reflect(self._name, None).columns}
        rows = self._session.rows(_COLUMNS, self._name)
        return [
            self._column(map_, at, known.get(str(name)), str(declared), str(charset))
            for at, (name, declared, charset) in enumerate(rows)
        ]

    def _column(self, map_: TableMap, at: int, column: Column | None, declared: str, charset: str) -> LoggedColumn:
        return LoggedColumn(
            column,
            map_.types[at],
            map_.metadata[at],
            unsigned="unsigned" in declared or "zerofill" in declared,
            character_set=charset,
            labels=parse(declared).labels,
            declared=declared,
        )

    def _from_log(self, map_: TableMap) -> list[LoggedColumn]:
        """Return the same, but with the signs, character sets and labels that the log has."""
        catalog = self._from_catalog(map_)
        return [self._described(map_, at, one) for at, one in enumerate(catalog)]

    def _described(self, map_: TableMap, at: int, found: LoggedColumn) -> LoggedColumn:
        if map_.unsigned is not None:
            found = found._replace(unsigned=map_.unsigned[at])
        number = None if map_.collations is None else map_.collations[at]
        if number is None:
            return found
        charset = self._charset(number)
        labels = None if map_.labels is None else map_.labels[at]
        if labels is not None:
            found = found._replace(labels=tuple(texts(charset, labels, self.convert, "labels")))
        return found._replace(character_set=charset)

    def _charset(self, number: int) -> str:
        return self._charsets[number]

    @cached_property
    def _charsets(self) -> dict[int, str]:
        has_more = self._session.mariadb and self._session.version >= (10, 10)
        view = "collation_character_set_applicability" if has_more else "collations"
        return {int(number): str(name) for number, name in self._session.rows(_CHARSETS.format(view=view))}


@contextmanager
def logged_table(url: str | sa.URL, name: str = "t") -> Iterator[LoggedTable]:
    """A table whose rows are written from here on."""
    found = LoggedTable(url, name)
    try:
        yield found
    finally:
        found.close()


def differences(found: Sequence[tuple[Any, ...]], wanted: Sequence[tuple[Any, ...]], types: Sequence[str]) -> list[Any]:
    """Return the values that differ, each with its type."""
    assert len(found) == len(wanted)
    return [
        (type_, one, other)
        for left, right in zip(found, wanted, strict=True)
        for type_, one, other in zip(types, left, right, strict=True)
        if (type(one), one) != (type(other), other)
    ]
