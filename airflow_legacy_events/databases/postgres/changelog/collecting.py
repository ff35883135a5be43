"""Collects the changes of a stream into chunks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow_legacy_events.core.model.log import (
    LogChunk,
    LogForm,
    LogGap,
    LogMessage,
    LogNotes,
    LogPosition,
    LogRows,
    LogTransaction,
    LogTruncate,
)
from airflow_legacy_events.databases.log_collecting import MOST_BYTES, LogParts
from airflow_legacy_events.databases.postgres.changelog.places import number_of

__all__ = ["MOST_BYTES", "Collector"]


class Collector(LogParts):
    """Collects rows by table, and messages, until a chunk is full; see `LogParts`.

    Args:
        rows: maximum of a chunk.
        before: whether old rows are wanted.
        after: place of the log where the first chunk begins.

    Attributes:
        over: how many rows were added after it was full, and are the first of the next one: the second of two changes.
    """

    def __init__(self, rows: int, after: str, *, before: bool) -> None:
        self._end = number_of(after)
        self._transaction: int | None = None
        self._place = ""
        super().__init__(rows, before=before)

    def _clear(self) -> None:
        super()._clear()
        self._transactions: dict[int, str] = {}
        self._committed = self._begun = self.over = 0
        self._next: list[tuple[LogForm, str, tuple[Any, ...], tuple[Any, ...] | None, int]] = []

    def add(self, form: LogForm, op: str, row: tuple[Any, ...], before: tuple[Any, ...] | None, size: int) -> None:
        """Add a row; behind a full chunk, to the next one.

        Args:
            form: of it.
            op: of its change.
            row: with hidden values.
            before: its old row.
            size: of its message, in bytes.
        """
        if self.full:
            self._next.append((form, op, row, before, size))
            self.over = len(self._next)
            return
        part = self._part(form)
        part.ops.append(op)
        part.rows.append(row)
        if part.before is not None:
            part.before.append(before)
        self.rows += 1
        self.bytes += size
        self.full = self.rows >= self._most or self.bytes >= MOST_BYTES

    def add_inserted(self, form: LogForm, rows: Sequence[tuple[Any, ...]], size: int) -> None:
        """Add inserted rows for which there is `room`; `size` is that of all their messages."""
        self.add_rows(form, ["c"] * len(rows), rows, None, size)

    def begin(self, transaction: int, place: str) -> None:
        """Note that a transaction begins, which commits at a place."""
        self._transaction, self._place, self._begun = transaction, place, self.rows

    def commit(self) -> None:
        """Note that the transaction ended."""
        self._note()
        self._committed, self._transaction = self._committed + 1, None

    def _note(self) -> None:
        if self._transaction is not None and self.rows > self._begun:
            self._transactions[self._transaction] = self._place

    def chunk(self, end: LogPosition, *, final: bool = False) -> LogChunk:
        """Return what was collected, and begin again.

        Args:
            end: position after it.
            final: whether the target is reached.
        """
        return self._made(self._parts, end, final=final)

    def alone(self, part: LogTruncate | LogGap, end: LogPosition) -> LogChunk:
        """Return a chunk of one part; nothing else may be collected then."""
        self.rows += 1
        return self._made([part], end, final=False)

    def _made(
        self, parts: Sequence[LogRows | LogTruncate | LogGap | LogMessage], end: LogPosition, *, final: bool
    ) -> LogChunk:
        self._note()
        reached = max(number_of(end.place), self._end)
        size, self._end = reached - self._end, reached
        transactions = {place: LogTransaction(place, number) for number, place in self._transactions.items()}
        notes = LogNotes(transactions, self._moved)
        made = LogChunk(parts, end, tuple(self._transactions), self._committed, size, final, notes)
        rest = self._next
        self._clear()
        for one in rest:
            self.add(*one)
            self._keep_pair(one[0], one[2], notes)
        return made

    def _keep_pair(self, form: LogForm, row: tuple[Any, ...], notes: LogNotes) -> None:
        """Note the other half of a row of the next chunk again, if it is the second half of an UPDATE of the key."""
        change = row[len(form.columns) :][:2]
        if change in notes.moved:
            self._moved[change] = notes.moved[change]
