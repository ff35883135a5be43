"""Runs whose batches are taken one by one, so that a test can change the table between two pages."""

from __future__ import annotations

from typing import Any

from airflow_legacy_events.core.model import Batch, Span, Watermark, Window

WAYS: dict[str, tuple[dict[str, Any], Window | Span | None]] = {
    "incremental": ({"watermark_columns": ("at",)}, None),
    "a window": ({"watermark_columns": ("at",)}, Window(None, "1", "13")),
    "a rerun": ({"watermark_columns": ("at",)}, Span(None, ("12", "12"), False)),
    "bulk": ({"watermark_columns": ()}, None),
}


class Run:
    """A run whose batches are taken one by one."""

    def __init__(self, source: Any, window: Any = None, at: Watermark | None = None) -> None:
        self.horizon, self._reading = source.open(at, window)
        self.batches: list[Batch] = []

    def take(self, number: int = 1) -> None:
        """Take so many batches."""
        self.batches += [next(self._reading) for _ in range(number)]

    def rest(self) -> list[int]:
        """Take all that are left; return the ids of all, in order."""
        self.batches += self._reading
        return self.ids

    @property
    def ids(self) -> list[int]:
        return [int(row[batch.shape.key[0]]) for batch in self.batches for row in batch.rows]

    def columns(self, at: int) -> list[str]:
        """Names of the columns of a batch."""
        return [column.name for column in self.batches[at].shape.columns]

    @property
    def after(self) -> Watermark:
        """The watermark that a relay would keep."""
        last = self.batches[-1].after
        return last._replace(facts={**self.horizon.facts, **last.facts})
