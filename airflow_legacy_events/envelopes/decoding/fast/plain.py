"""Members whose values are plain texts: they are decoded at once, which saves to keep what was written."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import msgspec

_STRINGS = msgspec.json.Decoder(list[str | None])

MOST_MISSES = 3
"""Slices in a row that had to be decoded twice, after which no member is taken for plain any more."""


class PlainTexts(list[str | None]):
    """Values of a member that were plain texts, with None for null."""


def strings(values: Sequence[Any]) -> list[str | None] | None:
    """Return JSON texts and nulls; None if there is anything else.

    Args:
        values: as they were written, or `PlainTexts`.
    """
    if isinstance(values, PlainTexts):
        return values
    try:
        return _STRINGS.decode(b"[%b]" % b",".join(values))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


class PlainMembers:
    """Which members of a layout held nothing but plain texts and nulls so far.

    A plain text has no escapes, so it tells how long it was written. What held something else once is not plain again.

    Args:
        candidates: positions of the members that may be.

    Attributes:
        positions: of the members that are; none before the first slice.
    """

    def __init__(self, candidates: Collection[int]) -> None:
        self._candidates, self.positions = frozenset(candidates), frozenset[int]()
        self._misses = 0

    def succeeded(self) -> None:
        """Note that they were."""
        self._misses = 0

    def learn(self, columns: Sequence[Sequence[Any]]) -> bool:
        """Learn from values as they were written; return whether the positions are others now."""
        before, some = self.positions, self._candidates
        self._candidates = frozenset(at for at in some if _are_plain(columns[at]))
        if before and self._candidates == some:  # it was decoded twice, and nothing was learned
            self._misses += 1
            if self._misses == MOST_MISSES:
                self._candidates = frozenset()
        self.positions = self._candidates
        return self.positions != before


def _are_plain(column: Sequence[Any]) -> bool:
    there = [one for one in column if one is not msgspec.UNSET]
    return not any(b"\\" in one for one in map(bytes, there)) and strings(there) is not None
