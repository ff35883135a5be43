"""A legacy database of a test's own, written to by its driver and read by ours."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.limits import MAX_ROW_BYTES, Limits
from airflow_legacy_events.core.row_security import FAIL
from airflow_legacy_events.databases.base import SqlDatabase
from airflow_legacy_events.sources.query import QuerySource
from tests.services import firebird
from tests.support import mysql
from tests.support.databases import fresh_database
from tests.support.engines import ENGINES, Engine
from tests.support.firebird import Application, spelled


@dataclass
class Legacy:
    """One database.

    Attributes:
        engine: what it is.
        url: as SQLAlchemy takes it.
        connection: the driver's own, autocommitting; for the application's writes.
    """

    engine: Engine
    url: sa.URL
    connection: Any

    @property
    def dialect(self) -> str:
        """As SQLAlchemy calls it."""
        return self.engine.dialect

    def execute(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        cursor = self.connection.execute(statement, *([parameters] if parameters else []))
        return cursor.fetchall() if cursor.description else []

    def connect(self, **url: Any) -> Any:
        """Another connection of the application."""
        if self.dialect == "sqlite":
            return sqlite3.connect(self.url.database, isolation_level=None, timeout=0)
        if self.dialect == "firebird":
            return Application(Path(str(self.url.database)))
        if self.dialect == "mysql":
            return mysql.Application(self.url.set(**url))
        return psycopg.connect(plain(self.url.set(**url)), autocommit=True)

    @contextmanager
    def ended(self) -> Iterator[Any]:
        """Another connection of the application, which the server knows no more after the block."""
        with contextlib.closing(self.connect()) as session:
            number = session.number if self.dialect == "mysql" else None
            yield session
        if number is not None:
            self.connection.wait_gone(number)

    def needs(self, feature: str) -> None:
        """Skip the test where the server's release has not what the test is about."""
        if feature in self.engine.lacks:
            pytest.skip(f"{self.engine.name} has no {feature}")

    def quoted(self, name: str) -> str:
        """A name as a query of this dialect writes it."""
        quote = "`" if self.dialect == "mysql" else '"'
        return quote + name.replace(quote, 2 * quote) + quote

    def spelled(self, sql: str) -> str:
        """A query in the words of this dialect."""
        return spelled(sql) if self.dialect == "firebird" else sql

    def begin_with(self, **settings: str) -> None:
        """Let the sessions of ours find these settings when they begin, on MySQL and MariaDB."""
        assigned = ", ".join(f"{name} = {value}" for name, value in settings.items())
        self.url = self.url.update_query_dict({"init_command": f"SET SESSION {assigned}"})

    def database(
        self, timeout: float = 30, max_row_bytes: int = MAX_ROW_BYTES, row_security: str = FAIL, **url: Any
    ) -> SqlDatabase:
        options: dict[str, Any] = {"statement_timeout_seconds": timeout, "max_row_bytes": max_row_bytes}
        options["row_security"] = row_security
        return self.engine.made(self.url.set(**url), conn_id="crm", **options)

    @contextmanager
    def source(self, **options: Any) -> Iterator[QuerySource]:
        database = self.database(max_row_bytes=options.pop("max_row_bytes", MAX_ROW_BYTES))
        limits = {name: options.pop(name) for name in ("batch_rows", "max_rows") if name in options}
        if "sql" not in options:
            options.setdefault("table", "t")
        else:
            options["sql"] = self.spelled(options["sql"])
        try:
            yield QuerySource(database=database, stream="s", source="crm", limits=Limits(**limits), **options)
        finally:
            database.close()


def plain(url: sa.URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


@contextmanager
def reused_database(request: pytest.FixtureRequest, name: str, server: str | None = None) -> Iterator[Legacy]:
    """Like `legacy_database`, on PostgreSQL a database that tests share and each of them leaves as it was made."""
    engine = ENGINES[name]
    if engine.dialect != "postgresql":
        with legacy_database(request, name, server) as found:
            yield found
        return
    with request.getfixturevalue("reused")(server or engine.server).lent() as database:
        url = sa.make_url(database.url)
        application = connected(url)
        try:
            yield Legacy(engine, url, application)
        finally:
            application.close()


@contextmanager
def legacy_database(request: pytest.FixtureRequest, name: str, server: str | None = None) -> Iterator[Legacy]:
    """An empty database of a test, of the engine with this name, on its server or the one that is named."""
    engine = ENGINES[name]
    server = server or engine.server
    with ExitStack() as stack:
        if server is not None:
            url = sa.make_url(stack.enter_context(fresh_database(request.getfixturevalue(server))).url)
            connection: Any = connected(url)
        elif name == "sqlite":
            url = sa.URL.create("sqlite", database=str(request.getfixturevalue("tmp_path") / "legacy.db"))
            connection = sqlite3.connect(str(url.database), isolation_level=None, timeout=10)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = OFF")
        else:
            path = request.getfixturevalue("tmp_path") / "legacy.fdb"
            connection = Application(path, new=True)
            url = sa.make_url(firebird.url(path))
        stack.callback(connection.close)
        yield Legacy(engine, url, connection)


def connected(url: sa.URL) -> Any:
    """Return a connection of the application's driver, autocommitting."""
    if url.get_backend_name() == "mysql":
        return mysql.Application(url)
    return psycopg.connect(plain(url), autocommit=True)


def rows(legacy: Legacy, at: Any = None, **options: Any) -> tuple[list[dict[str, str]], Any]:
    """The rows as dictionaries of texts, and the watermark after them."""
    with legacy.source(**options) as source:
        batches = list(source.open(at).batches)
    names = batches[0].shape.named(range(len(batches[0].shape.columns)))
    found = [dict(zip(names, map(str, row), strict=True)) for batch in batches for row in batch.rows]
    return found, batches[-1].after


def unquoted(told: str) -> str:
    """What was said, without the quotes of any database and without its capitals."""
    return re.sub(r'["`]', "", told).lower()
