"""A kept outbox beside transactions that commit late: their rows are lower in the order, and none is lost."""

from __future__ import annotations

import contextlib

import pytest

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.sources.query.horizons import drain as drains
from tests.services.base import wait_until
from tests.support.engines import of
from tests.support.legacy import reused_database
from tests.support.outbox import STREAM, Drain, create_outbox

SEEN = of("postgresql", "mysql")
"""Databases whose open transactions are seen, and which have several at once."""
TOPIC = "outbox.event.order"
INSERT = "INSERT INTO outbox (aggregatetype, aggregateid, type, payload) VALUES ('order', 'a', 'made', '{}')"
TIMES = {"after_publish": "keep"}
IDS = {"after_publish": "keep", "columns": {"timestamp": None}}
BOTH = pytest.mark.parametrize("order", [TIMES, IDS], ids=["times", "ids"])


@pytest.fixture(params=SEEN)
def legacy(request):
    with reused_database(request, request.param) as found:
        create_outbox(found)
        yield found


@contextlib.contextmanager
def open_writer(legacy):
    """A transaction that holds the next row, beside runs that don't wait for it."""
    with contextlib.closing(legacy.connect()) as late, pytest.MonkeyPatch.context() as patch:
        patch.setattr(drains, "DRAIN_SECONDS", 0.0)
        late.execute("BEGIN")
        late.execute(INSERT)
        yield late


def sent(drain):
    return [int(dict(one.headers)["id"]) for one in drain.broker.topic(TOPIC)]


def pending(drain):
    """How many rows a sensor finds, and whether it looks again for those above the horizon."""
    database = drain.database()
    try:
        source = drain.source(database)
        return [(source.pending(drain.store.load(STREAM)).rows, source.waits) for _ in range(2)][-1]
    finally:
        database.close()


@BOTH
def test_a_row_that_commits_late_comes_before_those_above_it(legacy, order):
    drain = Drain(legacy.url, MemoryBroker(), arguments=order)
    legacy.execute(INSERT)
    assert drain.run().completeness == "bounded"
    with open_writer(legacy) as late:
        legacy.execute(INSERT)
        for _ in range(3):
            report = drain.run()
            assert (report.rows, report.backlog["rows"], sent(drain)) == (0, 1, [1])
            assert (report.held_back["rows"], report.held_back["reason"]) == (1, "open_transaction")
            assert pending(drain) == (0, True)
        late.execute("COMMIT")
    wait_until(lambda: pending(drain) == (2, False), "a look at both rows")

    assert (drain.run().rows, drain.run().rows) == (2, 0)
    assert sent(drain) == [1, 2, 3]
    wait_until(lambda: pending(drain) == (0, False), "a look at nothing")


@BOTH
def test_a_first_run_beside_an_open_transaction_publishes_nothing_and_loses_nothing(legacy, order):
    drain = Drain(legacy.url, MemoryBroker(), arguments=order)
    with open_writer(legacy) as late:
        legacy.execute(INSERT)
        assert (drain.run().rows, drain.run().rows) == (0, 0)
        late.execute("COMMIT")

    assert drain.run().rows == 2
    assert sent(drain) == [1, 2]


@pytest.mark.parametrize("legacy", [name for name in SEEN if name != "mysql-5.6"], indirect=True)
def test_a_drain_that_deleted_begins_to_keep_beside_an_open_transaction(legacy):
    drain = Drain(legacy.url, MemoryBroker(), arguments={"after_publish": "delete"})
    legacy.execute(INSERT)
    drain.run()
    drain.arguments = TIMES
    with open_writer(legacy) as late:
        legacy.execute(INSERT)
        assert (drain.run().rows, drain.run().rows) == (0, 0)
        assert drain.store.load(STREAM).facts["mode"] == "keep"
        late.execute("COMMIT")
    drain.run()
    assert sent(drain) == [1, 2, 3]
