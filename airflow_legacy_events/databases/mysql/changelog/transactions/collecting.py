"""Collects the changes of transactions into chunks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_legacy_events.core.model.log import (
    LogChunk,
    LogGap,
    LogNotes,
    LogPosition,
    LogTransaction,
    LogTruncate,
)
from airflow_legacy_events.databases.log_collecting import LogParts
from airflow_legacy_events.databases.mysql.changelog.transactions.rows import Rows


class Collector(LogParts):
    """Collects rows by table until a chunk is full; see `LogParts`.

    Attributes:
        transactions: those with rows in the chunk, by name.
        committed: how many transactions with changes ended in it.
        passed: bytes of the log since the chunk before.
    """

    def _clear(self) -> None:
        super()._clear()
        self.transactions: dict[str, LogTransaction] = {}
        self.committed = self.passed = 0

    def add(self, found: Rows, at: int, number: int, hidden: tuple[Any, ...]) -> int:
        """Add rows of an event, as many as there is room for; return how many.

        Args:
            found: of the event.
            at: place of the first of them to add.
            number: of that row in its transaction.
            hidden: name of the transaction, and the values of `HIDDEN` behind the number.
        """
        count = min(len(found.rows) - at, self.room[0])
        part = slice(at, at + count)
        name, *rest = hidden
        behind = tuple(rest)
        rows = [(*row, name, place, *behind) for place, row in enumerate(found.rows[part], number)]
        before = None if found.before is None or not self.before else found.before[part]
        self.add_rows(found.form, found.ops[part], rows, before, found.size * count // len(found.rows))
        for place, other in found.moved.items():
            if at <= place < at + count:
                self._moved[name, number + place - at] = other
        return count

    def chunk(self, end: LogPosition, facts: Mapping[str, Any], *, final: bool = False) -> LogChunk:
        """Return what was collected, and begin again.

        Args:
            end: position after it.
            facts: of the log there.
            final: whether the target is reached.
        """
        return self._made(self._parts, end, facts, final=final)

    def alone(self, part: LogTruncate | LogGap, end: LogPosition, facts: Mapping[str, Any]) -> LogChunk:
        """Return a chunk of one part; nothing else may be collected then."""
        return self._made([part], end, facts, final=False)

    def _made(self, parts: list[Any], end: LogPosition, facts: Mapping[str, Any], *, final: bool) -> LogChunk:
        notes = LogNotes(self.transactions, self._moved)
        made = LogChunk(parts, end, (), self.committed, self.passed, final, notes, facts)
        self._clear()
        return made
