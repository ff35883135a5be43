"""Watermark: how far a stream was delivered, and which receipt its source still lacks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

Receipt: TypeAlias = tuple[Any, ...]
"""Receipt of a batch, to be acknowledged at its source: parts of plain JSON, in order.

Receipts of consecutive batches are joined by concatenation.
"""

PLACED = "placed"
"""Fact of a watermark that a run saved with values: without them it was damaged."""


class Watermark(NamedTuple):
    """Watermark of a stream: how far it was delivered.

    Attributes:
        values: the last delivered row's watermark columns, then its key columns, as the source's text.
            Fewer than the columns, or with the fact `included`: rows from these values on, themselves included.
            `()`: from the beginning.
            None: the stream was begun and nothing was delivered yet.
        receipt: what must still be acknowledged at the source; None where there is nothing.
        facts: plain JSON about the stream: version, kind, server, topic, columns, run.
    """

    values: tuple[str, ...] | None
    receipt: Receipt | None
    facts: Mapping[str, Any]


def listed(values: tuple[str, ...] | None) -> list[str] | None:
    """Return watermark values as JSON holds them; None stays None."""
    return None if values is None else list(values)
