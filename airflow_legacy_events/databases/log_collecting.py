"""Collects the changes of a log into the parts of a chunk, for every database that has a log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow_legacy_events.core.model.log import LogForm, LogMessage, LogRows, TableName

MOST_BYTES = 8 * 2**20
"""Bytes of the log's rows after which a chunk is full."""


class LogParts:
    """Collects rows by table, and messages, until a chunk is full.

    Rows of a table whose form changed begin a part of their own behind its earlier one, so the order holds per table.

    Args:
        rows: maximum of a chunk.
        before: whether old rows are wanted.

    Attributes:
        before: whether old rows are wanted.
        rows: collected so far, messages among them.
        bytes: of them in the log.
        full: whether the chunk is full.
    """

    def __init__(self, rows: int, *, before: bool) -> None:
        self.before = before
        self._most = rows
        self._clear()

    def _clear(self) -> None:
        self._parts: list[LogRows | LogMessage] = []
        self._latest: dict[TableName, LogRows] = {}
        self._moved: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        self.rows = self.bytes = 0
        self.full = False

    @property
    def room(self) -> tuple[int, int]:
        """Rows and bytes until the chunk is full."""
        return self._most - self.rows, MOST_BYTES - self.bytes

    def add_rows(
        self,
        form: LogForm,
        ops: Sequence[str],
        rows: Sequence[tuple[Any, ...]],
        before: Sequence[tuple[Any, ...] | None] | None,
        size: int,
    ) -> None:
        """Add rows of one form for which there is `room`.

        Args:
            form: of them.
            ops: of their changes.
            rows: with hidden values.
            before: their old rows; None if none of them has one.
            size: of all of them in the log, in bytes.
        """
        part = self._part(form)
        part.ops += ops
        part.rows += rows
        if part.before is not None:
            part.before += [None] * len(rows) if before is None else before
        self._count(len(rows), size)

    def add_message(self, message: LogMessage, size: int) -> None:
        """Add a logical message; `size` is that of its content, in bytes. The chunk must not be full."""
        self._parts.append(message)
        self._count(1, size)

    def pair(self, name: str, number: int, old: tuple[Any, ...], new: tuple[Any, ...]) -> None:
        """Note that a change and the next one are an UPDATE of the key from an old to a new row.

        Args:
            name: of their transaction.
            number: of the first of them.
            old: row, by the columns of its form.
            new: row, likewise.
        """
        self._moved[name, number], self._moved[name, number + 1] = new, old

    def _count(self, rows: int, size: int) -> None:
        self.rows += rows
        self.bytes += size
        self.full = self.rows >= self._most or self.bytes >= MOST_BYTES

    def _part(self, form: LogForm) -> LogRows:
        part = self._latest.get(form.table)
        if part is None or part.form is not form:
            part = self._latest[form.table] = LogRows(form, [], [], [] if self.before else None)
            self._parts.append(part)
        return part
