"""Jobs of the processes that apply a topic, or fill it from a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

STREAM = "copied@dwh.copied"
STEPS = ("begun", "applied", "saved", "committed")
"""What a run tells, batch by batch: its transaction is open, has the rows, has the position too, is committed."""


@dataclass(frozen=True)
class SinkJob:
    """What one run does.

    Attributes:
        url: of the target.
        bootstrap: of the broker.
        topic: that is read.
        envelope: of the messages.
        arguments: of `DecodingOptions`.
        batch_rows: of a transaction.
        stops: steps at which it waits.
    """

    url: str
    bootstrap: str
    topic: str
    envelope: str
    arguments: Mapping[str, Any]
    batch_rows: int = 50
    stops: tuple[str, ...] = ()


@dataclass(frozen=True)
class QueryJob:
    """What one run of a query does.

    Attributes:
        url: of the source.
        bootstrap: of the broker.
        topic: that is written.
        folder: of the watermark.
        batch_rows: that are confirmed together.
        attempt: of the task; a later one ends what an earlier one has left behind.
    """

    url: str
    bootstrap: str
    topic: str
    folder: str
    batch_rows: int = 50
    attempt: int = 1
