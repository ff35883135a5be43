"""The relay killed at each of its steps, then run again to the end."""

from __future__ import annotations

import itertools

import pytest

from airflow_legacy_events.core.errors import WatermarkError
from tests.support.crashes import STREAM, Crash, Process, World, numbered
from tests.support.fakes import Entry, Outbox, OutboxSource, ids

ENTRIES = [Entry(number, f"k{number % 3}", f"body {number}") for number in range(1, 15)]
CLOCKS = {"every batch is saved": itertools.count, "only the first and the last save": lambda: itertools.repeat(0.0)}


def outbox() -> Outbox:
    table = Outbox()
    table.commit(*ENTRIES)
    return table


def process(world: World, table: Outbox, clock: str, crash: Crash | None = None) -> Process:
    return Process(world, OutboxSource(table), crash, clock=CLOCKS[clock]().__next__)


def steps_of(clock: str, *, resumed: bool) -> list[tuple[str, int]]:
    """Every step of a healthy run, or of one that begins with a receipt that was not acknowledged."""
    world, table = World(), outbox()
    if resumed:
        process(world, table, clock, Crash("acknowledge", 1)).run()
    healthy = process(world, table, clock)
    assert healthy.run()
    return numbered(healthy.steps)


def check(world: World, table: Outbox) -> None:
    """What has to hold once a run came to its end, whatever happened before."""
    assert set(world.ids) == {entry.id for entry in ENTRIES}, "lost"
    assert len(set(world.topic)) == len(ENTRIES), "a repeat differs from its first"
    assert sorted(table.acknowledged) == [entry.id for entry in ENTRIES]
    assert table.entries == {}
    for key in ("k0", "k1", "k2"):
        sent = [number for number, pair in zip(world.ids, world.topic, strict=True) if pair[0] == key]
        for one, following in itertools.pairwise(sent):
            assert following <= one + 3, "a key's events out of order"


@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize("sudden", [True, False], ids=["killed", "interrupted"])
@pytest.mark.parametrize("when", ["before", "inside", "after"])
@pytest.mark.parametrize("resumed", [False, True], ids=["first run", "resumed run"])
def test_nothing_is_lost_wherever_a_run_ends(resumed, when, sudden, clock):
    for step, nth in steps_of(clock, resumed=resumed):
        world, table = World(), outbox()
        if resumed:
            process(world, table, clock, Crash("acknowledge", 1)).run()
        assert not process(world, table, clock, Crash(step, nth, when, sudden)).run(), (step, nth)
        saved = [one for mark in world.saved for one in ids(mark.receipt or ())]
        sent = len(world.topic)

        assert process(world, table, clock).run()

        check(world, table)
        assert not set(world.ids[sent:]) & set(saved), "sent again although it was saved"


def test_a_run_goes_through_all_steps_in_their_order():
    world, table = World(), outbox()
    table.delete(range(7, 15))
    healthy = process(world, table, "every batch is saved")

    assert healthy.run()

    here = [step for step in healthy.steps if step not in ("read", "encode")]
    batch = ["publish", "confirm", "check", "save", "check", "acknowledge"]
    without_receipt = ["check", "save"]
    assert here == ["lock", "load", "open", "check", "save", *batch, *batch, *without_receipt, "load", "finish"]


def test_a_receipt_that_was_not_acknowledged_waits_until_the_source_is_opened_and_comes_before_the_first_page():
    world, table = World(), outbox()
    process(world, table, "every batch is saved", Crash("acknowledge", 1)).run()
    again = process(world, table, "every batch is saved")
    pages: list[int] = []
    again.inner.before_page = lambda: pages.append(len(table.told))

    again.run()

    assert again.steps[:5] == ["lock", "load", "open", "check", "acknowledge"]
    assert table.told[0] == ([1, 3],)
    assert pages[0] == 1


def test_a_receipt_is_not_acknowledged_on_a_server_that_the_source_refuses():
    world, table = World(), outbox()
    process(world, table, "every batch is saved", Crash("acknowledge", 1)).run()
    elsewhere = outbox()  # the connection leads to a copy by now
    again = process(world, elsewhere, "every batch is saved")
    again.inner.open = _refuses

    with pytest.raises(WatermarkError, match="another server"):
        again.run()

    assert (elsewhere.told, len(elsewhere.entries)) == ([], len(ENTRIES))


def _refuses(*_):
    raise WatermarkError("this is another server")


def test_a_receipt_dies_with_its_acknowledgement():
    """Ids begin anew (TRUNCATE ... RESTART IDENTITY): a receipt of an earlier run must not delete rows nobody sent."""
    world, table = World(), outbox()
    process(world, table, "every batch is saved").run()
    assert [mark.receipt for mark in world.saved[-2:]] == [([13, 14],), None]
    table.commit(*ENTRIES)

    again = process(world, table, "every batch is saved")
    again.run()

    assert again.steps[:4] == ["lock", "load", "open", "read"]
    assert world.ids == [entry.id for entry in ENTRIES] * 2


def test_a_receipt_that_a_crash_left_is_gone_after_a_run_that_finds_nothing_more():
    world, table = World(), outbox()
    process(world, table, "every batch is saved", Crash("acknowledge", 5, "after")).run()
    assert world.store.load(STREAM.name).receipt == ([13, 14],)

    process(world, table, "every batch is saved").run()

    left = world.store.load(STREAM.name)
    assert (left.values, left.receipt) == (("14",), None)


def test_a_run_that_fails_leaves_no_receipt_that_was_acknowledged():
    world, table = World(), outbox()
    process(world, table, "every batch is saved", Crash("publish", 3, sudden=False)).run()

    assert table.acknowledged == [1, 2, 3, 4, 5, 6]
    assert world.store.load(STREAM.name).receipt is None


def test_between_two_saves_receipts_are_joined():
    world, table = World(), outbox()

    process(world, table, "only the first and the last save").run()

    assert [mark.receipt for mark in world.saved] == [None, ([1, 3],), ([4, 6], [7, 9], [10, 12], [13, 14]), None]
    assert table.told == [([1, 3],), ([4, 6], [7, 9], [10, 12], [13, 14])]
