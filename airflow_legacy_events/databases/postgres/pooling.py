"""Poolers between us and PostgreSQL: a session must stay with one server process, or its settings and locks are lost.

Each read looks at its server process in the transaction that reads. That alone can't refuse in time: a pool where
nobody else works gives one process again and again. So a second session stays inside BEGIN, and keeps one, while the
first one looks again.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import Any

import psycopg

from airflow_legacy_events.core.errors import ConfigurationError, SourceError

_KEPT = (
    *("client_encoding", "TimeZone", "DateStyle", "IntervalStyle", "standard_conforming_strings", "bytea_output"),
    *("extra_float_digits", "xmloption", "row_security", "default_transaction_read_only", "statement_timeout"),
    "search_path",
)
_SETTINGS = ", ".join(f"pg_catalog.current_setting('{name}')" for name in _KEPT)
LOOK = f"SELECT pg_catalog.pg_backend_pid(), pg_catalog.concat_ws(';', {_SETTINGS})".encode()
"""Tells which server process answers, and with which settings."""

PID = b"SELECT pg_catalog.pg_backend_pid()"

ROUNDS = 8
"""So often a session behind a pooler is looked at, which takes three round trips each."""

_LONGEST_PAUSE_SECONDS = 0.002
SECOND_SECONDS = 10.0
"""So long a pooler may take to give a second session."""

_HIGHEST_PID = 4_194_304
_REFUSES = ("pooling mode",)


class Backend:
    """The server process of a session, as it was found when the session was pinned.

    Args:
        conn_id: Airflow's name of the connection.
        row: the answer to `LOOK`.

    Attributes:
        conn_id: as given.
        pid: of the process.
        looks: how often it was found again.
    """

    def __init__(self, conn_id: str, row: Sequence[Any]) -> None:
        self.conn_id, self._row, self.looks = conn_id, _plain(row), 0
        self.pid = self._row[0]

    def check(self, row: Sequence[Any]) -> None:
        """Check that the process and its settings are as before.

        Args:
            row: the answer to `LOOK`.

        Raises:
            ConfigurationError: they are not.
        """
        if _plain(row) != self._row:
            raise shared(self.conn_id)
        self.looks += 1

    def refuse(self, pid: int) -> None:
        """Check that the process of another session, which holds it by a transaction, is another one.

        Raises:
            ConfigurationError: it is this one.
        """
        if pid == self.pid:
            raise shared(self.conn_id)


def last_row(cursor: psycopg.Cursor[Any]) -> Sequence[Any]:
    """Return the row of the last statement of several that gives one."""
    row: Sequence[Any] = ()
    while True:
        if cursor.description:
            row = cursor.fetchone() or row
        if not cursor.nextset():
            return row


def is_pid(number: int) -> bool:
    """Whether a number that was given at the greeting can be that of a process; that of a pooler is mostly random."""
    return 0 < number <= _HIGHEST_PID


def prove(backend: Backend, reading: psycopg.Connection[Any], other: psycopg.Connection[Any]) -> None:
    """Check that the session that reads keeps its server process while another one takes what is free.

    A process that a pooler took back is what it gives next, or last: so the other session begins again and again, each
    time just after a look. In a busy pool a look may find the process again by chance, but not so often.

    Raises:
        ConfigurationError: it does not.
    """
    asking, taking = psycopg.Cursor(reading), psycopg.Cursor(other)
    for _ in range(ROUNDS):
        backend.refuse(last_row(taking.execute(b"BEGIN; " + PID))[0])
        time.sleep(random.uniform(0, _LONGEST_PAUSE_SECONDS))  # noqa: S311  no secret; out of step with other clients
        backend.check(last_row(asking.execute(LOOK)))
        taking.execute(b"ROLLBACK")


def shared(conn_id: str) -> ConfigurationError:
    """Return the error for a pooler that gives a session another server process with each transaction."""
    return ConfigurationError(
        f"connection {conn_id!r} leads to a pooler that hands out sessions by the transaction or statement, such as"
        " PgBouncer with pool_mode = transaction: settings and locks of a session are lost there; nothing of this read"
        " was sent"
        "\nLet the connection lead to the database's own port, or to a pool in session mode (pool_mode = session)"
    )


def no_second(conn_id: str) -> SourceError:
    """Return the error for a pooler that has no second session."""
    return SourceError(
        f"connection {conn_id!r} leads to a pooler that gave no second session within {SECOND_SECONDS:g} s, and a run"
        " needs two, one to read and one for its lock; nothing was read"
        "\nRaise the pool's size (default_pool_size), or let the connection lead to the database's own port"
    )


def refuses_transactions(error: Exception) -> bool:
    """Whether a pooler says that it hands out sessions by the statement."""
    return isinstance(error, psycopg.Error) and any(one in str(error) for one in _REFUSES)


def _plain(row: Sequence[Any]) -> tuple[int, str]:
    pid, settings = row
    return int(pid), settings.decode() if isinstance(settings, bytes) else str(settings)
