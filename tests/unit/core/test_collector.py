"""The collector is quiet during a run and as before after it."""

import gc

import pytest

from airflow_legacy_events.core.collector import NEW_CONTAINERS, rare_collections


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
