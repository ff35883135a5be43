"""Prefetch: sends the next page's SELECT while the current page is being published."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from airflow_legacy_events.databases.postgres.statement import Statement

LONGEST_SECONDS = 1.0
_TIMEOUT_SHARE = 0.25


class Prefetch:
    """Sends at most one statement ahead of its read, and cancels it if it is not read in time.

    The statement can't end while the network buffer is full. It keeps its snapshot and its lock on the table: an ALTER
    TABLE waits, and every later session waits behind it. A thread therefore cancels a statement that is not read in
    time. The reader is too slow then, so prefetching stops.

    Args:
        turn: lock of the session, which serves one thread at a time. Every caller holds it, except the caller of
            `close`.
        timeout_seconds: statement timeout; a prefetched statement may wait for a fraction of it.
    """

    def __init__(self, turn: threading.Lock, timeout_seconds: float) -> None:
        self._turn, self._longest = turn, min(LONGEST_SECONDS, timeout_seconds * _TIMEOUT_SHARE)
        self._sent: Statement | None = None
        self._query: tuple[str, tuple[Any, ...]] = ("", ())
        self._began = 0.0
        self._watch: threading.Thread | None = None
        self._over = threading.Event()

    def begin(self, send: Callable[[str, Any], Statement], text: str, parameters: Sequence[Any]) -> None:
        """Send a statement, unless an earlier one was not read in time."""
        if self._over.is_set():
            return
        self._sent, self._query, self._began = send(text, parameters), (text, tuple(parameters)), time.monotonic()
        if self._watch is None:
            self._watch = threading.Thread(target=self._give_up_late, name="legacy-events-prefetch", daemon=True)
            self._watch.start()

    def take(self, text: str, parameters: Sequence[Any]) -> Statement | None:
        """Return the prefetched statement if it matches and is in time; cancel any other."""
        if self._sent is None:
            return None
        if self._late:
            self._over.set()
        if self._over.is_set() or self._query != (text, tuple(parameters)):
            self.give_up()
        found, self._sent = self._sent, None
        return found

    def give_up(self) -> None:
        """Cancel the statement, so that the session can serve another one."""
        sent, self._sent = self._sent, None
        if sent is not None:
            sent.close()

    def close(self) -> None:
        """Stop prefetching. A statement that was sent ends with its session."""
        self._over.set()

    @property
    def _late(self) -> bool:
        return time.monotonic() - self._began > self._longest

    def _give_up_late(self) -> None:
        while not self._over.wait(self._longest / 2):
            with self._turn:
                if self._sent is not None and self._late:
                    self._over.set()
                    self.give_up()
