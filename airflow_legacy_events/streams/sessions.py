"""Shared read sessions: one per connection of a process, not one per waiter."""

from __future__ import annotations

import datetime as dt
import threading
from typing import NamedTuple

from airflow_legacy_events.core.ports import Database
from airflow_legacy_events.core.row_security import FAIL
from airflow_legacy_events.hooks.database import LegacyDatabaseHook


class _Place(NamedTuple):
    conn_id: str
    statement_timeout: dt.timedelta
    row_security: str


class SharedSessions:
    """Databases by connection, opened for the first user and closed after the last one releases it.

    Two hundred waiters for one source thus share one session. A database whose session failed is not handed out again.
    Its current users notice the failure by themselves, so one broken query does not disturb the others.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[_Place, Database] = {}
        self._users: dict[int, int] = {}

    def acquire(self, conn_id: str, statement_timeout: dt.timedelta, row_security: str = FAIL) -> Database:
        """Return the database of a connection; give it back with `release`.

        :param conn_id: the Airflow connection.
        :param statement_timeout: time limit of a statement, enforced by the database.
        :param row_security: what to do where a row-level security policy may hide rows.
        :raises ConfigurationError: the connection is missing, of an unknown type, or its driver is not installed.
        """
        place = _Place(conn_id, statement_timeout, row_security)
        with self._lock:
            database = self._open.get(place)
            if database is not None:
                self._users[id(database)] += 1
                return database
        made = LegacyDatabaseHook(conn_id).get_database(statement_timeout=statement_timeout, row_security=row_security)
        with self._lock:  # nothing is connected yet, so the loser of a race is simply dropped
            database = self._open.setdefault(place, made)
            self._users[id(database)] = self._users.get(id(database), 0) + 1
            return database

    def release(self, database: Database, *, failed: bool = False) -> None:
        """Give a database back.

        :param database: as `acquire` returned it.
        :param failed: whether its session may be gone, so that it must not be handed out again.
        """
        with self._lock:
            self._users[id(database)] -= 1
            last = not self._users[id(database)]
            if last:
                del self._users[id(database)]
            if last or failed:
                self._open = {place: one for place, one in self._open.items() if one is not database}
        if last:
            database.close()


SESSIONS = SharedSessions()
