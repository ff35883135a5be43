"""Shops whose orders a connector of Kafka Connect reads, and a wait until it has caught up with them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import pytest

from airflow_legacy_events.sensors.connect import ConnectorCaughtUpSensor
from tests.services.base import wait_until
from tests.support import connectors
from tests.support.connectors import mariadb_source, postgres_source, slot_name
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


def reading(database: Database, name: str) -> bool:
    """Whether a session reads the slot of a connector."""
    return bool(
        database.execute(f"SELECT 1 FROM pg_replication_slots WHERE slot_name = '{slot_name(name)}' AND active")
    )


def kill_reader(database: Database, name: str) -> None:
    """End the session that reads the slot of a connector, once there is one."""
    of = f"FROM pg_replication_slots WHERE slot_name = '{slot_name(name)}' AND active"
    wait_until(lambda: database.execute(f"SELECT pg_terminate_backend(active_pid) {of}"), "a reader to be ended")


def fail(database: Database, worker: Any, name: str) -> None:
    """Let a connector without retries fail, in a way that a restart mends."""
    kill_reader(database, name)
    wait_until(lambda: worker.failure(name) is not None, f"connector {name} failing", 60)


def lose_slot(database: Database, worker: Any, name: str) -> None:
    """Let a connector fail for good: its slot is gone, its offsets are there."""
    offsets = f"/connectors/{name}/offsets"
    database.execute("INSERT INTO orders VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET note = 'y'")
    wait_until(lambda: worker.client.get(offsets).json()["offsets"], "an offset", 60)
    worker.client.put(f"/connectors/{name}/stop").raise_for_status()
    wait_until(lambda: not worker.status(name)["tasks"], f"connector {name} being stopped")
    wait_until(lambda: not reading(database, name), "the slot being idle")
    database.execute(f"SELECT pg_drop_replication_slot('{slot_name(name)}')")
    worker.client.put(f"/connectors/{name}/resume").raise_for_status()
    wait_until(lambda: worker.failure(name) is not None, f"connector {name} failing", 60)
