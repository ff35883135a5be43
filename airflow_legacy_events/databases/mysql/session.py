"""Sessions of MySQL and MariaDB through mysqlclient: pinned, and numbered so that another session can kill them."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import MySQLdb
from MySQLdb.constants import FIELD_TYPE, FLAG
from MySQLdb.converters import conversions

from airflow_legacy_events.core.ports import Answer
from airflow_legacy_events.core.sql_dialects import MYSQL, Dialect
from airflow_legacy_events.databases.errors import one_line

INTERRUPTED = frozenset({1317, 1969, 3024})
"""Errors of a statement that was killed by another session, or by the server's own limit."""

_LOST = range(2000, 3000)
_GONE = frozenset({1040, 1053, 1152, 1159, 1161, 1205, 1213, 1927, 4031})
# Modes that would change the values or the literals that are exchanged; what a query may be written in stays.
_HARMFUL_MODES = frozenset(
    {
        *("PAD_CHAR_TO_FULL_LENGTH", "EMPTY_STRING_IS_NULL", "ORACLE", "MSSQL", "DB2"),
        *("NO_ZERO_DATE", "NO_ZERO_IN_DATE", "TRADITIONAL"),
    }
)

_ALL_ROWS = 2**64 - 1  # DEFAULT would be what the server's configuration says
_RESTING_SECONDS = 86_400
_LIMITS_TIME_SINCE = (5, 7, 8)
_CACHES_STATISTICS_SINCE = (8,)
_BYTES_OR_TEXT = ((FLAG.BINARY, bytes), (True, str))
_TEXTS = (
    *("DECIMAL", "TINY", "SHORT", "LONG", "FLOAT", "DOUBLE", "NULL", "TIMESTAMP", "LONGLONG", "INT24", "DATE", "TIME"),
    *("DATETIME", "YEAR", "JSON", "NEWDECIMAL"),
)
_STRINGS = (*("VARCHAR", "ENUM", "SET", "TINY_BLOB", "MEDIUM_BLOB", "LONG_BLOB", "BLOB", "VAR_STRING", "STRING"),)
_CONVERSIONS = {
    **{type_: encode for type_, encode in conversions.items() if isinstance(type_, type)},
    **{getattr(FIELD_TYPE, name): str for name in _TEXTS},
    **{getattr(FIELD_TYPE, name): _BYTES_OR_TEXT for name in _STRINGS},
}


class Session:
    """One connection; values come as the text that the server sends, binary ones as bytes.

    Args:
        options: of `MySQLdb.connect`.

    Attributes:
        connection: mysqlclient's, for one thread at a time.
        number: the server's number of the session.
        mariadb: whether the server is MariaDB.
        version: of the server.
        modes: its sql_mode.
        limits_time: whether the server itself ends a statement that takes too long.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.connection: Any = MySQLdb.connect(  # type: ignore[no-untyped-call]
            **{**options, "charset": "utf8mb4", "conv": _CONVERSIONS, "autocommit": True, "local_infile": 0},
            multi_statements=False,
        )
        self._descriptor = self.connection.fileno()
        [(number, version, modes)] = self.rows("SELECT CONNECTION_ID(), VERSION(), @@sql_mode")
        self.number = int(number)
        self.mariadb = "mariadb" in version.lower()
        self.version = tuple(map(int, re.findall(r"\d+", version.removeprefix("5.5.5-"))[:3]))
        self.limits_time = self.mariadb or self.version >= _LIMITS_TIME_SINCE
        self.modes = [mode for mode in modes.split(",") if mode not in _HARMFUL_MODES]
        unlimited = ", max_statement_time = 0" if self.mariadb else ""
        statement = f"SET SESSION sql_mode = %s, time_zone = '+00:00', sql_select_limit = %s{unlimited}"
        self.rows(statement, ",".join(self.modes), _ALL_ROWS)

    @property
    def sql_dialect(self) -> Dialect:
        """How this session reads a SQL text; whether it runs what is in `/*!50701 x */`, its release knows."""
        texts = "'" if "ANSI_QUOTES" in self.modes else "'\""
        return replace(MYSQL, backslash=("" if "NO_BACKSLASH_ESCAPES" in self.modes else texts,))

    def rows(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Run one small statement; return its rows."""
        with self.connection.cursor() as cursor:
            cursor.execute(statement, parameters or None)
            return list(cursor.fetchall())

    def answer(self, statement: str, parameters: Any) -> Answer:
        """Run one statement; return its rows and their number, or the number of rows that it found to change."""
        with self.connection.cursor() as cursor:
            count = cursor.execute(statement, parameters or None)
            return Answer(list(cursor.fetchall()) if cursor.description else [], int(count))

    def absorb(self) -> None:
        """Absorb a KILL that came after its statement had ended; MySQL 5.6 keeps it for the next statement."""
        with contextlib.suppress(MySQLdb.Error):
            self.rows("DO 0")

    def read_only(self, timeout_seconds: float) -> None:
        """Let the session read only, and let the server end statements after so long, where it can."""
        self.rows("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        settings: dict[str, float] = {"sql_big_selects": 1, "wait_timeout": _RESTING_SECONDS}
        if self.mariadb and self.version >= (10, 3):
            settings |= {"idle_transaction_timeout": 0, "idle_readonly_transaction_timeout": 0}
        if self.mariadb:
            settings["max_statement_time"] = max(0.001, timeout_seconds)
        if not self.mariadb and self.version >= _CACHES_STATISTICS_SINCE:
            settings["information_schema_stats_expiry"] = 0
        if not self.mariadb and self.limits_time:
            settings["max_execution_time"] = max(1, int(timeout_seconds * 1000))
        names = ", ".join(f"{name} = %s" for name in settings)
        self.rows(f"SET SESSION {names}", *settings.values())

    def close(self) -> None:
        """Close the connection, if it is still open."""
        with contextlib.suppress(MySQLdb.Error):
            self.connection.close()

    def cut(self) -> None:
        """Let go of the wire, from any thread; the statement that waits for it fails."""
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(self._descriptor)) as wire:
            wire.shutdown(socket.SHUT_RDWR)


class Killer:
    """A session that kills the statements of another one, from any thread; it is opened at first use.

    Args:
        connect: opens the session.
    """

    def __init__(self, connect: Callable[[], Session]) -> None:
        self._connect, self._turn = connect, threading.Lock()
        self._session: Session | None = None

    def end_statement(self, number: int) -> None:
        """Kill the statement that runs on session `number`; a session that rests is left alone."""
        with self._turn, contextlib.suppress(MySQLdb.Error):
            try:
                self._kill(number)
            except MySQLdb.OperationalError as error:
                if not is_lost(error):
                    raise
                self._session = None
                self._kill(number)

    def _kill(self, number: int) -> None:
        if self._session is None:
            self._session = self._connect()
        self._session.rows(f"KILL QUERY {number:d}")

    def close(self) -> None:
        """Close the session, if it was opened."""
        with self._turn:
            if self._session is not None:
                self._session.close()
            self._session = None


def code_of(error: BaseException | None) -> int:
    """Return the number of an error; 0 where the driver itself raised it, or there is none."""
    return error.args[0] if error is not None and error.args and isinstance(error.args[0], int) else 0


def is_lost(error: BaseException) -> bool:
    """Return whether the connection is gone, or the server can't serve it now."""
    return code_of(error) in _LOST or code_of(error) in _GONE


def reason(error: BaseException) -> str:
    """Return the server's sentence and number."""
    text = one_line(error.args[1] if len(error.args) > 1 else error)
    return f"{text} (error {code_of(error)})" if code_of(error) else text
