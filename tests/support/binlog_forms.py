"""Tables that are followed through a binlog: what their columns are at each place, and what statements do to them."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa

from airflow_legacy_events.core.model import TableName
from airflow_legacy_events.core.ports import LogColumn, LogTable
from airflow_legacy_events.databases.mysql import MysqlDatabase
from airflow_legacy_events.databases.mysql.changelog.binlog import codes
from airflow_legacy_events.databases.mysql.changelog.binlog.query import query
from airflow_legacy_events.databases.mysql.changelog.binlog.rows_event import rows_event
from airflow_legacy_events.databases.mysql.changelog.binlog.table_map import table_map
from airflow_legacy_events.databases.mysql.changelog.dump import BinlogDump
from airflow_legacy_events.databases.mysql.changelog.forms import COLUMNS, BinlogForms
from airflow_legacy_events.databases.mysql.changelog.model import BinlogAccess, BinlogPlace, ReadTable, TableMap
from airflow_legacy_events.databases.mysql.changelog.reading import readers
from airflow_legacy_events.databases.mysql.connecting import options_of
from airflow_legacy_events.databases.mysql.session import Session
from tests.services.mysql_family import connect, run
from tests.support.databases import fresh_database


class Rows(NamedTuple):
    """Rows of one event, with how they are read."""

    op: str
    read: ReadTable
    images: list[tuple[Any, ...]]

    @property
    def names(self) -> list[str]:
        return [one.name for one in self.read.form.columns]

    @property
    def numbers(self) -> dict[str, int | None]:
        return dict(zip(self.names, self.read.form.numbers, strict=True))

    @property
    def named(self) -> dict[str, Any]:
        """The last image by name."""
        return dict(zip(self.names, self.images[-1], strict=False))


class Said(NamedTuple):
    """A statement that has effects: by table, what it did."""

    statement: str
    effects: dict[str, str]


class Followed:
    """Tables of one database.

    Args:
        url: of the database.
        names: of the tables.
        keys: key of each table that is not `id`.
    """

    def __init__(self, url: str | sa.URL, *names: str, **keys: Sequence[str]) -> None:
        self.url = sa.make_url(url)
        self._options = options_of("legacy", sa.create_engine(self.url).dialect, self.url)
        self.session = Session("legacy", self._options)
        database, self.stored = str(self.url.database), dict[str, Any]()
        self.tables = [self._table(database, name, keys.get(name, ("id",))) for name in names]
        self._place = self._end()
        self.keep()

    def _table(self, database: str, name: str, key: Sequence[str]) -> LogTable:
        return LogTable(TableName(database, name), _NONE, tuple(key), f"`{database}`.`{name}`")

    def close(self) -> None:
        self.session.close()

    @property
    def access(self) -> BinlogAccess:
        def ask(_: str, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
            return self.session.rows(statement, *parameters)

        dump, log = (lambda: BinlogDump("legacy", self._options, 60)), logging.getLogger(__name__)
        return BinlogAccess("legacy", dump, ask, nullcontext, ask, 60, 2**24, log)

    def forms(self) -> BinlogForms:
        """What a run that begins now knows."""
        access = self.access
        return BinlogForms(access, self.tables, self.stored, readers(access))

    def keep(self) -> None:
        """Keep what is known now, as a first run does."""
        self.stored = {COLUMNS: json.loads(json.dumps(self.forms().facts()))}

    def columns(self, name: str) -> Mapping[str, LogColumn]:
        """The columns of a table for a run that begins now."""
        return self.forms().columns(TableName(str(self.url.database), name))

    def run(self, *, names: bool = True, until: BinlogPlace | None = None) -> list[Rows | Said]:
        """Read the log to its end, and keep what is known then.

        Args:
            names: whether the log describes its columns; else it is read as one of a server that does not.
            until: where to end instead.
        """
        forms, found = self.forms(), []
        end = until or self._end()
        for event in BinlogDump("legacy", self._options, 60).events(self._place):
            if (event.file, event.start) >= end:
                break
            found += self._of(event, forms, names=names)
        self._place, self.stored = end, {COLUMNS: json.loads(json.dumps(forms.facts()))}
        return found

    def _of(self, event: Any, forms: BinlogForms, *, names: bool) -> Iterator[Rows | Said]:
        place = BinlogPlace(event.file, event.start)
        if event.kind in codes.STATEMENTS:
            said, how = query(event.kind, event.body), query(event.kind, event.body).variables
            effects = forms.effects(
                said.text, said.database, place, collation=how.client_collation, backslashes=how.backslashes
            )
            done = {one.table.name: _word(one) for one in effects if one.kind != "altered"}
            if done:
                yield Said(_BY_SERVER.sub("", said.text), done)
        elif event.kind == codes.TABLE_MAP:
            map_ = table_map(event.body, mariadb=self.session.mariadb)
            self._map = map_ if names else _bare(map_)
        elif event.kind in codes.ROWS:
            rows = rows_event(event.kind, event.body)
            if rows.table == self._map.id and forms.wanted(self._map.database, self._map.table) is not None:
                read = forms.of(self._map, place)
                assert rows.holds(read.needed)
                yield Rows(rows.op, read, read.reader.images(rows))

    def _end(self) -> BinlogPlace:
        renamed = not self.session.mariadb and self.session.version >= (8, 4)
        [row] = self.session.rows(f"SHOW {'BINARY LOG' if renamed else 'MASTER'} STATUS")
        return BinlogPlace(str(row[0]), int(row[1]))

    def reflected(self, name: str) -> Any:
        """The columns of a table as a query reports them."""
        database = MysqlDatabase(self.url, conn_id="legacy", statement_timeout_seconds=60)
        try:
            return database.reflect(f"`{name}`", None).columns
        finally:
            database.close()


_NONE: Any = None
_BY_SERVER = re.compile(r" ?/\* generated by server \*/")


def _word(effect: Any) -> str:
    if effect.kind == "truncate":
        return "emptied in part" if effect.partial else "emptied"
    return f"{effect.kind}{', rows may have gone' if effect.removed else ''}"


def _bare(map_: TableMap) -> TableMap:
    """The map as a server without metadata writes it."""
    return map_._replace(unsigned=None, collations=None, names=None, labels=None, primary_key=None, geometries=None)


@contextmanager
def followed(url: str | sa.URL, *names: str, **keys: Sequence[str]) -> Iterator[Followed]:
    """Tables that are followed from here on."""
    found = Followed(url, *names, **keys)
    try:
        yield found
    finally:
        found.close()


def rows_of(found: Sequence[Rows | Said]) -> list[Rows]:
    """The rows among what was found."""
    return [one for one in found if isinstance(one, Rows)]


def said_in(found: Sequence[Rows | Said]) -> dict[str, dict[str, str]]:
    """Effects by statement."""
    return {one.statement: one.effects for one in found if isinstance(one, Said)}


@dataclass
class Shop:
    """A database of a test's own.

    Attributes:
        url: of it.
        connection: the application's.
        engine: name of the server's kind.
    """

    url: str
    connection: Any
    engine: str

    @property
    def mariadb(self) -> bool:
        return self.engine.startswith("mariadb")

    @property
    def old(self) -> bool:
        return self.engine == "mysql-5.6"

    def do(self, *statements: str) -> None:
        """Run statements, each in its own transaction."""
        for one in statements:
            run(self.connection, one)

    @property
    def names(self) -> tuple[bool, ...]:
        """Whether the log of this server has names, and as what else it can be read."""
        return (False,) if self.old else (True, False)


@contextmanager
def shop_on(server: Any, engine: str) -> Iterator[Shop]:
    """A fresh database on a server."""
    with fresh_database(server) as found, closing(connect(found.url)) as connection:
        yield Shop(found.url, connection, engine)
