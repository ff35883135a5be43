"""Copies: rows without a key that are equal are told apart by a number, counted from 1.

The numbers of equal rows are the same whatever the order in which they come: rows that are read again get the ids that
they had.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from typing import Protocol

_COUNT_BITS = 32
_COUNT = 2**_COUNT_BITS - 1
_SUM_DIGITS = 8
_FIRST_SLOTS = 2**12


class Copies(Protocol):
    """Numbers of equal rows, among all for which one object is asked; each row is asked for once, in order."""

    def number(self, marks: Sequence[str]) -> Sequence[int]:
        """Return the number of each row among those before it with the same mark, itself counted.

        Args:
            marks: what the ids of the rows hold before the number; the last eight characters are the checksum.
        """


class CopiesByMark:
    """Numbers among the rows of a few batches; marks may differ in anything."""

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
    """Numbers among any number of rows whose marks differ in their checksum alone.

    A table of checksums with their counts, in 8 bytes each and at most 2/3 full: a row that is like no other takes 12
    to 24 bytes, one that is like another takes none.
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
