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

    with deadline(0.01, interrupt, lambda: afterwards.append(len(calls))) as over:
        assert often.wait(10)
        assert over.is_set()
        assert afterwards == []
    ended = len(calls)
    assert not threading.Event().wait(0.6)
    assert len(calls) == ended
    assert afterwards == [ended]


def test_what_ends_in_time_is_left_alone():
    calls = []
    with deadline(60, lambda: calls.append(1), lambda: calls.append(2)) as over:
        pass
    assert (calls, over.is_set()) == ([], False)
