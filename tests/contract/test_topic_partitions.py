"""Topic source: partitions that came later, truncates that come on every partition, and compaction."""

from __future__ import annotations

import pytest

from airflow_legacy_events.core.errors import GapError
from tests.support.topic_sources import ON_BOTH, Sink, ages, moved, send, texts, without_epochs

TEN_MINUTES = 600


def truncates(received):
    return [(at, one.decode()[1:]) for at, one in enumerate(received.values) if one and one.startswith(b"T")]


def facts(sink):
    return sink.mark.facts


# --- partitions that came later


def test_a_partition_that_came_later_begins_at_its_start_behind_the_older_ones(world):
    topic = world.make()
    sink = Sink(world.reader, [topic], {"first_run": "now"})
    sink.run()
    send(world, topic, *range(10))
    world.grow(topic, 3)
    for number in (1, 2):
        send(world, topic, *range(10 * number, 10 * number + 10), partition=number)
    got = [int(one) for one in sink.run(batch_rows=4)]
    assert got[:10] == list(range(10))
    assert sorted(got) == list(range(30))
    assert sink.final
    assert sink.horizon.completeness == "exact"
    assert without_epochs(sink.values) == [f"{topic}[{number}]=10" for number in range(3)]


@ON_BOTH
def test_each_key_has_its_last_value_where_keys_moved_to_new_partitions(world):
    topic = world.make()
    sink = Sink(world.reader, [topic])
    sink.run()
    world.send(topic, *((f"k{key}", f"old{key}") for key in range(200)))
    world.grow(topic, 4)
    for number in range(4):
        messages = [(f"k{key}", f"new{key}") for key in range(200) if key % 4 == number]
        world.send(topic, *messages, partition=number)
    state = {}
    for value in sink.run(batch_rows=7):
        state[value[3:]] = value[:3]
    assert set(state.values()) == {b"new"}
    assert len(state) == 200


def test_runs_that_are_shorter_than_what_comes_still_get_to_a_new_partition(world):
    topic, later = world.make(), {}
    sink = Sink(world.reader, [topic], {"clock": ages(later), "max_rows": 3})
    send(world, topic, *range(3))
    sink.run()
    send(world, topic, *range(100, 106))
    world.grow(topic, 2)
    send(world, topic, 7, partition=1)
    assert sink.run() == texts(100, 101, 102)
    assert sink.source.report()["waiting"] == [f"{topic}[1]"]
    later["seconds"] = TEN_MINUTES + 1
    got = []
    for _ in range(3):  # the older partition never comes to its end, but to the one that was taken last
        send(world, topic, 200, 201, 202, 203)
        got += sink.run()
    assert b"7" in got
    assert got.index(b"7") > got.index(b"105")
    assert facts(sink)["later"] == []


def test_while_producers_may_not_know_a_partition_what_they_add_to_older_ones_comes_first(world):
    topic = world.make()
    sink = Sink(world.reader, [topic])
    sink.run()
    world.grow(topic, 2)
    send(world, topic, 1)
    send(world, topic, 2, partition=1)
    assert sink.run(max_rows=1) == texts(1)
    send(world, topic, 3)
    assert sink.run(batch_rows=1) == texts(3, 2)


def test_a_partition_that_came_later_waits_for_an_open_transaction_of_an_older_one(world):
    topic = world.make()
    sink = Sink(world.reader, [topic])
    sink.run()
    with world.transaction(topic) as write:
        write(("k", "1"))
        world.grow(topic, 2)
        send(world, topic, 2, partition=1)
        assert sink.run() == []
        assert sink.source.report()["waiting"] == [f"{topic}[1]"]
        assert sink.pending() == 0
    assert sink.run(batch_rows=1) == texts(1, 2)


def test_a_new_partition_whose_beginning_is_deleted_is_a_gap(world):
    topic = world.make()
    sink = Sink(world.reader, [topic])
    sink.run()
    world.grow(topic, 2)
    send(world, topic, 1, 2, partition=1)
    world.trim(topic, 1, 1)
    with pytest.raises(GapError, match=r"at most 1, 1 of .*\[1\]"):
        sink.run()
    assert sink.run(on_gap="skip") == texts(2)


