"""The collector is quiet during a run and as before after it."""

import gc
import weakref

import pytest

from airflow_legacy_events.core.collector import NEW_CONTAINERS, SWEEP_BATCHES, rare_collections, sweep
from airflow_legacy_events.watermarks.memory import MemoryWatermarkStore
from tests.support.crashes import World
from tests.support.fakes import Entry, Outbox
from tests.support.runs import process


@pytest.fixture(autouse=True)
def threshold():
    before = gc.get_threshold()
    yield before
    gc.set_threshold(*before)


def test_it_is_quiet_until_the_last_of_overlapping_runs_has_ended(threshold):
    first, second = rare_collections(), rare_collections()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert gc.get_threshold() == (NEW_CONTAINERS, *threshold[1:])
    second.__exit__(None, None, None)
    assert gc.get_threshold() == threshold


@pytest.mark.parametrize("own", [(0, 10, 10), (NEW_CONTAINERS + 1, 5, 5)])
def test_a_collector_that_is_off_or_quieter_stays_so(own):
    gc.set_threshold(*own)
    with rare_collections():
        assert gc.get_threshold() == own
    assert gc.get_threshold() == own


def test_it_is_as_before_after_an_error(threshold):
    with pytest.raises(RuntimeError), rare_collections():
        raise RuntimeError
    assert gc.get_threshold() == threshold


class Knot:
    """Refers to itself, so only the collector frees it."""

    def __init__(self):
        self.self = self


def test_a_sweep_frees_young_garbage():
    with rare_collections():
        gone = weakref.ref(Knot())
        assert gone() is not None
        sweep()
        assert gone() is None


@pytest.mark.parametrize("switch", [gc.disable, lambda: gc.set_threshold(0)])
def test_a_collector_that_is_off_sweeps_nothing(switch):
    switch()
    try:
        left = weakref.ref(Knot())
        sweep()
        assert left() is not None
    finally:
        gc.enable()


def test_what_saves_leave_does_not_pile_up_during_a_run():
    """More than a store's own garbage would have to be there for the collector to wake by itself."""
    left = []

    class Littering(MemoryWatermarkStore):
        alive = 0

        def save(self, stream, watermark, *, expected):
            super().save(stream, watermark, expected=expected)
            left.append(weakref.ref(Knot()))
            self.alive = max(self.alive, sum(one() is not None for one in left))

    world, table = World(), Outbox()
    world.store = store = Littering()
    table.commit(*(Entry(number, "k", "body") for number in range(1, 200)))
    process(world, table).relay.run()
    assert len(left) > 3 * SWEEP_BATCHES
    assert store.alive <= SWEEP_BATCHES + 2
