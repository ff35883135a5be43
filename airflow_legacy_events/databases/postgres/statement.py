"""One SELECT whose rows are fetched in chunks, as they arrive.

`psycopg.Cursor.stream` gives the same rows one by one. That costs a sixth more than loading a chunk in one call, and
the statement is sent only when the first row is wanted.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Sequence
from typing import Any

import psycopg
from psycopg import generators
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ExecStatus, TransactionStatus

_CANCEL_SECONDS = 5.0
_ROWS = (ExecStatus.TUPLES_CHUNK, ExecStatus.TUPLES_OK)


class Statement:
    """A statement that is sent when it is made; its session serves nothing else until it is read to its end or closed.

    Args:
        cursor: of a session that is idle or in a transaction; its loaders make the values.
        text: with `$1`, `$2`, ... for the parameters.
        parameters: in order.
        size: rows of a chunk, 1 or more.
    """

    def __init__(self, cursor: psycopg.Cursor[Any], text: str, parameters: Sequence[Any], size: int) -> None:
        self._session, self._transformer = cursor.connection, Transformer(cursor)
        wire = self._session.pgconn
        values = self._transformer.dump_sequence(parameters, [PyFormat.TEXT] * len(parameters))
        wire.send_query_params(text.encode(), values, self._transformer.types, self._transformer.formats)
        wire.set_chunked_rows_mode(size)
        self._session.wait(generators.send(wire))

    def chunks(self) -> Generator[list[tuple[Any, ...]], None, None]:
        """Yield the rows.

        Raises:
            psycopg.Error: it failed or the connection was lost; rows that it yielded before are not valid.
            UnicodeDecodeError: a text is not in the client's encoding.
        """
        first = True
        while result := self._next():
            if result.status not in _ROWS:
                self._absorb()
                raise psycopg.errors.error_from_result(result)
            if result.ntuples:
                self._transformer.set_pgresult(result, set_loaders=first)
                first = False
                yield self._transformer.load_rows(0, result.ntuples, tuple)

    def close(self) -> None:
        """Cancel the statement, unless it was read to its end."""
        if self._session.pgconn.transaction_status == TransactionStatus.ACTIVE:
            with contextlib.suppress(psycopg.Error):
                self._session.cancel_safe(timeout=_CANCEL_SECONDS)
            self._absorb()

    def _next(self) -> Any:
        return self._session.wait(generators.fetch(self._session.pgconn))

    def _absorb(self) -> None:
        """Discard what still arrives, so that the session can serve the next statement."""
        with contextlib.suppress(psycopg.Error):
            while self._next():
                pass
