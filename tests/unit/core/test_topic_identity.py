"""A topic that was deleted, and another one under its name: what a stream does that had delivered to the first."""

from __future__ import annotations

import logging
import sqlite3

import pytest

from airflow_legacy_events.brokers.memory import MemoryBroker
from airflow_legacy_events.core import topic_identity
from airflow_legacy_events.core.errors import SourceError, WatermarkError
from airflow_legacy_events.core.model import Repeat, Watermark, Window
from airflow_legacy_events.watermarks.memory import MemoryWatermarkStore
from tests.support.crashes import World
from tests.support.fakes import Entry, Outbox
from tests.support.runs import process, saved
from tests.support.streams import Deliveries


class WatchedStore(MemoryWatermarkStore):
    """Calls `then` once, after the first save of a delivered batch."""

    def __init__(self, then=None):
        super().__init__()
        self.then = then

    def save(self, stream, new, *, expected):
        super().save(stream, new, expected=expected)
        if new.values and self.then is not None:
            then, self.then = self.then, None
            then()


@pytest.fixture
def table(tmp_path):
    connection = sqlite3.connect(tmp_path / "legacy.db", isolation_level=None)
    connection.execute("CREATE TABLE orders (id integer PRIMARY KEY AUTOINCREMENT, note text NOT NULL)")
    connection.executemany("INSERT INTO orders (note) VALUES (?)", [["x"]] * 9)
    yield connection
    connection.close()


class Stream:
    """A stream, each run of which opens its broker."""

    def __init__(self, path, broker, **more):
        options = {"watermark_columns": ("id",)} | more.pop("options", {})
        self.broker = broker
        self.inner = Deliveries(f"sqlite:///{path}", broker, "t", store=WatchedStore(), options=options, **more)

    def run(self, **how):
        self.broker.open()
        return self.inner.run(batch_rows=3, **how)

    @property
    def mark(self):
        return self.inner.store.load(self.inner.name)

    @property
    def store(self):
        return self.inner.store

    @property
    def sent(self):
        return len(self.broker.topic("t"))


@pytest.fixture
def broker():
    return MemoryBroker()


@pytest.fixture
def make(table, tmp_path, broker):
    return lambda **more: Stream(tmp_path / "legacy.db", broker, **more)


def insert(table, rows=1):
    table.executemany("INSERT INTO orders (note) VALUES (?)", [["y"]] * rows)


def test_between_two_runs_the_stream_is_told_and_nothing_is_sent(make, table, broker):
    stream = make()
    stream.run()
    before = stream.mark
    assert before.facts["topic_id"] == "t.0"
    broker.remake("t")
    insert(table)

    with pytest.raises(WatermarkError) as told:
        stream.run()

    assert not told.value.retry_helps
    for part in (
        "topic 't' was deleted and recreated",
        "with the id 't.0'. The topic of that name now has 't.1'",
        "is not on it. Nothing was read",
        "watermark forget legacy.orders@topic`",
        "watermark set legacy.orders@topic --accept topic`, and replay the range that the topic lacks",
    ):
        assert part in str(told.value)
    assert (stream.sent, stream.mark) == (0, before)


def test_a_stream_that_was_told_to_go_on_does(make, table, broker):
    stream = make()
    stream.run()
    broker.remake("t")
    insert(table)
    accepted = {name: fact for name, fact in stream.mark.facts.items() if name != "topic_id"}
    stream.store.save(stream.inner.name, stream.mark._replace(facts=accepted), expected=stream.mark)

    assert stream.run().events == 1

    assert stream.mark.facts["topic_id"] == "t.1"


def test_in_the_middle_of_a_run_it_fails_and_so_does_the_next_one(make, broker):
    stream = make()
    stream.store.then = lambda: broker.remake("t")

    with pytest.raises(WatermarkError, match="wrote to it, topic 't' was deleted, or deleted and recreated"):
        stream.run()

    assert (stream.mark.values, stream.mark.facts["topic_id"]) == (("3",), "t.0")
    with pytest.raises(WatermarkError, match="was deleted and recreated"):
        stream.run()


def test_after_the_last_batch_of_a_run_it_fails_too(make, broker):
    stream = make()
    publish = broker.publish

    def last(messages, left_out=frozenset()):
        publish(messages, left_out)
        if broker.topic("t") and len(broker.topic("t")) == 6:
            confirm = broker.confirm
            broker.confirm = lambda: (confirm(), broker.remake("t"))[0]

    broker.publish = last
    with pytest.raises(WatermarkError, match="while this run"):
        stream.run()


def test_a_topic_of_dead_letters_counts_too(make, broker, table):
    broker._limits["t"] = 250
    table.execute("UPDATE orders SET note = ? WHERE id = 2", ["x" * 400])
    stream = make(dead_letter_topic="dead")
    stream.store.then = lambda: broker.remake("dead")

    with pytest.raises(WatermarkError, match="topic 'dead' was deleted"):
        stream.run()


