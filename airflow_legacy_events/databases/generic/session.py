"""Sessions of any driver: a hanging call is cut at its socket, or abandoned in its own thread."""

from __future__ import annotations

import contextlib
import os
import queue
import socket
import threading
from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, cast

import sqlalchemy as sa

from airflow_legacy_events.databases.pool_log import without_errors

T = TypeVar("T")

_INTERRUPT_SECONDS = 0.2
_CLOSE_SECONDS = 2.0
_SOCKETS = ("_usock", "_sock", "sock", "_socket", "socket")
_HOLDERS = ("_conn", "_connection", "connection")
_here = threading.local()


class LeftBehindError(sa.exc.SQLAlchemyError):
    """A driver call did not return, and was abandoned in its thread."""


class _Call(Generic[T]):
    """One call, its result, and whether a thread still waits for it."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work, self._over = work, threading.Event()
        self._result: list[T] = []
        self._error: BaseException | None = None

    def make(self) -> None:
        try:
            self._result.append(self._work())
        except BaseException as error:  # noqa: BLE001  it is re-raised in the waiting thread
            self._error = error
        self._over.set()

    def leave(self) -> None:
        if not self._over.is_set():
            self._error = LeftBehindError("its driver did not return, and its call was abandoned")
            self._over.set()

    def wait(self, seconds: float | None = None) -> T:
        if not self._over.wait(seconds):
            self.leave()
        if self._error is not None:
            raise self._error
        return self._result[0]


class Session:
    """One session, and the thread that makes all its driver calls, one at a time.

    Args:
        engine: creates the connection.
        interrupt: cancels the statement running on a driver's connection; may block.
    """

    def __init__(self, engine: sa.Engine, interrupt: Callable[[Any], None]) -> None:
        self._engine, self._interrupt = engine, interrupt
        self._calls: queue.SimpleQueue[_Call[Any] | None] = queue.SimpleQueue()
        self._current: _Call[Any] | None = None
        self._connection: sa.Connection | None = None
        self._driver: Any = None
        self._interrupting = threading.Thread()
        self._was_cut = self._left = False
        threading.Thread(target=self._main, name="legacy-events-driver", daemon=True).start()

    @property
    def driver_error(self) -> type[Exception]:
        """The driver's own error class: SQLAlchemy doesn't wrap errors of direct driver calls."""
        return cast("type[Exception]", self._engine.dialect.loaded_dbapi.Error)

    @property
    def user(self) -> str | None:
        """Name of the user in the URL; None if the driver chooses it."""
        return self._engine.url.username

    def open(self) -> Self:
        """Connect, and return the session.

        Raises:
            SQLAlchemyError: connecting failed or was abandoned.
        """
        self._connection = self._call(self._engine.connect)
        return self

    def call(self, work: Callable[[sa.Connection], T]) -> T:
        """Run `work(connection)` in the session's thread; return its result or raise its exception.

        Raises:
            LeftBehindError: the session was cut, and the call still did not return.
        """
        connection = self._connection
        if connection is None:
            raise LeftBehindError("it is not connected")
        return self._call(lambda: work(connection))

    def _call(self, work: Callable[[], T]) -> T:
        call = _Call(work)
        self._current = call
        if self._left:
            call.leave()
        self._calls.put(call)
        return call.wait()

    def interrupt(self) -> None:
        """Cancel the running statement, from any thread. A blocking attempt is awaited only briefly."""
        if self._driver is None or self._interrupting.is_alive():
            return
        self._interrupting = threading.Thread(target=self._try_to_interrupt, name="legacy-events-cancel", daemon=True)
        self._interrupting.start()
        self._interrupting.join(_INTERRUPT_SECONDS)

    def _try_to_interrupt(self) -> None:
        with contextlib.suppress(Exception):  # idle or lost: each driver has its own error
            self._interrupt(self._driver)

    def cut(self) -> None:
        """Shut down the socket, from any thread, so that the call fails. If it still doesn't return, abandon it."""
        if self._was_cut or not shut(self._driver):
            self._left = True
            if self._current is not None:
                self._current.leave()
        self._was_cut = True

    def close(self) -> None:
        """Close the session. If it no longer answers, its thread is left to do that."""
        closing = _Call(self._close)
        self._calls.put(closing)
        self._calls.put(None)
        with contextlib.suppress(LeftBehindError):
            closing.wait(0 if self._left else _CLOSE_SECONDS)

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        with contextlib.suppress(Exception):  # it is lost
            if connection is not None:
                connection.close()

    def _main(self) -> None:
        _here.session = self
        while (call := self._calls.get()) is not None:
            call.make()

    def made(self, driver: Any) -> None:
        """Keep the driver's connection as soon as it exists: the dialect then runs its own queries on it."""
        self._driver = driver


def watched(engine: sa.Engine) -> sa.Engine:
    """Register an engine's driver connections with their sessions before the first query."""
    without_errors(engine)

    @sa.event.listens_for(engine, "do_connect")
    def connect(dialect: sa.Dialect, _: Any, arguments: Any, options: Any) -> Any:
        made: Any = dialect.connect(*arguments, **options)
        if (session := getattr(_here, "session", None)) is not None:
            session.made(made)
        return made

    return engine


def shut(driver: Any) -> bool:
    """Shut down the socket of a driver's connection, so that the waiting call fails; return whether one was found."""
    for one in (driver, *(getattr(holder, name, None) for holder in _holders(driver) for name in _SOCKETS)):
        with contextlib.suppress(Exception):  # it is closed, or its driver refuses access
            if isinstance(one, socket.socket):
                one.shutdown(socket.SHUT_RDWR)
                return True
            if type(number := one.fileno()) is int and number >= 0:
                with socket.socket(fileno=os.dup(number)) as wire:
                    wire.shutdown(socket.SHUT_RDWR)
                return True
    return False


def _holders(driver: Any) -> list[Any]:
    """Return the objects that may hold a driver's socket: its connection, and the objects that it wraps."""
    return [driver, *(getattr(driver, name, None) for name in _HOLDERS)]