def test_partitions_of_another_topic_do_not_wait(world):
    one, other = world.make(), world.make()
    sink = Sink(world.reader, [one])
    send(world, one, 1)
    sink.run()
    sink.topics = [one, other]
    send(world, one, 2)
    send(world, other, 3)
    assert sorted(sink.run()) == texts(2, 3)
    assert facts(sink)["later"] == []


# --- truncates on every partition


@ON_BOTH
def test_a_truncate_is_passed_on_once_all_partitions_have_reached_it_in_one_batch(world):
    topic = world.make(2)
    send(world, topic, "a", "Tx", "b")
    send(world, topic, "c", "d", partition=1)
    sink = Sink(world.reader, [topic], {"truncates": truncates})
    assert sorted(sink.run()) == texts("a", "c", "d")
    assert sink.final
    assert without_epochs(sink.values) == [f"{topic}[0]=1", f"{topic}[1]=2"]
    assert sink.source.report()["standing"] == {f"{topic}[0]": 1}
    assert sink.pending() == 0
    assert sink.run() == []
    assert sink.batches == []

    send(world, topic, "Tx", "e", partition=1)
    assert sink.pending() == 4
    got = sink.run()
    assert got[:2] == texts("Tx", "Tx")
    assert sorted(got[2:]) == texts("b", "e")
    assert [batch.count for batch in sink.batches if b"Tx" in batch.rows.values] == [2]
    assert facts(sink)["truncated"] == ["x"]
    assert sink.run() == []


def test_other_topics_are_read_on_while_one_stands_at_a_truncate(world):
    topic, other = world.make(2), world.make()
    send(world, topic, "Tx", "b")
    send(world, other, "Ty", "c")
    sink = Sink(world.reader, [topic, other], {"truncates": truncates})
    assert sink.run() == texts("Ty", "c")
    send(world, other, "d")
    assert sink.run() == texts("d")


def test_a_truncate_that_comes_again_is_passed(world):
    topic = world.make(2)
    for number in range(2):
        send(world, topic, "Tx", f"a{number}", "Tx", f"b{number}", partition=number)
    sink = Sink(world.reader, [topic], {"truncates": truncates})
    got = sink.run()
    assert got[:2] == texts("Tx", "Tx")
    assert sorted(got[2:]) == texts("a0", "a1", "b0", "b1")
    for number in range(2):
        send(world, topic, "Tx", partition=number)
    assert sink.run() == []
    assert sink.pending() == 0


def test_several_truncates_are_applied_in_their_order(world):
    topic = world.make(2)
    for number in range(2):
        send(world, topic, "Tx", f"a{number}", "Ty", "Tz", f"b{number}", partition=number)
    sink = Sink(world.reader, [topic], {"truncates": truncates})
    got = sink.run(batch_rows=2)
    assert [one for one in got if one.startswith(b"T")] == texts("Tx", "Tx", "Ty", "Ty", "Tz", "Tz")
    assert {*got[2:4]} == {b"a0", b"a1"}
    assert {*got[8:]} == {b"b0", b"b1"}


def test_a_truncate_that_other_partitions_do_not_have_is_passed_when_all_stand_at_others(world, caplog):
    topic = world.make(2)
    send(world, topic, "Tx", timestamp=1_000)
    send(world, topic, "a", "Ty", "b", timestamp=2_000)
    send(world, topic, "Ty", "c", partition=1, timestamp=2_000)
    sink = Sink(world.reader, [topic], {"truncates": truncates})
    got = sink.run()
    assert got[:3] == texts("a", "Ty", "Ty")
    assert sorted(got[3:]) == texts("b", "c")
    assert f"a truncate of {topic}[0] is passed" in caplog.text


def test_a_truncate_that_is_never_complete_is_a_warning_in_every_run(world, caplog):
    topic = world.make(2)
    send(world, topic, "a", "Tx", "b")
    sink = Sink(world.reader, [topic], {"truncates": truncates})
    sink.run()
    assert "never come" not in caplog.text
    sink.run()
    assert f"waits at the truncates {topic}[0] at 1" in caplog.text
    moved(sink, f"{topic}[0]=2", f"{topic}[1]=0")
    assert sink.run() == texts("b")


