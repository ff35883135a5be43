"""Sessions of any driver: a call that never returns is cut at its socket, or left to its own thread."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import socket
import threading
from collections.abc import Callable, MutableMapping
from typing import Any, Generic, Self, TypeVar, cast

import sqlalchemy as sa

T = TypeVar("T")

_INTERRUPT_SECONDS = 0.2
_CLOSE_SECONDS = 2.0
_SOCKETS = ("_usock", "_sock", "sock", "_socket", "socket")
_HOLDERS = ("_conn", "_connection", "connection")
_here = threading.local()


class LeftBehindError(sa.exc.SQLAlchemyError):
    """A call of the driver did not return, and was left to its thread."""


class _Call(Generic[T]):
    """One call, its result, and whether anybody still waits for it."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work, self._over = work, threading.Event()
        self._result: list[T] = []
        self._error: BaseException | None = None

    def make(self) -> None:
        try:
            self._result.append(self._work())
        except BaseException as error:  # noqa: BLE001  it is raised again where the call is waited for
            self._error = error
        self._over.set()

    def leave(self) -> None:
        if not self._over.is_set():
            self._error = LeftBehindError("its driver did not give way, and its call was left behind")
            self._over.set()

    def wait(self, seconds: float | None = None) -> T:
        if not self._over.wait(seconds):
            self.leave()
        if self._error is not None:
            raise self._error
        return self._result[0]


class Session:
    """One session, and the thread that makes all calls of its driver; one call at a time.

    Args:
        engine: makes the connection.
        interrupt: cancels what runs on a driver's connection; may block.
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
        """The class of the driver's own errors, which SQLAlchemy does not wrap where it is not asked."""
        return cast("type[Exception]", self._engine.dialect.loaded_dbapi.Error)

    def open(self) -> Self:
        """Connect, and return the session.

        Raises:
            SQLAlchemyError: it failed, or it was left behind.
        """
        self._connection = self._call(self._engine.connect)
        return self

    def call(self, work: Callable[[sa.Connection], T]) -> T:
        """Return what `work` returns for the connection, or raise what it raises; its calls are made by the thread.

        Raises:
            LeftBehindError: the session was cut, and nothing else helped.
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
        """Cancel the statement that runs, from any thread; an attempt that blocks is waited for only shortly."""
        if self._driver is None or self._interrupting.is_alive():
            return
        self._interrupting = threading.Thread(target=self._try_to_interrupt, name="legacy-events-cancel", daemon=True)
        self._interrupting.start()
        self._interrupting.join(_INTERRUPT_SECONDS)

    def _try_to_interrupt(self) -> None:
        with contextlib.suppress(Exception):  # nothing runs on it, or it is gone: each driver has its own error
            self._interrupt(self._driver)

    def cut(self) -> None:
        """Let go of the wire, from any thread, so that the call fails; where it goes on all the same, leave it."""
        if self._was_cut or not shut(self._driver):
            self._left = True
            if self._current is not None:
                self._current.leave()
        self._was_cut = True

    def close(self) -> None:
        """Close the session; where it does not answer any more its thread is left with that."""
        closing = _Call(self._close)
        self._calls.put(closing)
        self._calls.put(None)
        with contextlib.suppress(LeftBehindError):
            closing.wait(0 if self._left else _CLOSE_SECONDS)

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        with contextlib.suppress(Exception):  # it is gone
            if connection is not None:
                connection.close()

    def _main(self) -> None:
        _here.session = self
        while (call := self._calls.get()) is not None:
            call.make()

    def made(self, driver: Any) -> None:
        """Keep the driver's connection as soon as there is one: the dialect asks it questions of its own."""
        self._driver = driver


class _WithoutErrors(logging.LoggerAdapter[Any]):
    """Logs what a pool says, without the driver's error: that may hold the value of a row."""

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        return msg, {**kwargs, "exc_info": None}


def watched(engine: sa.Engine) -> sa.Engine:
    """Let the sessions of an engine know their driver's connections before anything is asked of them."""
    pool: Any = engine.pool
    pool.logger = _WithoutErrors(pool.logger, {})

    @sa.event.listens_for(engine, "do_connect")
    def connect(dialect: sa.Dialect, _: Any, arguments: Any, options: Any) -> Any:
        made: Any = dialect.connect(*arguments, **options)
        if (session := getattr(_here, "session", None)) is not None:
            session.made(made)
        return made

    return engine


def shut(driver: Any) -> bool:
    """Shut the socket of a driver's connection down, so that who waits for it fails; return whether one was found."""
    for one in (driver, *(getattr(holder, name, None) for holder in _holders(driver) for name in _SOCKETS)):
        with contextlib.suppress(Exception):  # it is closed, or its driver refuses to say
            if isinstance(one, socket.socket):
                one.shutdown(socket.SHUT_RDWR)
                return True
            if type(number := one.fileno()) is int and number >= 0:
                with socket.socket(fileno=os.dup(number)) as wire:
                    wire.shutdown(socket.SHUT_RDWR)
                return True
    return False


def _holders(driver: Any) -> list[Any]:
    """Return what may hold a driver's socket: its connection, and what that is a shell of."""
    return [driver, *(getattr(driver, name, None) for name in _HOLDERS)]
