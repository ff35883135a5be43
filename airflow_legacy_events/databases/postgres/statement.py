"""One SELECT whose rows are fetched in chunks, as they arrive.

It is sent between `BEGIN … READ ONLY` and `ROLLBACK` in one message, without extra round trips. The query can neither
write nor leave a changed setting behind. Inside a snapshot a savepoint does the same.

`psycopg.Cursor.stream` returns the same rows one by one. That costs a sixth more than loading a chunk in one call, and
it sends the statement only when the first row is requested.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Sequence
from typing import Any, NamedTuple

import psycopg
from psycopg import generators
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.databases.postgres.pooling import LOOK, Backend
from airflow_legacy_events.databases.postgres.session import BEGIN, END, tell

_CANCEL_SECONDS = 5.0
_ROWS = (ExecStatus.TUPLES_CHUNK, ExecStatus.TUPLES_OK)
_SAVEPOINT = "legacy_events"


class _Around(NamedTuple):
    """Commands around a SELECT, and the one that undoes the first of them if the rest was not reached."""

    before: bytes
    behind: tuple[bytes, ...]
    status: TransactionStatus

    @property
    def undo(self) -> bytes:
        return b"; ".join(self.behind)


_ALONE = _Around(BEGIN, (END,), TransactionStatus.IDLE)
_IN_SNAPSHOT = _Around(
    f"SAVEPOINT {_SAVEPOINT}".encode(),
    (f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}".encode(), f"RELEASE SAVEPOINT {_SAVEPOINT}".encode()),
    TransactionStatus.INTRANS,
)


class Field(NamedTuple):
    """A result column, as described by the server.

    Attributes:
        name: of it.
        oid: of its type.
        modifier: of its type, such as a length.
        origin: relation and number of the column that it shows; zeros for an expression.
    """

    name: str
    oid: int
    modifier: int
    origin: tuple[int, int] = (0, 0)

    @property
    def display(self) -> str:
        """Type with length or precision, if the driver knows it; else its oid."""
        known = psycopg.postgres.types.get(self.oid)
        return known.get_type_display(self.oid, self.modifier) if known is not None else str(self.oid)


class Statement:
    """A statement that is sent on creation. It occupies its session until it is fully read or closed.

    Args:
        cursor: of a session that is idle or in a transaction; its loaders convert the values.
        text: with `$1`, `$2`, ... for the parameters.
        parameters: in order.
    """

    def __init__(self, cursor: psycopg.Cursor[Any], text: str, parameters: Sequence[Any]) -> None:
        self._session, self._transformer = cursor.connection, Transformer(cursor)
        self._wire = wire = self._session.pgconn
        alone = wire.transaction_status == TransactionStatus.IDLE
        self._around, self._open, self._begun = (_ALONE if alone else _IN_SNAPSHOT), True, False
        values = self._transformer.dump_sequence(parameters, [PyFormat.TEXT] * len(parameters))
        wire.enter_pipeline_mode()
        self._backend: Backend | None = getattr(self._session, "backend", None) if alone else None
        self._looked: Sequence[Any] = ()
        wire.send_query_params(self._around.before, None)
        if self._backend is not None:
            wire.send_query_params(LOOK, None)
        wire.send_query_params(text.encode(), values, self._transformer.types, self._transformer.formats)
        for command in self._around.behind:
            wire.send_query_params(command, None)
        wire.pipeline_sync()
        self._session.wait(generators.send(wire))

    def fields(self) -> list[Field]:
        """Return the columns of the result, and read the result to its end.

        Raises:
            psycopg.Error: the statement failed or the connection was lost.
        """
        found: list[Field] = []
        for result in self._results(1):
            found = found or _fields(result)
        return found

    def chunks(
        self, size: int, check: Callable[[list[Field]], None] | None = None
    ) -> Generator[list[tuple[Any, ...]], None, None]:
        """Yield the rows.

        Args:
            size: rows of a chunk, 1 or more.
            check: called with the columns before the first row, even if there is no row. An exception from it ends the
                read.

        Raises:
            psycopg.Error: the statement failed or the connection was lost; rows yielded before are invalid.
            UnicodeDecodeError: a text is not in the client's encoding.
        """
        first = True
        for result in self._results(size):
            if check is not None:
                check(_fields(result))
                check = None
            if result.ntuples:
                self._transformer.set_pgresult(result, set_loaders=first)
                first, rows = False, self._transformer.load_rows(0, result.ntuples, tuple)
                result.clear()  # keeps only one copy of the rows in memory
                yield rows
                del rows

    def close(self) -> None:
        """Cancel the statement, unless it was fully read."""
        if self._open:
            with contextlib.suppress(psycopg.Error):
                self._session.cancel_safe(timeout=_CANCEL_SECONDS)
            with contextlib.suppress(psycopg.Error):
                self._begin(1)
                self._finish()

    def _results(self, size: int) -> Generator[Any, None, None]:
        self._begin(size)
        if self._backend is not None:
            try:
                self._backend.check(self._looked)
            except ConfigurationError:
                with contextlib.suppress(psycopg.Error):
                    self._finish()
                raise
        while result := self._next():
            if result.status not in _ROWS:
                with contextlib.suppress(psycopg.Error):
                    self._finish()
                raise psycopg.errors.error_from_result(result)
            yield result
        self._finish()

    def _begin(self, size: int) -> None:
        """Consume the results of the leading commands. Only then can chunked row mode be set."""
        if self._begun:
            return
        self._begun = True
        for expected in (ExecStatus.COMMAND_OK, *([] if self._backend is None else [ExecStatus.TUPLES_OK])):
            while result := self._next():
                if result.status != expected:
                    with contextlib.suppress(psycopg.Error):
                        self._finish()
                    raise psycopg.errors.error_from_result(result)
                if expected == ExecStatus.TUPLES_OK:
                    self._looked = [result.get_value(0, at) for at in range(result.nfields)]
        self._wire.set_chunked_rows_mode(size)

    def _next(self) -> Any:
        return self._session.wait(generators.fetch(self._wire))

    def _finish(self) -> None:
        """Drain the remaining results, and restore the session's previous state."""
        self._open = False
        while self._wire.status == ConnStatus.OK:
            result = self._next()
            if result is not None and result.status == ExecStatus.PIPELINE_SYNC:
                break
        self._wire.exit_pipeline_mode()
        if self._wire.transaction_status != self._around.status:
            tell(self._session, self._around.undo)


def _fields(result: Any) -> list[Field]:
    return [
        Field(
            *((result.fname(at) or b"").decode(), result.ftype(at), result.fmod(at)),
            origin=(result.ftable(at), result.ftablecol(at)),
        )
        for at in range(result.nfields)
    ]
