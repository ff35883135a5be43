"""Transactions of a log: one BEGIN and one END with right counts, whatever cuts a transaction."""

from __future__ import annotations

import itertools
import json
from contextlib import closing

import pytest

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.core.errors import ConfigurationError, WatermarkError
from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.envelopes.outbox import LoggedEnvelope
from airflow_legacy_events.envelopes.plain import PlainEnvelope
from airflow_legacy_events.envelopes.transactions import TransactionsEnvelope
from airflow_legacy_events.sources.changelog.facts import check_log_facts
from tests.support.crashes import Crash
from tests.support.log_runs import LogProcess, SteppedBroker, ended

TOPIC = "cdc.transactions"


class Runs:
    """Runs of a stream, and the topics that they write to."""

    def __init__(self, shop):
        self.shop, self.broker = shop, MemoryBroker()
        self.begun = len(shop.server.log)

    def run(self, crash=None, topic=TOPIC, **options):
        source = self.shop.source(transaction_topic=topic, **options)
        process = LogProcess(self.shop.world, source, crash, itertools.count().__next__)
        process.broker = SteppedBroker(process, self.broker)
        process.envelope = TransactionsEnvelope(LoggedEnvelope(PlainEnvelope()))
        process.relay.stream = process.relay.stream._replace(transactions=topic is not None)
        with closing(source.database), closing(source):
            try:
                process.finished = process.run()
            finally:
                ended()
        return process

    @property
    def marks(self):
        return [json.loads(one.value) for one in self.broker.topic(TOPIC)]

    @property
    def brief(self):
        return [(one["status"], one["id"], one["event_count"]) for one in self.marks]

    def places(self):
        return [str(one.commit) for one in self.shop.server.log[self.begun :]]

    def names(self):
        return [f"gtid:-{place}" if self.shop.server.named else place for place in self.places()]

    def events(self, table="orders"):
        return self.broker.topic(f"cdc.main.{table}")

    def commit(self, first, count, table="orders"):
        self.shop.server.commit(*((table, "put", (number, "x"), None) for number in range(first, first + count)))


@pytest.fixture(params=[False, True], ids=["by-place", "by-name"])
def runs(shop, request):
    """A stream whose first run is over, of a log whose transactions may have names of their own."""
    shop.server.named = request.param
    found = Runs(shop)
    found.run()
    assert found.marks == []  # rows of a snapshot are of no transaction
    return found


def test_a_transaction_has_a_begin_and_an_end_with_the_events_of_each_table(runs):
    runs.shop.server.commit(
        ("orders", "put", (5, "five"), None),
        ("names", "put", ("a", 1, 1), None),
        ("orders", "put", (6, "six"), (5,)),
        ("orders", "delete", (1,), None),
    )
    runs.shop.put((7, "seven"))
    report = runs.run().relay.report

    first, second = runs.names()
    begin, end, *others = runs.marks
    assert begin == {"status": "BEGIN", "id": first, "event_count": None, "data_collections": None, "ts_ms": None}
    tables = [("main.orders", 4), ("main.names", 1)]
    collections = [{"data_collection": table, "event_count": count} for table, count in tables]
    assert end == {**begin, "status": "END", "event_count": 5, "data_collections": collections}
    assert [(one["status"], one["id"], one["event_count"]) for one in others] == [
        ("BEGIN", second, None),
        ("END", second, 1),
    ]
    assert [one.key for one in runs.broker.topic(TOPIC)] == [
        json.dumps({"id": one["id"]}, separators=(",", ":")) for one in runs.marks
    ]
    named = [dict(one.headers).get("transactionid") for one in (*runs.events(), *runs.events("names"))]
    assert named == [None] * 4 + [first] * 4 + [second] + [first]
    assert report.topics == {TOPIC: 4, "cdc.main.orders": 5, "cdc.main.names": 1}


