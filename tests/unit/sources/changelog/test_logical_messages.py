"""Logical messages of a log: outbox events on the topics that they name, beside the changes of tables."""

from __future__ import annotations

import itertools
import json
from contextlib import closing

import pytest

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.core.errors import ConfigurationError, DeliveryError
from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.envelopes.outbox import LoggedEnvelope
from airflow_legacy_events.envelopes.plain import PlainEnvelope
from tests.support.crashes import Crash
from tests.support.log_runs import LogProcess, SteppedBroker, ended

TOPICS = {"outbox": "outbox.event.{aggregate_type}"}
BAD = '{"id": "secret"}'


def event(number, of="order", aggregate="7", **more):
    members = {"id": f"e{number}", "aggregatetype": of, "aggregateid": aggregate, "type": "Placed"}
    return json.dumps({**members, "payload": {"n": number}, **more})


class Runs:
    """Runs of a stream with messages, and the topics that they write to."""

    def __init__(self, shop):
        self.shop, self.broker, self.dead_letter_topic, self.headers = shop, MemoryBroker(), None, ()

    def emit(self, *contents, prefix="outbox"):
        self.shop.server.commit(*(("orders", "message", (prefix, one), None) for one in contents))

    def run(self, crash=None, topics=TOPICS, **options):
        source = self.shop.source(message_topics=topics, **options)
        process = LogProcess(self.shop.world, source, crash, itertools.count().__next__)
        process.broker, process.envelope = SteppedBroker(process, self.broker), LoggedEnvelope(PlainEnvelope())
        process.dead_letter_topic = self.dead_letter_topic
        process.relay.stream = process.relay.stream._replace(headers=self.headers)
        with closing(source.database), closing(source):
            try:
                process.run()
            finally:
                ended()
        return process

    def topic(self, name):
        return self.broker.topic(f"outbox.event.{name}")


@pytest.fixture
def runs(shop):
    """A stream whose first run is over."""
    shop.run(message_topics=TOPICS)
    return Runs(shop)


def test_a_message_is_an_event_on_the_topic_of_its_template(runs):
    content = event(1, payload="placed", headers={"tenant": "acme"}, timestamp=1795425302123)
    runs.emit(content, event(2, of="customer", payload=None))
    report = runs.run().relay.report

    [placed] = runs.topic("order")
    assert (placed.key, placed.value, placed.timestamp) == ("7", "placed", 1795425302123)
    assert placed.headers == (("id", "e1"), ("tenant", "acme"))
    [gone] = runs.topic("customer")
    assert (gone.key, gone.value, gone.headers) == ("7", None, (("id", "e2"),))
    assert (report.rows, report.events, report.topics) == (
        2,
        2,
        {f"outbox.event.{one}": 1 for one in ("order", "customer")},
    )


def test_messages_of_one_transaction_keep_their_order_beside_changes(runs):
    puts = [("orders", "put", (number, "x"), None) for number in (5, 6)]
    messages = [("orders", "message", ("outbox", event(number)), None) for number in range(7)]
    runs.shop.server.commit(puts[0], *messages[:3], puts[1], *messages[3:])
    runs.shop.put((5, "y"))
    process = runs.run()

    assert [json.loads(one.value)["n"] for one in runs.topic("order")] == list(range(7))
    assert [one.key for one in runs.broker.topic("cdc.main.orders")] == ["5", "6", "5"]
    assert process.relay.report.rows == 10
    assert process.steps.count("confirm") <= 5  # not one for each message
    assert runs.run().relay.report.rows == 0


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_kill_between_messages_repeats_what_was_not_saved_with_equal_ids(runs, when):
    runs.emit(*(event(number) for number in range(7)))
    runs.run(Crash("save", 2, when))
    cut = len(runs.topic("order"))
    runs.run()

    ids = [dict(one.headers)["id"] for one in runs.topic("order")]
    repeated = 3 if when == "before" else 0
    assert cut == 6
    assert ids == [f"e{number}" for number in (*range(6), *range(6 - repeated, 7))]


