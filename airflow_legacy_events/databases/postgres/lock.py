"""Stream lock in PostgreSQL: a session-level advisory lock that shows its holder."""

from __future__ import annotations

import contextlib
import functools
import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from airflow_legacy_events.core import names
from airflow_legacy_events.core.errors import ConfigurationError, LegacyEventsError
from airflow_legacy_events.core.ports import Answer
from airflow_legacy_events.databases.locks import HEARTBEAT_SECONDS, HeldLock, SessionLock, holder_in, key_of
from airflow_legacy_events.databases.postgres.limits import without_limits
from airflow_legacy_events.databases.postgres.pooling import Backend, last_row, shared
from airflow_legacy_events.databases.postgres.session import cut, texts_of
from airflow_legacy_events.databases.postgres.writing import reason_without_values
from airflow_legacy_events.databases.watchdog import WATCHDOG, Watch
from airflow_legacy_events.databases.writing import Reading, in_order, not_written, retried

_WHO = """
SELECT l.pid, a.query,
       pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) a.state_change),
       a.usename::pg_catalog.text, session_user::pg_catalog.text, a.application_name
  FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid OPERATOR(pg_catalog.=) l.pid
 WHERE l.locktype OPERATOR(pg_catalog.=) 'advisory' AND l.granted AND l.objsubid OPERATOR(pg_catalog.=) 1
   AND l.database OPERATOR(pg_catalog.=) (
         SELECT oid FROM pg_catalog.pg_database WHERE datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
   AND ((l.classid::pg_catalog.int8 OPERATOR(pg_catalog.<<) 32) OPERATOR(pg_catalog.|) l.objid::pg_catalog.int8)
       OPERATOR(pg_catalog.=) %s
"""


STATEMENT_SECONDS, ANSWER_SECONDS = 15.0, 10.0
"""Statement timeout in a transaction, and the time limit for the answer to a trivial statement."""

_END_SECONDS = 2.0
LOCK_SECONDS = 10
"""Lock timeout for rows that another session holds: shorter than the lease, so that others still see a live holder."""


