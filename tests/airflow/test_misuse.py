"""What people get wrong: one readable error each, nothing read, no watermark moved, no value and no secret told."""

from __future__ import annotations

import datetime as dt
import json
import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from airflow_legacy_events.errors import (
    ConfigurationError,
    LegacyEventsError,
    SourceError,
    WatermarkError,
)
from airflow_legacy_events.watermarks import registration, variable
from tests.airflow import metadata
from tests.airflow.desk import SECRET, VALUE, Desk
from tests.support.messages import one_line


@dataclass
class Misuse:
    """One thing that somebody gets wrong.

    Attributes:
        error: what comes of it.
        told: what its text must hold.
        arguments: of the operator; a function of the desk, where they depend on it.
        before: what happens before.
    """

    error: type[LegacyEventsError]
    told: str
    arguments: dict[str, Any] | Callable[[Desk], dict[str, Any]] = field(default_factory=dict)
    before: Callable[[Desk], Any] = lambda _: None


def connection(conn_id: str, **fields: Any) -> Callable[[Desk], None]:
    return lambda _: metadata.put_connection(conn_id, **fields)


def delivered(then: Callable[[Desk], Any] = lambda _: None, **arguments: Any) -> Callable[[Desk], None]:
    """A run that works, and what happens after it."""

    def before(desk: Desk) -> None:
        desk.run(**arguments)
        then(desk)

    return before


def repointed(desk: Desk) -> None:
    with sqlite3.connect(desk.file) as old, sqlite3.connect(desk.file.with_name("other.db")) as new:
        old.backup(new)
    metadata.put_connection("misused", conn_type="sqlite", host=str(desk.file.with_name("other.db")))


def retyped(desk: Desk) -> None:
    desk.rows.executescript(
        "DROP VIEW all_orders; DROP TABLE orders; CREATE TABLE orders (id TEXT PRIMARY KEY NOT NULL, body TEXT);"
        " INSERT INTO orders VALUES ('3', 'x')"
    )


def unregistered(desk: Desk) -> None:
    key = registration.PREFIX + desk.stream
    kept = metadata.variables()[key]
    metadata.put_variable(key, kept.replace('"variable"', '"table"'))


