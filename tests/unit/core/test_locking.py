from __future__ import annotations

import logging
from contextlib import contextmanager

import pytest

from airflow_legacy_events.core import locking
from airflow_legacy_events.core.errors import BusyError, StoppedError
from airflow_legacy_events.core.locking import wait_for_lock
from airflow_legacy_events.core.stop import Stop

LOG = logging.getLogger("test")


class Lock:
    """Busy for the first `busy` tries."""

    def __init__(self, busy: int, healthy: bool | None = True) -> None:
        self.busy, self.healthy, self.released = busy, healthy, False

    @contextmanager
    def __call__(self):
        if self.busy:
            self.busy -= 1
            raise BusyError("stream 's' is being worked on by run 'r'", holder="run 'r'", healthy=self.healthy)
        try:
            yield "lease"
        finally:
            self.released = True


class Clockless(Stop):
    """Waits for nothing, and is asked to stop at the wait number `at`."""

    def __init__(self, at: int | None = None) -> None:
        super().__init__()
        self.at, self.waits = at, []

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        if len(self.waits) == self.at:
            self.request()
        return self.requested


def test_a_free_lock_is_held_as_long_as_the_context_lasts():
    lock = Lock(0)
    with wait_for_lock(lock, Stop(), LOG) as lease:
        assert lease == "lease"
        assert not lock.released
    assert lock.released


@pytest.mark.parametrize("healthy", [True, None])
def test_a_busy_lock_is_waited_for_and_the_holder_named_once(caplog, healthy):
    stop = Clockless()
    with caplog.at_level(logging.INFO), wait_for_lock(Lock(3, healthy), stop, LOG) as lease:
        assert lease == "lease"
    assert stop.waits == [locking._POLL_SECONDS] * 3
    assert caplog.messages == ["waiting: stream 's' is being worked on by run 'r'"]


def test_a_holder_without_life_is_not_waited_for():
    stop = Clockless()
    with pytest.raises(BusyError), wait_for_lock(Lock(1, healthy=False), stop, LOG):
        pass
    assert stop.waits == []


def test_a_stop_ends_the_wait_for_a_lock():
    with (
        pytest.raises(StoppedError, match="stopped while it waited for run 'r'"),
        wait_for_lock(Lock(9), Clockless(at=2), LOG),
    ):
        pass
