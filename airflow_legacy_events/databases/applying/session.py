"""Session of a target: one connection that may write, opened when needed, and ended from any thread."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, cast

import sqlalchemy as sa

from airflow_legacy_events.core.errors import TargetError
from airflow_legacy_events.core.ports.target import ObjectionError, TransactionLostError
from airflow_legacy_events.databases import watchdog
from airflow_legacy_events.databases.applying.faults import Fault, Meaning
from airflow_legacy_events.databases.watchdog import WATCHDOG

_CLOSE_SECONDS = 2.0


class Driver(NamedTuple):
    """What a session needs of its database.

    Attributes:
        fault: returns what an error of the driver means.
        interrupt: cancels the statement that runs on a driver's connection, from another thread.
        cut: ends a driver's connection, so that a waiting call fails, from another thread.
        interrupts: whether statements are interrupted at their time limit from here, since the database has none.
    """

    fault: Callable[[BaseException], Fault]
    interrupt: Callable[[Any], None]
    cut: Callable[[Any], object]
    interrupts: bool = False


class WriteSession:
    """One connection at a time; a new one is opened when the last one was lost or discarded.

    Args:
        conn_id: Airflow's name of the connection, for messages.
        engine: without a pool.
        seconds: time limit of a statement, which the database enforces; a silent peer is cut some time after it.
        driver: of the database.
    """

    def __init__(self, conn_id: str, engine: sa.Engine, seconds: float, driver: Driver) -> None:
        self._conn_id, self._engine, self._seconds, self._driver = conn_id, engine, seconds, driver
        self._connection: sa.Connection | None = None
        self._closed, self._busy = threading.Event(), threading.RLock()

    @property
    def connection(self) -> sa.Connection:
        """The open connection.

        Raises:
            TargetError: the session was closed, or the database can't be reached.
        """
        if self._connection is None or self._connection.invalidated:
            with self.doing("connecting"):
                self._connection = self._engine.connect()
        return self._connection

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep `close` from closing the connection under a thread; it interrupts what runs instead."""
        with self._busy:
            yield

    @contextmanager
    def doing(self, what: str) -> Iterator[None]:
        """Turn errors of the driver into those of targets; a statement that gets no answer is cut.

        Args:
            what: is done meanwhile, to complete "while …".

        Raises:
            ObjectionError: a value or constraint.
            TransactionLostError: the database rolled the transaction back.
            TargetError: anything else, a closed session among them.
        """
        with self.translating(what), self._limited(what):
            yield

    @contextmanager
    def translating(self, what: str) -> Iterator[None]:
        """Turn errors likewise, around several statements of which each is watched by `doing`."""
        self._refuse_closed(what)
        try:
            yield
        except (sa.exc.SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error) as error:
            self._refuse_closed(what)
            raise self._translated(what, error) from None

    @contextmanager
    def _limited(self, what: str) -> Iterator[None]:
        """Interrupt a statement whose database has no time limit, and cut one that gets no answer."""
        seconds = self._seconds + watchdog.GRACE_SECONDS
        limit = self._seconds if self._driver.interrupts else seconds
        interrupting, cutting = WATCHDOG.watching(limit, self._interrupt), WATCHDOG.watching(seconds, self._cut)
        try:
            with cutting, interrupting:
                yield
        except Exception:
            if cutting.over:
                self.discard()
                raise self._failed(what, f"it did not answer for {seconds:g} s and was cut", retry_helps=True) from None
            if self._driver.interrupts and interrupting.over:
                reason = f"cancelled after the statement timeout of {self._seconds:g} s"
                raise self._failed(what, reason, retry_helps=True) from None
            raise

    def is_lost(self) -> bool:
        """Return whether the connection is gone, so that the next transaction needs another one."""
        connection = self._connection
        return connection is None or connection.closed or connection.invalidated

    def discard(self) -> None:
        """Close the connection, whatever state it is in."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        driver: Any = None
        with contextlib.suppress(Exception):  # it is lost already
            driver = connection.connection.driver_connection
        try:
            connection.close()
        except Exception:  # noqa: BLE001  each driver has its own error of a connection that is lost
            with contextlib.suppress(Exception):
                driver.close()

    def close(self) -> None:
        """End the session, from any thread; what runs is interrupted, and after two seconds cut."""
        self._closed.set()
        if not self._busy.acquire(blocking=False):
            self._interrupt()
            if not self._busy.acquire(timeout=_CLOSE_SECONDS):
                self._cut()
                return
        try:
            self.discard()
        finally:
            self._busy.release()

    def fault_of(self, error: BaseException) -> Fault:
        """Return what an error of SQLAlchemy or the driver means."""
        return self._driver.fault(error.orig if isinstance(error, sa.exc.DBAPIError) and error.orig else error)

    def _raw(self) -> Any:
        connection = self._connection
        return None if connection is None else connection.connection.driver_connection

    def _interrupt(self) -> None:
        with contextlib.suppress(Exception):  # idle or lost: each driver has its own error
            self._driver.interrupt(self._raw())

    def _cut(self) -> None:
        with contextlib.suppress(Exception):  # it is lost already
            self._driver.cut(self._raw())

    def _refuse_closed(self, what: str) -> None:
        if self._closed.is_set():
            raise TargetError(f"connection {self._conn_id!r} was closed by its run while {what}", retry_helps=True)

    def _translated(self, what: str, error: Exception) -> Exception:
        fault = self.fault_of(error)
        gone = fault.gone or self._is_disconnect(error)
        if gone:
            self.discard()
        if fault.meaning is Meaning.LOST:
            return TransactionLostError(fault.reason)
        if fault.meaning is Meaning.OBJECTION and not gone:
            return _objection(fault)
        retry_helps = gone or fault.retry_helps
        code = f" (SQLSTATE or code {fault.code})" if fault.code else ""
        return self._failed(what, f"{fault.reason}{code}", retry_helps=retry_helps, remedy=fault.remedy)

    def _is_disconnect(self, error: Exception) -> bool:
        if isinstance(error, sa.exc.DBAPIError):
            return error.connection_invalidated
        if isinstance(error, sa.exc.SQLAlchemyError):
            return False
        try:
            return bool(self._engine.dialect.is_disconnect(cast("Any", error), self._raw(), None))
        except Exception:  # noqa: BLE001  the connection is gone, or the dialect knows errors of another form
            return False

    def _failed(self, what: str, reason: str, *, retry_helps: bool, remedy: str = "") -> TargetError:
        plain = "A retry may pass" if retry_helps else "Correct that at the database, then run the task again"
        return TargetError(
            f"connection {self._conn_id!r} failed while {what}: {reason}\n{remedy or plain}", retry_helps=retry_helps
        )


class UniqueObjectionError(ObjectionError):
    """A unique index or constraint objects."""


def _objection(fault: Fault) -> ObjectionError:
    kind = UniqueObjectionError if fault.of_unique else ObjectionError
    return kind(fault.code, fault.reason)
