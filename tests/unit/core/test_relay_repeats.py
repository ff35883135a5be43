"""Runs that send again: their progress lies apart, the live watermark stays, every message says what it is."""

from __future__ import annotations

import pytest

from airflow_legacy_events.core.model import Opened, Repeat, Watermark, Window
from tests.support.crashes import STREAM, Crash, Killed, Process, World
from tests.support.fakes import Entry, Outbox, OutboxSource
from tests.support.runs import process, report_of

PROGRESS = f"{STREAM.name}#scheduled__1"
REPLAY = Repeat("replay", Window("at", "1", "9"), PROGRESS)
LIVE = Watermark(("3",), None, {"topic": "t"})


@pytest.fixture
def world() -> World:
    world = World()
    world.store.save(STREAM.name, LIVE, expected=None)
    return world


@pytest.fixture
def table() -> Outbox:
    outbox = Outbox()
    outbox.commit(*(Entry(number, "k", "body") for number in range(1, 9)))
    return outbox


class Window9(OutboxSource):
    """The same rows as a window: nothing to acknowledge, read above the progress."""

    def open(self, at, window=None):
        assert window == REPLAY.what
        horizon, batches = super().open(at)
        return Opened(horizon, self.above(int(at.values[0]) if at is not None and at.values else 0, batches))

    def above(self, after, batches):
        for batch in batches:
            batch.rows = [row for row in batch.rows if int(row[0]) > after]
            batch.count, batch.after = len(batch.rows), batch.after._replace(receipt=None)
            yield batch


def replay(world, table, crash=None):
    made = process(world, table)
    made.inner, made.crash, made.relay.repeat = Window9(table), crash, REPLAY
    made.relay.__post_init__()
    return made


def test_it_neither_reads_nor_moves_the_live_watermark_and_leaves_no_progress(world, table):
    made = replay(world, table)
    made.relay.run()

    assert world.ids == [1, 2, 3, 4, 5, 6, 7, 8]
    assert world.store.load(STREAM.name) == LIVE
    assert list(world.store.texts) == [STREAM.name]


def test_its_report_names_the_mode_and_the_window_and_the_stream(world, table):
    made = replay(world, table)
    made.relay.run()

    report = report_of(made)
    assert (report["mode"], report["window"]) == ("replay", {"from": "1", "to": "9"})
    assert report["stream"] == STREAM.name
    assert str(made.relay.report).startswith("crm.outbox@t: replay, 8 events")


def test_its_messages_carry_the_mode_as_a_header_and_those_of_a_live_run_none(world, table):
    seen = []
    for made in (replay(world, table), process(world, table)):
        publish = made.publish
        made.publish = lambda messages, left, publish=publish: (seen.append(messages.headers), publish(messages, left))
        made.relay.run()

    kinds = {tuple(name for name, _ in headers) for headers in seen}
    assert ("mode", "replay") in seen[0]
    assert kinds == {("content-type", "mode"), ("content-type",)}


STEPS = ["load", "open", "read", "encode", "publish", "confirm", "save", "forget"]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("when", ["before", "inside", "after"])
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_try_that_dies_anywhere_is_finished_by_the_next_one(world, table, step, when, nth):
    replay(world, table, Crash(step, nth, when)).run()
    assert replay(world, table).run()

    assert set(world.ids) == {1, 2, 3, 4, 5, 6, 7, 8}
    assert list(world.store.texts) == [STREAM.name]
    assert world.store.load(STREAM.name) == LIVE


def test_a_try_that_dies_repeats_only_what_it_had_not_saved(world, table):
    assert not replay(world, table, Crash("publish", 3)).run()
    assert world.store.load(PROGRESS).values == ("6",)
    assert replay(world, table).run()

    assert world.ids == [1, 2, 3, 4, 5, 6, 7, 8]


def test_a_stopped_replay_keeps_its_progress(world, table):
    made = replay(world, table, Crash("forget", 1))

    with pytest.raises(Killed):
        made.relay.run()

    assert world.store.load(PROGRESS).values == ("8",)
    assert isinstance(made, Process)


@pytest.mark.parametrize("fact", ["topic", "cluster"])
def test_the_progress_towards_another_topic_counts_for_nothing(world, table, fact):
    elsewhere = Watermark(("5",), None, {"topic": "t", "cluster": "c", fact: "other"})
    world.store.save(PROGRESS, elsewhere, expected=None)
    made = replay(world, table)
    made.relay.facts = {"topic": "t", "cluster": "c"}

    report = made.relay.run()

    assert (world.ids, report.watermark_from) == ([1, 2, 3, 4, 5, 6, 7, 8], None)
    assert list(world.store.texts) == [STREAM.name]
