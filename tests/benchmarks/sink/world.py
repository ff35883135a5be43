"""What the benchmark of the way back stands on: tables to write to, and topics that hold a table."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from confluent_kafka import Producer

from tests.benchmarks import operators
from tests.benchmarks.changelog.world import LogWorld
from tests.benchmarks.legacy.base import Table

POSTGRES, MARIADB = "postgres", "mariadb"
ORDERS = {
    POSTGRES: "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id int NOT NULL, status text NOT NULL,"
    " amount numeric(12,2) NOT NULL, currency char(3) NOT NULL, created_at timestamptz NOT NULL,"
    " updated_at timestamptz NOT NULL, note text, attrs jsonb)",
    MARIADB: "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id int NOT NULL, status varchar(20) NOT NULL,"
    " amount decimal(12,2) NOT NULL, currency char(3) NOT NULL, created_at datetime(6) NOT NULL,"
    " updated_at datetime(6) NOT NULL, note text, attrs json)",
}
_NAME = "legacy_events_bench_sink"
_TYPES: dict[str, dict[str, Any]] = {
    "id": {"type": "int64"},
    "customer_id": {"type": "int32"},
    "amount": {"type": "bytes", "name": "org.apache.kafka.connect.data.Decimal", "parameters": {"scale": "2"}},
    "created_at": {"type": "string", "name": "io.debezium.time.ZonedTimestamp"},
    "updated_at": {"type": "string", "name": "io.debezium.time.ZonedTimestamp"},
    "attrs": {"type": "string", "name": "io.debezium.data.Json"},
}
_ISO = """to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
_ROWS = f"""SELECT id, customer_id, status, (amount * 100)::bigint AS amount, currency,
 {_ISO.format("created_at")} AS created_at, {_ISO.format("updated_at")} AS updated_at, note, attrs::text
 FROM orders ORDER BY orders.updated_at, id LIMIT %s"""


class SinkWorld(LogWorld):
    """See `World`."""

    def __init__(self) -> None:
        super().__init__()
        self._filled: dict[tuple[str, int], str] = {}

    def empty(self, on: str) -> Table:
        """Return an empty table of orders with a primary key, in a database that holds nothing else."""
        legacy: Any = self.legacy(on)
        server, drop = legacy._server, f"DROP DATABASE IF EXISTS {_NAME}"
        server.execute(f"{drop} WITH (FORCE)" if on == POSTGRES else drop)
        server.execute(f"CREATE DATABASE {_NAME}")
        server.execute(ORDERS[on], _NAME)
        found: Table = legacy.opened(_NAME, 0)
        return found

    def events(self, rows: int) -> str:
        """Return a topic that holds the orders as `IncrementalQueryOperator` sends them."""
        return self._once("events", rows, self._send)

    def schemad(self, rows: int) -> str:
        """Return a topic that holds the orders as Kafka Connect's JSON with schemas, which its JDBC sinks need."""
        return self._once("schemad", rows, self._produce)

    def copied(self, rows: int) -> Path:
        """Return a file that holds the orders as COPY writes them."""
        file = self.home / f"orders-{rows}"
        if not file.exists():
            query = "COPY (SELECT * FROM orders ORDER BY updated_at, id) TO STDOUT"
            with (
                psycopg.connect(self._source(rows).dsn) as session,
                session.cursor() as cursor,
                file.open("wb") as out,
                cursor.copy(query) as copy,
            ):
                out.writelines(copy)
        return file

    def last(self, rows: int) -> int:
        """Return the id of the order whose message is the last one of a topic."""
        query = "SELECT id FROM orders ORDER BY updated_at DESC, id DESC LIMIT 1"
        with psycopg.connect(self._source(rows).dsn) as session:
            found = session.execute(query).fetchone()
        assert found is not None
        return int(found[0])

    def demand(self, table: Table, rows: int) -> None:
        """Demand that a table holds exactly so many rows."""
        if (found := self.held(table)) != rows:
            raise RuntimeError(f"{rows} rows were to be in the table, it holds {found}")

    def held(self, table: Table) -> int:
        """Return how many rows a table holds."""
        engine = sa.create_engine(table.url, poolclass=sa.NullPool)
        with engine.connect() as connection:
            return int(connection.execute(sa.text("SELECT count(*) FROM orders")).scalar_one())

    def _source(self, rows: int) -> Table:
        return self.legacy(POSTGRES).table("orders", rows)

    def _once(self, kind: str, rows: int, fill: Any) -> str:
        if (kind, rows) not in self._filled:
            topic = self.topics.make()
            fill(topic, rows)
            self._filled[kind, rows] = topic
        return self._filled[kind, rows]

    def _send(self, topic: str, rows: int) -> None:
        operators.run_query(self, self._source(rows), topic, header=True)

    def _produce(self, topic: str, rows: int) -> None:
        producer = Producer({"bootstrap.servers": self.kafka.bootstrap, "linger.ms": 50})
        for key, value in self._messages(rows):
            producer.produce(topic, value, key)
            producer.poll(0)
            if len(producer) > 50_000:
                producer.flush(30)
        if producer.flush(60):
            raise RuntimeError("not all messages were acknowledged")

    def _messages(self, rows: int) -> Iterator[tuple[str, str]]:
        with psycopg.connect(self._source(rows).dsn) as session, session.cursor("orders") as cursor:
            cursor.itersize = 10_000
            cursor.execute(_ROWS, [rows])
            names = [one.name for one in cursor.description or ()]
            text = {"type": "string"}
            fields = [{**_TYPES.get(name, text), "field": name, "optional": name == "note"} for name in names]
            schema = json.dumps({"type": "struct", "optional": False, "fields": fields})
            key_schema = json.dumps({"type": "struct", "optional": False, "fields": fields[:1]})
            for row in cursor:
                payload = json.dumps({**dict(zip(names, row, strict=True)), "amount": _decimal(row[3])})
                key = f'{{"schema":{key_schema},"payload":{{"id":{row[0]}}}}}'
                yield key, f'{{"schema":{schema},"payload":{payload}}}'


def _decimal(unscaled: int) -> str:
    return base64.b64encode(unscaled.to_bytes(8, "big", signed=True)).decode()
