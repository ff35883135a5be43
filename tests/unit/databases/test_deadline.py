"""When the time of a statement is over."""

from __future__ import annotations

import threading

from airflow_legacy_events.databases.deadline import deadline


def test_what_takes_too_long_is_interrupted_until_it_ends():
    calls, often, afterwards = [], threading.Event(), []

    def interrupt() -> None:
        calls.append(1)
        if len(calls) == 2:
            often.set()
        raise RuntimeError("nothing runs there")

    with deadline(0.01, interrupt, lambda: afterwards.append(len(calls))) as watch:
        assert often.wait(10)
        assert watch.over
        assert afterwards == []
    assert afterwards == [len(calls)]


def test_what_ends_in_time_is_left_alone():
    calls = []
    with deadline(60, lambda: calls.append(1), lambda: calls.append(2)) as watch:
        pass
    assert (calls, watch.over) == ([], False)
