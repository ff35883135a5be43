"""An outbox whose rows are deleted is no larger after twenty rounds than a queue may be: autovacuum keeps up."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.cli.outbox.ddl import debezium
from tests.services.base import wait_until
from tests.services.servers import SERVERS
from tests.support.databases import fresh_database
from tests.support.outbox import Drain
from tests.support.profile import LONG
from tests.support.proofs import keep_figures

ROUNDS, EVENTS = (20, 50_000) if LONG else (3, 500)
NAP = "1s"
"""Rounds follow each other in seconds, where an application takes minutes; so autovacuum looks that more often too."""


@contextmanager
def server(request, monkeypatch):
    """The shared server, in the long form one of the test's own, whose autovacuum may be set."""
    if not LONG:
        yield request.getfixturevalue("postgres18")
        return
    own = SERVERS["postgres18"]
    monkeypatch.delenv(own.variable, raising=False)
    with own.running() as found:
        found.execute(f"ALTER SYSTEM SET autovacuum_naptime = '{NAP}'")
        found.execute("SELECT pg_reload_conf()")
        yield found


@pytest.fixture
def database(request, monkeypatch):
    with server(request, monkeypatch) as found, fresh_database(found) as made:
        for statement in debezium("postgresql", "outbox", mark=False).split(";\n"):
            if statement.strip():
                made.execute(statement)
        yield made


def size(database) -> int:
    [(found,)] = database.execute("SELECT pg_total_relation_size('outbox')")
    return int(found)


def is_vacuumed(database) -> bool:
    """Whether autovacuum has left no more deleted rows than its threshold lets it."""
    [(rows,)] = database.execute("SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'outbox'")
    return int(rows) <= 1_000


def test_a_table_that_is_filled_and_drained_again_and_again_does_not_grow(database):
    full, sizes = 0, []
    for number in range(ROUNDS):
        database.execute(
            "INSERT INTO outbox (aggregatetype, aggregateid, type, payload)"
            f" SELECT 'order', (i % 100)::text, 't', '{{\"round\": {number}}}' FROM generate_series(1, {EVENTS}) i"
        )
        full = full or size(database)
        broker: Any = MemoryBroker(topics=("outbox.event.order",))
        broker.open()
        assert Drain(sa.make_url(database.url), broker).run(batch_rows=5_000).events == EVENTS
        sizes.append(size(database))
        if LONG:  # nobody calls VACUUM
            wait_until(lambda: is_vacuumed(database), "an autovacuum of what was deleted")

    keep_figures(f"outbox of {EVENTS} events: {full} bytes when full once, behind later rounds {sizes}")
    assert max(sizes) <= 3 * full
