"""Watermark: how far a stream was delivered, and the receipt not yet acknowledged at its source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

Receipt: TypeAlias = tuple[Any, ...]
"""Receipt of a batch, to be acknowledged at its source: an ordered tuple of plain JSON parts.

Receipts of consecutive batches are joined by concatenation.
"""

PLACED = "placed"
"""Fact of a watermark that was saved with values: if they are missing, it is damaged."""


class Watermark(NamedTuple):
    """Watermark of a stream: how far it was delivered.

    Attributes:
        values: the last delivered row's watermark columns, then its key columns, as the source's text.
            Fewer values than columns, or the fact `included`: rows from these values on, inclusive.
            `()`: from the beginning.
            None: the stream was begun and nothing was delivered yet.
        receipt: still to be acknowledged at the source; None if there is none.
        facts: plain JSON about the stream: version, kind, server, topic, columns, run.
    """

    values: tuple[str, ...] | None
    receipt: Receipt | None
    facts: Mapping[str, Any]


def listed(values: tuple[str, ...] | None) -> list[str] | None:
    """Return watermark values as a JSON list; None stays None."""
    return None if values is None else list(values)
