"""A legacy database of a test's own, written to by its driver and read by ours."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.databases.base import SqlDatabase
from airflow_legacy_events.databases.generic import GenericDatabase
from airflow_legacy_events.databases.mysql import MysqlDatabase
from airflow_legacy_events.databases.postgres import PostgresDatabase
from airflow_legacy_events.databases.sqlite import SqliteDatabase
from tests.services import firebird
from tests.support import mysql
from tests.support.firebird import Application, spelled
from tests.support.reading import ReadSource

DIALECTS = ("sqlite", "postgresql", "mysql", "firebird")
"""`mysql` is MariaDB; `legacy_database` also knows `mysql-5.6`, whose dialect is the same."""

CLASSES = {
    "sqlite": SqliteDatabase,
    "postgresql": PostgresDatabase,
    "mysql": MysqlDatabase,
    "firebird": GenericDatabase,
}
MARK = {"sqlite": "?", "postgresql": "%s", "mysql": "%s", "firebird": "?"}
KEY_TEXT = {"sqlite": "text", "postgresql": "text", "mysql": "varchar(9)", "firebird": "text"}
"""MySQL has no index on a whole `text`."""
LONG_TEXT = {"sqlite": "text", "postgresql": "text", "mysql": "text", "firebird": "blob sub_type text"}
_REUSED = {"postgresql": "postgres_reused", "mysql": "mariadb_reused"}
_FIXTURES = {"mysql": "mariadb_database", "mysql-5.6": "mysql_database"}


@dataclass
class Legacy:
    """One database.

    Attributes:
        dialect: of DIALECTS.
        url: as SQLAlchemy takes it.
        connection: the driver's own, autocommitting; for the application's writes.
    """

    dialect: str
    url: sa.URL
    connection: Any

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

    def quoted(self, name: str) -> str:
        """A name as a query of this dialect writes it."""
        quote = "`" if self.dialect == "mysql" else '"'
        return quote + name.replace(quote, 2 * quote) + quote

    def spelled(self, sql: str) -> str:
        """A query in the words of this dialect."""
        return spelled(sql) if self.dialect == "firebird" else sql

    def database(self, timeout: float = 30, **url: Any) -> SqlDatabase:
        return CLASSES[self.dialect](self.url.set(**url), conn_id="crm", statement_timeout_seconds=timeout)

    @contextmanager
    def source(self, **options: Any) -> Iterator[ReadSource]:
        database = self.database()
        limits = {name: options.pop(name) for name in ("batch_rows", "max_rows") if name in options}
        if "sql" not in options:
            options.setdefault("table", "t")
        else:
            options["sql"] = self.spelled(options["sql"])
        try:
            yield ReadSource(database=database, stream="s", source="crm", limits=Limits(**limits), **options)
        finally:
            database.close()


def plain(url: sa.URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _empty_postgres(connection: Any) -> None:
    connection.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    connection.execute("SET search_path = pg_catalog")
    schemas = connection.execute(
        "SELECT quote_ident(nspname) FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'"
    ).fetchall()
    connection.execute(f"DROP SCHEMA IF EXISTS {', '.join(name for (name,) in schemas)} CASCADE")
    [(name,)] = connection.execute("SELECT current_database()").fetchall()
    connection.execute(f"CREATE SCHEMA public; ALTER DATABASE {name} RESET ALL")


@contextmanager
def reused_database(request: pytest.FixtureRequest, dialect: str) -> Iterator[Legacy]:
    """Like `legacy_database`, on a server a database that the tests share and each of them leaves empty."""
    if dialect not in ("mysql", "postgresql"):
        with legacy_database(request, dialect) as found:
            yield found
        return
    url = sa.make_url(request.getfixturevalue(_REUSED[dialect]).url)
    application: Any = mysql.Application(url) if dialect == "mysql" else psycopg.connect(plain(url), autocommit=True)
    try:
        yield Legacy(url.get_backend_name(), url, application)
    finally:
        application.close()
        if dialect == "mysql":
            with mysql.Application(url) as fresh:
                fresh.empty(str(url.database))
        else:
            with psycopg.connect(plain(url), autocommit=True) as connection:
                _empty_postgres(connection)


@contextmanager
def legacy_database(request: pytest.FixtureRequest, dialect: str) -> Iterator[Legacy]:
    """An empty database of the test that asks for it."""
    if dialect == "sqlite":
        url = sa.URL.create("sqlite", database=str(request.getfixturevalue("tmp_path") / "legacy.db"))
        connection: Any = sqlite3.connect(str(url.database), isolation_level=None, timeout=10)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")
    elif dialect == "firebird":
        path = request.getfixturevalue("tmp_path") / "legacy.fdb"
        connection = Application(path, new=True)
        url = sa.make_url(firebird.url(path))
    elif dialect in _FIXTURES:
        url = sa.make_url(request.getfixturevalue(_FIXTURES[dialect]).url)
        connection = mysql.Application(url)
    else:
        url = sa.make_url(request.getfixturevalue("postgres_database").url)
        connection = psycopg.connect(plain(url), autocommit=True)
    try:
        yield Legacy(url.get_backend_name(), url, connection)
    finally:
        connection.close()


def rows(legacy: Legacy, at: Any = None, **options: Any) -> tuple[list[dict[str, str]], Any]:
    """The rows as dictionaries of texts, and the watermark after them."""
    with legacy.source(**options) as source:
        source.open(at)
        batches = list(source.batches())
    names = batches[0].shape.named(range(len(batches[0].shape.columns)))
    found = [dict(zip(names, map(str, row), strict=True)) for batch in batches for row in batch.rows]
    return found, batches[-1].after