def test_a_transaction_that_batches_and_budgets_cut_has_one_begin_and_one_end(runs):
    runs.commit(10, 10)
    runs.commit(30, 1)
    runs.run()
    first, second = runs.names()
    assert runs.brief == [("BEGIN", first, None), ("END", first, 10), ("BEGIN", second, None), ("END", second, 1)]

    runs.commit(40, 10)
    inside = []
    for _ in range(12):
        runs.run(limits=Limits(batch_rows=3, max_rows=1))
        inside.append(runs.shop.saved.facts.get("transaction"))
    third = runs.names()[2]
    assert runs.brief[4:] == [("BEGIN", third, None), ("END", third, 10)]
    named = {"name": third} if runs.shop.server.named else {}
    assert inside[0] == {"place": runs.places()[2], **named, "time": None, "counts": {"main.orders": 1}}
    assert inside[-1] is None


@pytest.mark.parametrize("step", ["publish", "confirm", "save"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("nth", [1, 2, 3, 4])
def test_counts_are_right_although_a_run_was_killed_inside(runs, step, when, nth):
    runs.commit(10, 8)
    runs.shop.put(*((f"a{number}", number, number) for number in range(3)), table="names")
    runs.run(Crash(step, nth, when))
    runs.run()

    first, second = runs.names()
    expected = {("BEGIN", first, None), ("END", first, 8), ("BEGIN", second, None), ("END", second, 3)}
    assert set(runs.brief) == expected
    assert len(runs.broker.topic(TOPIC)) <= 8


def test_what_is_no_event_of_a_table_is_not_counted(runs):
    content = '{"id":1,"aggregatetype":"order","aggregateid":1,"type":null,"payload":1}'
    message = ("orders", "message", ("outbox", content), None)
    topics = {"outbox": "outbox.event.{aggregate_type}"}
    runs.shop.server.commit(message)
    runs.run(message_topics=topics)
    assert (runs.marks, len(runs.broker.topic("outbox.event.order"))) == ([], 1)
    runs.shop.server.commit(message, ("orders", "put", (9, "nine"), None))
    runs.shop.happen("truncate")
    runs.run(message_topics=topics, on_truncate="event")
    assert [one["event_count"] for one in runs.marks] == [None, 1, None, 1]


def test_a_transaction_that_began_before_marks_were_wanted_has_none(runs):
    runs.commit(10, 8)
    runs.run(topic=None, limits=Limits(batch_rows=3, max_rows=3))
    assert "transaction" not in runs.shop.saved.facts
    runs.run(limits=Limits(batch_rows=3, max_rows=3))
    runs.commit(30, 2)
    runs.run()
    assert runs.brief == [("BEGIN", runs.names()[1], None), ("END", runs.names()[1], 2)]

    runs.commit(40, 8)
    runs.run(limits=Limits(batch_rows=3, max_rows=3))
    assert runs.shop.saved.facts["transaction"]["counts"] == {"main.orders": 3}
    runs.run(topic=None)
    assert "transaction" not in runs.shop.saved.facts


def test_a_topic_of_something_else_is_refused_before_the_first_read(runs):
    runs.commit(10, 1)
    for topic, options, told in (
        ("cdc.main.orders", {}, "is the topic of table 'main.orders' too; nothing was read"),
        ("events", {"message_topics": {"outbox": "events"}}, "is the topic of message_topics= too"),
    ):
        with pytest.raises(ConfigurationError) as refused:
            runs.run(topic=topic, **options)
        assert told in str(refused.value)
    runs.broker = MemoryBroker(topics=["cdc.main.orders", "cdc.main.names"])
    with pytest.raises(ConfigurationError, match=f"there is no topic '{TOPIC}'"):
        runs.run()


@pytest.mark.parametrize(
    "fact",
    [1, {}, {"place": 1, "counts": {}}, {"place": "1", "counts": {"t": -1}}, {"place": "1", "name": 2, "counts": {}}],
)
def test_a_fact_that_can_not_be_understood_is_named(fact):
    facts = {"kind": "log", "source": "legacy", "tables": {}, "transaction": fact}
    with pytest.raises(WatermarkError, match="transaction"):
        check_log_facts("s", facts)
    for name in ({}, {"name": "0-1-7"}):
        check_log_facts("s", {**facts, "transaction": {"place": "1", **name, "time": None, "counts": {"t": 1}}})
