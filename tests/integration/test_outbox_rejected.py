"""Rows of an outbox that can't be sent, on the real broker: what stays, what goes where, what goes on behind them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest

from airflow_legacy_events.core.errors import DeliveryError
from airflow_legacy_events.core.report import Report
from tests.support.brokers import opened
from tests.support.legacy import Legacy, reused_database
from tests.support.outbox import STREAM, Drain, create_outbox
from tests.support.topics import Topics

SCHEMA = {"type": "object", "properties": {"total": {"type": "number"}}}


@dataclass
class Outbox:
    """A table whose rows name their topic by their event type."""

    legacy: Legacy
    topics: Topics
    good: str

    def insert(self, *rows: tuple[str, str, str]) -> None:
        """Insert rows: aggregate, topic, payload."""
        marks = ", ".join(["('order', %s, %s, %s)"] * len(rows))
        statement = f"INSERT INTO outbox (aggregatetype, aggregateid, type, payload) VALUES {marks}"
        self.legacy.execute(statement, *(value for row in rows for value in row))

    def run(self, dead_letter_topic: str | None = None, **arguments: Any) -> Report:
        """Drain as a new task does, with a broker of its own."""
        broker = opened(self.topics.kafka, *([dead_letter_topic] if dead_letter_topic else []))
        names = {"topic": "{event_type}", "dead_letter_topic": dead_letter_topic}
        try:
            return Drain(self.legacy.url, broker, arguments=arguments, **names).run(batch_rows=100)
        finally:
            broker.close()

    def open(self) -> list[int]:
        return [int(number) for (number,) in self.legacy.execute("SELECT id FROM outbox ORDER BY id")]

    def sent(self, topic: str) -> list[tuple[str | None, str]]:
        """Keys and ids on a topic."""
        return [(message.key, dict(message.headers)["id"]) for message in self.topics.read(topic)]


@pytest.fixture
def outbox(request, topics):
    with reused_database(request, request.param) as legacy:
        create_outbox(legacy)
        yield Outbox(legacy, topics, topics.make())


on_two = pytest.mark.parametrize("outbox", ["postgresql-18", "mariadb-11.8"], indirect=True)


@on_two
def test_three_hundred_blocked_rows_keep_nothing_else_from_its_topic(outbox):
    missing = outbox.topics.name()
    outbox.insert(*((f"blocked {at}", missing, "{}") for at in range(300)))
    outbox.insert(*((f"free {at}", outbox.good, "{}") for at in range(150)))
    free = [(f"free {at}", str(301 + at)) for at in range(150)]

    for _ in range(2):  # the second run finds the same rows in front, and sends nothing again
        with pytest.raises(DeliveryError, match="300 rows were left at the source") as failed:
            outbox.run()
        named = re.findall(r"id (\d+) \(UNKNOWN_TOPIC_OR_PART", str(failed.value))
        assert named == [str(number) for number in range(1, 11)]
        assert "and 290 more" in str(failed.value)
        assert outbox.sent(outbox.good) == free
        assert outbox.open() == list(range(1, 301))

    outbox.topics.make(missing)
    assert outbox.run().events == 300
    assert outbox.sent(missing) == [(f"blocked {at}", str(1 + at)) for at in range(300)]
    assert outbox.open() == []


class Poison(NamedTuple):
    """A row that can't be sent.

    Attributes:
        error: how it is refused.
        topic: that it names: `good`, `small`, `other`, or one that is missing.
        payload: of it.
    """

    error: str
    topic: str
    payload: str


POISON = {
    "too large": Poison("MSG_SIZE_TOO_LARGE", "small", json.dumps({"total": 1, "text": "x" * 3_000})),
    "topic missing": Poison("UNKNOWN_TOPIC_OR_PART", "missing", '{"total": 1}'),
    "not allowed": Poison("TOPIC_NOT_ALLOWED", "other", '{"total": 1}'),
    "schema": Poison("INVALID_SCHEMA", "good", '{"total": "much"}'),
}


@pytest.fixture(params=POISON, ids=lambda name: name.replace(" ", "-"))
def poisoned(request, outbox):
    """A row of an aggregate that can't be sent, one before and one behind it, and one of another aggregate."""
    poison, make = POISON[request.param], outbox.topics.make
    topics = {"good": outbox.good, "small": make(max_message_bytes="1000"), "other": make(), "missing": "no-such"}
    named = topics[poison.topic]
    outbox.insert(("a", outbox.good, "{}"), ("a", named, poison.payload), ("a", outbox.good, "{}"))
    outbox.insert(("b", outbox.good, "{}"))
    arguments = {"allowed_topics": [outbox.good, topics["small"], "no-*"], "json_schema": {"*": SCHEMA}}
    return outbox, poison, named, arguments


@on_two
def test_a_row_that_fails_keeps_back_what_comes_behind_it_in_its_aggregate(poisoned):
    outbox, poison, named, arguments = poisoned
    with pytest.raises(DeliveryError, match=rf"2 rows were left at the source.*id 2 \({poison.error}: "):
        outbox.run(**arguments)
    assert outbox.sent(outbox.good) == [("a", "1"), ("b", "4")]
    assert outbox.open() == [2, 3]
    if poison.topic in ("small", "other"):
        assert outbox.topics.read(named) == []


@on_two
def test_a_row_that_goes_to_the_dead_letters_keeps_nothing_back(poisoned):
    outbox, poison, named, arguments = poisoned
    dead = outbox.topics.make()
    report = outbox.run(dead, **arguments)
    assert (report.rows, report.events, report.rejected, report.skipped) == (4, 3, 1, 0)
    assert outbox.sent(outbox.good) == [("a", "1"), ("a", "3"), ("b", "4")]
    assert outbox.open() == []

    [letter] = outbox.topics.read(dead)
    headers = dict(letter.headers)
    assert (letter.key, letter.value) == ("a", poison.payload)
    assert headers.pop("legacy-events-reason")
    assert headers == {
        "id": "2",
        "legacy-events-stream": STREAM,
        "legacy-events-key": "a",
        "legacy-events-error": poison.error,
        "legacy-events-position": '["2", "a"]',
    }
    if poison.topic in ("small", "other"):
        assert outbox.topics.read(named) == []
