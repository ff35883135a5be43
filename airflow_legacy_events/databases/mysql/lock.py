"""Stream lock in MySQL and MariaDB: GET_LOCK on a session whose running statement names its holder."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import MySQLdb

from airflow_legacy_events.core import names
from airflow_legacy_events.core.errors import LegacyEventsError
from airflow_legacy_events.core.ports import Answer
from airflow_legacy_events.databases.locks import HEARTBEAT_SECONDS, HeldLock, SessionLock, holder_in, key_of
from airflow_legacy_events.databases.mysql.process_list import listed
from airflow_legacy_events.databases.mysql.session import (
    INTERRUPTED,
    QUICK_SECONDS,
    Session,
    code_of,
    is_lost,
    reason,
)
from airflow_legacy_events.databases.mysql.writing import Writer
from airflow_legacy_events.databases.watchdog import WATCHDOG
from airflow_legacy_events.databases.writing import Reading

_DEAD_SECONDS = 20
_LOOK_SECONDS = 0.25
_RELEASE_SECONDS = 4.0
_UNKNOWN_SESSION = 1094

_WHO = """
SELECT info, time, user, SUBSTRING_INDEX(USER(), '@', 1) FROM information_schema.processlist WHERE id = %s
"""


class NamedLock(SessionLock):
    """Named lock: holds `GET_LOCK` on a session that sleeps in statements of 5 s, whose comment names the holder.

    An idle session shows no statement in the process list, so one is always running. If none runs for 20 s, the server
    ends the session and releases the lock. A second session checks who holds it.

    Args:
        connect: opens a session: two immediately, which `held` closes; a replacement if the second is lost; one at the
            first `execute`.
        reading: of the database.
        database: lock names are server-wide, so they include the database.
        name: of the stream.
        holder: who takes it.
        log: of the task.
        table: see `core.ports.Database.lock`; it includes its database.
    """

    ending = "KILL {}"
    ascii_only = True  # no 4-byte characters in the process list

    def __init__(
        self,
        connect: Callable[[], Session],
        reading: Reading,
        database: str,
        name: str,
        holder: Mapping[str, Any],
        log: logging.Logger,
        *,
        table: str | None = None,
    ) -> None:
        super().__init__(name, holder, log)
        self._writer = Writer(connect, reading, name)
        self._connect, self._session = connect, connect()
        try:
            self._watcher = connect()
        except LegacyEventsError:
            self._session.close()
            raise
        digest = names.digest(f"{database if table is None else ''}\0{key_of(name, table)}", 40)
        self._lock = f"legacy-events-{digest}"  # at most 64 characters
        self._ended = threading.Event()
        self._beat = threading.Thread(target=self._show, name="legacy-events-lease", daemon=True)

    @contextmanager
    def held(self) -> Iterator[NamedLock]:
        """Take the lock and renew its lease until the context ends.

        Raises:
            BusyError: another run holds it.
            SourceError: a session failed.
        """
        try:
            try:
                self._session.rows("SET SESSION wait_timeout = %s", _DEAD_SECONDS)
                self._take()
            except MySQLdb.Error as error:
                raise self._not_taken(reason(error)) from None
            yield self
        finally:
            self._release()
            self._watcher.close()
            self._writer.close()

    def check(self) -> None:
        """See `core.ports.Lease.check`; the server reports who holds the lock."""
        if self._ended.is_set():
            raise self._lost("the statement that kept it was ended with it")
        try:
            [(owner,)] = self._ask("SELECT IS_USED_LOCK(%s)", self._lock)
        except MySQLdb.Error as error:
            raise self._lost(reason(error)) from None
        # A restarted server reuses session IDs: its answer counts only while the session exists.
        if self._ended.is_set() or owner is None or int(owner) != self._session.number:
            raise self._lost("the server reports that it is no longer ours")

    def execute(self, statements: Sequence[Any]) -> list[Answer]:
        """See `core.ports.Lease.execute`; the lock is checked right before the commit."""
        return self._writer.execute(statements, self.check)

    def _try(self) -> bool:
        [(taken, *read_only)] = self._session.rows(
            "SELECT GET_LOCK(%s, 0), @@global.read_only, @@global.innodb_read_only", self._lock
        )
        self._standby = not {"0", "OFF"}.issuperset(map(str, read_only))
        if taken != "1":
            return False
        self._beat.start()
        return True

    def _who(self) -> HeldLock | None:
        [(pid,)] = self._ask("SELECT IS_USED_LOCK(%s)", self._lock)
        if pid is None:
            return None
        deadline = time.monotonic() + _LOOK_SECONDS
        while True:  # no statement shows between two of them
            rows = self._ask(_WHO, int(pid))
            if not rows:
                return HeldLock(int(pid))
            info, idle, user, mine = rows[0]
            holder = holder_in(info)
            if holder is not None or time.monotonic() >= deadline:
                return HeldLock(int(pid), holder, float(idle), user, user == mine and holder is not None)
            self._released.wait(0.02)

    def _terminate(self, pid: int) -> None:
        try:
            self._ask(f"KILL {pid:d}")
        except MySQLdb.OperationalError as error:
            if code_of(error) != _UNKNOWN_SESSION:
                raise

    def _ask(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        began = time.monotonic()
        try:
            return listed(self._watcher, statement, *parameters)
        except MySQLdb.OperationalError as error:
            if not is_lost(error) or time.monotonic() - began >= QUICK_SECONDS:
                raise
        self._watcher = self._connect()  # its state is all on the server
        return listed(self._watcher, statement, *parameters)

    def _show(self) -> None:
        statement = f"SELECT {self._comment} SLEEP({HEARTBEAT_SECONDS})"
        try:
            while not self._released.is_set():
                try:
                    self._session.rows(statement)
                except MySQLdb.OperationalError as error:
                    if code_of(error) not in INTERRUPTED:
                        raise
            self._session.rows("SELECT RELEASE_LOCK(%s)", self._lock)
        except MySQLdb.Error as error:
            self._ended.set()
            if not self._released.is_set():
                self._warn_not_renewed(reason(error))
        finally:
            self._session.close()

    def _release(self) -> None:
        self._released.set()
        with WATCHDOG.watching(_RELEASE_SECONDS, self._cut):
            while self._beat.is_alive():
                with contextlib.suppress(MySQLdb.Error):
                    self._watcher.rows(f"KILL QUERY {self._session.number:d}")
                self._beat.join(0.02)
        if self._beat.ident is None:
            self._session.close()

    def _cut(self) -> None:
        for session in (self._session, self._watcher):
            session.cut()
