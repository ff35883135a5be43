"""Horizon: where a run ends and how complete that is; also pending rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from airflow_legacy_events.core.columns import Shape
from airflow_legacy_events.core.model.batch import Batch


class Pending(NamedTuple):
    """Pending rows of a source.

    Attributes:
        rows: number of rows that a run starting now would read; counting ends at `PENDING_ROWS`.
        target: where that run would end, as watermark values; None if it would read nothing.
    """

    rows: int
    target: tuple[str, ...] | None


class Backlog(NamedTuple):
    """Backlog of a source: rows still waiting for delivery when a run ended.

    Attributes:
        rows: number of them; counting ends at `PENDING_ROWS`.
        oldest_seconds: age of the oldest row by the database's clock; None if there is no row, or rows have no time.
        bytes: size of the table with its indexes; None if unknown.
    """

    rows: int
    oldest_seconds: float | None
    bytes: int | None


PENDING_ROWS = 1_000
"""Pending rows are counted up to here: enough to distinguish a trickle from a load, for one page of an index."""


LEFT_ROWS = 10_000
"""Rows that a run leaves are counted up to here."""


class Ceiling(NamedTuple):
    """Upper bound of a run, as its database defines it.

    Attributes:
        condition: true for rows at or below it; None if every row is.
        completeness: `exact`, `bounded` or `best_effort`: whether a row may still appear below it.
        reason: the assumption or the known gap behind that word; never empty.
    """

    condition: Any
    completeness: str
    reason: str


class HeldBack(NamedTuple):
    """Rows above the bound of a run; a later run delivers them.

    Attributes:
        rows: number of them; counting ends at `PENDING_ROWS`.
        oldest_seconds: with `open_transaction`, how far the bound lies behind the database's clock. Else the age of the
            lowest counted row by that clock, counting from the top; negative if its time is ahead of it, None if it is
            not a time that can be measured.
        reason: `open_transaction`: one may still commit a row below them; `future`: above the database's now, or `lag`:
            younger than the lag, or than the clock's margin.
        blocker: the session or prepared transaction that holds them back: `pid`, `user`, `database`, `query_start`,
            `gid`; of a topic `topic`, `partition` and the first `offset` of a producer's transaction. None if there is
            none, or it can't be seen.
    """

    rows: int
    oldest_seconds: float | None
    reason: str
    blocker: Mapping[str, Any] | None = None


class MetTopics(NamedTuple):
    """Topics that rows may go to, as they were found before the first read.

    Attributes:
        compacted: those that are compacted, which refuse messages without a key.
        ids: identity of each, as far as the broker reports it; a topic that was made again has another one.
    """

    compacted: tuple[str, ...] = ()
    ids: Mapping[str, str] = MappingProxyType({})


class Horizon(NamedTuple):
    """Horizon of a run: what its source determined when it was opened.

    Attributes:
        target: where this run ends, as watermark values; None if there is nothing to read.
        completeness: `exact`, `bounded` or `best_effort`.
        reason: the assumption or the known gap behind that word; never empty.
        facts: what the source records in the watermark: server, columns, query.
        shape: of the rows to come, to find unsupported columns before the first read; None if the source learns it
            only by reading.
        table_reset: set if the table was reset below the watermark: `highest` position, `watermark`, and the `action`
            taken; else None.
        held_back: rows above the bound of the run; None if there are none.
        timezone: name of the zone of naive times, if the source determines it; None: the stream's own.
        topics: that rows may go to, if known before they are read; all are checked before the first read.
        below: whether the run waits for open transactions.
        ends: statement that ends the transaction that holds rows back; None if there is none, or it is not known.
        left: counts the rows between a position, as watermark values, and `target`, up to `LEFT_ROWS`; called once, if
            the run ended before the target. None if they can't be counted.
        met: called with `topics` once they were found, before the first read; returns facts to keep with the watermark.
            Raises ConfigurationError if rows may not go there, WatermarkError if what was sent there before is lost.
    """

    target: tuple[str, ...] | None
    completeness: str
    reason: str
    facts: Mapping[str, Any]
    shape: Shape | None = None
    table_reset: Mapping[str, Any] | None = None
    held_back: HeldBack | None = None
    below: bool = False
    ends: str | None = None
    timezone: str | None = None
    left: Callable[[Sequence[str]], int] | None = None
    topics: tuple[str, ...] = ()
    met: Callable[[MetTopics], Mapping[str, Any]] | None = None


class Opened(NamedTuple):
    """An opened source: checked, with a fixed end; nothing is read for delivery yet.

    Attributes:
        horizon: where this run ends, and how complete that is.
        batches: the rows above the watermark up to the target, in watermark order. Iterated once, from the read-ahead
            thread; a page is read when its batch is taken. Ends without a `final` batch if a row budget is used up
            before the target. Raises SourceError if a read fails; batches yielded before that stay valid.
    """

    horizon: Horizon
    batches: Iterator[Batch]
