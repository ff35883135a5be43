"""Streamed statement of any driver: its rows are fetched as slowly as the reader takes them."""

from __future__ import annotations

import contextlib
from abc import abstractmethod
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.databases.chunks import Chunks, Row
from airflow_legacy_events.databases.generic import values
from airflow_legacy_events.databases.generic.dialects import DialectTraits
from airflow_legacy_events.databases.generic.session import LeftBehindError, Session
from airflow_legacy_events.databases.generic.shapes import Shapes
from airflow_legacy_events.databases.snapshots import SnapshotDatabase


def streamed(
    session: Session, query: Any, first: str | None, shapes: Shapes, chunks: Chunks
) -> Generator[list[Row], None, None]:
    """Yield the rows of a query in chunks; see `core.ports.Database.stream`.

    Args:
        session: its thread makes each driver call.
        query: of SQLAlchemy.
        first: begins a transaction if none is open; None: the driver does.
        shapes: the required shapes of the columns.
        chunks: groups single rows into chunks.
    """

    def begin(connection: sa.Connection) -> Any:
        if first and not connection.in_transaction():
            connection.exec_driver_sql(first)
        return connection.execute(query, execution_options={"stream_results": True})

    result = session.call(begin)
    try:
        names, expected = list(result.keys()), query.get_execution_options().get("expected")
        if expected is not None and result.cursor is not None:
            shapes.check(expected, names, result.cursor.description)
        arriving = chunks.one_by_one(result.fetchone)
        while chunk := session.call(lambda _: next(arriving, None)):
            yield values.exact(chunk, names)
    finally:
        with contextlib.suppress(LeftBehindError):
            session.call(lambda _: result.close())


class Streamed(SnapshotDatabase[Session]):
    """The streams of `GenericDatabase`."""

    _traits: DialectTraits
    _shapes: Shapes
    _opening: Session | None

    @abstractmethod
    def _limited(self, doing: str, session: Session) -> AbstractContextManager[None]:
        """Return a context that is interrupted after the statement timeout."""

    @contextmanager
    def _streaming(self) -> Iterator[Session]:
        with super()._streaming() as session, self._limited("reading", session):
            yield session

    def _forget_session(self) -> None:
        super()._forget_session()
        self._opening = None

    def _stream_rows(self, session: Session, query: Any) -> Generator[list[tuple[Any, ...]], None, None]:
        return streamed(session, query, self._traits.first, self._shapes, self._chunks)
