"""Checksums of the last delivered rows, by which a later run recognizes them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

KEPT_ROWS = 16
"""Number of checksums kept, so that a table is still recognized after its newest rows were deleted."""

_PART = 2**16
_CHARACTERS = 12


def checksums(rows: Sequence[tuple[Any, ...]]) -> list[str]:
    """Return the checksums of the last rows, at most `KEPT_ROWS`, the last row first."""
    return [checksum(row) for row in reversed(rows[-KEPT_ROWS:])]


def checksum(row: tuple[Any, ...]) -> str:
    """Return a checksum of a row as read, in hex digits; it reveals nothing about the row."""
    digest = hashlib.sha256()
    for text in [repr(row)] if all(map(_is_short, row)) else map(_shown, row):
        for at in range(0, len(text), _PART):  # in parts, to avoid a second copy of a large value in memory
            digest.update(text[at : at + _PART].encode(errors="surrogatepass"))
        digest.update(b"\n")
    return digest.hexdigest()[:_CHARACTERS]


def _is_short(value: Any) -> bool:
    return not isinstance(value, (str, bytes)) or len(value) < _PART


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else repr(value)


def joined(newer: Sequence[str], older: Sequence[str]) -> list[str]:
    """Return the newer checksums followed by the older ones, the last row first; at most `KEPT_ROWS`."""
    return [*newer, *older][:KEPT_ROWS]


def kept(stored: Mapping[str, Any], found: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the checksums in a watermark; none if the columns have changed since."""
    return tuple(stored.get("last") or ()) if stored.get("shape") == found.get("shape") else ()
