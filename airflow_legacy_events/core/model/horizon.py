"""Horizon: where a run ends and how complete that is; and the rows that are pending."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from airflow_legacy_events.core.columns import Shape
from airflow_legacy_events.core.model.batch import Batch


class Pending(NamedTuple):
    """Pending rows of a source.

    Attributes:
        rows: how many rows a run that began now would read; counting ends at `PENDING_ROWS`.
        target: where that run would end, as watermark values; None when it would read nothing.
    """

    rows: int
    target: tuple[str, ...] | None


class Backlog(NamedTuple):
    """Backlog of a source: rows that wait there to be delivered, as they were when a run ended.

    Attributes:
        rows: how many; counting ends at `PENDING_ROWS`.
        oldest_seconds: age of the first of them by the database's clock; None where there is none, or no time.
        bytes: that the table takes with its indexes; None where that is not known.
    """

    rows: int
    oldest_seconds: float | None
    bytes: int | None


PENDING_ROWS = 1_000
"""Pending rows are counted up to here: a trickle differs from a load, at the price of one page of an index."""


LEFT_ROWS = 10_000
"""Rows that a run leaves are counted up to here."""


class Ceiling(NamedTuple):
    """The bound below which a run reads, as its database gives it.

    Attributes:
        condition: that a row lies at or below it; None where every row does.
        completeness: `exact`, `bounded` or `best_effort`: whether a row may yet appear below it.
        reason: the assumption or the known gap behind that word; never empty.
    """

    condition: Any
    completeness: str
    reason: str


class HeldBack(NamedTuple):
    """Rows above the bound of a run, which a later one delivers.

    Attributes:
        rows: how many; counting ends at `PENDING_ROWS`.
        oldest_seconds: age of the lowest that was counted, from the top, by the database's clock; negative where it
            lies ahead of that, None where it is no time that can be told.
        reason: `future`: above the database's now, or `lag`: younger than the lag.
        blocker: what holds them back, where that is somebody else's; else None.
    """

    rows: int
    oldest_seconds: float | None
    reason: str
    blocker: str | None = None


class Horizon(NamedTuple):
    """Horizon of a run: what its source found and fixed when it was opened.

    Attributes:
        target: where this run ends, as watermark values; None when there is nothing to read.
        completeness: `exact`, `bounded` or `best_effort`.
        reason: the assumption or the known gap behind that word; never empty.
        facts: what the source records in the watermark: server, columns, query.
        shape: of the rows to come, so that what can't be carried is found before the first read; None where the
            source learns it by reading.
        table_reset: that the table was set back below the watermark: `highest` position, `watermark`, and the `action`
            that was taken; None where it was not.
        held_back: rows above the bound of the run; None where there are none.
        timezone: name of the zone of naive times, where the source is asked for it; None: the stream's own.
        left: counts the rows between a position, as watermark values, and `target`, up to `LEFT_ROWS`; asked once, of a
            run that ended before. None where they can't be counted.
    """

    target: tuple[str, ...] | None
    completeness: str
    reason: str
    facts: Mapping[str, Any]
    shape: Shape | None = None
    table_reset: Mapping[str, Any] | None = None
    held_back: HeldBack | None = None
    timezone: str | None = None
    left: Callable[[Sequence[str]], int] | None = None


class Opened(NamedTuple):
    """A source that was opened: checked, its end fixed, nothing read for delivery yet.

    Attributes:
        horizon: where this run ends, and how complete that is.
        batches: the rows above the watermark up to the target, in watermark order. Taken once, from the read-ahead
            thread; a page is read when its batch is taken. Ends without a `final` batch when a row budget is used up
            before the target. Raises SourceError where a read fails; batches that it has given stay true.
    """

    horizon: Horizon
    batches: Iterator[Batch]
