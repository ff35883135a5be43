"""Runs that fail in every way on every database: what was planted in rows and secrets is in no log, error or report."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import json
import logging
import traceback

import pytest

from airflow_legacy_events.errors import LegacyEventsError
from tests.airflow import metadata
from tests.support.attempts.places import PASSWORD, Mysql, Postgres, Sqlite, connection_of
from tests.support.attempts.runs import run
from tests.support.databases import database_of
from tests.support.profile import LONG

CONN = "logged"
ROW, SASL = "planted-row-4711", "planted-sasl-0815"
PLACES = {
    "sqlite": ("sqlite", "own"),
    "sqlite, generic": ("sqlite", "generic"),
    "postgresql": ("postgresql-18", "own"),
    "postgresql, generic": ("postgresql-18", "generic"),
    "mysql": ("mysql-9.7", "own"),
    "mysql, generic": ("mysql-9.7", "generic"),
    "mariadb": ("mariadb-11.8", "own"),
    "mariadb, generic": ("mariadb-11.8", "generic"),
}
PLANTED = (
    f"UPDATE t SET v = '{ROW}' WHERE id = 2",
    "CREATE TABLE r (id integer PRIMARY KEY, v varchar(99), at timestamp NULL)",
    f"INSERT INTO r VALUES (1, '{ROW}', NULL)",
)
SASL_EXTRA = {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanisms": "PLAIN", "sasl.username": "u"}
TIMES = {"replay": {"from": "2026-01-01T00:00:00Z", "to": "2027-01-01T00:00:00Z"}}
FAILURES = {
    "no such table": {"table": "nowhere"},
    "no such schema": {"table": "nowhere.t"},
    "an exclusion of no column": {"exclude_columns": ["nowhere"]},
    "no such column": {"watermark_columns": ["nowhere"]},
    "a query that is none": {"table": None, "sql": "SELECT FROM WHERE", "key_columns": ["id"]},
    "a function that is none": {"table": None, "sql": "SELECT id, nowhere(v) AS v FROM t", "key_columns": ["id"]},
    "a key that is not unique": {
        "table": None,
        "sql": "SELECT 1 AS id, v FROM t",
        "key_columns": ["id"],
        "batch_rows": 1,
    },
    "a row that is too large": {"max_row_bytes": 3},
    "a watermark of NULL": {"table": "r", "watermark_columns": ["at"]},
    "a subject of no column": {"subject": "{nowhere}"},
    "a type without a text": {"table": "r", "event_type": "{at}"},
    "a header of no column": {"headers": {"h": "{nowhere}"}},
    "a timestamp of a text": {"timestamp_column": "v"},
    "a beginning that is no value": {"first_run": "no number"},
    "a replay of no window": {"conf": {"replay": {"from": "x", "to": "y"}}},
    "a replay to another topic": {"conf": {"replay": {"from": "1", "to": "3", "topic": "payments"}}},
    "a topic that is missing": {"topic": "planted.missing"},
    "a store of no connection": {"watermark_store": "table:nowhere"},
    "a broker that is not there": {"broker_conn_id": "logged_nobody", "delivery_timeout": dt.timedelta(seconds=1)},
    "a broker's setting that is refused": {"broker_conn_id": "logged_refused"},
    "a broker's secret that is refused": {"broker_conn_id": "logged_secret"},
    "a zone that is none": {"source_timezone": "Nowhere/Land"},
    "a password that is refused": {"source_conn_id": "logged_elsewhere"},
    "a column of another type": {"time_column": "v", "conf": TIMES},
    "a column that is left out and read": {"columns": ["nowhere"]},
    "a message that is too large": {"topic_config": {"max.message.bytes": "20"}, "topic_partitions": 1, "topic": "new"},
}
GRID = list(itertools.product(PLACES, FAILURES))
SHOWN = GRID if LONG else GRID[::6]


@pytest.fixture(scope="module")
def places(request, tmp_path_factory):
    """Gives the place of an engine, with its rows planted."""
    made = {}
    with contextlib.ExitStack() as stack:

        def place(engine, via):
            if engine == "sqlite":
                found = Sqlite(tmp_path_factory.mktemp("logged"), via)
                found.plant(PLANTED)
                return found
            if engine not in made:
                bases = [stack.enter_context(database_of(request, engine)) for _ in range(2)]
                found = made[engine] = Postgres(bases[0]) if "postgres" in engine else Mysql(*bases)
                stack.callback(found.close)
                found.plant(PLANTED)
            return made[engine]

        yield place


@pytest.fixture(scope="module")
def topic(topics):
    return topics.make()


def put_connections(place, via, kafka):
    fields = connection_of(place, via)
    metadata.put_connection(CONN, **fields)
    wrong = fields | {"login": "nobody", "password": PASSWORD, "schema": "nowhere", "host": "127.0.0.1", "port": 1}
    metadata.put_connection(
        "logged_elsewhere",
        **(
            wrong
            if via == "own"
            else {
                "conn_type": "generic",
                "password": PASSWORD,
                "extra": json.dumps({"sqlalchemy_url": f"{place.drivers}://nobody:{PASSWORD}@127.0.0.1:1/nowhere"}),
            }
        ),
    )
    brokers = {
        "two_roles_kafka": {"bootstrap.servers": kafka.bootstrap},
        "logged_nobody": {"bootstrap.servers": "127.0.0.1:1", **SASL_EXTRA, "sasl.password": SASL},
        "logged_refused": {"bootstrap.servers": kafka.bootstrap, **SASL_EXTRA, "sasl.password": SASL, "linger.ms": "x"},
        "logged_secret": {
            "bootstrap.servers": "127.0.0.1:1",
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanisms": "OAUTHBEARER",
            "sasl.oauthbearer.config": f"nix={SASL}",
            "enable.sasl.oauthbearer.unsecure.jwt": "true",
        },
    }
    for name, extra in brokers.items():
        metadata.put_connection(name, conn_type="kafka", extra=json.dumps(extra))


@pytest.mark.parametrize(("where", "failure"), SHOWN, ids=lambda one: one)
def test_nothing_that_was_planted_is_told(places, kafka, topic, where, failure, caplog, capsys):
    engine, via = PLACES[where]
    place = places(engine, via)
    put_connections(place, via, kafka)
    for key in metadata.variables():
        metadata.drop_variable(key)
    asked = {"table": "t", "watermark_columns": ["id"], "topic": topic, "source_conn_id": CONN, **FAILURES[failure]}
    if asked["topic"] == "new":
        asked["topic"] = f"{topic}-{abs(hash(where))}"
    pushed = {}
    caplog.set_level(logging.DEBUG)

    with pytest.raises(LegacyEventsError) as failed:
        run(asked.pop("source_conn_id"), asked.pop("topic"), pushed=pushed, **asked)

    out, err = capsys.readouterr()
    records = "".join(f"{vars(record)}" for record in caplog.records)
    shown = "".join(traceback.format_exception(failed.value)) + caplog.text + records + out + err + json.dumps(pushed)
    for planted in (PASSWORD, SASL, ROW):
        assert planted not in shown
