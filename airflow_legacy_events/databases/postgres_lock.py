"""The stream's lock in PostgreSQL: a session-level advisory lock that shows who holds it."""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from airflow_legacy_events.core.errors import BusyError, SourceError
from airflow_legacy_events.databases.holder import HEARTBEAT_SECONDS, LEASE_SECONDS, describe, is_earlier_try

_END_SECONDS = 10.0
_POLL_SECONDS = 0.1
_LONGEST_NAME = 150

_WHO = """
SELECT l.pid, a.query, EXTRACT(EPOCH FROM clock_timestamp() - a.state_change)::float8
  FROM pg_locks l LEFT JOIN pg_stat_activity a USING (pid)
 WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
   AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
   AND (l.classid::bigint << 32) | l.objid::bigint = %s
"""


class AdvisoryLock:
    """Holds `pg_try_advisory_lock` of a 64-bit hash on a session of its own.

    The session runs a trivial statement every 5 s whose comment names the holder; others see it, and its age,
    in pg_stat_activity. The server frees the lock with the session.
    """

    def __init__(
        self,
        connect: Callable[[], psycopg.Connection[Any]],
        name: str,
        holder: Mapping[str, Any],
        log: logging.Logger,
    ) -> None:
        self._connect, self._name, self._holder, self._log = connect, name, _short(holder), log
        digest = hashlib.sha256(name.encode()).digest()
        self._key = int.from_bytes(digest[:8], "big", signed=True)
        self._application = f"legacy-events-{digest[:8].hex()}"
        self._heartbeat = f"/* legacy-events {_shown(self._holder)} */ SELECT 1".encode()
        self._turn = threading.Lock()
        self._released = threading.Event()

    @contextmanager
    def held(self) -> Iterator[AdvisoryLock]:
        """Take the lock and keep its lease alive until the context ends.

        Raises:
            BusyError: another run holds it.
            SourceError: the session failed.
        """
        self._session = self._connect()
        try:
            try:
                self._configure()
                self._take()
            except psycopg.Error as error:
                raise SourceError(
                    f"the lock of stream {self._name!r} could not be taken: {str(error).strip()}. Nothing was read"
                ) from error
            beat = threading.Thread(target=self._beat, name="legacy-events-lease", daemon=True)
            beat.start()
            yield self
        finally:
            self._released.set()
            with self._turn:
                self._session.close()

    def check(self) -> None:
        """See `core.ports.Lease.check`."""
        with self._turn:
            try:
                self._session.execute(self._heartbeat)
            except psycopg.Error as error:
                raise SourceError(
                    f"the lock of stream {self._name!r} is lost, its session ended: {str(error).strip()}. The watermark"
                    " was not moved; another run may have taken over, or the connection was cut. A retry goes on"
                ) from error

    def _configure(self) -> None:
        self._session.execute(
            sql.SQL("SET statement_timeout = '15s'; SET application_name = {}").format(sql.Literal(self._application))
        )
        if self._session.info.server_version >= 140000:  # noqa: PLR2004
            self._session.execute("SET idle_session_timeout = 0")

    def _beat(self) -> None:
        while not self._released.wait(HEARTBEAT_SECONDS):
            with self._turn:
                if self._session.closed:
                    return
                try:
                    self._session.execute(self._heartbeat)
                except psycopg.Error as error:
                    self._log.warning("the lease of stream %s could not be renewed: %s", self._name, str(error).strip())
                    return

    def _take(self) -> None:
        if self._try():
            return
        pid, holder, idle = self._who()
        if pid is not None and holder is not None and is_earlier_try(holder, self._holder):
            self._log.warning("ending %s, an earlier try of this task, backend pid %s", describe(holder), pid)
            self._session.execute("SELECT pg_terminate_backend(%s)", (pid,))
            deadline = time.monotonic() + _END_SECONDS
            while time.monotonic() < deadline:
                if self._try():
                    return
                self._released.wait(_POLL_SECONDS)
        raise self._busy(pid, holder, idle)

    def _try(self) -> bool:
        row = self._session.execute("SELECT pg_try_advisory_lock(%s)", (self._key,)).fetchone()
        self._session.execute(self._heartbeat)
        return bool(row and row[0])

    def _who(self) -> tuple[int | None, dict[str, Any] | None, float | None]:
        row = self._session.execute(_WHO, (self._key,)).fetchone()
        if row is None:
            return None, None, None
        pid, query, idle = row
        start, end = (query or "").find("{"), (query or "").rfind("} */")
        return pid, json.loads(query[start : end + 1]) if -1 < start < end else None, idle

    def _busy(self, pid: int | None, holder: dict[str, Any] | None, idle: float | None) -> BusyError:
        who = f"{describe(holder)}, backend pid {pid}"
        text = f"stream {self._name!r} is being worked on by {who}"
        if idle is not None and idle >= LEASE_SECONDS:
            return BusyError(
                f"{text}, which has shown no life for {idle:.0f} s although its session is open. If that run is dead,"
                f" end its session in the source database: SELECT pg_terminate_backend({pid})",
                holder=who,
                healthy=False,
            )
        return BusyError(text, holder=who, healthy=None if idle is None else True)


def _short(holder: Mapping[str, Any]) -> dict[str, Any]:
    """The holder with long names cut, each with a hash: the server shows the first 1 kB of a statement."""
    return {part: _cut(value) if isinstance(value, str) else value for part, value in holder.items()}


def _cut(value: str) -> str:
    whole = value.encode()
    if len(whole) <= _LONGEST_NAME:
        return value
    return f"{whole[: _LONGEST_NAME - 9].decode(errors='ignore')}~{hashlib.sha256(whole).hexdigest()[:8]}"


def _shown(holder: Mapping[str, Any]) -> str:
    """JSON that neither opens nor ends a comment."""
    return json.dumps(holder, ensure_ascii=False, separators=(",", ":")).replace("*", r"\u002a")
