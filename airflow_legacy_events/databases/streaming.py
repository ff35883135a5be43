"""Streams: one statement whose rows are taken page by page, on a session of its own."""

from __future__ import annotations

import contextlib
import copy
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Generic, TypeVar

from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.databases.chunks import Chunks, Row

Session = TypeVar("Session")
_READING = "reading"


class Streams(ABC, Generic[Session]):
    """The streams of a database.

    Each is read by a twin of the database: it knows the columns that were looked at, and has a session of its own, in
    a snapshot. What is said of a page's time holds for the wait for a page: the statement lasts as long as its reader
    takes.
    """

    _chunks: Chunks
    _twins: tuple[Any, ...] = ()

    @contextmanager
    def stream(self, query: Any, limit: int, max_bytes: int) -> Iterator[Iterator[list[Row]]]:
        """See `core.ports.Database.stream`."""
        twin = copy.copy(self)
        twin._forget_session()  # noqa: SLF001
        self._twins = (*self._twins, twin)
        try:
            with contextlib.closing(twin._streamed(query, limit, max_bytes)) as pages:  # noqa: SLF001
                yield pages
        finally:
            self._twins = tuple(one for one in self._twins if one is not twin)
            twin.close()

    def _streamed(self, query: Any, limit: int, max_bytes: int) -> Generator[list[Row], None, None]:
        key = query.get_execution_options().get("key_columns", ())
        with self.snapshot():
            with self._streaming() as session:
                rows = self._stream_rows(session, query)
            pages = self._chunks.pages(rows, limit, max_bytes, key)
            try:
                while True:
                    with self._streaming():
                        page = next(pages, None)
                    if page is None:
                        return
                    yield page
            finally:
                self._end_rows(rows)

    def _end_rows(self, rows: Generator[list[Row], None, None]) -> None:
        try:
            with self._streaming():
                rows.close()
        except SourceError:  # the session is gone, and each driver has its own error for that
            with contextlib.suppress(Exception):
                rows.close()

    @abstractmethod
    def _stream_rows(self, session: Session, query: Any) -> Generator[list[Row], None, None]:
        """Yield the rows of a query in chunks, as they arrive; the statement ends with it.

        Args:
            session: in a snapshot; it serves nothing else meanwhile.
            query: as in `core.ports.Database.read`.
        """

    @abstractmethod
    def _streaming(self) -> AbstractContextManager[Session]:
        """Return what `_using` returns, on a session whose statement goes on."""

    def _forget_session(self) -> None:
        """Keep what was looked at, and begin with a session of one's own."""
        self._twins = ()

    def _close_streams(self) -> None:
        for twin in self._twins:
            twin.close()

    @abstractmethod
    def snapshot(self) -> AbstractContextManager[None]:
        """See `core.ports.Database.snapshot`."""

    @abstractmethod
    def close(self) -> None:
        """See `core.ports.Database.close`."""
