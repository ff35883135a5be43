"""Checksums of the rows that were delivered last, by which a later run knows them again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

KEPT_ROWS = 16
"""So many rows, so that a table whose newest rows were deleted is still known."""

_CHARACTERS = 12


def checksums(rows: Sequence[tuple[Any, ...]]) -> list[str]:
    """Return a checksum of each of the last rows, the last one first; at most `KEPT_ROWS`."""
    return [checksum(row) for row in reversed(rows[-KEPT_ROWS:])]


def checksum(row: tuple[Any, ...]) -> str:
    """Return a checksum of what was read of a row, in hex digits; nothing of the row can be read in it."""
    return hashlib.sha256(repr(row).encode(errors="surrogatepass")).hexdigest()[:_CHARACTERS]


def joined(newer: Sequence[str], older: Sequence[str]) -> list[str]:
    """Return the checksums of rows, the last one first, and behind them those before them."""
    return [*newer, *older][:KEPT_ROWS]


def kept(stored: Mapping[str, Any], found: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the checksums that a watermark holds; none where other columns are read by now."""
    return tuple(stored.get("last") or ()) if stored.get("shape") == found.get("shape") else ()
