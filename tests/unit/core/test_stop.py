from __future__ import annotations

import sys
import threading

import pytest

from airflow_legacy_events.core import stop as stop_module
from airflow_legacy_events.core.errors import StoppedError
from airflow_legacy_events.core.stop import Stop


def test_a_stop_is_asked_for_once_and_stays():
    stop = Stop()
    assert not stop.requested
    assert not stop.wait(0)

    stop.request()

    assert stop.requested
    assert stop.wait(3600)
    assert stop.wait(3600)


def test_a_wait_in_another_thread_ends_with_the_request():
    stop, found = Stop(), []
    waiting = [threading.Thread(target=lambda: found.append(stop.wait(3600))) for _ in range(3)]
    for thread in waiting:
        thread.start()

    stop.request()

    for thread in waiting:
        thread.join(10)
    assert found == [True, True, True]


def test_a_signal_handler_may_ask_at_any_moment_of_a_wait_in_its_own_thread():
    lines = 0
    for at in range(200):
        ended = threading.Thread(target=_wait_interrupted_at_line, args=(at, seen := []), daemon=True)
        ended.start()
        ended.join(10)
        assert not ended.is_alive(), f"blocked: the handler ran at line {at} of the wait"
        if not seen:
            break
        lines += 1
    assert lines > 1


def _wait_interrupted_at_line(at: int, seen: list[int]) -> None:
    """Wait, and call the handler before the line number `at`, as Python calls one between two instructions."""
    stop, passed = Stop(), 0

    def trace(frame, event, argument):
        nonlocal passed
        if event == "line":
            if passed == at:
                sys.settrace(None)
                seen.append(at)
                stop.request()
                return None
            passed += 1
        return trace

    sys.settrace(trace)
    stop.wait(0.001)
    sys.settrace(None)


def test_what_is_in_flight_has_its_grace_and_no_more(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(stop_module.time, "monotonic", lambda: now[0])
    stop = Stop()
    stop.check()
    stop.request()

    now[0] += 2.9
    stop.request()
    stop.check()
    now[0] += 0.2

    with pytest.raises(StoppedError, match="3 s later the messages in flight were still unconfirmed"):
        stop.check()
