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
    TableName,
)
from airflow_legacy_events.databases.postgres.changelog.places import number_of

MOST_BYTES = 8 * 2**20
"""Bytes of the log's messages after which a chunk is full."""


class Collector:
    """Collects rows by table, and messages, until a chunk is full.

    Rows of a table whose form changed begin a part of their own behind its earlier one, so the order holds per table.

    Args:
        rows: maximum of a chunk.
        before: whether old rows are wanted.
        after: place of the log where the first chunk begins.

    Attributes:
        before: whether old rows are wanted.
        rows: collected so far, messages among them.
        bytes: of their messages.
        full: whether the chunk is full.
        over: how many rows were added after it was full, and are the first of the next one: the second of two changes.
    """

    def __init__(self, rows: int, after: str, *, before: bool) -> None:
        self.before = before
        self._most, self._end = rows, number_of(after)
        self._transaction: int | None = None
        self._place = ""
        self._reset()

    def _reset(self) -> None:
        self._parts: list[LogRows | LogMessage] = []
        self._latest: dict[TableName, LogRows] = {}
        self._transactions: dict[int, str] = {}
        self._moved: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        self._committed = self._begun = self.rows = self.bytes = 0
        self.full, self.over = False, 0
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
        part = self._part(form)
        part.ops += ["c"] * len(rows)
        part.rows += rows
        if part.before is not None:
            part.before += [None] * len(rows)
        self.rows += len(rows)
        self.bytes += size
        self.full = self.rows >= self._most or self.bytes >= MOST_BYTES

    def add_message(self, message: LogMessage, size: int) -> None:
        """Add a logical message; `size` is that of its content, in bytes. The chunk must not be full."""
        self._parts.append(message)
        self.rows += 1
        self.bytes += size
        self.full = self.rows >= self._most or self.bytes >= MOST_BYTES

    @property
    def room(self) -> tuple[int, int]:
        """Rows and bytes until the chunk is full."""
        return self._most - self.rows, MOST_BYTES - self.bytes

    def _part(self, form: LogForm) -> LogRows:
        part = self._latest.get(form.table)
        if part is None or part.form is not form:
            part = self._latest[form.table] = LogRows(form, [], [], [] if self.before else None)
            self._parts.append(part)
        return part

    def pair(self, place: str, number: int, old: tuple[Any, ...], new: tuple[Any, ...]) -> None:
        """Note that the change of a number, and the next one, are an UPDATE of the key from an old to a new row."""
        self._moved[place, number], self._moved[place, number + 1] = new, old

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
        self._reset()
        for one in rest:
            self.add(*one)
            self._keep_pair(one[0], one[2], notes)
        return made

    def _keep_pair(self, form: LogForm, row: tuple[Any, ...], notes: LogNotes) -> None:
        """Note the other half of a row of the next chunk again, if it is the second half of an UPDATE of the key."""
        change = row[len(form.columns) :][:2]
        if change in notes.moved:
            self._moved[change] = notes.moved[change]
