"""The thread of a run, and who waits for it."""

from __future__ import annotations

import threading

import pytest

from airflow_legacy_events.core.errors import StoppedError
from airflow_legacy_events.core.stop import Stop
from airflow_legacy_events.operators import _thread


def test_a_run_that_can_not_even_be_interrupted_is_left_when_it_was_stopped(monkeypatch):
    monkeypatch.setattr(_thread, "GRACE_SECONDS", 0.01)
    monkeypatch.setattr(_thread, "LONGEST_STOP_SECONDS", 0.1)
    never = threading.Event()
    worker = _thread.Worker(never.wait, Stop(), never.wait)
    worker.stop()
    with pytest.raises(StoppedError, match="did not end within"):
        worker.run()
    never.set()
