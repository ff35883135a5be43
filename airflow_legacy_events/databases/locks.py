"""Locks: who holds a stream's lock, and what the locks that a session holds share."""

from __future__ import annotations

import json
import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, NamedTuple

from airflow_legacy_events.core import names
from airflow_legacy_events.core.errors import BusyError, SourceError
from airflow_legacy_events.core.foreign_json import read_json
from airflow_legacy_events.core.printable import printable
from airflow_legacy_events.databases.errors import one_line

HEARTBEAT_SECONDS = 5.0
LEASE_SECONDS = 15.0
"""Heartbeats come every `HEARTBEAT_SECONDS`; a holder whose last one is older than the lease is taken for dead."""

_END_SECONDS = 10.0
_POLL_SECONDS = 0.1
_LONGEST_NAME = 150
_TASK_INSTANCE = ("dag", "task", "run", "map_index")


class HeldLock(NamedTuple):
    """Who holds a lock, as far as this user may see it.

    Attributes:
        pid: the server's number of the session that holds it; None: nobody does.
        holder: as the comment of the session's statement names it; None where that is hidden.
        idle: seconds since the session's last statement began; None where that is hidden.
    """

    pid: int | None = None
    holder: dict[str, Any] | None = None
    idle: float | None = None


class SessionLock(ABC):
    """A lock that the server frees with the session that took it.

    Args:
        name: of the stream.
        holder: who takes it; see `core.ports.Database.lock`.
        log: of the task.
    """

    ending: str
    """The statement with which a person ends a session, with a place for its number."""

    ascii_only = False
    """Whether the server shows others nothing but ASCII."""

    def __init__(self, name: str, holder: Mapping[str, Any], log: logging.Logger) -> None:
        self._name, self._holder, self._log = name, _short(holder), log
        self._comment = f"/* legacy-events {_shown(self._holder, ascii_only=self.ascii_only)} */"
        self._released = threading.Event()

    @abstractmethod
    def _try(self) -> bool:
        """Take the lock if it is free, and name its holder to others; return whether it is ours."""

    @abstractmethod
    def _who(self) -> HeldLock:
        """Return who holds it."""

    @abstractmethod
    def _terminate(self, pid: int) -> None:
        """End the session `pid`."""

    def _take(self) -> None:
        if self._try():
            return
        pid, holder, idle = self._who()
        if pid is None and self._try():  # nobody holds it any more: a server frees a session's locks a moment late
            return
        if pid is not None and holder is not None and is_earlier_try(holder, self._holder):
            self._log.warning("ending %s, an earlier try of this task, backend pid %s", describe(holder), pid)
            self._terminate(pid)
            deadline = time.monotonic() + _END_SECONDS
            while time.monotonic() < deadline:
                if self._try():
                    return
                self._released.wait(_POLL_SECONDS)
        raise self._busy(pid, holder, idle)

    def _busy(self, pid: int | None, holder: dict[str, Any] | None, idle: float | None) -> BusyError:
        who = f"{describe(holder)}, backend pid {pid}"
        text = f"stream {self._name!r} is being worked on by {who}"
        if idle is not None and idle >= LEASE_SECONDS:
            return BusyError(
                f"{text}, which has shown no life for {idle:.0f} s although its session is open. If that run is dead,"
                f" end its session in the source database: {self.ending.format(pid)}",
                holder=who,
                healthy=False,
            )
        return BusyError(text, holder=who, healthy=None if idle is None else True)

    def _not_taken(self, reason: object) -> SourceError:
        return SourceError(
            f"the lock of stream {self._name!r} could not be taken: {one_line(reason)}. Nothing was read"
        )

    def _lost(self, reason: object) -> SourceError:
        return SourceError(
            f"the lock of stream {self._name!r} is lost, its session ended: {one_line(reason)}. The watermark"
            " was not moved; another run may have taken over, or the connection was cut. A retry goes on"
        )

    def _warn_not_renewed(self, reason: object) -> None:
        self._log.warning("the lease of stream %s could not be renewed: %s", self._name, one_line(reason))


def key_of(name: str, table: str | None) -> str:
    """Return what the key of a lock is made of: a stream's name, which holds no NUL, or a table's behind one."""
    return name if table is None else f"table\0{table}"


def is_earlier_try(holder: Mapping[str, Any], mine: Mapping[str, Any]) -> bool:
    """Return whether `holder` is the same task instance in an earlier try."""
    if any(holder.get(part) is None or holder.get(part) != mine.get(part) for part in _TASK_INSTANCE):
        return False
    try:
        return int(holder.get("try") or 0) < int(mine.get("try") or 0)
    except (TypeError, ValueError):  # what another process wrote
        return False


def describe(holder: Mapping[str, Any] | None) -> str:
    """Return the holder in words."""
    if holder is None:
        return "a session that this user may not look at"
    text = f"dag {holder.get('dag')!r}, task {holder.get('task')!r}, run {holder.get('run')!r}"
    if holder.get("map_index") not in (None, -1):
        text += f", map index {holder['map_index']}"
    return printable(f"{text}, try {holder.get('try')} on host {holder.get('host')}, pid {holder.get('pid')}")


def holder_in(statement: str | None) -> dict[str, Any] | None:
    """Return the holder that the comment of a statement names; None where there is none, or no JSON."""
    start, end = (statement or "").find("{"), (statement or "").rfind("} */")
    return read_holder((statement or "")[start : end + 1]) if -1 < start < end else None


def read_holder(text: object) -> dict[str, Any] | None:
    """Return the holder that a text names, as JSON; None where it names none, whatever it is."""
    try:
        found = read_json(text) if isinstance(text, (str, bytes)) else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _short(holder: Mapping[str, Any]) -> dict[str, Any]:
    """Return the holder with long names cut, since PostgreSQL shows others only the first 1 kB of a statement."""
    return {
        part: names.cut_bytes(value, _LONGEST_NAME) if isinstance(value, str) else value
        for part, value in holder.items()
    }


def _shown(holder: Mapping[str, Any], *, ascii_only: bool) -> str:
    """Return the holder as JSON that neither opens nor closes a comment."""
    return json.dumps(holder, ensure_ascii=ascii_only, separators=(",", ":")).replace("*", r"\u002a")