@pytest.mark.parametrize("emptied", [False, True], ids=["first run", "nothing delivered yet"])
def test_a_stream_that_begins_takes_the_topic_that_is_there(make, table, broker, emptied, caplog):
    stream = make()
    if emptied:
        table.execute("DELETE FROM orders")
        stream.run()
        assert not stream.mark.values
        insert(table, 9)
    broker.remake("t")

    with caplog.at_level(logging.INFO):
        assert stream.run().events == 9

    assert ("starts over on topic t, which was recreated: t.1, before t.0" in caplog.text) == emptied
    assert stream.mark.facts["topic_id"] == "t.1"


def test_a_full_load_takes_the_topic_that_is_there(make, broker, caplog):
    stream = make(options={"watermark_columns": ()})
    stream.run()
    broker.remake("t")

    with caplog.at_level(logging.INFO):
        assert stream.run().events == 9

    assert stream.sent == 9
    assert [record.levelname for record in caplog.records if "starts over" in record.getMessage()] == ["INFO"]


def test_a_full_load_that_was_interrupted_begins_again_on_another_topic(make, broker):
    stream = make(options={"watermark_columns": ()})
    stream.store.then = lambda: (_ for _ in ()).throw(SourceError("cut"))
    with pytest.raises(SourceError):
        stream.run()
    assert stream.sent < 9
    broker.remake("t")

    assert stream.run().events == 9

    assert stream.sent == 9
    assert stream.mark.facts["load"] == {"number": 1, "done": True}


def test_a_full_load_whose_topic_is_made_anew_under_it_is_not_green(make, broker):
    stream = make(options={"watermark_columns": ()})
    stream.store.then = lambda: broker.remake("t")
    with pytest.raises(WatermarkError, match="while this run"):
        stream.run()
    assert stream.run().events == 9
    assert len({kept.key for kept in broker.topic("t")}) == 9


def test_a_watermark_without_the_fact_gets_it(make, table, broker):
    stream = make()
    stream.run()
    old = stream.mark._replace(facts={name: one for name, one in stream.mark.facts.items() if name != "topic_id"})
    stream.store.save(stream.inner.name, old, expected=stream.mark)
    insert(table)

    assert stream.run().events == 1

    assert stream.mark.facts["topic_id"] == "t.0"


def test_a_broker_that_tells_none_compares_nothing_and_what_is_known_stays(make, table, broker, monkeypatch):
    stream = make()
    stream.run()
    monkeypatch.setattr(broker, "topic_id", lambda topic: None)
    insert(table)

    assert stream.run().events == 1

    assert stream.mark.facts["topic_id"] == "t.0"


def test_the_progress_of_a_replay_counts_on_its_own_topic_only(make, broker):
    stream = make()
    stream.run()
    repeat = Repeat("replay", Window("id", "1", "99"), f"{stream.inner.name}#r")
    stream.store.then = lambda: (_ for _ in ()).throw(SourceError("cut"))
    with pytest.raises(SourceError):
        stream.run(repeat=repeat)
    assert stream.store.load(repeat.progress).values == ("3",)
    broker.remake("t")

    assert stream.run(repeat=repeat).events == 9

    assert stream.sent == 9


def test_an_identity_is_kept_only_where_none_is_found():
    known = Watermark(("1",), None, {"topic_id": "a"})
    assert topic_identity.kept(known, {"topic_id": None}) == {"topic_id": "a"}
    assert topic_identity.kept(known, {"topic_id": "b"}) == {}
    assert topic_identity.kept(None, {}) == topic_identity.kept(Watermark(None, None, {}), {}) == {}


def test_in_a_long_run_the_topic_is_looked_at_every_two_seconds():
    now, asked = [0.0], []

    class Broker:
        def remade(self):
            asked.append(now[0])
            return []

    topics = topic_identity.WrittenTopics(Broker(), "s", lambda: now[0])
    for now[0] in (0.5, 1.0, 2.0, 2.5, 3.9, 4.0, 4.1):
        topics.check(last=False)
    topics.check(last=True)
    assert asked == [2.0, 4.0, 4.1]


def test_rows_of_an_outbox_stay_where_the_topic_that_they_went_to_is_gone():
    world, table = World(), Outbox()
    table.commit(*(Entry(number, "k", "body") for number in range(1, 15)))
    made = process(world, table)
    made.remade = lambda: ["t"] if len(world.ids) > 6 else []

    with pytest.raises(WatermarkError, match="topic 't' was deleted"):
        made.relay.run()

    assert len(world.ids) > 6
    assert saved(world) == table.acknowledged == [1, 2, 3, 4, 5, 6]
    assert set(table.entries) == set(range(7, 15))
