"""Copies: equal rows without a key are distinguished by a number, counted from 1.

The numbers of equal rows don't depend on the order of the rows. Rows that are read again therefore get the same ids.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Protocol

_COUNT_BITS = 32
_COUNT = 2**_COUNT_BITS - 1
_SUM_DIGITS = 8
_FIRST_SLOTS = 2**12


class Copies(Protocol):
    """Numbers equal rows among all rows passed to one object; each row is passed once, in order."""

    def number(self, marks: Sequence[str]) -> Sequence[int]:
        """Return for each row how many rows so far have the same mark, itself included.

        Args:
            marks: the part of each row's id before the number; the last eight characters are the checksum.
        """


class CopiesByMark:
    """Numbers the rows of a few batches; marks may differ in any part."""

    def __init__(self) -> None:
        self._found: Counter[str] = Counter()

    def number(self, marks: Sequence[str]) -> Sequence[int]:
        """See `Copies.number`."""
        found, numbers = self._found, []
        for mark in marks:
            found[mark] += 1
            numbers.append(found[mark])
        return numbers


class CopiesBySum:
    """Numbers any number of rows whose marks differ only in their checksum.

    Hash table of checksums and counts, with 8 bytes a slot and at most 2/3 full. A distinct row takes 12 to 24 bytes,
    a further copy none.
    """

    def __init__(self) -> None:
        self._slots = array("Q", bytes(8 * _FIRST_SLOTS))
        self._used = 0

    def number(self, marks: Sequence[str]) -> Sequence[int]:
        """See `Copies.number`."""
        while (self._used + len(marks)) * 3 > len(self._slots) * 2:
            self._grow()
        slots, last, numbers = self._slots, len(self._slots) - 1, []
        for mark in marks:
            checksum = int(mark[-_SUM_DIGITS:], 16)
            at = checksum & last
            while (found := slots[at]) and found >> _COUNT_BITS != checksum:
                at = (at + 1) & last
            if not found:
                found = checksum << _COUNT_BITS
                self._used += 1
            slots[at] = found + 1
            numbers.append((found & _COUNT) + 1)
        return numbers

    def _grow(self) -> None:
        before, last = self._slots, len(self._slots) * 2 - 1
        self._slots = slots = array("Q", bytes(8 * (last + 1)))
        for found in before:
            if found:
                at = (found >> _COUNT_BITS) & last
                while slots[at]:
                    at = (at + 1) & last
                slots[at] = found


class CopiesOfTick:
    """Numbers among any number of rows of one tick, whose watermark may be written in a few ways, as 'a' and 'A'."""

    def __init__(self) -> None:
        self._written: defaultdict[str, CopiesBySum] = defaultdict(CopiesBySum)

    def number(self, marks: Sequence[str]) -> Sequence[int]:
        """See `Copies.number`."""
        ways = {mark[:-_SUM_DIGITS] for mark in marks}
        if len(ways) == 1:
            return self._written[ways.pop()].number(marks)
        return [self._written[mark[:-_SUM_DIGITS]].number((mark,))[0] for mark in marks]
