"""Sessions that stream the binlog, and their end from another thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.databases.mysql.changelog.model import Dump


class Sessions:
    """Opens sessions that stream the binlog, and ends all of them.

    Args:
        open_: opens one.
        conn_id: Airflow's name of the connection.
        closed: set once the run is over.
    """

    def __init__(self, open_: Callable[[], Dump], conn_id: str, closed: threading.Event) -> None:
        self._open_one, self._conn_id, self.closed = open_, conn_id, closed
        self._open: list[Dump] = []

    @contextmanager
    def dump(self) -> Iterator[Dump]:
        """Return a context with a session of its own.

        Raises:
            SourceError: the run was closed.
        """
        self._refuse_closed()
        dump = self._open_one()
        self._open.append(dump)
        try:
            self._refuse_closed()
            yield dump
        finally:
            self._open.remove(dump)
            dump.close()

    def wait(self, seconds: float) -> None:
        """Wait a while.

        Raises:
            SourceError: the run was closed meanwhile.
        """
        if self.closed.wait(seconds):
            self._refuse_closed()

    def close(self) -> None:
        """End all sessions; may be called from any thread, and again."""
        self.closed.set()
        for dump in [*self._open]:
            dump.close()

    def _refuse_closed(self) -> None:
        if self.closed.is_set():
            raise SourceError(f"connection {self._conn_id!r} was closed by its run while reading the binlog")
