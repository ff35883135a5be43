"""When to look which rows of a batch are there: those that are not are copied into the table itself, the fastest way.

A look costs a fifth of what it may save. Where most rows are there, the next batches do without, but for one in some.
"""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_PAUSE = 32
"""Batches without a look, at most."""

_WORTH = 4
"""A look was worth its cost if at most one row in so many was there."""


@dataclass
class Looks:
    """When to look, by what earlier looks found.

    Attributes:
        pause: batches without a look after the next one that finds most rows.
        left: batches without a look.
    """

    pause: int = 1
    left: int = 0

    def is_due(self) -> bool:
        """Return whether the next batch is looked at; each call is a batch."""
        self.left -= 1
        return self.left < 0

    def saw(self, there: int, rows: int) -> bool:
        """Note how many rows are there; return whether few of them are."""
        few = there * _WORTH <= rows
        self.pause = 1 if few else min(self.pause * 2, LONGEST_PAUSE)
        self.left = 0 if few else self.pause
        return few
