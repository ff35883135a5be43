"""Topic source: positions that a person writes, or that the log does not have, on every reader."""

from __future__ import annotations

import datetime as dt

import pytest

from airflow_legacy_events.core.errors import GapError, WatermarkError
from tests.support.reading import memory_world
from tests.support.topic_sources import ON_BOTH, Sink, moved, send, texts, without_epochs


def test_a_person_sets_offsets_without_epochs(world):
    topic = world.make(2)
    sink = Sink(world.reader, [topic])
    send(world, topic, 1, 2, 3)
    sink.run()
    moved(sink, f"{topic}[0]=1", f"{topic}[1]=0")
    assert sink.pending() == 2
    assert sink.run() == texts(2, 3)


def test_a_person_sets_positions_of_a_stream_that_has_not_begun(world):
    topic = world.make()
    send(world, topic, 1, 2, 3)
    sink = Sink(world.reader, [topic], {"first_run": "now"})
    moved(sink, f"{topic}[0]=2")
    assert sink.run() == texts(3)


@ON_BOTH
def test_a_person_sets_a_time_and_the_offset_found_is_kept(world):
    topic = world.make(2)
    begin = int(dt.datetime(2026, 11, 1, tzinfo=dt.UTC).timestamp() * 1_000)
    for at in range(4):
        send(world, topic, at, timestamp=begin + at * 1_000)
    sink = Sink(world.reader, [topic])
    moved(sink, f"{topic}[0]=2026-11-01T00:00:02+00:00", f"{topic}[1]=2026-11-01T00:00:02+00:00")
    assert sink.run(max_rows=1) == texts(2)
    assert without_epochs(sink.values) == [f"{topic}[0]=3", f"{topic}[1]=0"]
    moved(sink, f"{topic}[0]=2026-11-01T00:00:03+00:00<1", f"{topic}[1]=2027-11-01T00:00:00+00:00")
    assert sink.run() == texts(1, 2, 3)
    moved(sink, f"{topic}[0]=2027-11-01T00:00:00+00:00", f"{topic}[1]=0")
    assert sink.run() == []
    assert without_epochs(sink.values) == [f"{topic}[0]=4", f"{topic}[1]=0"]


def test_values_that_leave_out_a_partition_or_name_another_one_are_refused(world):
    topic = world.make(2)
    sink = Sink(world.reader, [topic])
    moved(sink, f"{topic}[0]=0")
    with pytest.raises(WatermarkError, match=r"has no position of .*\[1\]; nothing was read.\n.*watermark set"):
        sink.run()
    moved(sink, f"{topic}[0]=0", f"{topic}[1]=0")
    sink.run()
    for values, fault in (
        ([f"{topic}[0]=0"], r"has no position of"),
        ([f"{topic}[0]=0", f"{topic}[1]=0", "other[0]=1"], r"positions of other\[0\], which this run does not read"),
        ([f"{topic}[0]=0", f"{topic}[1]=0", f"{topic}[2]=1"], r"\[2\], which this run does not read"),
        ([f"{topic}[0]=x"], "names no position"),
        (["17"], "names no position"),
    ):
        moved(sink, *values)
        with pytest.raises(WatermarkError, match=fault):
            sink.run()
        with pytest.raises(WatermarkError, match=fault):
            sink.pending()


def test_another_list_of_topics_is_read_once_a_person_accepts_it(world, caplog):
    one, other = world.make(), world.make()
    sink = Sink(world.reader, [one])
    send(world, one, 1)
    send(world, other, 2)
    sink.run()
    sink.mark = sink.mark._replace(facts={k: v for k, v in sink.mark.facts.items() if k != "topic_ids"})
    sink.topics = [other]
    assert sink.run() == texts(2)
    assert f"positions of {one}[0] are dropped" in caplog.text
    assert without_epochs(sink.values) == [f"{other}[0]=1"]


