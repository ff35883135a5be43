"""Streams: the rows of one statement, fetched page by page on a separate session."""

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

    A copy of the database object reads each stream: it keeps the described columns and has its own session, in a
    snapshot. Page timeouts apply to the wait for a page. The statement lasts as long as its reader takes.
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
        except SourceError:  # the session is lost; each driver has its own error for that
            with contextlib.suppress(Exception):
                rows.close()

    @abstractmethod
    def _stream_rows(self, session: Session, query: Any) -> Generator[list[Row], None, None]:
        """Yield the rows of a query in chunks, as they arrive. The statement ends with the generator.

        Args:
            session: in a snapshot; nothing else may use it meanwhile.
            query: as in `core.ports.Database.read`.
        """

    @abstractmethod
    def _streaming(self) -> AbstractContextManager[Session]:
        """Like `_using`, for a session whose statement stays open."""

    def _forget_session(self) -> None:
        """Drop the session, so that a copy opens its own, and keep the described columns."""
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
