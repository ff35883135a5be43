"""Stream lock as a file beside the database: `flock`, which the kernel releases when the holder dies."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from airflow_legacy_events.core import flock, names
from airflow_legacy_events.core.errors import BusyError, SourceError
from airflow_legacy_events.core.ports import Answer
from airflow_legacy_events.databases.locks import (
    APART_SECONDS,
    LEASE_SECONDS,
    LOOKS,
    describe,
    is_earlier_try,
    key_of,
    read_holder,
)
from airflow_legacy_events.databases.sqlite.lock_file import open_lock_file, unusable
from airflow_legacy_events.databases.sqlite.writing import answer_of, reason_without_values
from airflow_legacy_events.databases.writing import Reading, in_order, not_written

_POLL_SECONDS = 0.1


class FileLock:
    """Holds `<database>.<hash of the stream>.lock`, see `lock_file`, with the holder as JSON inside.

    The file is emptied on release, but not removed: after removal, two runs could lock two files of the same name.

    Args:
        database: its file.
        name: of the stream.
        holder: who takes it.
        log: of the task.
        connect: opens a database session that may write; it is closed after each transaction.
        reading: of the database.
        table: see `core.ports.Database.lock`.

    Raises:
        SourceError: the file can't be created or opened.
    """

    def __init__(
        self,
        database: Path,
        name: str,
        holder: Mapping[str, Any],
        log: logging.Logger,
        connect: Callable[[], sqlite3.Connection],
        reading: Reading,
        *,
        table: str | None = None,
    ) -> None:
        self._connect, self._reading = connect, reading
        self._name, self._holder, self._log = name, dict(holder), log
        self._opened = open_lock_file(name, database, names.digest(key_of(name, table), 16), log)
        self._path, self._file = self._opened

    @contextmanager
    def held(self) -> Iterator[FileLock]:
        """Take the lock until the context ends.

        Raises:
            BusyError: another run holds it; an earlier try of the same task gets 15 s to end.
            SourceError: that try did not end, or the holder can't be identified as a run.
        """
        try:
            self._take()
            try:
                self._name_holder()
                yield self
            finally:
                with contextlib.suppress(OSError):
                    os.ftruncate(self._file, 0)
        finally:
            os.close(self._file)

    def check(self) -> None:
        """See `core.ports.Lease.check`; the lock is lost only if its file was removed or replaced."""
        if not self._opened.is_there():
            raise SourceError(
                f"the lock file of stream {self._name!r}, {str(self._path)!r}, was removed while it was held. The"
                " watermark was not moved; a retry continues"
            )

    def execute(self, statements: Sequence[Any]) -> list[Answer]:
        """See `core.ports.Lease.execute`; it waits for other writers of the file, so there is no deadlock."""
        try:
            with contextlib.closing(self._connect()) as session:
                session.execute("BEGIN IMMEDIATE")
                answers = in_order(statements, lambda one: answer_of(session.execute(*self._reading.compiled(one))))
                self.check()
                session.execute("COMMIT")
        except sqlite3.Error as error:  # its text may contain a value
            refused = self._reading.refused(error, None)
            raise refused or not_written(self._name, reason_without_values(error)) from None
        return answers

    def _name_holder(self) -> None:
        try:
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, json.dumps(self._holder).encode(), 0)
        except OSError as error:
            raise unusable(self._name, self._path, f"can't be written: {error.strerror}") from error

    def _take(self) -> None:
        deadline, strange = time.monotonic() + LEASE_SECONDS, 0
        while not flock.take(self._file):
            holder = self._who()
            if holder is None:
                strange += 1
                if strange == LOOKS:
                    raise self._strange()
                time.sleep(APART_SECONDS)
                continue
            strange, text = 0, f"stream {self._name!r} is being worked on by {describe(holder)}"
            if not is_earlier_try(holder, self._holder):
                raise BusyError(text, holder=describe(holder), healthy=None)
            if time.monotonic() >= deadline:
                raise SourceError(
                    f"{text}: an earlier try of this task, which did not end within {LEASE_SECONDS:.0f} s. End it"
                    " there; its lock is freed with the process"
                )
            time.sleep(_POLL_SECONDS)

    def _who(self) -> dict[str, Any] | None:
        """Return the holder named in the file; None while it is being written, or if it is left from a dead run."""
        try:
            holder = read_holder(os.pread(self._file, 65536, 0))
        except OSError:
            return None
        seen = flock.holders(self._file)
        if holder is None or seen is None or holder.get("host") != socket.gethostname():
            return holder
        return holder if holder.get("pid") in seen else None

    def _strange(self) -> SourceError:
        seen = flock.holders(self._file)
        return SourceError(
            f"the lock of stream {self._name!r}, file {str(self._path)!r}, is held by"
            f" {f'process {seen[0]} of this machine' if seen else 'a process that can not be seen here'}, which can't"
            " be identified as a run: the file does not name it. Nothing was read. End that process (lslocks lists who"
            " locks files), and the next run continues"
        )
