"""Rows that can't be delivered stay at a source that can leave them, with what comes behind them in their group."""

from __future__ import annotations

import dataclasses
import json

import pytest

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.core import delivery, left_behind
from airflow_legacy_events.core.errors import DeliveryError, SourceError
from airflow_legacy_events.core.model import Rejection
from tests.support.crashes import World
from tests.support.fakes import Entry, Outbox
from tests.support.runs import process, report_of, saved


def table(*entries: tuple[str, str]) -> Outbox:
    outbox = Outbox()
    outbox.commit(*(Entry(number, key, body) for number, (key, body) in enumerate(entries, 1)))
    return outbox


def sent(made, topic="t") -> list[int]:
    return [json.loads(kept.value)["id"] for kept in made.broker.topic(topic)]


def limited(world, outbox, **options):
    made = process(world, outbox, **options)
    made.broker = MemoryBroker({"t": 100})
    return made


WIDE = "wide" * 50


def test_a_group_waits_behind_its_refused_row_and_the_others_are_delivered():
    world, outbox = World(), table(("a", "1"), ("b", WIDE), ("a", "3"), ("b", "4"), ("c", "5"), ("b", "6"), ("a", "7"))
    made = limited(world, outbox)

    with pytest.raises(DeliveryError) as left:
        made.relay.run()

    assert sent(made) == [1, 3, 5, 7]
    assert sorted(outbox.entries) == [2, 4, 6]
    assert saved(world) == outbox.acknowledged == [1, 3, 5, 7]
    message = str(left.value)
    assert "3 rows were left at the source, since 1 of them can't be delivered" in message
    assert "id 2 (MSG_SIZE_TOO_LARGE: 228 bytes, the topic allows 100)" in message
    assert "name a dead_letter_topic=" in message
    report = report_of(made)
    assert (report["rows"], report["events"], report["skipped"], report["topics"]) == (7, 4, 3, {"t": 4})
    assert report["target_reached"]
    assert report["backlog"] == {"rows": 3, "oldest_seconds": None, "bytes": None}


def test_what_comes_before_a_refused_row_of_its_group_is_delivered_once():
    world, outbox = World(), table(("b", "1"), ("b", WIDE), ("b", "3"), ("a", "4"))
    for found in ([1, 4], []):
        made = limited(world, outbox)
        with pytest.raises(DeliveryError, match="2 rows were left at the source"):
            made.relay.run()
        assert sent(made) == found
        assert sorted(outbox.entries) == [2, 3]


def test_once_mended_they_come_in_their_order():
    world, outbox = World(), table(("b", WIDE), ("b", "2"), ("a", "3"))
    with pytest.raises(DeliveryError):
        limited(world, outbox).relay.run()
    outbox.commit(Entry(1, "b", "short"))
    made = limited(world, outbox)

    made.relay.run()

    assert sent(made) == [1, 2]
    assert outbox.entries == {}


def test_blocked_rows_in_front_do_not_starve_the_others():
    world = World()
    outbox = table(*((f"bad{at}", WIDE) for at in range(20)), *((f"good{at}", "x") for at in range(5)))
    made = limited(world, outbox)

    with pytest.raises(DeliveryError, match="and 10 more"):
        made.relay.run()

    assert sent(made) == [21, 22, 23, 24, 25]


def test_a_dead_letter_lets_its_group_go_on():
    world, outbox = World(), table(("b", WIDE), ("b", "2"))
    made = limited(world, outbox)
    made.dead_letter_topic = "dead"

    made.relay.run()

    assert (sent(made), sent(made, "dead"), outbox.entries) == ([2], [1], {})


def test_what_an_envelope_refuses_is_left_too_and_never_sent():
    world, outbox = World(), table(("a", "1"), ("b", "2"), ("b", "3"))
    made = limited(world, outbox)
    inner = made.compile

    def compiled(shape, stream):
        encode = inner(shape, stream)
        return lambda batch: dataclasses.replace(encode(batch), refused=[Rejection(1, "NO_TOPIC", "not allowed")])

    made.relay.envelope = type("Refusing", (), {"compile": staticmethod(compiled)})

    with pytest.raises(DeliveryError, match=r"id 2 \(NO_TOPIC: not allowed\)"):
        made.relay.run()

    assert (sent(made), sorted(outbox.entries)) == ([1], [2, 3])