class AdvisoryLock(SessionLock):
    """Advisory lock: holds `pg_try_advisory_lock` of a 64-bit hash on a session of its own.

    The heartbeat is a trivial statement every 5 s, whose comment names the holder. Others see the comment and its age
    in pg_stat_activity. The server frees the lock when the session ends.

    Args:
        connect: opens the session, immediately; `held` closes it.
        reading: of the database.
        name: of the stream.
        holder: who takes it.
        log: of the task.
        table: see `core.ports.Database.lock`.
        beside: server process of the read session: that session must find the same process again while this one is
            inside BEGIN.
    """

    ending = "SELECT pg_terminate_backend({})"

    def __init__(
        self,
        connect: Callable[[], psycopg.Connection[Any]],
        reading: Reading,
        name: str,
        holder: Mapping[str, Any],
        log: logging.Logger,
        *,
        table: str | None = None,
        beside: Backend,
    ) -> None:
        super().__init__(name, holder, log)
        self._session, self._reading = connect(), reading
        digest = names.digest(key_of(name, table), 16)
        self._key = int.from_bytes(bytes.fromhex(digest), "big", signed=True)
        self._application = f"legacy-events-{digest}"
        self._beside, self._looks, self._pid = beside, beside.looks, 0
        self._turn = threading.Lock()
        self._watch: Watch | None = None

    @contextmanager
    def held(self) -> Iterator[AdvisoryLock]:
        """Take the lock and renew its lease until the context ends.

        Raises:
            BusyError: another run holds it.
            SourceError: the session failed.
        """
        try:
            try:
                self._take()
            except psycopg.Error as error:
                raise self._not_taken(self._why(error)) from None
            beat = threading.Thread(target=self._beat, name="legacy-events-lease", daemon=True)
            beat.start()
            try:
                yield self
            finally:
                self._give_back()
        finally:
            self._released.set()
            if not self._turn.acquire(timeout=_END_SECONDS):  # a heartbeat hangs
                cut(self._session)
                self._turn.acquire()
            self._session.close()
            self._turn.release()

    def _ask(self, statement: Any, parameters: Any = None, seconds: float | None = None) -> psycopg.Cursor[Any]:
        """Run a statement. A session that does not answer in time is cut, and its lock is lost."""
        with self._answering(ANSWER_SECONDS if seconds is None else seconds):
            return self._session.execute(statement, parameters)

    def _answering(self, seconds: float) -> Watch:
        self._watch = WATCHDOG.watching(seconds, lambda: cut(self._session))
        return self._watch

    def _why(self, error: object) -> object:
        return "it did not answer, though it stayed connected" if self._watch and self._watch.over else error

    def check(self) -> None:
        """See `core.ports.Lease.check`."""
        with self._turn:
            try:
                self._show_life()
            except psycopg.Error as error:
                raise self._lost(self._why(error)) from None

    def execute(self, statements: Sequence[Any]) -> list[Answer]:
        """See `core.ports.Lease.execute`; the transaction runs on the session that holds the lock, and ends with it."""
        with self._turn:
            try:
                return retried(lambda: self._transaction(statements), _passes)
            except (psycopg.Error, UnicodeDecodeError) as error:
                raise self._failed(error) from None  # the driver's text may contain row values

    def _failed(self, error: psycopg.Error | UnicodeDecodeError) -> LegacyEventsError:
        if refused := self._reading.refused(error, self._session):
            return refused
        why = reason_without_values(error)
        return self._lost(self._why(why)) if self._session.closed else not_written(self._name, why)

    def _transaction(self, statements: Sequence[Any]) -> list[Answer]:
        with self._answering(STATEMENT_SECONDS * (len(statements) + 2)), self._committed():
            self._reading.begin(self._session)

            def answer(statement: Any) -> Answer:
                text, parameters = self._reading.compiled(statement)
                found = self._texts.execute(text.encode(), parameters)
                return Answer(found.fetchall() if found.description else [], found.rowcount)

            return in_order(statements, answer)

    @contextmanager
    def _committed(self) -> Iterator[None]:
        """A transaction. psycopg's own would be a savepoint inside the one left open by the lock."""
        self._session.execute("COMMIT; BEGIN" if self._in_transaction else "BEGIN")
        try:
            yield
        except BaseException:
            with contextlib.suppress(psycopg.Error):
                self._session.rollback()
            raise
        self._session.commit()

    @functools.cached_property
    def _texts(self) -> psycopg.RawCursor[Any]:
        """Created once for all transactions, since that takes a third of a millisecond."""
        return texts_of(self._session)

    def _give_back(self) -> None:
        """Release the lock now: the server would do so only a moment after the session is closed."""
        with self._turn, contextlib.suppress(psycopg.Error):
            self._ask("SELECT pg_catalog.pg_advisory_unlock_all()", seconds=_END_SECONDS)

    def _beat(self) -> None:
        while not self._released.wait(HEARTBEAT_SECONDS):
            with self._turn:
                if self._session.closed:
                    return
                try:
                    self._show_life()
                except psycopg.Error as error:
                    self._warn_not_renewed(self._why(error))
                    return
                except ConfigurationError:
                    return  # the next check raises the error

    def _try(self) -> bool:
        # One round trip. The comment comes first, since others see only the first 1 kB.
        longest, locked = (f"'{seconds * 1000:.0f}ms'" for seconds in (STATEMENT_SECONDS, LOCK_SECONDS))
        none = without_limits(self._session.info.server_version)
        limits = f"{none}; SET statement_timeout = {longest}; SET lock_timeout = {locked};"
        settings = f"{limits} SET application_name = '{self._application}'"
        ask = f"pg_catalog.pg_try_advisory_lock({self._key}), pg_catalog.pg_is_in_recovery()"
        taking = f"{self._comment} BEGIN; {settings}; SELECT {ask}, pg_catalog.pg_backend_pid(); COMMIT; BEGIN"
        taken, self._standby, self._pid = last_row(self._ask(taking.encode()))
        if not taken:
            self._ask("COMMIT")
        self._beside.refuse(self._pid)
        return bool(taken)

    @property
    def _in_transaction(self) -> bool:
        return self._session.info.transaction_status == TransactionStatus.INTRANS

    def _show_life(self) -> None:
        """Renew the lease, and end the transaction once the read session has checked its server process again."""
        ending = "COMMIT; " if self._in_transaction and self._beside.looks > self._looks else ""
        (pid,) = last_row(self._ask(f"{self._comment} {ending}SELECT pg_catalog.pg_backend_pid()".encode()))
        if pid != self._pid:
            raise shared(self._beside.conn_id)

    def _who(self) -> HeldLock | None:
        """See `SessionLock._who`; a transaction that acknowledges rows has no comment, but its session has a name."""
        row = self._ask(_WHO, (self._key,)).fetchone()
        if row is None:
            return None
        pid, query, idle, user, mine, application = row
        holder = holder_in(query)
        named = holder is not None or application == self._application
        return HeldLock(pid, holder, idle, user, user == mine and named)

    def _terminate(self, pid: int) -> None:
        self._ask("SELECT pg_catalog.pg_terminate_backend(%s)", (pid,))


def _passes(error: Exception) -> bool:
    """Whether the error is transient, so that the transaction may be retried."""
    passing = psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure, psycopg.errors.LockNotAvailable
    return isinstance(error, passing)
