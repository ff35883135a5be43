"""A stop ends a run wherever it waits, never green, with everything confirmed saved."""

from __future__ import annotations

import itertools
import threading

import pytest

from airflow_legacy_events.core.errors import StoppedError
from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.stop import Stop
from tests.support.crashes import Process, World
from tests.support.fakes import Entry, Outbox
from tests.support.runs import process, report_of, saved


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def table() -> Outbox:
    outbox = Outbox()
    outbox.commit(*(Entry(number, "k", "body") for number in range(1, 15)))
    return outbox


def test_a_stop_ends_the_run_at_a_batch_border_with_everything_saved(world, table):
    made = process(world, table)
    pages = itertools.count(1)
    made.inner.before_page = lambda: made.relay.stop.request() if next(pages) == 3 else None

    with pytest.raises(StoppedError, match=r"was stopped after \d+ rows; they are delivered and saved"):
        made.relay.run()

    assert saved(world) == world.ids == table.acknowledged
    assert len(world.ids) in (0, 3, 6)
    report = report_of(made)
    assert not report["target_reached"]
    assert report["rows"] == len(world.ids)


def test_a_stop_during_the_last_batch_is_not_green_either(world, table):
    made = process(world, table)
    made.broker = _AtConfirm(made, 5, made.relay.stop.request)

    with pytest.raises(StoppedError, match="after 14 rows"):
        made.relay.run()

    assert saved(world) == list(range(1, 15))


def test_a_stop_ends_a_wait_for_the_rate(world, table):
    made = process(world, table)
    made.relay.limits = Limits(batch_rows=3, rows_per_second=0.001)
    made.relay.stop = _StopsWhenWaitedFor()

    with pytest.raises(StoppedError):
        made.relay.run()

    assert saved(world) == world.ids == [1, 2, 3]
    assert made.relay.stop.waits[0] > 2000


def test_a_stop_ends_a_wait_for_a_batch_that_never_comes(world, table):
    made = process(world, table)
    reading, hang, found = threading.Event(), threading.Event(), []

    def hanging() -> None:
        reading.set()
        hang.wait()

    made.inner.before_page = hanging

    def stopped() -> None:
        with pytest.raises(StoppedError) as error:
            made.relay.run()
        found.append(error)

    run = threading.Thread(target=stopped)
    run.start()
    assert reading.wait(10)

    made.relay.stop.request()

    run.join(10)
    hang.set()
    assert len(found) == 1


class _AtConfirm:
    """A process as broker, with something that happens while its nth batch is confirmed."""

    def __init__(self, made: Process, nth: int, happens) -> None:
        self.made, self.nth, self.happens = made, nth, happens

    def refused(self, messages):
        return []

    def publish(self, messages, left_out=frozenset()) -> None:
        self.made.publish(messages, left_out)

    def confirm(self):
        self.nth -= 1
        if self.nth == 0:
            self.happens()
        return self.made.confirm()

    def remade(self):
        return []


class _StopsWhenWaitedFor(Stop):
    """A stop that is asked for as soon as somebody waits."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        self.request()
        return super().wait(seconds)
