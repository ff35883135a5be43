"""Listening sessions: one per connection and channel of a process, shared by all waiters."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from airflow_legacy_events.core.ports import Database, Listener

Wake: TypeAlias = Callable[[], None]

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 60.0
_LASTING_SECONDS = 60.0
_log = logging.getLogger(__name__)


class _Place(NamedTuple):
    conn_id: str
    channel: str


class SharedListeners:
    """Listeners by connection and channel, started for the first subscriber, ended after the last one unsubscribes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[_Place, _ListeningThread] = {}

    def subscribe(self, conn_id: str, database: Database, channel: str, wake: Wake) -> Callable[[], None]:
        """Subscribe a function, called from another thread whenever notifications arrived or may have been lost.

        The call does not block. A lost session is reopened. If listening is useless, a warning gives the reason and
        only polling remains.

        :param conn_id: the Airflow connection.
        :param database: of that connection; the session is opened through the database of the latest call.
        :param channel: of the notifications.
        :param wake: must return at once, and raise nothing.
        :return: function that unsubscribes.
        """
        place, token = _Place(conn_id, channel), object()
        with self._lock:
            thread = self._open.get(place)
            if thread is None:
                thread = self._open[place] = _ListeningThread(channel, database)
            thread.database = database
            thread.wakes[token] = wake

        def unsubscribe() -> None:
            with self._lock:
                thread.wakes.pop(token, None)
                if thread.wakes or self._open.get(place) is not thread:
                    return
                del self._open[place]
            thread.end()

        return unsubscribe


class _ListeningThread:
    """The thread that listens to one channel of one connection."""

    def __init__(self, channel: str, database: Database) -> None:
        self.database = database
        self.wakes: dict[object, Wake] = {}
        self._channel, self._lock = channel, threading.Lock()
        self._listener: Listener | None = None
        self._ended = threading.Event()
        threading.Thread(target=self._stay, name=f"legacy-events-listen-{channel}", daemon=True).start()

    def end(self) -> None:
        """End the thread and its session."""
        self._ended.set()
        with self._lock:
            if self._listener is not None:
                self._listener.end()

    def _stay(self) -> None:
        failures = 0
        while not self._ended.wait(_pause_seconds(failures)):
            began = time.monotonic()
            try:
                self._listen()
            except Exception as error:  # noqa: BLE001  it continues after any error
                if not getattr(error, "retry_helps", True):
                    _log.warning(
                        "%s. Rows are found only by polling, every poll_interval, until the triggerer is restarted",
                        error,
                    )
                    return
                if time.monotonic() - began > _LASTING_SECONDS:
                    failures = 0
                failures += 1
                _log.warning("LISTEN on channel %r was interrupted and will be retried: %s", self._channel, error)

    def _listen(self) -> None:
        """Listen until the session is lost, or no subscriber is left."""
        with self.database.listen(self._channel) as listener:
            try:
                with self._lock:
                    self._listener = listener
                if self._ended.is_set():
                    return
                self._wake_all()  # notifications sent before the session began were missed
                while listener.wait():
                    self._wake_all()
            finally:
                with self._lock:
                    self._listener = None

    def _wake_all(self) -> None:
        for wake in list(self.wakes.values()):
            wake()


def _pause_seconds(failures: int) -> float:
    """Return zero before the first attempt, then twice as long with each failure, up to a minute."""
    if not failures:
        return 0.0
    seconds = min(_FIRST_PAUSE_SECONDS * 2.0 ** min(failures - 1, 16), _LONGEST_PAUSE_SECONDS)
    return seconds * random.uniform(0.9, 1.1)  # noqa: S311  no secret


LISTENERS = SharedListeners()
