"""What the owner of a schema can do with the rights and the time of its reader: nothing, and each answer is ours."""

from __future__ import annotations

import contextlib
import logging
import re
import threading
import traceback

import pytest

from airflow_legacy_events.databases import watchdog
from airflow_legacy_events.errors import LegacyEventsError
from tests.airflow import metadata
from tests.support.attempts import mysql, postgres, sqlite
from tests.support.attempts.attempt import EITHER, GREEN, SECRET, TRAP
from tests.support.attempts.places import PASSWORD, STREAM, Mysql, Postgres, Sqlite, connection_of
from tests.support.attempts.runs import run
from tests.support.databases import database_of
from tests.support.messages import one_line
from tests.support.profile import LONG, some

CONN = "two_roles"
HELD_SECONDS = 45


def both(own, generic):
    """The attempts on a connection of the database's own type, and those through its SQLAlchemy dialect, each fifth."""
    some = generic if LONG else generic[::5]
    return [
        pytest.param(via, one, id=f"{via}-{one.name}")
        for via, them in (("own", own), ("generic", some))
        for one in them
    ]


@pytest.fixture(autouse=True)
def shorter(monkeypatch):
    monkeypatch.setattr(watchdog, "GRACE_SECONDS", 2.0)


@pytest.fixture(autouse=True)
def kafka_connection(kafka):
    metadata.put_connection(
        "two_roles_kafka", conn_type="kafka", extra=f'{{"bootstrap.servers": "{kafka.bootstrap}", "linger.ms": 0}}'
    )


@pytest.fixture(scope="module")
def postgres_place(request):
    with database_of(request, "postgresql-18") as database, contextlib.closing(Postgres(database)) as place:
        yield place


@pytest.fixture(scope="module")
def topic(topics):
    return topics.make()


def ended(place, topic, attempt, via):
    """How a run ends: with messages, or with its error; it must not hold its worker."""
    result = []

    def main():
        asked = {
            "stream": STREAM,
            "table": None if "sql" in attempt.asks else "v",
            "watermark_columns": ["id"],
            **attempt.asks,
        }
        if asked["table"] == "v" and "key_columns" not in asked:
            asked["key_columns"] = ["id"]
        try:
            result.append(run(CONN, topic, **asked))
        except BaseException as error:  # noqa: BLE001  it is judged
            result.append(error)

    worker = threading.Thread(target=main, daemon=True)
    with attempt.around(place) if attempt.around else contextlib.nullcontext():
        worker.start()
        worker.join(HELD_SECONDS)
    place.end_sessions()
    assert result, f"{attempt.name}: the worker is held"
    return result[0]


def judge(place, topics, topic, attempt, via, caplog):
    metadata.put_connection(CONN, **connection_of(place, via))
    for key in metadata.variables():
        metadata.drop_variable(key)
    caplog.set_level(logging.DEBUG)
    found = ended(place, topic, attempt, via)
    assert place.written() == []
    if isinstance(found, BaseException):
        assert isinstance(found, LegacyEventsError), "".join(traceback.format_exception(found))
        assert via == "generic" or attempt.ends != GREEN, found
        assert TRAP not in str(found)
        if attempt.ends != EITHER and via == "own":
            assert re.search(attempt.ends, one_line(found)), found
        shown = "".join(traceback.format_exception(found)) + caplog.text
        assert SECRET not in shown
        assert PASSWORD not in shown
        return str(found)
    if via == "own":
        assert attempt.ends in (GREEN, EITHER)
    if attempt.values is not None:
        sent = [message.event["data"]["v"] for message in topics.read(topic)[-len(attempt.values) :]]
        assert tuple(sent) == attempt.values
    return f"green, {found['events']} events"


@pytest.mark.parametrize(("via", "attempt"), both(some(sqlite.ATTEMPTS, 2), [*sqlite.CODE, *sqlite.VALUES]))
def test_the_owner_of_a_sqlite_file(tmp_path, topics, topic, attempt, via, caplog):
    place = Sqlite(tmp_path, via)
    place.plant(attempt.plants)
    judge(place, topics, topic, attempt, via, caplog)


@pytest.fixture(params=["mysql-9.7", "mariadb-11.8"], scope="module")
def mysql_place(request):
    with (
        database_of(request, request.param) as database,
        database_of(request, request.param) as vault,
        contextlib.closing(Mysql(database, vault)) as place,
    ):
        yield place


@pytest.mark.parametrize(("via", "attempt"), both(some(mysql.ATTEMPTS, 3), mysql.ATTEMPTS))
def test_the_owner_of_a_mysql_database(mysql_place, topics, topic, attempt, via, caplog):
    mysql_place.plant(attempt.plants)
    judge(mysql_place, topics, topic, attempt, via, caplog)


@pytest.mark.parametrize(
    ("via", "attempt"),
    both(some(postgres.ATTEMPTS, 2), [*postgres.CODE, *postgres.ENDLESS, *postgres.TOLD, *postgres.VALUES]),
)
def test_the_owner_of_a_postgres_schema(postgres_place, topics, topic, attempt, via, caplog):
    postgres_place.plant(attempt.plants)
    judge(postgres_place, topics, topic, attempt, via, caplog)