def test_a_prefix_that_is_not_named_is_no_event(runs):
    runs.emit(BAD, prefix="audit")
    assert runs.run().relay.report.rows == 0


def test_what_is_no_event_ends_the_run_and_is_named_without_its_content(runs):
    runs.emit(event(1), BAD, event(2))
    for _ in range(2):
        with pytest.raises(DeliveryError) as refused:
            runs.run()
        said = str(refused.value)
        place = runs.shop.server.log[-1].commit
        assert f"the logical message with prefix 'outbox' at {place} of the log, number 2 there is no outbox" in said
        assert "it has no member 'aggregatetype', 'aggregateid', 'type', 'payload'" in said
        assert "\nWith dead_letter_topic=" in said
        assert "secret" not in said


def test_what_is_no_event_is_a_dead_letter_as_it_is(runs):
    runs.dead_letter_topic = "dead"
    runs.emit(event(1), BAD, b"\xe9", event(2, headers=[1]), event(3, type=None, of=" "), event(4))
    report = runs.run(topics={"outbox": "outbox.event.{event_type}"}).relay.report

    assert [json.loads(one.value)["n"] for one in runs.topic("Placed")] == [1, 4]
    dead = runs.broker.topic("dead")
    assert [one.value for one in dead] == [BAD, b"\xe9", '{"n": 2}', '{"n": 3}']
    said = [dict(one.headers) for one in dead]
    assert [one["legacy-events-error"] for one in said] == ["INVALID_MESSAGE"] * 2 + [
        "INVALID_HEADERS",
        "TOPIC_NOT_ALLOWED",
    ]
    assert all(
        f"prefix 'outbox' at {runs.shop.server.log[-1].commit} of" in one["legacy-events-reason"] for one in said
    )
    assert (report.rows, report.events, report.rejected) == (6, 2, 4)


def test_headers_of_the_operator_are_on_messages_too_unless_they_name_columns_of_tables(runs):
    runs.headers = (("tenant", "acme"), ("kind", "{event_type}"))
    runs.emit(event(1))
    runs.run()
    [found] = runs.topic("order")
    assert dict(found.headers) == {"tenant": "acme", "id": "e1", "kind": "Placed"}
    runs.headers = (("note", "{note}"),)
    runs.emit(event(2))
    runs.shop.put((9, "nine"))
    runs.run()
    assert dict(runs.topic("order")[-1].headers) == {"id": "e2"}
    assert dict(runs.broker.topic("cdc.main.orders")[-1].headers)["note"] == "nine"


def test_a_topic_without_names_is_asked_for_before_the_first_read(runs):
    runs.emit(event(1))
    runs.broker = MemoryBroker(topics=["cdc.main.orders", "cdc.main.names"])
    with pytest.raises(ConfigurationError, match=r"there is no topic 'events'\. Nothing was read"):
        runs.run(topics={"outbox": "events"})
    runs.broker = MemoryBroker(compacted=["events"])
    assert runs.run(topics={"outbox": "events"}, on_truncate="event").relay.report.events == 1
    runs.emit(event(1))
    with pytest.raises(ConfigurationError, match=r"one topic, 'cdc\.main\.orders', to messages and to table"):
        runs.run(topics={"outbox": "cdc.main.orders"})


def test_a_budget_counts_messages(runs):
    runs.emit(*(event(number) for number in range(7)))
    assert runs.run(limits=Limits(batch_rows=3, max_rows=3)).relay.report.rows == 3
    assert runs.run().relay.report.rows == 4


def test_a_log_may_be_read_for_its_messages_alone(shop):
    runs = Runs(shop)
    runs.run(tables=[])
    runs.emit(event(1))
    shop.put((5, "five"))
    assert runs.run(tables=[]).relay.report.topics == {"outbox.event.order": 1}
