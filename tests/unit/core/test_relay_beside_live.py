"""Repeats into the live topic: the progress passes a batch only once nothing of it is overtaken, wherever it dies."""

from __future__ import annotations

import dataclasses
import json

import pytest

from airflow_legacy_events.core.errors import StoppedError
from airflow_legacy_events.core.model import Opened, Repeat, Window
from tests.support.crashes import STREAM, Crash, World
from tests.support.fakes import Entry, Outbox, OutboxSource
from tests.support.runs import process, report_of

PROGRESS = f"{STREAM.name}#scheduled__1"
REPLAY = Repeat("replay", Window("at", "1", "9"), PROGRESS, beside_live=True)


@pytest.fixture
def world() -> World:
    return World()


class Moving(OutboxSource):
    """Rows 1 to 6 in batches of three; behind a batch its first row is found changed, and then once more."""

    def open(self, at, window=None):
        horizon, batches = super().open(at)
        return Opened(horizon, self.above(int(at.values[0]) if at is not None and at.values else 0, batches))

    def above(self, after, batches):
        for batch in batches:
            batch.rows = [row for row in batch.rows if int(row[0]) > after]
            batch.count, batch.after = len(batch.rows), batch.after._replace(receipt=None)
            yield batch

    def overtaken(self, batch):
        for version in ("newer", "newest"):
            row = (batch.rows[0][0], "k", version)
            yield dataclasses.replace(batch, rows=[row], count=1)


def replay(world, crash=None, repeat=REPLAY):
    table = Outbox()
    table.commit(*(Entry(number, "k", "old") for number in range(1, 7)))
    made = process(world, table)
    made.inner, made.crash, made.relay.repeat = Moving(table), crash, repeat
    made.relay.__post_init__()
    return made


def bodies(world, number):
    found = [json.loads(value) for _, value in world.topic]
    return [one["body"] for one in found if one["id"] == str(number) or one["id"] == number]


def test_what_has_changed_is_sent_behind_its_batch_and_counted(world):
    made = replay(world)
    made.relay.run()

    assert world.ids == [1, 2, 3, 1, 1, 4, 5, 6, 4, 4]
    assert bodies(world, 4) == ["old", "newer", "newest"]
    assert (report_of(made)["events"], report_of(made)["batches"]) == (10, 6)
    assert made.relay.report.target_reached


def test_no_progress_is_saved_between_a_batch_and_its_last_look(world):
    made = replay(world)
    made.relay.run()
    steps = [step for step in made.steps if step in ("publish", "look", "save")]

    assert [None if mark.values is None else mark.values[0] for mark in world.saved] == [
        *[None] * 4,
        *["3"] * 4,
        "6",
    ]
    assert steps[:9] == ["save", "publish", "save", "look", "publish", "save", "look", "publish", "save"]


@pytest.mark.parametrize("step", ["publish", "confirm", "look", "encode", "save"])
@pytest.mark.parametrize("nth", range(1, 7))
@pytest.mark.parametrize("when", ["before", "inside", "after"])
def test_wherever_a_try_dies_the_next_one_leaves_the_newest_behind_all_others(world, step, nth, when):
    replay(world, Crash(step, nth, when)).run()
    assert replay(world).run()

    assert set(world.ids) == {1, 2, 3, 4, 5, 6}
    assert [bodies(world, number)[-1] for number in (1, 4)] == ["newest", "newest"]
    assert list(world.store.texts) == []


def test_a_stop_between_two_looks_leaves_the_batch_to_the_next_try(world):
    made = replay(world)
    look = made.overtaken
    made.overtaken = lambda batch: (made.relay.stop.request() or more for more in look(batch))

    with pytest.raises(StoppedError, match="was stopped after 3 rows"):
        made.relay.run()
    assert world.ids == [1, 2, 3]
    assert replay(world).run()
    assert world.ids == [1, 2, 3, 1, 2, 3, 1, 1, 4, 5, 6, 4, 4]


def test_another_topic_is_not_looked_at(world):
    made = replay(world, repeat=REPLAY._replace(beside_live=False))
    made.relay.run()

    assert world.ids == [1, 2, 3, 4, 5, 6]
    assert "look" not in made.steps
