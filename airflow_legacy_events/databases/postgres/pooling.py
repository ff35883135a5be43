"""Connection poolers: a session must keep its PostgreSQL server process, or its settings and locks are lost.

Each read checks its server process inside the transaction that reads. That alone can't detect a pooler in time: an idle
pool returns the same process again and again. So a second session occupies one inside BEGIN, while the first one checks
again.
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
"""Query for the server process that answers, and its settings."""

PID = b"SELECT pg_catalog.pg_backend_pid()"

ROUNDS = 8
"""Number of checks of a session behind a pooler; each takes three round trips."""

_LONGEST_PAUSE_SECONDS = 0.002
SECOND_SECONDS = 10.0
"""Seconds that a pooler may take to provide a second session."""

_HIGHEST_PID = 4_194_304
_REFUSES = ("pooling mode",)


class Backend:
    """Server process of a session, as found when the session was pinned.

    Args:
        conn_id: Airflow's name of the connection.
        row: the answer to `LOOK`.

    Attributes:
        conn_id: as given.
        pid: of the process.
        looks: number of checks that found it again.
    """

    def __init__(self, conn_id: str, row: Sequence[Any]) -> None:
        self.conn_id, self._row, self.looks = conn_id, _plain(row), 0
        self.pid = self._row[0]

    def check(self, row: Sequence[Any]) -> None:
        """Check that the process and its settings are unchanged.

        Args:
            row: the answer to `LOOK`.

        Raises:
            ConfigurationError: they have changed.
        """
        if _plain(row) != self._row:
            raise shared(self.conn_id)
        self.looks += 1

    def refuse(self, pid: int) -> None:
        """Check that another session, which is inside a transaction, has a different process.

        Raises:
            ConfigurationError: it is the same one.
        """
        if pid == self.pid:
            raise shared(self.conn_id)


def last_row(cursor: psycopg.Cursor[Any]) -> Sequence[Any]:
    """Return the last row that any of several statements returns."""
    row: Sequence[Any] = ()
    while True:
        if cursor.description:
            row = cursor.fetchone() or row
        if not cursor.nextset():
            return row


def is_pid(number: int) -> bool:
    """Whether the number in the greeting can be a process ID; a pooler mostly sends a random one."""
    return 0 < number <= _HIGHEST_PID


def prove(backend: Backend, reading: psycopg.Connection[Any], other: psycopg.Connection[Any]) -> None:
    """Check that the read session keeps its server process while another session takes a free one.

    A pooler hands out a returned process next, or last. So the other session begins a new transaction right after each
    check. In a busy pool a check may find the process again by chance, but not that often.

    Raises:
        ConfigurationError: it doesn't keep it.
    """
    asking, taking = psycopg.Cursor(reading), psycopg.Cursor(other)
    for _ in range(ROUNDS):
        backend.refuse(last_row(taking.execute(b"BEGIN; " + PID))[0])
        time.sleep(random.uniform(0, _LONGEST_PAUSE_SECONDS))  # noqa: S311  not a secret; avoids lockstep
        backend.check(last_row(asking.execute(LOOK)))
        taking.execute(b"ROLLBACK")


def shared(conn_id: str) -> ConfigurationError:
    """Return the error for a pooler that assigns another server process with each transaction."""
    return ConfigurationError(
        f"connection {conn_id!r} leads to a pooler in transaction or statement mode, such as PgBouncer with pool_mode ="
        " transaction: settings and locks of a session are lost there; no row of this read was sent"
        "\nPoint the connection at the database's own port, or at a pool in session mode (pool_mode = session)"
    )


def no_second(conn_id: str) -> SourceError:
    """Return the error for a pooler that provides no second session."""
    return SourceError(
        f"connection {conn_id!r} leads to a pooler that gave no second session within {SECOND_SECONDS:g} s, and a run"
        " needs two, one to read and one for its lock; nothing was read"
        "\nRaise the pool's size (default_pool_size), or point the connection at the database's own port"
    )


def refuses_transactions(error: Exception) -> bool:
    """Whether a pooler reports statement pooling."""
    return isinstance(error, psycopg.Error) and any(one in str(error) for one in _REFUSES)


def _plain(row: Sequence[Any]) -> tuple[int, str]:
    pid, settings = row
    return int(pid), settings.decode() if isinstance(settings, bytes) else str(settings)