@ON_BOTH
def test_deleted_messages_are_a_gap_with_its_count(world, caplog):
    topic = world.make(2)
    sink = Sink(world.reader, [topic])
    send(world, topic, 1)
    sink.run()
    send(world, topic, 2, 3, 4, 5)
    send(world, topic, 6, 7, partition=1)
    world.trim(topic, 0, 4)
    world.trim(topic, 1, 1)
    with pytest.raises(
        GapError, match=r"at most 4, 3 of .*\[0\], 1 of .*\[1\]; nothing was read\.\n.*on_gap='skip'"
    ) as it:
        sink.run()
    assert not it.value.retry_helps
    with pytest.raises(GapError):
        sink.pending()
    assert sorted(sink.run(on_gap="skip")) == texts(5, 7)
    assert sink.source.report()["deleted_unread"] == {f"{topic}[0]": 3, f"{topic}[1]": 1}
    assert sink.horizon.completeness == "best_effort"
    assert "on_gap='skip' passed at most 4 messages" in caplog.text
    sink.run()
    assert sink.horizon.completeness == "best_effort"


def test_a_skipped_gap_is_recorded_even_if_nothing_is_left(world):
    topic = world.make()
    sink = Sink(world.reader, [topic], {"on_gap": "skip"})
    send(world, topic, 1)
    sink.run()
    send(world, topic, 2, 3)
    world.trim(topic, 0, 3)
    assert sink.run() == []
    assert sink.values == [f"{topic}[0]=3"]
    sink.run()
    assert sink.batches == []
    assert sink.horizon.completeness == "best_effort"


@pytest.mark.parametrize("on_gap", ["fail", "skip"])
def test_messages_deleted_during_the_run_fail_it_or_are_passed(on_gap):
    world = memory_world()
    topic = world.make()
    send(world, topic, 1, 2, 3, 4)
    source = Sink(world.reader, [topic]).make(on_gap=on_gap, batch_rows=1)
    batches = source.open(None).batches
    next(batches)
    world.trim(topic, 0, 3)
    if on_gap == "fail":
        with pytest.raises(GapError):
            next(batches)
        return
    (last,) = batches
    assert list(last.rows.values) == texts(4)
    assert last.final
    assert source.lowered()[0] == "best_effort"
    assert source.report()["deleted_unread"] == {f"{topic}[0]": 2}


def test_a_position_beyond_the_end_of_the_log_is_refused(world):
    topic = world.make()
    sink = Sink(world.reader, [topic], {"on_gap": "skip"})
    send(world, topic, 1, 2)
    sink.run()
    moved(sink, f"{topic}[0]=3")
    with pytest.raises(
        WatermarkError, match=r"\[0\] at 3, the log ends at 2; nothing was read.*\n.*watermark set.*\n.*forget"
    ):
        sink.run()


@ON_BOTH
def test_a_topic_that_was_made_again_is_refused(world):
    topic = world.make()
    sink = Sink(world.reader, [topic], {"on_gap": "skip"})
    send(world, topic, 1)
    sink.run()
    world.remake(topic)
    send(world, topic, 2, 3)
    with pytest.raises(WatermarkError, match=r"was deleted and recreated.*nothing was read\.\n.*watermark forget s"):
        sink.run()
    with pytest.raises(WatermarkError, match="recreated"):
        sink.pending()


def test_another_cluster_or_kind_of_stream_is_refused(world):
    topic = world.make()
    sink = Sink(world.reader, [topic])
    sink.run()
    for fact, value in (("cluster", "other"), ("kind", "query")):
        wrong = sink.mark._replace(facts={**sink.mark.facts, fact: value})
        with pytest.raises(WatermarkError, match=f"was written for {fact} {value!r}"):
            sink.make().open(wrong)


@pytest.mark.parametrize(
    "fact", ["topic_ids", "partitions", "first", "later", "truncated", "standing", "caught_up", "lowered", "met"]
)
def test_a_fact_that_was_edited_wrongly_is_named(world, fact):
    topic = world.make()
    sink = Sink(world.reader, [topic])
    sink.run()
    wrong = sink.mark._replace(facts={**sink.mark.facts, fact: "x"})
    with pytest.raises(WatermarkError, match=f"holds a fact '{fact}' that can't be understood"):
        sink.make().open(wrong)
