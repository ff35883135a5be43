"""Outbox events that an application writes into PostgreSQL's log, without a table."""

from __future__ import annotations

import contextlib
import json
import logging

import pytest

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.envelopes.cloudevents import CloudEventsEnvelope
from airflow_legacy_events.envelopes.outbox import LoggedEnvelope
from tests.support.crashes import World
from tests.support.engines import of
from tests.support.log_runs import LogProcess, ended, logged_source
from tests.support.outbox import Drain
from tests.support.slots import logged_database

TOPICS = {"outbox": "outbox.event.{aggregate_type}"}
ORDERS = "CREATE TABLE orders (id integer PRIMARY KEY, total numeric(10, 2))"
OUTBOX = (
    "CREATE TABLE outbox (id uuid PRIMARY KEY, aggregatetype text, aggregateid text, type text, payload {},"
    " created_at timestamptz DEFAULT now())"
)
EMIT = "SELECT pg_logical_emit_message(true, 'outbox', {})"
EVENT = '{{"id":"e{0}","aggregatetype":"order","aggregateid":"7","type":"Placed","payload":{{"n": {0}}}}}'


def event(number):
    return EMIT.format(f"'{EVENT.format(number)}'")


class Runs:
    """Runs of a stream, and the topics that they write to."""

    def __init__(self, logged):
        self.logged, self.broker, self.world = logged, MemoryBroker(), World()

    def run(self, **options):
        source = logged_source(self.logged, **{"tables": ["public.orders"], "message_topics": TOPICS, **options})
        process = LogProcess(self.world, source, None, float)
        process.broker, process.envelope = self.broker, LoggedEnvelope(CloudEventsEnvelope())
        with contextlib.closing(source.database), contextlib.closing(source):
            try:
                process.relay.run()
            finally:
                ended()
        return process.relay.report

    def numbers(self):
        return [json.loads(one.value)["n"] for one in self.broker.topic("outbox.event.order")]


@pytest.fixture(params=of("postgresql"))
def runs(request):
    with logged_database(request, request.param, ORDERS) as logged:
        yield Runs(logged)


@pytest.mark.parametrize("payload", ["jsonb", "json", "text"])
def test_an_event_in_the_log_is_the_same_message_as_one_in_a_table(runs, payload):
    logged = runs.logged
    logged.execute(
        OUTBOX.format(payload),
        "INSERT INTO outbox VALUES (gen_random_uuid(), 'order', '7', 'Placed', '{\"b\":  1.50, \"a\": \"grün\"}')",
        "INSERT INTO outbox VALUES (gen_random_uuid(), 'customer', '8', NULL, NULL)",
    )
    runs.run()
    logged.execute(EMIT.format("row_to_json(o)::text") + " FROM outbox AS o ORDER BY created_at")
    report = runs.run()
    drained = MemoryBroker()
    Drain(logged.legacy.url, drained).run()

    for topic in ("outbox.event.order", "outbox.event.customer"):
        [found], [expected] = runs.broker.topic(topic), drained.topic(topic)
        assert found == expected
    assert report.topics == {"outbox.event.order": 1, "outbox.event.customer": 1}


def test_what_is_rolled_back_or_not_transactional_is_no_event(runs, caplog):
    runs.run()
    runs.logged.execute(
        event(1),
        f"DO $$ BEGIN PERFORM 1; {event(2).replace('SELECT', 'PERFORM')}; INSERT INTO orders VALUES (1, 2);"
        " BEGIN"
        f" {event(3).replace('SELECT', 'PERFORM')}; RAISE EXCEPTION 'undone'; EXCEPTION WHEN OTHERS THEN END; END $$",
        event(4).replace("true", "false"),
        event(5).replace("true", "false"),
        event(6).replace("'outbox'", "'of another'"),
        event(7),
    )
    runs.run()

    assert runs.numbers() == [1, 2, 7]
    assert [one.key for one in runs.broker.topic("cdc.public.orders")] == ["1"]
    said = [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]
    assert [one for one in said if "logical" in one] == [one for one in said if "transactional = false" in one]
    assert len([one for one in said if "transactional = false" in one]) == 1


def test_messages_written_while_the_tables_are_read_first_are_sent_once(runs):
    runs.logged.execute("INSERT INTO orders SELECT n, n FROM generate_series(1, 5) AS n")
    source = logged_source(runs.logged, tables=["public.orders"], message_topics=TOPICS)
    with contextlib.closing(source.database), contextlib.closing(source):
        process = LogProcess(runs.world, source, None, float)
        process.broker, process.envelope = runs.broker, LoggedEnvelope(CloudEventsEnvelope())
        opened, begin = source.change_log, source.change_log.begin

        def begun(tables):
            place = begin(tables)
            runs.logged.execute(*(event(number) for number in range(3)))
            return place

        opened.begin = begun
        process.relay.run()
        ended()
    runs.logged.execute(event(3))
    runs.run()
    assert runs.numbers() == [0, 1, 2, 3]
    assert len(runs.broker.topic("cdc.public.orders")) == 5


def test_a_log_may_be_read_for_its_messages_alone(runs):
    first = runs.run(tables=[])
    runs.logged.execute("INSERT INTO orders VALUES (1, 1)", event(1), "DELETE FROM orders")
    second, third = runs.run(tables=[]), runs.run(tables=[])

    assert (first.rows, second.topics, third.rows) == (0, {"outbox.event.order": 1}, 0)
    assert runs.logged.execute("SELECT count(*) FROM pg_publication_rel") == [(0,)]
    runs.run()  # a table joins
    assert runs.logged.execute("SELECT count(*) FROM pg_publication_rel") == [(1,)]
    runs.logged.execute("INSERT INTO orders VALUES (2, 1)", event(2))
    assert runs.run().rows == 2
    runs.logged.execute(event(3))
    runs.run(tables=[])
    assert runs.logged.execute("SELECT count(*) FROM pg_publication_rel") == [(0,)]


def test_a_given_publication_of_no_table_may_be_read_for_messages(request):
    with logged_database(request, "postgresql-18", ORDERS) as logged:
        logged.given, logged.patterns = True, ()
        [first, statement] = logged.check()
        assert "run the statement below" in first
        logged.execute(statement)
        assert logged.check() == []
