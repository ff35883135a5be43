"""Connectors as tests declare them, each with a name, a topic prefix and a slot of its own."""

from __future__ import annotations

import contextlib
import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from airflow.sdk.exceptions import AirflowFailException
from psycopg.conninfo import conninfo_to_dict

from airflow_legacy_events.connect import deadline
from tests.services.base import wait_until
from tests.support.databases import Database

PASSWORD = "open-sesame-77"
"""Of the logins below."""

POSTGRES = "io.debezium.connector.postgresql.PostgresConnector"
MARIADB = "io.debezium.connector.mariadb.MariaDbConnector"
JDBC_SINK = "io.debezium.connector.jdbc.JdbcSinkConnector"


def connection(monkeypatch: pytest.MonkeyPatch, url: str, conn_id: str = "kafka_connect_default", **extra: Any) -> None:
    """Let an Airflow connection lead to a worker, or to what stands before one."""
    schema, _, host = url.partition("://")
    made = {"conn_type": "kafka_connect", "host": host, "schema": schema, "extra": extra}
    monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(made))


def database_connection(
    monkeypatch: pytest.MonkeyPatch, url: str, conn_type: str, conn_id: str = "legacy_shop"
) -> None:
    """Let an Airflow connection lead to a database."""
    found = sa.make_url(url)
    made = {
        "conn_type": conn_type,
        "host": found.host,
        "port": found.port,
        "login": found.username,
        "password": found.password,
        "schema": found.database,
    }
    monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(made))


def broker_connection(monkeypatch: pytest.MonkeyPatch, bootstrap: str, conn_id: str = "kafka_of_tests") -> None:
    """Let an Airflow connection lead to a broker."""
    made = {"conn_type": "kafka", "extra": {"bootstrap.servers": bootstrap}}
    monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(made))


def time_over_once(monkeypatch: pytest.MonkeyPatch, seen: Callable[[], object]) -> None:
    """Let the time of operators be over as soon as something was seen, however long a slow machine took until then."""
    monkeypatch.setattr(deadline, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + (3600 if seen() else 0)))


@contextmanager
def red(text: str, error: type[BaseException] = AirflowFailException) -> Iterator[pytest.ExceptionInfo[BaseException]]:
    """The block fails with an error that holds a text, however its lines are wrapped; gives what pytest found."""
    with pytest.raises(error) as found:
        yield found
    assert text in " ".join(str(found.value).split())


def postgres_source(database: Database, name: str, *tables: str, **changed: Any) -> dict[str, Any]:
    """A Debezium source whose user has `PASSWORD`; underscores in `changed` stand for dots."""
    found = conninfo_to_dict(database.dsn)
    user = f"u_{database.name}"
    with contextlib.suppress(psycopg.errors.DuplicateObject):
        database.execute(f"CREATE ROLE {user} SUPERUSER LOGIN PASSWORD '{PASSWORD}'")
    return {
        "connector.class": POSTGRES,
        "database.hostname": found["host"],
        "database.port": found["port"],
        "database.user": user,
        "database.password": PASSWORD,
        "database.dbname": database.name,
        "topic.prefix": name,
        "plugin.name": "pgoutput",
        "slot.name": slot_name(name),
        "publication.name": slot_name(name),
        "publication.autocreate.mode": "filtered",
        "table.include.list": ",".join(tables or ("public.orders",)),
        "tasks.max": 1,
        **dotted(changed),
    }


def mariadb_source(database: Database, name: str, bootstrap: str, *tables: str, **changed: Any) -> dict[str, Any]:
    """A Debezium source as the server's administrator; underscores in `changed` stand for dots."""
    url = sa.make_url(database.url)
    return {
        "connector.class": MARIADB,
        "database.hostname": url.host,
        "database.port": url.port,
        "database.user": url.username,
        "database.password": url.password,
        "database.server.id": 10_000 + uuid.uuid4().int % 1_000_000,
        "topic.prefix": name,
        "database.include.list": database.name,
        "table.include.list": ",".join(f"{database.name}.{table}" for table in tables or ("orders",)),
        "schema.history.internal.kafka.bootstrap.servers": bootstrap,
        "schema.history.internal.kafka.topic": f"{name}-history",
        "schema.history.internal.store.only.captured.tables.ddl": "true",  # others are dropped by other tests
        "schema.history.internal.store.only.captured.databases.ddl": "true",
        "tasks.max": 1,
        **dotted(changed),
    }


def dotted(changed: dict[str, Any]) -> dict[str, Any]:
    """Settings whose names have dots in place of underscores."""
    return {key.replace("_", "."): value for key, value in changed.items()}


def slot_name(name: str) -> str:
    """The slot of a connector."""
    return name.replace("-", "_")


def new_name(worker: Any) -> str:
    """A name that no other connector has."""
    worker.made = getattr(worker, "made", [])
    worker.made.append(f"c-{uuid.uuid4().hex[:10]}")
    return str(worker.made[-1])


def remove_connectors(worker: Any) -> None:
    """Delete the connectors whose names were made here."""
    for name in getattr(worker, "made", []):
        worker.send("DELETE", f"/connectors/{name}")
    worker.made = []


@contextmanager
def without_slots(database: Database) -> Iterator[Database]:
    """A PostgreSQL database whose slots, and the role of its connectors, are dropped in the end: then it can be.

    A worker still ends connectors that were deleted, and one that begins meanwhile makes its slot and publication.
    """
    role = f"u_{database.name}"
    try:
        yield database
    finally:
        if known := database.execute(f"SELECT 1 FROM pg_roles WHERE rolname = '{role}'"):
            database.execute(f"ALTER ROLE {role} NOLOGIN")
            database.execute(f"SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE usename = '{role}'")
        of_it = f"FROM pg_replication_slots WHERE database = '{database.name}'"

        def gone() -> bool:
            database.server.execute(f"SELECT pg_terminate_backend(active_pid) {of_it} AND active")
            with contextlib.suppress(psycopg.errors.ObjectInUse):
                database.server.execute(f"SELECT pg_drop_replication_slot(slot_name) {of_it} AND NOT active")
            return not database.server.execute(f"SELECT 1 {of_it}")

        wait_until(gone, f"the slots of {database.name} being gone")
        if known:
            database.execute(f"DROP OWNED BY {role} CASCADE")
            database.execute(f"DROP ROLE {role}")
