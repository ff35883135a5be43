"""Shops whose orders a connector of Kafka Connect reads, and a wait until it has caught up with them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import pytest

from airflow_legacy_events.sensors.connect import ConnectorCaughtUpSensor
from tests.support import connectors
from tests.support.connectors import mariadb_source, postgres_source
from tests.support.databases import Database, fresh_database
from tests.support.topics import Topics

SHOPS = {"postgres": "postgres18_logs", "mariadb": "mariadb_logs"}
"""Fixtures of the servers."""


class Shop:
    """A database with orders, which a connector reads, and a table that none reads."""

    conn_type: ClassVar[str]
    number: ClassVar[str]

    def __init__(self, database: Database, bootstrap: str) -> None:
        self.database, self.bootstrap = database, bootstrap
        database.execute("CREATE TABLE orders (id int PRIMARY KEY, note text)")
        database.execute(f"CREATE TABLE foreign_writes (id {self.number}, note text)")

    def config(self, name: str, **changed: Any) -> dict[str, Any]:
        """A source of the orders; underscores in `changed` stand for dots."""
        raise AssertionError(name)

    def topic(self, name: str) -> str:
        """The topic of the orders."""
        raise AssertionError(name)


class PostgresShop(Shop):
    """In PostgreSQL."""

    conn_type, number = "postgres", "serial"

    def config(self, name: str, **changed: Any) -> dict[str, Any]:
        """See `Shop`."""
        return postgres_source(self.database, name, **changed)

    def topic(self, name: str) -> str:
        """See `Shop`."""
        return f"{name}.public.orders"


class MariadbShop(Shop):
    """In MariaDB, with a signal table."""

    conn_type, number = "mysql", "int AUTO_INCREMENT PRIMARY KEY"

    def __init__(self, database: Database, bootstrap: str) -> None:
        super().__init__(database, bootstrap)
        database.execute("CREATE TABLE signals (id varchar(42), type varchar(32), data varchar(2048))")

    def config(self, name: str, **changed: Any) -> dict[str, Any]:
        """See `Shop`."""
        given = {"signal_data_collection": f"{self.database.name}.signals", **changed}
        return mariadb_source(self.database, name, self.bootstrap, **given)

    def topic(self, name: str) -> str:
        """See `Shop`."""
        return f"{name}.{self.database.name}.orders"


@contextmanager
def shop_of(request: pytest.FixtureRequest, engine: str, bootstrap: str) -> Iterator[Shop]:
    """A shop of one of `SHOPS`, whose slots are gone afterwards."""
    with fresh_database(request.getfixturevalue(SHOPS[engine])) as database:
        if engine == "mariadb":
            yield MariadbShop(database, bootstrap)
            return
        with connectors.without_slots(database):
            yield PostgresShop(database, bootstrap)


def caught_up(name: str, **arguments: Any) -> dict[str, Any]:
    """Run the sensor on the shop of the connection `legacy_shop`; return its report."""
    given = {"connector": name, "source_conn_id": "legacy_shop", "timeout": dt.timedelta(seconds=30)}
    given |= {"poll_interval": dt.timedelta(seconds=1)} | arguments
    report: dict[str, Any] = ConnectorCaughtUpSensor(task_id="wait", **given).execute({})
    return report


def ids(topics: Topics, topic: str) -> set[int]:
    """The ids of the orders on a topic."""
    return {one.event["after"]["id"] for one in topics.read(topic) if one.value}