@pytest.mark.parametrize("batches", range(5))
def test_a_kill_at_any_batch_around_a_truncate_repeats_and_loses_nothing(world, batches):
    topic = world.make(2)
    for number in range(2):
        send(world, topic, f"a{number}", "Tx", f"b{number}", partition=number)
    sink = Sink(world.reader, [topic], {"truncates": truncates})
    got = sink.run(batch_rows=1, batches=batches) + sink.run(batch_rows=1)
    assert sorted(got) == texts("Tx", "Tx", "a0", "a1", "b0", "b1")
    first = got.index(b"Tx")
    assert got[first + 1] == b"Tx"
    assert {*got[:first]} == {b"a0", b"a1"}


# --- compaction


@pytest.mark.parametrize(("hours", "level"), [(23, "exact"), (25, "best_effort")])
def test_a_compacted_topic_is_best_effort_if_tombstones_may_be_gone(world, hours, level, caplog):
    topic, later = world.make(cleanup_policy="compact"), {}
    sink = Sink(world.reader, [topic], {"clock": ages(later)})
    send(world, topic, 1)
    sink.run()
    assert sink.horizon.completeness == "exact"
    later["seconds"] = hours * 3_600
    send(world, topic, 2)
    assert sink.run() == texts(2)
    assert sink.horizon.completeness == level
    assert ("keeps tombstones for 86400 s" in caplog.text) is (level == "best_effort")
    assert sink.run() == []
    assert sink.horizon.completeness == level


@pytest.mark.parametrize("world", ["kafka"], indirect=True)
def test_the_topic_itself_says_how_long_it_keeps_tombstones(world, caplog):
    topic, later = world.make(cleanup_policy="compact", delete_retention_ms="100"), {}
    sink = Sink(world.reader, [topic], {"clock": ages(later)})
    send(world, topic, 1)
    sink.run()
    later["seconds"] = 60
    world.send(topic, ("k1", None))
    assert sink.run() == [None]
    assert sink.horizon.completeness == "best_effort"
    assert "keeps tombstones for 0.1 s" in caplog.text


def test_quiet_runs_are_noted_where_tombstones_may_be_removed(world):
    topic, later = world.make(cleanup_policy="compact"), {}
    sink = Sink(world.reader, [topic], {"clock": ages(later)})
    send(world, topic, 1)
    saved = 0
    for hour in range(72):
        later["seconds"] = hour * 3_600
        sink.run()
        saved += len(sink.batches)
    send(world, topic, 2)
    sink.run()
    assert sink.horizon.completeness == "exact"
    assert saved <= 13


def test_a_run_that_leaves_messages_does_not_count_as_one_that_read_all(world):
    topic, later = world.make(cleanup_policy="compact"), {}
    sink = Sink(world.reader, [topic], {"clock": ages(later)})
    send(world, topic, 1, 2, 3)
    sink.run(max_rows=1)
    later["seconds"] = 20 * 3_600
    sink.run(max_rows=1)
    later["seconds"] = 25 * 3_600
    sink.run()
    assert sink.horizon.completeness == "best_effort"
    assert sink.source.lowered() is None


def test_a_run_that_takes_longer_than_tombstones_are_kept_says_so_at_its_end(world):
    topic, later = world.make(cleanup_policy="compact"), {}
    send(world, topic, 1)
    sink = Sink(world.reader, [topic], {"clock": ages(later)})
    source = sink.make()
    opened = source.open(None)
    assert opened.horizon.completeness == "exact"
    later["seconds"] = 25 * 3_600
    (batch,) = opened.batches
    assert batch.final
    assert source.lowered()[0] == "best_effort"
    assert "compaction" in batch.watermark.facts["lowered"]


def test_what_messages_say_lowers_completeness_too_and_is_kept(world):
    topic, said = world.make(), {}
    sink = Sink(world.reader, [topic], {"met": lambda: said})
    send(world, topic, 1)
    sink.run()
    assert sink.source.lowered() is None
    said["lowered"] = {"snapshot": "a snapshot began behind streamed changes"}
    level, reason = sink.source.lowered()
    assert level == "best_effort"
    assert "a snapshot began" in reason
    sink.mark = sink.mark._replace(facts={**sink.mark.facts, "met": dict(said)})
    sink.run(met=dict)
    assert sink.horizon.completeness == "best_effort"
    send(world, topic, 2)
    sink.run(met=dict)
    assert sink.mark.facts["met"] == said
