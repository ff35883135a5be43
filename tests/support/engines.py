"""The databases that the tests read from: one entry for each engine and release."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from airflow_legacy_events.databases.base import SqlDatabase
from airflow_legacy_events.databases.generic import GenericDatabase
from airflow_legacy_events.databases.mysql import MysqlDatabase
from airflow_legacy_events.databases.postgres import PostgresDatabase
from airflow_legacy_events.databases.sqlite import SqliteDatabase
from tests.support.profile import LONG


@dataclass(frozen=True)
class Engine:
    """One engine of one release.

    Attributes:
        name: of the tests' parameters.
        dialect: as SQLAlchemy calls it.
        made: the class that reads from it.
        server: fixture of the server; None where a database is a file.
        mark: stands for a parameter in a statement of its driver.
        key_text: a type of texts that an index takes.
        long_text: a type of texts of any length.
        old: an earlier release than those that most people run. Only what is special to it is tested in the short form.
        lacks: what later releases have, in the words of the tests that need it.
    """

    name: str
    dialect: str
    made: type[SqlDatabase[Any]]
    server: str | None = None
    mark: str = "%s"
    key_text: str = "text"
    long_text: str = "text"
    old: bool = False
    lacks: frozenset[str] = frozenset()


def _mysql(name: str, server: str, *, old: bool = False, lacks: Iterable[str] = ()) -> Engine:
    return Engine(name, "mysql", MysqlDatabase, server, key_text="varchar(9)", old=old, lacks=frozenset(lacks))


_SINCE_5_6 = (
    "CTE",
    "window function",
    "RENAME COLUMN",
    "generated columns",
    "JSON",
    "rows beyond a tenth of its log",
    "ids that are kept",
)


ENGINES = {
    one.name: one
    for one in (
        Engine("sqlite", "sqlite", SqliteDatabase, mark="?"),
        Engine("postgresql-18", "postgresql", PostgresDatabase, "postgres18"),
        Engine("postgresql-15", "postgresql", PostgresDatabase, "postgres", old=True),
        _mysql("mysql-9.7", "mysql9"),
        _mysql("mysql-5.6", "mysql", old=True, lacks=_SINCE_5_6),
        _mysql("mariadb-11.8", "mariadb11"),
        _mysql("mariadb-10.11", "mariadb", old=True),
        Engine("firebird", "firebird", GenericDatabase, mark="?", long_text="blob sub_type text"),
    )
}
"""`postgresql-15` and `mariadb-10.11` are what the machine's own packages have, on Debian 12 these releases."""


def of(*dialects: str, also: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the names of the engines of these dialects, or of all: the new ones and `also`; in the long form each."""
    found = [one for one in ENGINES.values() if not dialects or one.dialect in dialects]
    return tuple(one.name for one in found if LONG or not one.old or one.name in also)


EACH = of()
NEW_MYSQL = ("mysql-9.7",)
MARIADB = tuple(name for name in of("mysql") if name.startswith("mariadb"))
