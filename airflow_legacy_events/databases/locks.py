"""Stream locks: the current holder, and the base class of session-level locks."""

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
"""Lease: a holder sends a heartbeat every `HEARTBEAT_SECONDS`. It counts as dead if the last one is older than the
lease."""

LOOKS = 3
APART_SECONDS = 0.5
"""Number of looks at a holder, and seconds between them, before it counts as a stranger. A run that is just taking or
releasing the lock may not show its name yet."""

_END_SECONDS = 10.0
_JUDGE_SECONDS = 10.0
_POLL_SECONDS = 0.1
_GONE_SECONDS = 0.02
_LONGEST_NAME = 150
MARK = "/* legacy-events {"
_TASK_INSTANCE = ("dag", "task", "run", "map_index")


class HeldLock(NamedTuple):
    """Holder of a lock, as far as this user may see it.

    Attributes:
        pid: the server's ID of the session that holds it; None: no session holds it.
        holder: from the comment in the session's statement; None where that is hidden.
        idle: seconds since the session's last statement began; None where that is hidden.
        user: database user of the session; None where that is hidden.
        ours: whether the session belongs to this same user and identifies itself as a run. The comment of another
            user's session proves nothing.
    """

    pid: int | None = None
    holder: dict[str, Any] | None = None
    idle: float | None = None
    user: str | None = None
    ours: bool = False


class SessionLock(ABC):
    """Session-level lock: the server releases it when the session ends.

    Args:
        name: of the stream.
        holder: who takes it; see `core.ports.Database.lock`.
        log: of the task.
    """

    ending: str
    """Statement with which an operator ends a session, with a placeholder for its ID."""

    ascii_only = False
    """Whether the server shows statement text to others in ASCII only."""

    def __init__(self, name: str, holder: Mapping[str, Any], log: logging.Logger) -> None:
        self._name, self._holder, self._log = name, _short(holder), log
        self._comment = f"{MARK[:-1]}{_shown(self._holder, ascii_only=self.ascii_only)} */"
        self._released = threading.Event()
        self._standby = False

    @abstractmethod
    def _try(self) -> bool:
        """Take the lock if it is free, and publish its holder; return whether it is ours.

        Also records whether this server is a standby.
        """

    @abstractmethod
    def _who(self) -> HeldLock | None:
        """Return the holder; None if the lock is free by now."""

    @abstractmethod
    def _terminate(self, pid: int) -> None:
        """End the session `pid`."""

    def _take(self) -> None:
        """Take the lock, from an earlier try if need be, or raise an error that names the holder."""
        self._take_from_all()
        if self._standby:
            self._log.warning(
                "the lock of stream %s was taken on a standby or a read-only server, where it does not keep out runs"
                " on another server of the same data. Point all runs of this stream at the same server, or keep them"
                " from overlapping",
                self._name,
            )

    def _take_from_all(self) -> None:
        held = self._found()
        if held is None:
            return
        pid, holder = held.pid, held.holder
        if pid is None or not held.ours:
            raise self._strange(held)
        if holder is not None and is_earlier_try(holder, self._holder):
            self._log.warning("ending %s, an earlier try of this task, backend pid %s", describe(holder), pid)
            self._terminate(pid)
            deadline = time.monotonic() + _END_SECONDS
            while time.monotonic() < deadline:
                if self._try():
                    return
                self._released.wait(_POLL_SECONDS)
        raise self._busy(held)

    def _found(self) -> HeldLock | None:
        """Take the lock, or return its holder: a run at once, a stranger after `LOOKS` identical looks."""
        last, looks, deadline = HeldLock(), 0, time.monotonic() + _JUDGE_SECONDS
        while time.monotonic() < deadline and looks < LOOKS:
            if self._try():
                return None
            held = self._who()
            if held is None:  # a server releases a session's locks with a short delay
                self._released.wait(_GONE_SECONDS)
                continue
            if held.ours:
                return held
            last, looks = held, looks + 1 if held.pid == last.pid else 1
            self._released.wait(APART_SECONDS)
        return None if self._try() else last

    def _busy(self, held: HeldLock) -> BusyError:
        who = f"{describe(held.holder)}, backend pid {held.pid}"
        text = f"stream {self._name!r} is being worked on by {who}"
        if held.idle is not None and held.idle >= LEASE_SECONDS:
            return BusyError(
                f"{text}, whose last heartbeat was {held.idle:.0f} s ago although its session is open. If that run is"
                f" dead, end its session in the source database: {self.ending.format(held.pid)}",
                holder=who,
                healthy=False,
            )
        return BusyError(text, holder=who, healthy=None if held.idle is None else True)

    def _strange(self, held: HeldLock) -> SourceError:
        text = f"the lock of stream {self._name!r} is held by"
        if held.pid is None:
            return SourceError(
                f"{text} something that is not a session, such as a prepared transaction. Nothing was read; end it in"
                " the source database, and the next run continues"
            )
        user = "a database user that can't be seen" if held.user is None else f"database user {held.user!r}"
        return SourceError(
            f"{text} backend pid {held.pid} of {printable(user)}, which can't be identified as a run of this user."
            " Nothing was read. All runs of a stream need the same database user; if it is not a run, end that session"
            f" in the source database: {self.ending.format(held.pid)}, and the next run continues"
        )

    def _not_taken(self, reason: object) -> SourceError:
        return SourceError(
            f"the lock of stream {self._name!r} could not be taken: {one_line(reason)}. Nothing was read"
        )

    def _lost(self, reason: object) -> SourceError:
        return SourceError(
            f"the lock of stream {self._name!r} is lost, its session ended: {one_line(reason)}. The watermark was not"
            " moved; another run may have taken over, or the connection was cut. A retry continues"
        )

    def _warn_not_renewed(self, reason: object) -> None:
        self._log.warning("the lease of stream %s could not be renewed: %s", self._name, one_line(reason))


