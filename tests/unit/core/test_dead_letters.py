"""Messages that the broker refuses: dead letters, or a red run; never skipped."""

from __future__ import annotations

import json

import pytest

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.core.columns import Column, Kind, Shape
from airflow_legacy_events.core.dead_letters import dead_letters
from airflow_legacy_events.core.errors import DeliveryError
from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.model import Batch, Messages, Rejection, Watermark
from tests.support.crashes import World
from tests.support.fakes import Entry, Outbox
from tests.support.runs import process, report_of, saved


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def table() -> Outbox:
    outbox = Outbox()
    outbox.commit(*(Entry(number, "k", "wide" * 50 if number in (5, 6, 11) else "short") for number in range(1, 15)))
    return outbox


def test_a_rejection_without_a_dead_letter_topic_fails_the_run_and_moves_nothing(world, table):
    made = process(world, table)
    made.broker = MemoryBroker({"t": 100})
    made.inner.without = lambda batch, rows: None

    with pytest.raises(DeliveryError) as refused:
        made.relay.run()

    message = str(refused.value)
    assert "2 of 3 messages were rejected by topic 't'; first: message 1 of the batch, MSG_SIZE_TOO_LARGE" in message
    assert "name a dead_letter_topic=" in message
    assert [one.index for one in refused.value.rejected] == [1, 2]
    assert saved(world) == table.acknowledged == [1, 2, 3]
    report, sent = report_of(made), made.broker.topic("t")
    assert (report["rows"], report["events"], report["rejected"], report["topics"]) == (4, 4, 0, {"t": 4})
    assert report["bytes"] == sum(len(key) + len(value) for key, value, _, _ in sent)
    assert (report["batches"], len(sent)) == (1, 4)


def test_dead_letters_are_the_rejected_messages_and_why(world, table):
    made = process(world, table)
    made.broker, made.dead_letter_topic = MemoryBroker({"t": 100, "dead": 1000}), "dead"

    made.relay.run()

    topic, dead = made.broker.topic("t"), made.broker.topic("dead")
    assert [json.loads(letter.value)["id"] for letter in dead] == [5, 6, 11]
    assert len(topic) == 11
    key, _, headers, _ = dead[0]
    assert key == "k"
    assert headers[-5:] == (
        ("legacy-events-stream", "crm.outbox@t"),
        ("legacy-events-key", "k"),
        ("legacy-events-error", "MSG_SIZE_TOO_LARGE"),
        ("legacy-events-reason", "228 bytes, the topic allows 100"),
        ("legacy-events-position", '["5", "k"]'),
    )
    report = report_of(made)
    assert (report["rows"], report["events"], report["rejected"], report["topics"]) == (14, 11, 3, {"t": 11})
    assert report["bytes"] == sum(len(key) + len(value) for key, value, _, _ in topic)
    assert saved(world) == list(range(1, 15))


def test_a_dead_letter_that_is_itself_rejected_fails_the_run(world, table):
    made = process(world, table)
    made.broker, made.dead_letter_topic = MemoryBroker({"t": 100, "dead": 150}), "dead"

    with pytest.raises(DeliveryError, match="The dead-letter topic 'dead' rejected 2 of them too") as refused:
        made.relay.run()

    assert len(refused.value.rejected) == 2
    assert saved(world) == [1, 2, 3]
    report = report_of(made)
    assert (report["rows"], report["events"], report["rejected"]) == (4, 4, 0)


def test_an_unknown_fate_never_becomes_a_dead_letter(world, table):
    class Lost(MemoryBroker):
        def confirm(self):
            raise DeliveryError("3 messages timed out; their fate is unknown")

    made = process(world, table)
    made.broker, made.dead_letter_topic = Lost(), "dead"

    with pytest.raises(DeliveryError, match="fate is unknown"):
        made.relay.run()

    assert saved(world) == []
    assert made.broker.topic("dead") == []


def test_a_page_rate_does_not_change_what_is_dead_lettered(world, table):
    made = process(world, table, batch_rows=1)
    made.relay.limits = Limits(rows_per_second=1e9)
    made.broker, made.dead_letter_topic = MemoryBroker({"t": 100, "dead": 1000}), "dead"

    made.relay.run()

    assert report_of(made)["rejected"] == 3


def test_the_position_is_the_watermark_and_own_headers_and_a_missing_key_are_kept():
    columns = tuple(Column(name, kind, "") for name, kind in [("id", Kind.INTEGER), ("at", Kind.TIMESTAMP)])
    shape = Shape(columns, data=(0, 1), key=(0,), watermark=(1, 0))
    batch = Batch(shape, [(7, "2026-01-01"), (b"\x08", None)], 2, Watermark(("8",), None, {}), "u")
    messages = Messages("t", [None, "8"], ["{}", None], (("content-type", "x"),), [(("mode", "rerun"),), ()])

    letters = dead_letters("dead", "s", batch, messages, [Rejection(0, "E", "why"), Rejection(1, "E", "why")])

    assert (letters.topic, letters.keys, letters.values) == ("dead", [None, "8"], ["{}", None])
    assert letters.headers == (("content-type", "x"),)
    first, second = (dict(headers) for headers in letters.each)
    assert (first["mode"], first["legacy-events-key"]) == ("rerun", "")
    assert first["legacy-events-position"] == '["2026-01-01", "7"]'
    assert second["legacy-events-position"] == '[null, "08"]'


def test_a_dead_letter_keeps_its_timestamp_unless_that_was_refused():
    shape = Shape((Column("id", Kind.INTEGER, ""),), data=(0,), key=(0,))
    batch = Batch(shape, [("1",), ("2",), ("3",)], 3, Watermark(("3",), None, {}), "u")
    messages = Messages("t", ["1", "2", "3"], ["{}"] * 3, timestamps=[11, None, 13])
    refused = [
        Rejection(0, "MSG_SIZE_TOO_LARGE", "why"),
        Rejection(1, "E", "why"),
        Rejection(2, "INVALID_TIMESTAMP", ""),
    ]

    assert dead_letters("dead", "s", batch, messages, refused).timestamps == [11, None, None]
    messages.timestamps = None
    assert dead_letters("dead", "s", batch, messages, refused).timestamps is None