def test_what_only_the_broker_refuses_comes_again_behind_it():
    class Late(MemoryBroker):
        def refused(self, messages):
            return []

    world, outbox = World(), table(("b", WIDE), ("b", "2"), ("a", "3"))
    made = process(world, outbox)
    made.broker = Late({"t": 100})
    made.broker._refusal = lambda messages, at: MemoryBroker({"t": 100})._refusal(messages, at)

    with pytest.raises(DeliveryError):
        made.relay.run()

    assert sent(made) == [2, 3]
    assert sorted(outbox.entries) == [1, 2]
    assert report_of(made)["skipped"] == 2


def test_a_thousand_blocked_groups_end_the_run_at_once(monkeypatch):
    monkeypatch.setattr(left_behind, "MOST_GROUPS", 4)
    world, outbox = World(), table(("a", "1"), *((f"bad{at}", WIDE) for at in range(9)), ("z", "11"))
    made = limited(world, outbox)

    with pytest.raises(DeliveryError):
        made.relay.run()

    assert sent(made) == [1]
    assert saved(world) == [1]
    assert not made.relay.report.target_reached


def test_a_receipt_that_grows_large_is_saved_before_its_time(monkeypatch):
    monkeypatch.setattr(delivery, "RECEIPT_BYTES", 20)
    world = World()
    outbox = Outbox()
    outbox.commit(*(Entry(number, "k", "x") for number in range(1, 40, 2)))
    made = process(world, outbox)
    made.relay.clock = lambda: 0.0
    made.broker = MemoryBroker()

    made.relay.run()

    assert len(outbox.told) > 3
    assert outbox.entries == {}


def test_a_row_that_envelope_and_broker_refuse_is_one_dead_letter():
    world, outbox = World(), table(("a", "1"), ("b", WIDE))
    made = limited(world, outbox)
    made.dead_letter_topic = "dead"
    inner = made.compile

    def compiled(shape, stream):
        encode = inner(shape, stream)
        return lambda batch: dataclasses.replace(encode(batch), refused=[Rejection(1, "NO_TOPIC", "not allowed")])

    made.relay.envelope = type("Refusing", (), {"compile": staticmethod(compiled)})

    made.relay.run()

    (letter,) = made.broker.topic("dead")
    assert dict(letter.headers)["legacy-events-error"] == "NO_TOPIC"
    assert (report_of(made)["events"], report_of(made)["rejected"]) == (1, 1)


def test_a_dead_letter_goes_without_a_time_that_its_topic_would_refuse_too():
    class Strict(MemoryBroker):
        def refused(self, messages):
            late = [at for at, time in enumerate(messages.timestamps or ()) if time == 9]
            return [*super().refused(messages), *(Rejection(at, "INVALID_TIMESTAMP", "too late") for at in late)]

    world, outbox = World(), table(("a", "1"), ("b", "2"))
    made = process(world, outbox)
    made.broker, made.dead_letter_topic = Strict(), "dead"
    inner = made.compile

    def compiled(shape, stream):
        encode = inner(shape, stream)
        refused = [Rejection(1, "NO_TOPIC", "not allowed")]
        return lambda batch: dataclasses.replace(encode(batch), refused=refused, timestamps=[8, 9])

    made.relay.envelope = type("Refusing", (), {"compile": staticmethod(compiled)})

    made.relay.run()

    assert [kept.timestamp for kept in made.broker.topic("dead")] == [None]
    assert [kept.timestamp for kept in made.broker.topic("t")] == [8]


def test_what_was_left_is_told_though_the_source_could_not_tidy_up():
    world, outbox = World(), table(("b", WIDE))
    made = limited(world, outbox)

    def finish(lease, over):
        raise SourceError("the table is gone")

    made.inner.finish = finish

    with pytest.raises(DeliveryError, match="1 rows were left") as told:
        made.relay.run()

    assert isinstance(told.value.__context__, SourceError)