SQL = {"table": ..., "key_columns": ["id"]}
QUERY = "SELECT id, body FROM orders"
MISUSES = {
    "an unknown connection": Misuse(
        ConfigurationError, "connection 'nowhere' was not found. Add it with", {"source_conn_id": "nowhere"}
    ),
    "a connection of an unknown type": Misuse(
        ConfigurationError,
        "connection 'by_ftp' of type 'ftp' leads to no SQLAlchemy URL: ",
        {"source_conn_id": "by_ftp"},
        connection("by_ftp", conn_type="ftp", host="h", password=SECRET),
    ),
    "a connection without a file": Misuse(
        ConfigurationError,
        "connection 'no_file' of type 'sqlite' needs the path",
        {"source_conn_id": "no_file"},
        connection("no_file", conn_type="sqlite"),
    ),
    "a file that is not there": Misuse(
        SourceError,
        "which does not exist",
        {"source_conn_id": "gone"},
        connection("gone", conn_type="sqlite", host="/nowhere/crm.db", password=SECRET),
    ),
    "a server that does not answer": Misuse(
        SourceError,
        "connection 'dark' failed while connecting",
        {"source_conn_id": "dark"},
        connection("dark", conn_type="postgres", host="127.0.0.1", port=1, login="reader", password=SECRET),
    ),
    "an unknown connection of the broker": Misuse(
        ConfigurationError, "connection 'no_kafka' was not found", {"broker_conn_id": "no_kafka"}
    ),
    "a database as the broker": Misuse(
        ConfigurationError,
        "connection 'misused': type 'sqlite' is not known; known: kafka",
        {"broker_conn_id": "misused"},
    ),
    "a broker without an address": Misuse(
        ConfigurationError,
        "connection 'empty_kafka'",
        {"broker_conn_id": "empty_kafka"},
        connection("empty_kafka", conn_type="kafka", extra=json.dumps({"sasl.password": SECRET})),
    ),
    "an unknown setting of the broker": Misuse(
        ConfigurationError,
        "linger.mss",
        {"broker_conn_id": "odd_kafka"},
        lambda desk: metadata.put_connection(
            "odd_kafka",
            conn_type="kafka",
            extra=json.dumps(
                {"bootstrap.servers": desk.topics.kafka.bootstrap, "linger.mss": 5, "sasl.password": SECRET}
            ),
        ),
    ),
    "a missing topic": Misuse(ConfigurationError, "topic 'no-such-topic' was given, but", {"topic": "no-such-topic"}),
    "a missing dead-letter topic": Misuse(
        ConfigurationError, "topic 'no-such-topic' was given, but", {"dead_letter_topic": "no-such-topic"}
    ),
    "a topic that can't be written to": Misuse(
        ConfigurationError,
        "demands min.insync.replicas=3, but has 1 replicas",
        lambda desk: {"dead_letter_topic": desk.topics.make(min_insync_replicas="3")},
    ),
    "an unknown store": Misuse(
        ConfigurationError, "watermark_store 'redis' is not known; known: ", {"watermark_store": "redis"}
    ),
    "an unknown envelope": Misuse(ConfigurationError, "envelope 'avro' is not known; known: ", {"envelope": "avro"}),
    "an unknown table": Misuse(
        ConfigurationError, "table 'order' was given, but there is no table or view", {"table": "order"}
    ),
    "what is no name of a table": Misuse(
        ConfigurationError, "Give 'table' or 'schema.table', and quote", {"table": "a.b.c"}
    ),
    "an unknown column": Misuse(
        ConfigurationError, "table 'orders' has no column 'nix'; it has 'id', 'body'", {"columns": ["id", "nix"]}
    ),
    "an unknown watermark column": Misuse(
        ConfigurationError, "table 'orders' has no column 'updated'", {"watermark_columns": ["updated"]}
    ),
    "a watermark that has no order": Misuse(
        ConfigurationError,
        "column 'doc' of table 'orders' is JSON, which can't be ordered",
        {"watermark_columns": ["doc"]},
    ),
    "a NULL in the watermark": Misuse(
        ConfigurationError,
        "'at' of table 'orders' is a watermark or key column and is NULL",
        {"watermark_columns": ["at"]},
    ),
    "a NULL in the key": Misuse(
        ConfigurationError,
        "'code' of table 'orders' is a watermark or key column and is NULL",
        {"key_columns": ["code"]},
    ),
    "no key": Misuse(ConfigurationError, "table 'all_orders' has no primary key", {"table": "all_orders"}),
    "wrong SQL": Misuse(
        ConfigurationError,
        "connection 'misused' refused the query",
        {**SQL, "sql": f"SELECT id FROM orders WHERE body == = '{VALUE}'"},
    ),
    "empty SQL": Misuse(ConfigurationError, "sql= holds no statement", {**SQL, "sql": " -- nothing\n"}),
    "two statements": Misuse(ConfigurationError, "sql= holds 2 statements", {**SQL, "sql": f"{QUERY}; {QUERY}"}),
    "a statement that writes": Misuse(
        ConfigurationError, "sql= begins with DELETE", {**SQL, "sql": "DELETE FROM orders RETURNING id"}
    ),
    "a name twice": Misuse(
        ConfigurationError,
        "the query returns the column names 'id' more than once",
        {**SQL, "sql": "SELECT id, id FROM orders"},
    ),
    "a query without the watermark": Misuse(
        ConfigurationError, "the query has no column 'id'; it has 'body'", {**SQL, "sql": "SELECT body FROM orders"}
    ),
    "another query": Misuse(
        WatermarkError,
        "on_query_change='keep'",
        lambda desk: {**SQL, "sql": f"{QUERY} WHERE id > 1", "stream": desk.stream},
        lambda desk: desk.run(**SQL, sql=QUERY, stream=desk.stream),
    ),
    "a new column that is not wanted": Misuse(
        WatermarkError,
        "'more' (TEXT) is new. Nothing was read",
        {"on_schema_change": "fail"},
        delivered(lambda desk: desk.rows.execute("ALTER TABLE orders ADD COLUMN more TEXT")),
    ),
    "another type of the key": Misuse(
        WatermarkError,
        "'id' is part of the watermark of stream",
        {"columns": ["body"]},
        delivered(retyped, columns=["body"]),
    ),
    "other watermark columns": Misuse(
        WatermarkError,
        "watermark_columns ['id'], this run has ['body']",
        {"watermark_columns": ["body"]},
        delivered(),
    ),
    "another topic for the same stream": Misuse(
        WatermarkError,
        "a new topic is a new stream",
        lambda desk: {"topic": desk.topics.make(), "stream": desk.stream},
        delivered(),
    ),
    "a repointed connection": Misuse(WatermarkError, "--accept-server", {}, delivered(repointed)),
    "a lost watermark": Misuse(
        WatermarkError, "", {}, delivered(lambda desk: metadata.drop_variable(variable.PREFIX + desk.stream))
    ),
    "a watermark that somebody broke": Misuse(
        WatermarkError,
        "that is not JSON",
        {},
        delivered(lambda desk: metadata.put_variable(variable.PREFIX + desk.stream, f"{{{VALUE}")),
    ),
    "another store than before": Misuse(WatermarkError, "'table'", {}, delivered(unregistered)),
    "lag on what is no time": Misuse(ConfigurationError, "'id' is INTEGER, not a time", {"lag": dt.timedelta(hours=1)}),
    "overlap on what is no time": Misuse(
        ConfigurationError, "'id' is INTEGER, not a time", {"overlap": dt.timedelta(hours=1)}
    ),
    "max_rows in bulk": Misuse(
        ConfigurationError, "max_rows= was given with watermark_columns=[]", {"watermark_columns": [], "max_rows": 5}
    ),
    "a first run from nowhere": Misuse(
        ConfigurationError, "first_run='yesterday' was given, but", {"first_run": "yesterday"}
    ),
    "an unknown zone": Misuse(
        ConfigurationError,
        "source_timezone='Europe/Lummerland' is not a known time zone",
        {"source_timezone": "Europe/Lummerland"},
    ),
    "columns that are a text": Misuse(
        ConfigurationError, "exclude_columns= must be a list of column names", {"exclude_columns": "body"}
    ),
    "a wrong table and a missing topic": Misuse(
        ConfigurationError,
        "2 problems were found before anything was read",
        {"table": "order", "topic": "no-such-topic"},
    ),
}


@pytest.mark.parametrize("name", MISUSES)
def test_misuse_is_one_readable_error_and_nothing_else(desk, caplog, name):
    misuse = MISUSES[name]
    misuse.before(desk)
    arguments = misuse.arguments(desk) if callable(misuse.arguments) else misuse.arguments
    before = desk.kept(), desk.sent()
    caplog.clear()
    desk.pushed.clear()
    with caplog.at_level(logging.DEBUG), pytest.raises(misuse.error) as raised:
        desk.run(**arguments)

    text = one_line(raised.value)
    assert misuse.told in text
    assert isinstance(raised.value, AirflowFailException) == (not raised.value.retry_helps)
    assert (desk.kept(), desk.sent()) == before
    report = desk.pushed["report"]
    assert (report["rows"], report["events"], report["batches"]) == (0, 0, 0)
    for line in (text, *(record.getMessage() for record in caplog.records if record.levelno >= logging.INFO)):
        assert SECRET not in line
        assert VALUE not in line
