"""Topic source: runs up to an end, budgets, and what a run costs that finds nothing, on every reader."""

from __future__ import annotations

import time

import pytest

from airflow_legacy_events.core.errors import ConfigurationError, StoppedError
from tests.support.topic_sources import ON_BOTH, Sink, send, texts, without_epochs


@ON_BOTH
def test_a_first_run_reads_all_and_the_next_one_what_came_since(world):
    topic = world.make()
    sink = Sink(world.reader, [topic])
    send(world, topic, 1, 2, 3)
    assert sink.pending() == 3
    assert sink.run() == texts(1, 2, 3)
    assert sink.final
    assert sink.horizon.completeness == "exact"
    assert without_epochs(sink.horizon.target) == without_epochs(sink.values) == [f"{topic}[0]=3"]
    assert sink.pending() == 0
    assert sink.run() == []
    assert sink.batches == []
    assert sink.horizon.target is None

    send(world, topic, 4)
    assert sink.pending() == 1
    assert sink.run() == texts(4)


def test_an_empty_topic_has_explicit_positions_after_its_first_run(world):
    topic = world.make(2)
    sink = Sink(world.reader, [topic])
    assert sink.run() == []
    assert sink.values == [f"{topic}[0]=0", f"{topic}[1]=0"]
    assert sink.final
    sink.run()
    assert sink.batches == []


@ON_BOTH
def test_batches_mix_partitions_and_topics_and_a_budget_ends_the_run(world):
    one, other = sorted([world.make(2), world.make()])
    two = [name for name in (one, other) if len(world.ends(name)) == 2]
    sink = Sink(world.reader, [one, other])
    for topic in (one, other):
        send(world, topic, *range(10))
    send(world, two[0], *range(10), partition=1)
    assert len(sink.run(batch_rows=4, max_rows=11)) == 11
    assert [batch.count <= 4 for batch in sink.batches] == [True] * len(sink.batches)
    assert not sink.final
    assert sink.horizon.left(sink.values) == 19
    assert sink.pending() == 19
    assert 0 < sink.batches[0].share < sink.batches[-1].share < 1
    assert len(sink.run()) == 19
    assert sink.final
    assert sink.batches[-1].share == 1
    assert len(set(sink.got)) == 30


def test_a_budget_that_is_used_up_at_the_target_reaches_it(world):
    topic = world.make()
    send(world, topic, 1, 2)
    sink = Sink(world.reader, [topic])
    assert sink.run(max_rows=2) == texts(1, 2)
    assert sink.final


def test_runs_that_are_shorter_than_what_comes_get_to_every_partition(world):
    topic = world.make(3)
    sink = Sink(world.reader, [topic], {"max_rows": 2})
    for number in range(3):
        send(world, topic, *range(10), partition=number)
    for _ in range(3):
        assert len(sink.run()) == 2
        assert not sink.final
    assert {partition for _, partition, _, _ in sink.got} == {0, 1, 2}


def test_some_partitions_are_read_by_number(world):
    topic = world.make(3)
    for number in range(3):
        send(world, topic, number, partition=number)
    sink = Sink(world.reader, [topic], {"partitions": [2, 0]})
    assert sorted(sink.run()) == texts(0, 2)
    assert without_epochs(sink.values) == [f"{topic}[0]=1", f"{topic}[2]=1"]
    with pytest.raises(ConfigurationError, match=r"partitions= names 3, which topic .* does not have.*It has 0 to 2"):
        Sink(world.reader, [topic], {"partitions": [3]}).run()


def test_a_run_ends_below_an_open_transaction_and_the_next_one_continues(world):
    topic = world.make()
    sink = Sink(world.reader, [topic])
    send(world, topic, 1)
    with world.transaction(topic) as write:
        write(("k", "2"))
        send(world, topic, 3)
        assert sink.run() == texts(1)
        assert sink.final
        assert sink.horizon.held_back.rows == 2
        assert sink.horizon.held_back.reason == "open_transaction"
        assert dict(sink.horizon.held_back.blocker) == {"topic": topic, "partition": 0, "offset": 1}
        assert sink.pending() == 0
    assert sink.run() == texts(2, 3)
    assert sink.horizon.held_back is None


def test_a_transaction_that_hangs_is_a_warning_with_the_command_that_finds_it(world, caplog):
    topic = world.make()
    send(world, topic, 1)
    with world.transaction(topic) as write:
        write(("k", "2"))
        for minutes, warned in ((14, False), (16, True)):
            caplog.clear()
            sink = Sink(world.reader, [topic], {"clock": lambda minutes=minutes: time.time() + 60 * minutes})
            sink.run()
            line = f"kafka-transactions.sh --bootstrap-server {world.reader.bootstrap} find-hanging --topic {topic}"
            assert (line in caplog.text) is warned
            assert (f"at offset 1 of partition 0 of topic '{topic}'" in caplog.text) is warned
            assert (sink.horizon.held_back.oldest_seconds > 60 * (minutes - 1)) is True
            assert line in sink.horizon.ends


@ON_BOTH
def test_control_records_at_the_end_cost_a_quiet_run_nothing(world):
    topic = world.make()
    with world.transaction(topic) as write:
        write(("k", "1"))
    with world.transaction(topic, commit=False) as write:
        write(("k", "2"))
    sink = Sink(world.reader, [topic])
    assert sink.run() == texts(1)
    assert sink.final
    assert sink.pending() == 0
    assert sink.run() == []
    assert sink.batches == []


def test_a_source_that_is_closed_reads_no_more(world):
    topic = world.make()
    send(world, topic, 1, 2)
    source = Sink(world.reader, [topic]).make(batch_rows=1)
    batches = source.open(None).batches
    next(batches)
    source.close()
    with pytest.raises(StoppedError):
        next(batches)
    early = Sink(world.reader, [topic]).make()
    early.close()
    with pytest.raises(StoppedError):
        next(early.open(None).batches)
