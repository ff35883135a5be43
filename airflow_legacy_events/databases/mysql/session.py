"""MySQL and MariaDB sessions through mysqlclient: pinned, with a known ID so that another session can kill them."""

from __future__ import annotations

import contextlib
import math
import os
import re
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import MySQLdb
from MySQLdb.constants import FIELD_TYPE, FLAG
from MySQLdb.converters import conversions

from airflow_legacy_events.core.ports import Answer
from airflow_legacy_events.core.sql_dialects import MYSQL, Dialect
from airflow_legacy_events.databases.errors import one_line
from airflow_legacy_events.databases.mysql import settings
from airflow_legacy_events.databases.mysql import zone as zones
from airflow_legacy_events.databases.mysql.connecting import connect

INTERRUPTED = frozenset({1317, 1969, 3024})
"""Errors of a statement that was killed by another session or by the server's time limit."""

_LOST = range(2000, 3000)
_GONE = frozenset({1040, 1053, 1152, 1159, 1161, 1205, 1213, 1927, 4031})
_VERSIONED_SINCE = (10, 3, 4)
_REFUSED = 1290
QUICK_SECONDS = 1.0
"""Seconds within which a closed connection fails. An error that takes longer means that the server doesn't answer."""

_UNANSWERED_SECONDS = 30.0
_NO_MEMORY_TO_SORT = 1038
_PACKS_SORT_KEYS_SINCE = {True: (10, 5), False: (8, 0, 20)}
_SHORTEST_SORT_BYTES = 1_024
_SORT_BUFFER_BYTES = 2 * 2**20
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
    """One connection. Values are the text that the server sends, or bytes for binary ones.

    Args:
        conn_id: Airflow's name of the connection.
        options: of `MySQLdb.connect`, from the connection; see `connecting`.

    Attributes:
        connection: mysqlclient's, for one thread at a time.
        number: the server's ID of the session.
        mariadb: whether the server is MariaDB.
        version: of the server.
        modes: its sql_mode.
        zone: the server's own time zone.
        limits_time: whether the server enforces a statement timeout.
        touched: whether a statement may have changed the session's settings; see `settle`.
    """

    def __init__(self, conn_id: str, options: Mapping[str, Any]) -> None:
        self.connection = connect(conn_id, options, _CONVERSIONS)
        self._descriptor = self.connection.fileno()
        zone, kept = zones.columns(), (f"@@{name}" for name in settings.KEPT)
        [(number, version, modes, self._collation, *values)] = self.rows(
            f"SELECT CONNECTION_ID(), VERSION(), @@sql_mode, @@collation_connection, {', '.join((*zone, *kept))}"
        )
        self.zone, values = zones.zone_of(values[: len(zone)]), values[len(zone) :]
        self.number = int(number)
        self.mariadb = "mariadb" in version.lower()
        self.version = tuple(map(int, re.findall(r"\d+", version.removeprefix("5.5.5-"))[:3]))
        self.limits_time = self.mariadb or self.version >= settings.LIMITS_TIME_SINCE
        self.modes = settings.modes_of(modes)
        self.touched = False
        self._sorts_by = 0
        begun = {
            name: int(value) if value.isdecimal() else value for name, value in zip(settings.KEPT, values, strict=True)
        }
        longest = begun["group_concat_max_len"]
        self._settings: dict[str, Any] = {
            **begun,
            "sql_mode": ",".join(self.modes),
            **settings.of_each_session(self.version, mariadb=self.mariadb, longest_list=longest),
        }
        self._set(self._settings)

    def _set(self, values: Mapping[str, Any], before: str = "") -> None:
        names = ", ".join(f"SESSION {name} = %s" for name in values)
        self.rows(f"SET {before}{names}", *values.values())

    def settle(self) -> None:
        """Restore the settings if a read since then may have changed them; otherwise it costs nothing."""
        if not self.touched:
            return
        names = f"NAMES utf8mb4 COLLATE {self._collation}, "
        past = "SESSION system_versioning_asof = DEFAULT, " if self.mariadb and self.version >= _VERSIONED_SINCE else ""
        try:
            self._set(self._settings, f"{names}{past}SESSION timestamp = DEFAULT, ")
        except MySQLdb.OperationalError as error:
            if code_of(error) != _REFUSED:  # secure_timestamp forbids setting the time
                raise
            self._set(self._settings, names + past)
        self.touched = False

    @property
    def packs_sort_keys(self) -> bool:
        """Whether the server packs sort keys: their length is that of the value, not of the longest possible one."""
        return self.version >= _PACKS_SORT_KEYS_SINCE[self.mariadb]

    def sort_by(self, most: int) -> None:
        """Raise the sort length for text to so many bytes of collation weights; never lower it."""
        if most <= self._sorts_by:
            return
        self._sorts_by = most
        buffer = max(self._settings["sort_buffer_size"], _SORT_BUFFER_BYTES)
        self._sort(max(most, self._settings["max_sort_length"]), buffer)

    def sort_by_less(self) -> bool:
        """Lower the sort length for text if the server lacks the memory; return whether that is possible."""
        now = self._settings["max_sort_length"]
        if now <= _SHORTEST_SORT_BYTES:
            return False
        self._sort(max(now // 16, _SHORTEST_SORT_BYTES), self._settings["sort_buffer_size"])
        return True

    def _sort(self, length: int, buffer: int) -> None:
        found = {"max_sort_length": length, "sort_buffer_size": buffer}
        self._set(found)
        self._settings |= found

    @property
    def sql_dialect(self) -> Dialect:
        """SQL syntax of this session; its release determines whether the contents of `/*!50701 x */` run."""
        texts = "'" if "ANSI_QUOTES" in self.modes else "'\""
        return replace(MYSQL, backslash=("" if "NO_BACKSLASH_ESCAPES" in self.modes else texts,))

    def rows(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Run one small statement; return its rows."""
        with self.connection.cursor() as cursor:
            cursor.execute(statement, parameters or None)
            return list(cursor.fetchall())

    def answer(self, statement: str, parameters: Any) -> Answer:
        """Run one statement; return its rows and their number, or the number of rows that matched its condition."""
        with self.connection.cursor() as cursor:
            count = cursor.execute(statement, parameters or None)
            return Answer(list(cursor.fetchall()) if cursor.description else [], int(count))

    def absorb(self) -> None:
        """Absorb a KILL that arrived after its statement had ended; MySQL 5.6 applies it to the next statement."""
        with contextlib.suppress(MySQLdb.Error):
            self.rows("DO 0")

    def read_only(self, timeout_seconds: float) -> None:
        """Make the session read-only, and set the server's statement timeout if it has one.

        Each statement then runs in its own read-only transaction, with the session's mode at the start of the
        statement. A function in it may change the mode for later statements: see `settle`.
        """
        found = settings.of_reading(self.version, timeout_seconds, mariadb=self.mariadb)
        self._set(found)
        self._settings |= found

    def close(self) -> None:
        """Close the connection, if it is still open."""
        with contextlib.suppress(MySQLdb.Error):
            self.connection.close()

    def cut(self) -> None:
        """Shut down the socket, from any thread; the waiting statement fails."""
        if not self.connection.open:  # its socket's number may be reused by now
            return
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(self._descriptor)) as wire:
            wire.shutdown(socket.SHUT_RDWR)


class Killer:
    """A session that kills the statements of another one, from any thread. It is opened on first use.

    Args:
        connect: opens the session.
    """

    def __init__(self, connect: Callable[[], Session]) -> None:
        self._connect, self._turn = connect, threading.Lock()
        self._session: Session | None = None
        self._again_at = -math.inf

    def end_statement(self, number: int) -> None:
        """Kill the running statement of session `number`; an idle session is left alone.

        An unresponsive server is left alone for a while, since this is called several times when a run ends.
        """
        with self._turn, contextlib.suppress(MySQLdb.Error):
            began = time.monotonic()
            if began < self._again_at:
                return
            try:
                self._kill(number)
            except MySQLdb.OperationalError as error:
                if not is_lost(error):
                    raise
                self._session = None
                if time.monotonic() - began >= QUICK_SECONDS:
                    self._again_at = time.monotonic() + _UNANSWERED_SECONDS
                    return
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


def first_rows(session: Session, cursor: Any, statement: str, parameters: Any, most: int) -> list[tuple[Any, ...]]:
    """Run a statement and return at most its first `most` rows.

    If the server lacks the memory to sort such long text, the sort length is lowered.
    """
    while True:
        try:
            cursor.execute(statement, parameters)
            return list(cursor.fetchmany(most))
        except MySQLdb.OperationalError as error:
            if code_of(error) != _NO_MEMORY_TO_SORT or not session.sort_by_less():
                raise


def code_of(error: BaseException | None) -> int:
    """Return the number of an error; 0 if the driver itself raised it or it has none."""
    return error.args[0] if error is not None and error.args and isinstance(error.args[0], int) else 0


def is_lost(error: BaseException) -> bool:
    """Return whether the connection is lost, or the server can't serve it at the moment."""
    return code_of(error) in _LOST or code_of(error) in _GONE


def reason(error: BaseException) -> str:
    """Return the server's message and error number."""
    text = one_line(error.args[1] if len(error.args) > 1 else error)
    return f"{text} (error {code_of(error)})" if code_of(error) else text
