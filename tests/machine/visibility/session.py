"""One writer of the visibility machine: a session of the application, and what it may do next."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from tests.support.legacy import Legacy

_MOST_SECONDS = 20.0


class State(Enum):
    """Where a session is."""

    IDLE, OPEN, GATED, PREPARED = range(4)


@dataclass
class Session:
    """A session; it writes to no row that another open transaction has written.

    Attributes:
        legacy: the database, through which sessions are watched and ended.
        words: of the database.
        number: among the sessions.
        touched: table and id of the rows that its transaction has written.
        taken: table, and ids that its transaction took and has not used.
        gid: of its transaction that is to be prepared, where a name is given first, or that is prepared.
        within: whether the gated statement is part of a transaction.
    """

    legacy: Legacy
    words: Any
    number: int
    state: State = State.IDLE
    touched: set[tuple[str, int]] = field(default_factory=set)
    taken: list[tuple[Any, int]] = field(default_factory=list)
    gid: str | None = None
    saved: bool = False
    within: bool = False
    gate: Any = None

    def __post_init__(self) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._waiting: Future[Any] | None = None
        self.connect()

    def connect(self) -> None:
        """Begin a session on the server."""
        self.connection = self.legacy.connect()
        self.words.set_up(self.connection, self.number)
        [(self.pid,)] = self.do(self.words.number)
        self.rest()

    def rest(self) -> None:
        """Note that no transaction is open."""
        self.state, self.gid, self.saved, self.within = State.IDLE, None, False, False
        self.touched, self.taken = set(), []

    def do(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Run a statement."""
        done = self.connection.execute(statement, parameters or None)
        return list(done.fetchall()) if done.description else []

    def end(self, how: str) -> None:
        """Commit or roll back what is open or prepared here."""
        if self.gid is None:
            self.do(how)
        elif self.state is State.PREPARED:
            self.do(self.words.ends[how == "ROLLBACK"].format(self.gid))
        else:
            self.do(self.words.prepares[0].format(self.gid))
            self.do(f"XA COMMIT '{self.gid}' ONE PHASE" if how == "COMMIT" else f"XA ROLLBACK '{self.gid}'")
        self.rest()

    def wait_at(self, gate: Any, statement: str, parameters: list[Any]) -> None:
        """Run a statement that waits at a closed gate, and return once it does."""
        self.within, self.state, self.gate = self.state is State.OPEN, State.GATED, gate
        self.legacy.execute(self.words.close_gate, gate)
        self._waiting = self._thread.submit(self.do, statement, *parameters)
        try:
            _wait_for(self._is_waiting)
        except Exception:  # the statement has ended before its gate
            self.legacy.execute(self.words.open_gate, self.gate)
            self._passed()
            raise

    def _is_waiting(self) -> bool:
        assert self._waiting is not None
        if self._waiting.done():
            self._waiting.result()
        return bool(self.legacy.execute(self.words.waits, self.pid))

    def go_through(self) -> None:
        """Open the gate, and return once the statement has ended."""
        assert self._waiting is not None
        self.legacy.execute(self.words.open_gate, self.gate)
        try:
            self._waiting.result()
        finally:
            self._passed()

    def _passed(self) -> None:
        if self.words.through:
            self.do(self.words.through)
        self.state = State.OPEN
        if not self.within:
            self.rest()

    def kill(self) -> None:
        """End the session as an administrator does, and begin another one; what it prepared stays."""
        self.legacy.execute(self.words.kill, self.pid)
        _wait_for(lambda: not self.legacy.execute(self.words.there, self.pid))
        if self.state is State.GATED:
            assert self._waiting is not None
            assert self._waiting.exception() is not None
            self.legacy.execute(self.words.open_gate, self.gate)
        self.connection.close()
        self.connect()

    def lose(self) -> None:
        """Note that the server has ended the session; begin another one."""
        if self.state is State.GATED:
            assert self._waiting is not None
            assert self._waiting.exception() is not None
        self.connection.close()
        self.connect()

    def close(self) -> None:
        """End the session and its thread."""
        if self.state is State.GATED:
            self.kill()
        self.connection.close()
        self._thread.shutdown()


def _wait_for(probe: Callable[[], bool]) -> None:
    """Wait for what takes milliseconds; the machine does so thousands of times."""
    until = time.monotonic() + _MOST_SECONDS
    while not probe():
        assert time.monotonic() < until, "a session did not get where it was to be"
        time.sleep(0.001)
