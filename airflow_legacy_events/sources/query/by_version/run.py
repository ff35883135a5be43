"""Run over the row versions of a table that were written since the last one, in passes over its file."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import sqlalchemy as sa

from airflow_legacy_events.core.commands import command
from airflow_legacy_events.core.errors import SourceError, WatermarkError
from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.model import Batch, Horizon, Opened, Pending, Watermark
from airflow_legacy_events.core.ports import RowVersions, VersionHorizon
from airflow_legacy_events.sources.place import Start
from airflow_legacy_events.sources.query.by_version.checks import refuse_pending
from airflow_legacy_events.sources.query.by_version.held_back import find_held_back
from airflow_legacy_events.sources.query.by_version.progress import FACT, Pass
from airflow_legacy_events.sources.rows import BATCH_BYTES, Rows

EXACT = (
    "every version of a row that was written by a transaction below the horizon was read; a later version of the same"
    " row comes with a later run"
)
BEGINNINGS = 3
"""Beginnings of one pass: a table that is rewritten this often during one run will be again."""

_FIRST_BLOCKS, _MOST_BLOCKS = 16, 1 << 14
_MARK_SECONDS = 1.0
"""A stretch without a new row is saved this often."""


class _Range(NamedTuple):
    """Blocks of one query, from behind `after`."""

    after: str | None
    until: int


@dataclass
class VersionRun:
    """One pass, or the rest of one, over the blocks of a table.

    The pass reads what was written by transactions below a horizon: all of them have ended, so no row of them can
    still appear. Rows that are written meanwhile have a higher number, wherever they lie, and belong to the next pass.

    Attributes:
        rows: of the table, with version and place.
        versions: of the table.
        stored: the loaded watermark; None on a first run.
        now: whether a first run only marks the horizon.
        limits: budgets.
        stream: name of the stream, for messages.
        log: of the task.
    """

    rows: Rows
    versions: RowVersions
    stored: Watermark | None
    now: bool
    limits: Limits
    stream: str
    log: logging.Logger
    clock: Callable[[], float] = time.monotonic
    _span: int = field(default=_FIRST_BLOCKS, init=False)

    def open(self) -> Opened:
        """Find the horizon, and the pass that continues or begins.

        Raises:
            WatermarkError: the server's transactions are below those of the watermark.
        """
        horizon, low = self.versions.horizon(), self._low
        if low is not None and horizon.next < low:
            raise self._gone_back(low, horizon.next)
        known = None if self.stored is None else self.stored.facts.get(FACT)
        opened = self._opened(horizon, low, known)
        held_back = find_held_back(self.rows, self.versions, horizon)
        return opened._replace(horizon=opened.horizon._replace(held_back=held_back))

    def _opened(self, horizon: VersionHorizon, low: int | None, known: Any) -> Opened:
        if known is None and low is not None and horizon.ended <= low:
            return Opened(Horizon(None, "exact", EXACT, {}), iter(()))
        if known is None and low is None and self.now:
            marked = Watermark((str(horizon.ended),), None, {})
            return Opened(Horizon(marked.values, "exact", EXACT, {}), iter([self._empty(marked, final=True)]))
        found = Pass(low, horizon.ended, self.versions.storage()) if known is None else Pass.of(known)
        self._refuse_null_keys()
        return Opened(Horizon((str(found.high),), "exact", EXACT, {}), self._batches(found))

    def _refuse_null_keys(self) -> None:
        selection = self.rows.selection
        replace(self.rows, selection=replace(selection, position=selection.shape.key)).refuse_null(Start(()))

    def pending(self, most: int) -> Pending:  # noqa: ARG002  see `IncrementalRun.pending`
        """Refuse: see `check_wait`."""
        raise refuse_pending()

    @property
    def _low(self) -> int | None:
        values = None if self.stored is None else self.stored.values
        return int(values[0]) if values else None

    def _batches(self, found: Pass) -> Iterator[Batch]:
        """Yield the rows of the rest of a pass; an empty batch at its end has the next one begin at its horizon."""
        left, marked, beginnings = self.limits.max_rows, self.clock(), 1
        while (part := self._next(found)) is not None and (left is None or left > 0):
            rows, storage = self._page(found, part, left)
            if storage.file != found.storage.file:
                beginnings += 1
                self._begin_again(found, beginnings)
                continue
            if rows:
                found.after = str(rows[-1][self._place])
                left = None if left is None else left - len(rows)
            else:
                found.after = self.versions.ahead_of(part.until)
            if rows or self.clock() - marked >= _MARK_SECONDS:
                yield self._batch(found, rows)
                marked = self.clock()
        if part is None:
            yield self._empty(Watermark((str(found.high),), None, {}), final=True)

    def _next(self, found: Pass) -> _Range | None:
        """Return the next blocks; None if all were read."""
        block = 0 if found.after is None else self.versions.block_of(found.after)
        if block >= found.storage.blocks:
            return None
        return _Range(found.after, min(block + self._span, found.storage.blocks))

    def _page(self, found: Pass, part: _Range, left: int | None) -> tuple[list[tuple[Any, ...]], Any]:
        """Return rows of some blocks, at most a page of them, and where the table was stored when they were read."""
        limit = self.limits.page_rows if left is None else min(self.limits.page_rows, left)
        written = (
            self.versions.written_before(found.high)
            if found.low is None
            else self.versions.written(found.low, found.high)
        )
        query = self.rows.every().where(*self.versions.places(part.after, part.until), written)
        query = query.order_by(sa.column(self.versions.place.name)).limit(limit)
        database = self.rows.database
        with database.snapshot():
            rows = database.read(query, BATCH_BYTES)
            storage = self.versions.storage()  # the rows' lock keeps it from being exchanged now
        if len(rows) < limit // 2:
            self._span = min(2 * self._span, _MOST_BLOCKS)
        elif len(rows) == limit:
            self._span = max(self._span // 2, 1)
        return rows, storage

    def _begin_again(self, found: Pass, beginnings: int) -> None:
        if beginnings > BEGINNINGS:
            raise SourceError(
                f"{self.rows.what} was truncated or rewritten {BEGINNINGS} times while one run read it; what was sent"
                " is saved. Run again when nothing truncates, clusters or rewrites it"
            )
        self.log.warning("%s was truncated or rewritten while it was read; the pass begins again", self.rows.what)
        found.begin(self.versions.storage())

    def _batch(self, found: Pass, rows: list[tuple[Any, ...]]) -> Batch:
        values = () if found.low is None else (str(found.low),)
        after = Watermark(values, None, {FACT: found.as_fact()})
        selection = self.rows.selection
        block = 0 if found.after is None else self.versions.block_of(found.after)
        share = block / found.storage.blocks if found.storage.blocks else None
        return Batch(selection.shape, rows, len(rows), after, selection.op, share=share)

    def _empty(self, after: Watermark, *, final: bool) -> Batch:
        return Batch(self.rows.selection.shape, [], 0, after, self.rows.selection.op, final=final)

    @property
    def _place(self) -> int:
        columns = self.rows.selection.shape.columns
        return next(at for at, one in enumerate(columns) if one.name == self.versions.place.name)

    def _gone_back(self, low: int, following: int) -> WatermarkError:
        return WatermarkError(
            f"the watermark of stream {self.stream!r} is transaction {low}, but the server's next one is {following}:"
            " it is a copy from before that, or another server; nothing was read. Point the connection back, or begin"
            f" again with {command('forget', self.stream)}"
        )