def key_of(name: str, table: str | None) -> str:
    """Return the text that a lock's key is derived from: a stream's name without NUL, or a table's name after a NUL."""
    return name if table is None else f"table\0{table}"


def is_earlier_try(holder: Mapping[str, Any], mine: Mapping[str, Any]) -> bool:
    """Return whether `holder` is the same task instance in an earlier try."""
    if any(holder.get(part) is None or holder.get(part) != mine.get(part) for part in _TASK_INSTANCE):
        return False
    try:
        return int(holder.get("try") or 0) < int(mine.get("try") or 0)
    except (TypeError, ValueError):  # the value comes from another process
        return False


def describe(holder: Mapping[str, Any] | None) -> str:
    """Return a readable description of the holder."""
    if holder is None:
        return "a run whose name can't be seen at the moment"
    text = f"dag {holder.get('dag')!r}, task {holder.get('task')!r}, run {holder.get('run')!r}"
    if holder.get("map_index") not in (None, -1):
        text += f", map index {holder['map_index']}"
    return printable(f"{text}, try {holder.get('try')} on host {holder.get('host')}, pid {holder.get('pid')}")


def holder_in(statement: str | None) -> dict[str, Any] | None:
    """Return the holder from a statement's comment; None if there is no comment or no valid JSON."""
    start, end = (statement or "").find(MARK), (statement or "").rfind("} */")
    return read_holder((statement or "")[start + len(MARK) - 1 : end + 1]) if -1 < start < end else None


def read_holder(text: object) -> dict[str, Any] | None:
    """Return the holder from a JSON text; None if it is anything else."""
    try:
        found = read_json(text) if isinstance(text, (str, bytes)) else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _short(holder: Mapping[str, Any]) -> dict[str, Any]:
    """Return the holder with long names cut: PostgreSQL shows others only the first 1 kB of a statement."""
    return {
        part: names.cut_bytes(value, _LONGEST_NAME) if isinstance(value, str) else value
        for part, value in holder.items()
    }


def _shown(holder: Mapping[str, Any], *, ascii_only: bool) -> str:
    """Return the holder as JSON that can't open or close a SQL comment."""
    return json.dumps(holder, ensure_ascii=ascii_only, separators=(",", ":")).replace("*", r"\u002a")
