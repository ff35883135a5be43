"""The read that a server was let begin with before anybody asked for its rows."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from airflow_legacy_events.databases.postgres.statement import Statement

LONGEST_SECONDS = 1.0
_TIMEOUT_SHARE = 0.25


class Ahead:
    """Holds at most one statement, and that not for long.

    While it waits, rows that the wire has no room for keep it from ending, and with it its snapshot and its lock on
    the table: whoever alters that waits, and everybody else behind them. So a thread gives up what was not taken in
    time; then the rows' taker is slow, and nothing is begun ahead any more.

    Args:
        turn: held by every caller but `close`: the session serves one at a time.
        timeout_seconds: of a statement; waiting takes its share of it.
    """

    def __init__(self, turn: threading.Lock, timeout_seconds: float) -> None:
        self._turn, self._longest = turn, min(LONGEST_SECONDS, timeout_seconds * _TIMEOUT_SHARE)
        self._sent: Statement | None = None
        self._asked: tuple[str, tuple[Any, ...]] = ("", ())
        self._began = 0.0
        self._watch: threading.Thread | None = None
        self._over = threading.Event()

    def begin(self, send: Callable[[str, Any], Statement], text: str, parameters: Sequence[Any]) -> None:
        """Send a statement, unless an earlier one waited for too long."""
        if self._over.is_set():
            return
        self._sent, self._asked, self._began = send(text, parameters), (text, tuple(parameters)), time.monotonic()
        if self._watch is None:
            self._watch = threading.Thread(target=self._give_up_late, name="legacy-events-ahead", daemon=True)
            self._watch.start()

    def take(self, text: str, parameters: Sequence[Any]) -> Statement | None:
        """Return the statement if it is this one and waited for no longer than it may; give up any other."""
        if self._sent is None:
            return None
        if self._late:
            self._over.set()
        if self._over.is_set() or self._asked != (text, tuple(parameters)):
            self.give_up()
        found, self._sent = self._sent, None
        return found

    def give_up(self) -> None:
        """End the statement, so that the session can serve another one."""
        sent, self._sent = self._sent, None
        if sent is not None:
            sent.close()

    def close(self) -> None:
        """Begin nothing any more; what was sent ends with its session."""
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
