"""What is rebuilt from the topic is the table, whatever happened to it between the runs.

The oracle reads the table with another library than ours: the typed cursors of psycopg, mysqlclient, sqlite3 and
Firebird's driver.
"""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_legacy_events.brokers.memory import MemoryBroker
from tests.services import firebird
from tests.support import mysql
from tests.support.databases import database_of
from tests.support.engines import EACH, ENGINES
from tests.support.firebird import Application
from tests.support.profile import LONG
from tests.support.streams import Deliveries

COLUMNS = ("id", "name", "amount", "updated_at")
CREATE = {
    "postgresql": (
        "CREATE TABLE orders (id bigint PRIMARY KEY, name text, amount integer, updated_at timestamp NOT NULL)"
    ),
    "firebird": (
        "CREATE TABLE orders (id bigint PRIMARY KEY, name varchar(20), amount integer, updated_at timestamp NOT NULL)"
    ),
    "mysql": "CREATE TABLE orders (id bigint PRIMARY KEY, name text, amount integer, updated_at timestamp NOT NULL)",
    "sqlite": "CREATE TABLE orders (id INTEGER PRIMARY KEY, name TEXT, amount INTEGER, updated_at TIMESTAMP NOT NULL)",
}
_numbers = itertools.count()


class Legacy:
    """A legacy table that a history is played against, and that is read back for the oracle."""

    def __init__(self, backend: str, url: str, connect: Any) -> None:
        self.backend, self.url = backend, url
        self._connect = connect
        if backend == "postgresql":
            self.execute("DROP TABLE IF EXISTS orders")
        self.execute(CREATE[backend])
        self.execute("CREATE INDEX orders_updated ON orders (updated_at, id)")

    def execute(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        mark = "%s" if self.backend in ("postgresql", "mysql") else "?"
        with self._connect() as connection:
            found = connection.execute(statement.replace("?", mark), values)
            return found.fetchall() if found.description else []

    def rows(self) -> dict[str, tuple[Any, ...]]:
        found = self.execute("SELECT id, name, amount, updated_at FROM orders")
        return {str(row[0]): (*row[:3], str(row[3])) for row in found}

    def write(self, row: int, name: str | None, amount: int | None, at: int) -> None:
        stamp = f"2026-01-01 00:{at // 60:02d}:{at % 60:02d}"
        self.execute("DELETE FROM orders WHERE id = ?", row)
        self.execute("INSERT INTO orders VALUES (?, ?, ?, ?)", row, name, amount, stamp)

    def delete(self, row: int) -> None:
        self.execute("DELETE FROM orders WHERE id = ?", row)


@contextmanager
def _sqlite(path: Path) -> Iterator[Any]:
    with closing(sqlite3.connect(path)) as connection, connection:
        yield connection


@pytest.fixture(params=EACH)
def legacy(request, tmp_path):
    path = tmp_path / "legacy.db"
    if request.param == "sqlite":
        yield Legacy("sqlite", f"sqlite:///{path}", lambda: _sqlite(path))
    elif request.param == "firebird":
        with closing(Application(path, new=True)) as application:
            yield Legacy("firebird", firebird.url(path), lambda: nullcontext(application))
    else:
        with database_of(request, request.param) as database:
            if ENGINES[request.param].dialect == "mysql":
                yield Legacy("mysql", database.url, lambda: mysql.Application(database.url))
            else:
                yield Legacy("postgresql", database.url, lambda: psycopg.connect(database.dsn))


def rebuilt(messages: list[dict[str, Any]]) -> dict[str, tuple[Any, ...]]:
    """The table as a consumer that keeps the last event of each key sees it."""
    table = {}
    for event in messages:
        data = event["data"]
        stamp = data["updated_at"].replace("T", " ").removesuffix("Z").removesuffix(".000000")
        table[event["subject"]] = (data["id"], data["name"], data["amount"], stamp)
    return table


def events(broker: MemoryBroker, topic: str) -> list[dict[str, Any]]:
    return [json.loads(message.value) for message in broker.topic(topic)]


values = st.tuples(st.none() | st.text("aé\"\\\n'%", max_size=6), st.none() | st.integers(-5, 5))
writes = st.lists(st.tuples(st.integers(1, 12), values, st.integers(0, 3)), max_size=8)
history = st.lists(st.tuples(writes, st.sampled_from([1, 2, 7, 10_000])), min_size=1, max_size=5)
checked = settings(
    max_examples=300 if LONG else 10, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)


def empty(legacy: Legacy) -> str:
    legacy.execute("DELETE FROM orders")
    return f"topic-{next(_numbers)}"


@checked
@given(history=history)
def test_a_timestamp_stream_rebuilds_the_table(legacy, history):
    topic, broker, clock = empty(legacy), MemoryBroker(), 0
    name = f"legacy.orders@{topic}"
    first = Deliveries(legacy.url, broker, topic, name=name, options={"watermark_columns": ("updated_at",)})
    second = Deliveries(
        legacy.url, broker, f"{topic}-2", name=f"{name}-2", options={"watermark_columns": ("updated_at", "id")}
    )
    for changes, batch_rows in history:
        clock += 1  # above every committed watermark; ties only among the rows of one round
        written: dict[int, int] = {}
        for row, (text, amount), step in changes:
            written[row] = max(written.get(row, 0), step)
            legacy.write(row, text, amount, clock + written[row])
        clock += 3
        first.run(batch_rows=batch_rows)
    second.run(batch_rows=history[0][1])
    assert rebuilt(events(broker, topic)) == legacy.rows()
    assert rebuilt(events(broker, f"{topic}-2")) == legacy.rows()


@checked
@given(history=history, gone=st.sets(st.integers(1, 12)))
def test_a_bulk_load_is_the_table(legacy, history, gone):
    topic, broker = empty(legacy), MemoryBroker()
    stream = Deliveries(legacy.url, broker, topic, name=f"legacy.orders@{topic}")
    seen = 0
    for number, (changes, batch_rows) in enumerate(history, start=1):
        for row, (text, amount), step in changes:
            legacy.write(row, text, amount, step)
        for row in gone:
            legacy.delete(row)
        stream.run(batch_rows=batch_rows)
        load = events(broker, topic)[seen:]
        seen += len(load)
        assert rebuilt(load) == legacy.rows()
        assert all(event["id"].endswith(f":{number}") and event["op"] == "r" for event in load)


@checked
@given(rounds=st.lists(st.tuples(st.lists(values, max_size=8), st.sampled_from([1, 2, 7, 10_000])), max_size=5))
def test_an_id_stream_rebuilds_a_table_of_inserts(legacy, rounds):
    topic, broker, number = empty(legacy), MemoryBroker(), 0
    stream = Deliveries(
        legacy.url, broker, topic, name=f"legacy.orders@{topic}", options={"watermark_columns": ("id",)}
    )
    for rows, batch_rows in rounds:
        for text, amount in rows:
            number += 1
            legacy.write(number, text, amount, 0)
        stream.run(batch_rows=batch_rows)
    found = events(broker, topic)
    assert rebuilt(found) == legacy.rows()
    assert [event["id"] for event in found] == [str(at + 1) for at in range(number)]
    assert all(event["op"] == "c" for event in found)
