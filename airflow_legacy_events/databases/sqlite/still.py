"""SQLite files in read-only folders: on read-only media, or owned by another user.

SQLite opens a file in WAL mode with two side files, which it creates even to read. If it can't and no writer has left a
log, the file is read as `immutable`: without locks. Its size and times before and after each transaction show whether
it changed.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import TypeAlias

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.databases.sqlite.session import Session, open_session

_Seen: TypeAlias = tuple[int, ...]

_UNFINISHED = (
    "the file {path!r} is in a folder that can't be written to, and beside it is {found}, which holds changes that"
    " are not in the file yet. Nothing was read.\nHave its writer close it, or copy it with `sqlite3 FILE '.backup"
    " COPY'`"
)
_CHANGED = (
    "the file {path!r} was changed while it was read as immutable, so what was read last is"
    " discarded. A retry continues"
)


class StillSession(Session):
    """A session on an immutable file."""

    still = True

    def watch(self, path: Path) -> None:
        """Record the file's current state, which must not change from now on."""
        self._path, self._before = path, _seen(path)

    def check(self) -> None:
        """See `session.Session.check`."""
        if _seen(self._path) != self._before or _log_of(self._path) is not None:
            raise SourceError(_CHANGED.format(path=str(self._path)))


def open_to_read(path: Path, timeout_seconds: float, max_row_bytes: int) -> Session:
    """Return a session that has recorded the file's state; arguments as in `open_session`.

    Raises:
        SourceError: the file can't be read in its current state.
        sqlite3.Error: the file can't be read.
    """
    session = open_session(path, timeout_seconds, max_row_bytes)
    try:
        session.execute("PRAGMA schema_version").fetchone()
    except sqlite3.Error as error:
        session.close()
        if os.access(path.parent, os.W_OK) or not _wants_to_write(error):
            raise
        if (found := _log_of(path)) is not None:
            raise SourceError(_UNFINISHED.format(path=str(path), found=found)) from None
        session = open_session(path, timeout_seconds, max_row_bytes, StillSession)
        session.watch(path)
        session.execute("PRAGMA schema_version").fetchone()
    return session


def _wants_to_write(error: sqlite3.Error) -> bool:
    """Whether a file could not be created or changed; the lower byte of the code is the kind of error."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)


def _log_of(path: Path) -> str | None:
    """Return the name of a writer's log or journal; None if it is missing or empty."""
    for ending in ("-wal", "-journal"):
        beside = path.with_name(path.name + ending)
        with contextlib.suppress(FileNotFoundError):
            if beside.lstat().st_size:
                return beside.name
    return None


def _seen(path: Path) -> _Seen:
    found = path.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
