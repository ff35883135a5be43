"""Reader of the binlog: the changes of committed transactions from a position up to a place."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from airflow_legacy_events.core.model.log import LogChunk, LogPosition, TableName
from airflow_legacy_events.databases.mysql.changelog import places
from airflow_legacy_events.databases.mysql.changelog.model import BinlogAccess, Forms
from airflow_legacy_events.databases.mysql.changelog.transactions.collecting import Collector
from airflow_legacy_events.databases.mysql.changelog.transactions.selection import Selection
from airflow_legacy_events.databases.mysql.changelog.transactions.sessions import Sessions
from airflow_legacy_events.databases.mysql.changelog.transactions.state import State
from airflow_legacy_events.databases.mysql.changelog.transactions.stream import Stream
from airflow_legacy_events.databases.mysql.changelog.transactions.transaction import MOST_BYTES


class BinlogReader:
    """Reads the binlog through sessions that begin and end with each `read`.

    `read` is called from one thread; `close` from any.

    Args:
        access: ways into the server.
        forms: what is known of the tables.
        tables: all tables of the stream.
        stored: facts of the watermark that the first `read` begins at: `gtids`, `prepared`, `counted` and `passing`,
            see `transactions.state`. Without `gtids` no GTIDs are kept. Where another server of the same history has
            taken over, the position is any place of its log at or before the first transaction that `gtids` lacks, and
            `passing` says what to pass over: `{"gtids": what was read, "until": where its log ends}`. Of prepared XA
            transactions only those are known then that begin behind that place.
        before: whether old rows are wanted.
        most_bytes: of the events of a transaction that wait in memory for its end; a larger one is read twice.
    """

    def __init__(
        self,
        access: BinlogAccess,
        forms: Forms,
        *,
        tables: Collection[TableName],
        stored: Mapping[str, Any],
        before: bool = False,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._access, self._forms, self._tables = access, forms, tables
        self._facts, self._before, self._most = dict(stored), before, most_bytes
        self._sessions = Sessions(access.dump, access.conn_id, threading.Event())

    def read(self, after: LogPosition, until: str, rows: int) -> Iterator[LogChunk]:
        """Yield the changes; see `core.ports.ChangeLog.read`.

        A transaction that begins at or behind `until` is not read. Nothing of a transaction is yielded before its end
        was seen. A chunk is also full at 8 MiB of the log's rows; behind a stretch without rows one is yielded every
        second, so that the position moves. The facts of each chunk belong to its end.

        Args:
            after: changes at or below it are dropped.
            until: place where a transaction begins or the log ended.
            rows: maximum of rows of a chunk.

        Raises:
            SourceError: the log can't be read on; names file and position.
        """
        if places.compare(after.place, until) >= 0:
            yield LogChunk((), after, final=True)
            return
        stream = Stream(
            self._access,
            self._sessions,
            self._forms,
            Selection(self._forms, self._tables),
            State.of(self._facts),
            Collector(rows, before=self._before),
            self._most,
        )
        for chunk in stream.chunks(after, until):
            self._facts.update(chunk.facts)
            yield chunk

    def close(self) -> None:
        """End the sessions; may be called from any thread, and again."""
        self._sessions.close()
