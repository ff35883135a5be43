"""When to look which rows of a batch are there: those that are not are copied into the table itself, the fastest way.

A look costs a fifth of what it may save. Where most rows are there, the next batches do without, but for one in some.
Where no look finds a row, the next batches are copied without one; a row that is there after all fails the copy, and is
looked for then.
"""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_PAUSE = 32
"""Batches without a look, at most."""

ENOUGH = 3
"""Looks in a row that found no row, before the next batches are copied without one."""

MOST_ENOUGH = 96
"""The same at most; it doubles with each copy that failed."""

_WORTH = 4
"""A look was worth its cost if at most one row in so many was there."""


@dataclass
class Looks:
    """When to look, by what earlier looks found.

    Attributes:
        pause: batches without a look after the next one that finds most rows.
        left: batches without a look.
        empty: looks in a row that found no row.
        enough: of these, before batches are copied without a look.
    """

    pause: int = 1
    left: int = 0
    empty: int = 0
    enough: int = ENOUGH

    @property
    def expects_none(self) -> bool:
        """Whether no row of the next batch is expected to be there, so that it is copied without a look."""
        return self.empty >= self.enough

    def is_due(self) -> bool:
        """Return whether the next batch is looked at; each call is a batch."""
        self.left -= 1
        return self.left < 0

    def saw(self, there: int, rows: int) -> bool:
        """Note how many rows are there; return whether few of them are."""
        few = there * _WORTH <= rows
        self.pause = 1 if few else min(self.pause * 2, LONGEST_PAUSE)
        self.left = 0 if few else self.pause
        self.empty = 0 if there else self.empty + 1
        return few

    def was_wrong(self) -> None:
        """Note that a row was there although none was expected."""
        self.empty, self.enough = 0, min(self.enough * 2, MOST_ENOUGH)
