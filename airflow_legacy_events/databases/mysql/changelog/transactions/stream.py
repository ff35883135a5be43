"""The changes of the binlog from a place on, as chunks up to a target."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from airflow_legacy_events.core.model.log import LogChunk, LogPosition, TableName
from airflow_legacy_events.databases.mysql.changelog.model import BinlogAccess, Forms
from airflow_legacy_events.databases.mysql.changelog.places import compare, place_in, text_of
from airflow_legacy_events.databases.mysql.changelog.transactions import failures
from airflow_legacy_events.databases.mysql.changelog.transactions.again import Again, LostRowsError
from airflow_legacy_events.databases.mysql.changelog.transactions.collecting import Collector
from airflow_legacy_events.databases.mysql.changelog.transactions.delivery import Delivery, name_of
from airflow_legacy_events.databases.mysql.changelog.transactions.grouping import Grouping
from airflow_legacy_events.databases.mysql.changelog.transactions.prepared import PreparedTransactions
from airflow_legacy_events.databases.mysql.changelog.transactions.reading import Part, TransactionReader
from airflow_legacy_events.databases.mysql.changelog.transactions.resuming import Resumed
from airflow_legacy_events.databases.mysql.changelog.transactions.selection import Selection
from airflow_legacy_events.databases.mysql.changelog.transactions.sessions import Sessions
from airflow_legacy_events.databases.mysql.changelog.transactions.state import Gtids, State
from airflow_legacy_events.databases.mysql.changelog.transactions.transaction import (
    PREPARED,
    XA_COMMITTED,
    XA_ROLLED_BACK,
    Transaction,
)
from airflow_legacy_events.databases.mysql.changelog.transactions.walk import Walk

_MARK_SECONDS = 1.0
"""A stretch of the log without rows of the stream moves the position this often."""


class Stream:
    """One reading of the binlog.

    Args:
        access: ways into the server.
        sessions: that stream the log.
        forms: what is known of the tables.
        selection: the tables of the stream.
        state: of the log at the position where it begins.
        found: collects the chunks.
        most_bytes: of the events of a transaction that are kept in memory.
    """

    def __init__(
        self,
        access: BinlogAccess,
        sessions: Sessions,
        forms: Forms,
        selection: Selection,
        state: State,
        found: Collector,
        most_bytes: int,
    ) -> None:
        self._access, self._forms, self._selection, self._state = access, forms, selection, state
        self._found = found
        self._grouping = Grouping(selection.takes, most_bytes)
        self._walk = Walk(access, sessions, self._grouping, state)
        self._again = Again(access, sessions, lambda: Grouping(selection.takes, most_bytes))
        self._reader = TransactionReader(forms, selection, access.conn_id, access.max_row_bytes, before=found.before)
        self._skipped = None if state.passing is None else Gtids(state.passing[0])
        self._foreign: set[str] = set()
        self._prepared = PreparedTransactions(most_bytes)
        self._current: tuple[str, frozenset[TableName]] | None = None

    def chunks(self, after: LogPosition, until: str) -> Iterator[LogChunk]:
        """Yield the changes.

        Args:
            after: changes at or below it are dropped.
            until: where to end.
        """
        self._resumed = Resumed(self._access, after, self._state, self._selection)
        marked = time.monotonic()
        for one in self._walk.transactions(place_in(after.place), until):
            if not self._is_skipped(one):
                yield from self._deliver(one)
            self._state.passed(one)
            if self._found.full or time.monotonic() - marked >= _MARK_SECONDS:
                yield self._chunk()
                marked = time.monotonic()
        yield self._chunk(final=True)

    def _chunk(self, *, final: bool = False) -> LogChunk:
        """Return what was collected up to the end of a transaction."""
        end = LogPosition(text_of(self._walk.place), self._resumed.changes)
        return self._found.chunk(end, self._facts(end), final=final)

    def _facts(self, end: LogPosition) -> Mapping[str, Any]:
        """Return the facts to be kept with a position."""
        if not self._resumed.changes:
            self._state.counted = self._current if end.changes else None
        self._found.passed, self._walk.bytes = self._walk.bytes, 0
        return {**self._state.facts(), "columns": self._forms.facts()}

    def _is_skipped(self, one: Transaction) -> bool:
        """Whether a transaction was read in the log of another server."""
        if self._skipped is None or self._state.passing is None:
            return False
        if compare(text_of(one.place), self._state.passing[1]) >= 0:
            self._skipped = self._state.passing = None
            return False
        return one.gtid is not None and one.gtid in self._skipped

    def _deliver(self, one: Transaction) -> Iterator[LogChunk]:
        if not self._concerns(one):
            return
        resumed = self._resumed.found(one, elsewhere=self._skipped is not None)
        rows, why = self._rows_of(one)
        delivered, tables = self._resumed.take(rows) if resumed else (0, self._selection.all)
        self._current = name_of(one), tables
        delivery = Delivery(one, delivered, self._found, self._facts)
        yield from delivery.chunks(self._parts(rows, why))
        delivery.end()
        self._current = None
        if resumed:
            self._selection.count(None)
            self._grouping.forget()
            self._reader.forget()

    def _concerns(self, one: Transaction) -> bool:
        """Whether a transaction may have changes of the stream that are delivered at its place."""
        xid = one.xid or ""
        if one.outcome == PREPARED:
            if one.matters:
                self._foreign.discard(xid)
                self._prepared.add(xid, one)
            else:
                self._foreign.add(xid)
            return False
        if one.outcome == XA_COMMITTED:
            return xid not in self._foreign and not self._state.is_before(xid)
        if one.outcome == XA_ROLLED_BACK:
            self._prepared.take(xid)
            return False
        return one.matters or self._resumed.changes > 0

    def _rows_of(self, one: Transaction) -> tuple[Transaction | None, str]:
        """Return the transaction that holds the rows; None with the reason if they are lost."""
        if one.outcome != XA_COMMITTED or one.xid is None:
            return one, ""
        place = self._state.prepared.get(one.xid)
        if place is None:
            return None, failures.UNKNOWN_XA
        if (kept := self._prepared.take(one.xid)) is not None:
            return kept, ""
        try:
            return self._again.prepared(place, one.xid), ""
        except LostRowsError:
            return None, failures.PURGED_XA

    def _parts(self, rows: Transaction | None, why: str) -> Iterable[Part]:
        return self._reader.lost(why) if rows is None else self._reader.parts(rows, self._again.events(rows))
