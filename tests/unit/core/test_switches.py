"""Threads switch often while a sink runs, and as before after it."""

import sys

import pytest

from airflow_legacy_events.core.switches import SECONDS, quick_switches


@pytest.fixture(autouse=True)
def interval():
    before = sys.getswitchinterval()
    yield before
    sys.setswitchinterval(before)


def test_they_switch_often_until_the_last_of_overlapping_runs_has_ended(interval):
    first, second = quick_switches(), quick_switches()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert sys.getswitchinterval() == pytest.approx(SECONDS)
    second.__exit__(None, None, None)
    assert sys.getswitchinterval() == pytest.approx(interval)


def test_threads_that_switch_more_often_already_go_on_so():
    sys.setswitchinterval(SECONDS / 4)
    with quick_switches():
        assert sys.getswitchinterval() == pytest.approx(SECONDS / 4)
