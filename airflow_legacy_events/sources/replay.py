"""Replays: rows of a window sent again in their current state."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.model import Batch, Horizon, Opened, Watermark
from airflow_legacy_events.sources.place import Start
from airflow_legacy_events.sources.renewal import Reader
from airflow_legacy_events.sources.rows import Rows
from airflow_legacy_events.sources.share import share
from airflow_legacy_events.sources.window import Bounds

AS_THEY_ARE = (
    "the rows as they were when their page was read: what was deleted or moved out of the window meanwhile is not"
    " sent, nor what commits in it later"
)


@dataclass
class RepeatRun(ABC):
    """Pages from the progress of an earlier try to the end of the window.

    Attributes:
        fact: name of the watermark's fact that holds the window.
        rows: to read.
        stored: progress of an earlier try, None for the first.
        limits: budgets; `max_rows` does not apply, since no later run would continue.
        turn: held while a page is read, possibly in a snapshot; other reads would see that old snapshot.
    """

    rows: Rows
    stored: Watermark | None
    limits: Limits
    turn: threading.Lock = field(default_factory=threading.Lock, init=False)

    fact: ClassVar[str]

    def open(self) -> Opened:
        """Resume an earlier try of the same window; progress of another window is ignored."""
        identity = self._identity()
        same = self.stored is not None and self.stored.facts.get(self.fact) == identity
        at = Start((self.stored.values or ()) if same and self.stored is not None else ())
        self._check(at)
        horizon = Horizon(self._target(), "best_effort", AS_THEY_ARE, {self.fact: identity})
        return Opened(horizon, self._batches(at))

    def _batches(self, at: Start) -> Iterator[Batch]:
        """Yield the pages; an empty batch at the end closes the window."""
        reader = Reader(self.rows)
        while rows := self._read(reader, at):
            at = reader.rows.next_start(rows)
            yield batch_of(reader, rows, at, self._share(at.values[0]))
        yield batch_of(reader, [], at, 1.0, final=True)

    def _read(self, reader: Reader, at: Start) -> list[tuple[Any, ...]]:
        with self.turn:
            return self._page(reader, at, self.limits.page_rows)

    @abstractmethod
    def _identity(self) -> Any:
        """Return the window or span as plain JSON, which identifies its progress."""

    @abstractmethod
    def _target(self) -> tuple[str, ...] | None:
        """Return where it ends."""

    @abstractmethod
    def _check(self, at: Start) -> None:
        """Check that all rows have a position in the order."""

    @abstractmethod
    def _page(self, reader: Reader, at: Start, limit: int) -> list[tuple[Any, ...]]:
        """Return the next rows, empty at the end."""

    def _share(self, at: str) -> float | None:  # noqa: ARG002
        return None


def batch_of(
    reader: Reader, rows: list[tuple[Any, ...]], at: Start, part: float | None, *, final: bool = False
) -> Batch:
    """Return a batch of rows of a reader; the next one begins at `at`, and `part` is the fraction done after it."""
    selection, after = reader.rows.selection, Watermark(at.values, None, {})
    return Batch(selection.shape, rows, len(rows), after, selection.op, final=final, share=part)


@dataclass
class ReplayRun(RepeatRun):
    """The rows of `[low, high)` of the first position column, in its order."""

    bounds: Bounds

    fact = "window"

    def _identity(self) -> Any:
        return [self.rows.selection.columns[0].name, *self.bounds]

    def _target(self) -> tuple[str, ...] | None:
        return (self.bounds.high,)

    def _check(self, at: Start) -> None:  # noqa: ARG002
        self.rows.refuse_null_within(*self.bounds)

    def _page(self, reader: Reader, at: Start, limit: int) -> list[tuple[Any, ...]]:
        start = at if at.values else Start((self.bounds.low,), included=True)
        return reader.page_below(start, self.bounds.high, limit)

    def _share(self, at: str) -> float | None:
        return share(self.rows.selection.columns[0], self.bounds.low, at, self.bounds.high)
