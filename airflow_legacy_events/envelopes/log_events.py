"""Place of each change among the events of its transaction, in a log that holds rows in events."""

from __future__ import annotations

import sys
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from airflow_legacy_events.core.columns import Shape
from airflow_legacy_events.core.model import LogNotes

Mark: TypeAlias = tuple[str, int]
"""Name of a transaction and number of a change in it, as `HIDDEN` has them."""


class Counted:
    """Counts changes as their log does: an UPDATE of the key is one, although two changes were made of it.

    Args:
        shape: of the rows; they are changes.
        notes: about them.
        columns: of the rows.

    Attributes:
        marks: of the rows.
    """

    def __init__(self, shape: Shape, notes: LogNotes, columns: Sequence[Sequence[Any]]) -> None:
        name, number = shape.watermark
        self.marks: list[Mark] = list(zip(columns[name], columns[number], strict=True))
        self._transactions = notes.transactions
        self._numbers = {one: [event.number for event in found.events] for one, found in notes.transactions.items()}
        self._second: dict[str, list[int]] = {}
        for name_of, last in sorted(notes.moved):
            if (name_of, last - 1) in notes.moved and last - 1 not in self._second.get(name_of, ()):
                self._second.setdefault(name_of, []).append(last)

    def partner(self, mark: Mark) -> Mark | None:
        """Return the other half of an UPDATE of the key, None for another change."""
        second = self._second.get(mark[0])
        if second is None:
            return None
        if mark[1] in second:
            return mark[0], mark[1] - 1
        return (mark[0], mark[1] + 1) if mark[1] + 1 in second else None

    def in_transaction(self, mark: Mark) -> int:
        """Return how many changes of its transaction precede a change, as far as key changes are noted."""
        return mark[1] - 1 - self._passed(mark, 0)

    def wheres(self) -> Iterator[tuple[str, int]]:
        """Yield for each change the place of its event, else of its transaction, and how many rows of it precede it."""
        name, first, behind, place = "", 0, 0, ""
        for mark in self.marks:
            if mark[0] != name or not first <= mark[1] < behind:
                name = mark[0]
                first, behind, place = self._event(mark)
            if not first:
                yield place, 0
            elif name in self._second:
                yield place, mark[1] - first - self._passed(mark, first)
            else:
                yield place, mark[1] - first

    def _event(self, mark: Mark) -> tuple[int, int, str]:
        """Return the first number of an event, the first one behind it, and its place; 0 and 0 if it is not known."""
        found, numbers = self._transactions.get(mark[0]), self._numbers.get(mark[0], [])
        at = bisect_right(numbers, mark[1])
        if found is None or not at:
            return 0, 0, mark[0] if found is None else found.place
        behind = numbers[at] if at < len(numbers) else sys.maxsize
        return numbers[at - 1], behind, found.events[at - 1].place

    def _passed(self, mark: Mark, first: int) -> int:
        """Return how many second halves there are from a number up to a change."""
        second = self._second.get(mark[0], ())
        return bisect_right(second, mark[1]) - bisect_left(second, first)
