"""A broker is gone for 90 seconds in the middle of a run of a change log, and the run completes; long form."""

from __future__ import annotations

import time
from contextlib import contextmanager

import pytest

from tests.faults import changelog_child as child
from tests.services.base import wait_until
from tests.support.binlogs import SHORT, binlogged_database
from tests.support.profile import SLOW_SECONDS
from tests.support.slots import logged_database
from tests.support.topics import Topics

pytestmark = pytest.mark.timeout(SLOW_SECONDS)

AWAY_SECONDS = 90
DOUBLINGS = 17
ROWS = 2**DOUBLINGS
ORDERS = "CREATE TABLE {}orders (id integer PRIMARY KEY, note text)"


@contextmanager
def shop(request, engine):
    """A database, the pattern of its tables, the name of the table, and the slot of the stream."""
    if engine in SHORT:
        with binlogged_database(request, engine, ORDERS.format("")) as logged:
            yield logged, f"{logged.legacy.url.database}.*", "orders", None
    else:
        with logged_database(request, engine, "CREATE SCHEMA shop", ORDERS.format("shop.")) as logged:
            yield logged, "shop.*", "shop.orders", logged.name


def completed(job):
    process = child.start(job)
    process.join(300)
    return process.exitcode


@pytest.mark.parametrize("engine", ["postgresql-15", "mariadb-10.11"])
def test_a_run_outlives_a_broker_that_is_gone_for_a_while(request, engine, second_kafka, tmp_path):
    kafka = second_kafka()
    topics = Topics(kafka)
    prefix = topics.name()
    topic = topics.make(f"{prefix}.orders")
    with shop(request, engine) as (logged, pattern, table, slot):
        url = logged.legacy.url.render_as_string(hide_password=False)
        name = f"{prefix}.{{table}}"
        job = child.Job(engine, url, kafka.bootstrap, str(tmp_path), name, (pattern,), slot, delivery_seconds=240)
        assert completed(job) == 0
        logged.execute(f"INSERT INTO {table} VALUES (0, '{'long ' * 100}')")
        for power in range(DOUBLINGS):
            logged.execute(f"INSERT INTO {table} SELECT id + {2**power}, note FROM {table}")
        process = child.start(job)
        wait_until(lambda: len(topics.read(topic)) > 100, "the run being in its middle")
        kafka.kill()
        time.sleep(AWAY_SECONDS)
        assert process.exitcode is None
        kafka.restart()
        process.join(300)
        assert process.exitcode == 0, (tmp_path / "log").read_text()[-3000:]
    sent = [one.key for one in topics.read(topic)]
    assert len(sent) == ROWS
    assert set(sent) == {str(number) for number in range(ROWS)}
