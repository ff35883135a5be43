"""A table in a database, and runs of its streams with a broker in memory."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import sqlalchemy as sa

from airflow_legacy_events.brokers.memory import MemoryBroker
from tests.services.servers import SERVERS
from tests.support.databases import fresh_database
from tests.support.engines import ENGINES
from tests.support.legacy import Legacy, connected
from tests.support.streams import Deliveries

DATABASES = {"postgres18": "postgresql-18", "mysql9": "mysql-9.7", "mariadb": "mariadb-10.11"}
_COLUMNS = {
    "postgresql": "id bigserial PRIMARY KEY, n int, at timestamptz DEFAULT now() NOT NULL",
    "mysql": "id bigint AUTO_INCREMENT PRIMARY KEY, n int, at TIMESTAMP(6) DEFAULT CURRENT_TIMESTAMP(6) NOT NULL",
}
_NUMBERS = {
    "postgresql": "SELECT n FROM generate_series(1, {}) AS n",
    "mysql": "WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {}) SELECT n FROM s",
}
_MANY = 1_000


class Shop:
    """One table."""

    def __init__(self, legacy: Legacy) -> None:
        self.legacy = legacy
        legacy.execute(f"CREATE TABLE orders ({_COLUMNS[legacy.dialect]})")
        legacy.execute("CREATE INDEX orders_at ON orders (at, id)")

    def add(self, rows: int) -> None:
        """Insert rows, a thousand a transaction."""
        for first in range(0, rows, _MANY):
            numbers = _NUMBERS[self.legacy.dialect].format(min(_MANY, rows - first))
            self.legacy.execute(f"INSERT INTO orders (n) {numbers}")

    def stream(self, column: str | None) -> Deliveries:
        """Return a stream by a column; None: of full loads."""
        url = self.legacy.url.render_as_string(hide_password=False)
        options = {"watermark_columns": () if column is None else (column,)}
        return Deliveries(url, MemoryBroker(), "orders", name=f"orders by {column}", options=options)

    def seconds(self, stream: Deliveries, *, horizon: bool = True) -> float:
        """Run a stream; return how long that took."""
        stream.broker = MemoryBroker()
        stream.broker.open()
        with seen_writers(self.legacy, seen=horizon):
            started = time.perf_counter()
            stream.run()
            return time.perf_counter() - started


@contextmanager
def seen_writers(legacy: Legacy, *, seen: bool) -> Iterator[None]:
    """Let runs see the writers, or not, as on a database that reports none."""
    with ExitStack() as stack:
        if not seen:
            stack.enter_context(mock.patch.object(legacy.engine.made, "writers", return_value=None))
        yield


@contextmanager
def shop_of(name: str) -> Iterator[Shop]:
    """A table in a new database on a server."""
    with ExitStack() as stack:
        server: Any = stack.enter_context(SERVERS[name].running())
        url = sa.make_url(stack.enter_context(fresh_database(server)).url)
        connection = connected(url)
        stack.callback(connection.close)
        yield Shop(Legacy(ENGINES[DATABASES[name]], url, connection))
