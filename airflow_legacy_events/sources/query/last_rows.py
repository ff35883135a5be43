"""Checksums of the rows that were delivered last, by which a later run knows them again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

KEPT_ROWS = 16
"""So many rows, so that a table whose newest rows were deleted is still known."""

_PART = 2**16
_CHARACTERS = 12


def checksums(rows: Sequence[tuple[Any, ...]]) -> list[str]:
    """Return a checksum of each of the last rows, the last one first; at most `KEPT_ROWS`."""
    return [checksum(row) for row in reversed(rows[-KEPT_ROWS:])]


def checksum(row: tuple[Any, ...]) -> str:
    """Return a checksum of what was read of a row, in hex digits; nothing of the row can be read in it."""
    digest = hashlib.sha256()
    for text in [repr(row)] if all(map(_is_short, row)) else map(_told, row):
        for at in range(0, len(text), _PART):  # of a large value no second copy fills the memory
            digest.update(text[at : at + _PART].encode(errors="surrogatepass"))
        digest.update(b"\n")
    return digest.hexdigest()[:_CHARACTERS]


def _is_short(value: Any) -> bool:
    return not isinstance(value, (str, bytes)) or len(value) < _PART


def _told(value: Any) -> str:
    return value if isinstance(value, str) else repr(value)


def joined(newer: Sequence[str], older: Sequence[str]) -> list[str]:
    """Return the checksums of rows, the last one first, and behind them those before them."""
    return [*newer, *older][:KEPT_ROWS]


def kept(stored: Mapping[str, Any], found: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the checksums that a watermark holds; none where other columns are read by now."""
    return tuple(stored.get("last") or ()) if stored.get("shape") == found.get("shape") else ()
