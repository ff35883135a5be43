"""The stream's lock as a session of the database that shows who holds it, whichever database that is."""

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
from airflow_legacy_events.databases.errors import one_line

HEARTBEAT_SECONDS = 5.0
LEASE_SECONDS = 15.0
"""A holder whose last sign of life is older is taken for dead."""

_END_SECONDS = 10.0
_POLL_SECONDS = 0.1
_LONGEST_NAME = 150
_TASK_INSTANCE = ("dag", "task", "run", "map_index")


class Seen(NamedTuple):
    """The session that holds a lock, as far as others may look at it.

    Attributes:
        pid: the server's number of the session.
        holder: what its comment says; None where that is not to be seen.
        idle: seconds since its last statement began; None where that is not to be seen.
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
    """The statement by which a person ends a session, with a place for its number."""

    ascii_only = False
    """Whether others are shown no other characters."""

    def __init__(self, name: str, holder: Mapping[str, Any], log: logging.Logger) -> None:
        self._name, self._holder, self._log = name, _short(holder), log
        self._comment = f"/* legacy-events {_shown(self._holder, ascii_only=self.ascii_only)} */"
        self._released = threading.Event()

    @abstractmethod
    def _try(self) -> bool:
        """Take the lock if it is free, and show the holder; return whether it is ours."""

    @abstractmethod
    def _who(self) -> Seen:
        """Return who holds it."""

    @abstractmethod
    def _terminate(self, pid: int) -> None:
        """End the session `pid`."""

    def _take(self) -> None:
        if self._try():
            return
        pid, holder, idle = self._who()
        if pid is None and self._try():  # nobody any more: a server needs a moment to free what a session held
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


def is_earlier_try(holder: Mapping[str, Any], mine: Mapping[str, Any]) -> bool:
    """Whether `holder` is the same task instance in an earlier try."""
    if any(holder.get(part) is None or holder.get(part) != mine.get(part) for part in _TASK_INSTANCE):
        return False
    return int(holder.get("try") or 0) < int(mine.get("try") or 0)


def describe(holder: Mapping[str, Any] | None) -> str:
    """The holder as a person reads it."""
    if holder is None:
        return "a session that this user may not look at"
    text = f"dag {holder.get('dag')!r}, task {holder.get('task')!r}, run {holder.get('run')!r}"
    if holder.get("map_index") not in (None, -1):
        text += f", map index {holder['map_index']}"
    return f"{text}, try {holder.get('try')} on host {holder.get('host')}, pid {holder.get('pid')}"


def holder_in(statement: str | None) -> dict[str, Any] | None:
    """Return the holder that a statement's comment names."""
    start, end = (statement or "").find("{"), (statement or "").rfind("} */")
    return json.loads((statement or "")[start : end + 1]) if -1 < start < end else None


def _short(holder: Mapping[str, Any]) -> dict[str, Any]:
    """The holder with long names cut, each with a hash: PostgreSQL shows the first 1 kB of a statement."""
    return {
        part: names.cut_bytes(value, _LONGEST_NAME) if isinstance(value, str) else value
        for part, value in holder.items()
    }


def _shown(holder: Mapping[str, Any], *, ascii_only: bool) -> str:
    """JSON that neither opens nor ends a comment."""
    return json.dumps(holder, ensure_ascii=ascii_only, separators=(",", ":")).replace("*", r"\u002a")
