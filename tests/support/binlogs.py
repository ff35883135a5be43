"""Streams of the change log of MariaDB and MySQL in a database of a test's own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from airflow_legacy_events.core.ports import LogOptions
from tests.support.databases import fresh_database
from tests.support.engines import ENGINES
from tests.support.legacy import Legacy, connected, legacy_database
from tests.support.profile import LONG
from tests.support.slots import LoggedDatabase

SERVERS = {
    "mariadb-10.11": "mariadb_logs",
    "mysql-9.7": "mysql9_logs",
    "mariadb-11.8": "mariadb11_logs",
    "mysql-5.6": "mysql56_logs",
}
"""Fixtures of the servers whose change logs are read, by engine."""

SHORT = tuple(SERVERS)[:2]
BINLOGGED = tuple(SERVERS) if LONG else SHORT
"""Engines of tests of this length."""


@dataclass
class BinloggedDatabase(LoggedDatabase):
    """See `LoggedDatabase`; a stream without slot and publication, named by its task."""

    @property
    def stream(self) -> str:
        return f"crm.orders_dag.{self.name}@log"

    @property
    def options(self) -> LogOptions:
        return LogOptions(self.stream, "orders_dag", before=self.before, interval_seconds=self.interval)

    def transaction(self, *statements: str) -> None:
        """Run statements in one transaction of a session of its own."""
        with self.legacy.connect() as session:
            for statement in ("BEGIN", *statements, "COMMIT"):
                session.execute(statement)


def _of(legacy: Legacy, statements: tuple[str, ...]) -> BinloggedDatabase:
    found = BinloggedDatabase(legacy, "drain", patterns=(f"{legacy.url.database}.*",))
    found.execute(*statements)
    return found


@contextmanager
def binlogged_database(request: pytest.FixtureRequest, engine: str, *statements: str) -> Iterator[BinloggedDatabase]:
    """A database in which statements ran, with a stream that has not begun."""
    with legacy_database(request, engine, SERVERS[engine]) as legacy:
        yield _of(legacy, statements)


@contextmanager
def binlogged_on(server: Any, engine: str, *statements: str, database: str = "") -> Iterator[BinloggedDatabase]:
    """Likewise, on a server of a test's own; a database that is named is there already, and stays."""
    with ExitStack() as stack:
        if not database:
            database = stack.enter_context(fresh_database(server)).name
        url = sa.make_url(server.url(database))
        application = stack.enter_context(contextlib.closing(connected(url)))
        yield _of(Legacy(ENGINES[engine], url, application), statements)
