"""Snapshot of tables beside their log, in legs that each stand at one place of the log."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_legacy_events.core.columns import Shape
from airflow_legacy_events.core.errors import SchemaChangedError, SourceError
from airflow_legacy_events.core.model import ENDED, STARTED, Batch, LogNotes, Watermark
from airflow_legacy_events.core.ports import ChangeLog
from airflow_legacy_events.sources.changelog.anew import clearing
from airflow_legacy_events.sources.changelog.batches import Changes
from airflow_legacy_events.sources.changelog.draining import Drain, behind
from airflow_legacy_events.sources.changelog.leg_state import OPEN, READING, TableProgress
from airflow_legacy_events.sources.changelog.tables import LoggedTable, Tables
from airflow_legacy_events.sources.changelog.truncating import Truncations
from airflow_legacy_events.sources.place import Start
from airflow_legacy_events.sources.proof import whole
from airflow_legacy_events.sources.rows import Rows

LEG_SECONDS = 300.0
LEG_BYTES = 2**30
PATIENCE_SECONDS = 300.0
"""Longest wait for a transaction that the log has shown and queries do not see yet."""

BEGINNINGS = 3
"""A table that is rewritten or altered more often while one run reads it is changed by something that will go on."""

_FIRST_WAIT, _LONGEST_WAIT = 0.05, 1.0
_LOOK_SECONDS = 0.05


@dataclass(kw_only=True)
class Legs:
    """Reads the rows of the tables that are left, one leg at a time.

    A leg holds a snapshot at a place of the log. The log is drained up to that place first, so that no change behind it
    is in the snapshot's rows; then pages are read in key order. A leg ends after some time, or when the server has to
    hold much of its log.

    Attributes:
        log: beside which they are read.
        lookup: looks tables up again.
        tables: of the stream.
        drain: of the log.
        changes: of the log.
        truncations: clear a table whose rows may have gone.
        seconds: a leg ends after.
        bytes: of the log that the server holds more, after which a leg ends.
        logger: of the task.
        marks: whether batches mark where the snapshot of each table begins and ends.
    """

    log: ChangeLog
    lookup: Tables
    tables: dict[str, LoggedTable]
    drain: Drain
    changes: Changes
    truncations: Truncations
    logger: logging.Logger
    seconds: float = LEG_SECONDS
    bytes: int = LEG_BYTES
    marks: bool = False
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _waiting: float | None = field(default=None, init=False)
    _wait: float = field(default=_FIRST_WAIT, init=False)
    _changed: dict[str, int] = field(default_factory=dict, init=False)
    _stale: set[str] = field(default_factory=set, init=False)
    _leg: _Bounds | None = field(default=None, init=False)
    _notes: LogNotes | None = field(default=None, init=False)

    def leg(self) -> Iterator[Batch]:
        """Yield the changes up to the place of a new snapshot, then the rows of one leg.

        A snapshot that does not see a transaction which the log has shown is not used: the next leg takes another.

        Raises:
            SourceError: such a transaction stays invisible, or a table changes again and again while it is read.
        """
        progress, end = self.drain.progress, self.log.end()
        if behind(self.log, progress.position, end):
            yield from self.drain.to(end)
            if self.drain.budget.over:
                return
        self._renew()
        left = progress.left()
        storage = {name: self._storage(self.tables[name]) for name in left}
        with self.log.snapshot([self.tables[name].entry for name in left]) as snapshot:
            blind = yield from self.drain.to(snapshot.place, snapshot)
            if not blind and not self.drain.budget.over:
                self._waiting, self._wait = None, _FIRST_WAIT
                self._notes = LogNotes(place=snapshot.place)
                yield from self._read(left, storage)
        if blind:
            self._wait_for(len(blind))

    def _read(self, left: list[str], storage: Mapping[str, Any]) -> Iterator[Batch]:
        self._leg = _Bounds(self.log, self.clock, self.seconds, self.bytes)
        for name in left:
            if name in self.drain.progress.left() and not (yield from self._table(name, storage[name])):
                return

    def _table(self, name: str, storage: Any) -> Generator[Batch, None, bool]:
        """Yield the pages of a table; return whether the leg continues behind them."""
        table, one = self.tables[name], self.drain.progress.tables[name]
        if self.lookup.outdated(table, one):
            self._again(table, f"the columns of {table.what} changed while its rows were read")
            return False
        rows = self.lookup.rows(table)
        yield from self._begin(table, one, rows.selection.shape)
        at = Start(one.key or ())
        try:
            while page := self._page(rows, at):
                if self._exchanged(table, storage):
                    return False
                at = rows.next_start(page)
                one.key = at.values
                self.drain.budget.rows += len(page)
                ends = self._ends()
                if ends and one.leg == OPEN:
                    one.leg = None
                after = self.drain.progress.watermark()
                yield Batch(rows.selection.shape, page, len(page), after, "r", one.generation, notes=self._notes)
                if ends:
                    return False
        except SchemaChangedError as error:
            self._again(table, str(error))
            return False
        if self._exchanged(table, storage):
            return False
        one.end()
        yield from self._mark(ENDED, rows.selection.shape, one, self.drain.progress.watermark())
        return True

    def _mark(self, op: str, shape: Shape, one: TableProgress, after: Watermark | None) -> Iterator[Batch]:
        """Yield the batch that marks the beginning or the end of a table's snapshot, if that is wanted."""
        if self.marks:
            yield Batch(shape, [(None,) * len(shape.columns)], 1, after, op, one.generation, notes=self._notes)

    def _begin(self, table: LoggedTable, one: TableProgress, shape: Shape) -> Iterator[Batch]:
        """Yield what precedes the first row of a table in a leg.

        That a leg began is saved before its first row is sent: a crash may leave rows that no watermark knows of. For a
        table read again this makes no difference, since no change of it is left out.
        """
        first = one.key is None
        if first:
            one.columns = self.lookup.columns_now(table)
        one.state = READING
        if not one.anew and one.leg is None:
            one.leg = OPEN
            yield self.drain.mark()
        elif (
            first and (gap := clearing(one)) is not None and (event := self.truncations.clears(table, gap)) is not None
        ):
            yield event
        if first:
            yield from self._mark(STARTED, shape, one, None)

    def _page(self, rows: Rows, at: Start) -> list[tuple[Any, ...]]:
        limit = self.drain.budget.page_rows
        return whole(rows, lambda: rows.page(at, None, limit), held=True)

    def _ends(self) -> bool:
        assert self._leg is not None  # noqa: S101
        return self.drain.budget.over or self._leg.reached

    def _storage(self, table: LoggedTable) -> Any:
        return self.lookup.database.storage(table.entry.written, None)

    def _exchanged(self, table: LoggedTable, before: Any) -> bool:
        """Whether the snapshot lacks rows of a table, whose storage was replaced behind it; a new leg has them."""
        if before is None or not _moved(before, self._storage(table)):
            return False
        self._again(table, f"{table.what} was truncated or rewritten while a snapshot of its rows was read")
        return True

    def _again(self, table: LoggedTable, why: str) -> None:
        times = self._changed[table.name] = self._changed.get(table.name, 0) + 1
        if times > BEGINNINGS:
            raise SourceError(
                f"{table.what} was rewritten or altered {times} times while one run read its rows; what was sent is"
                f" saved. Run again when nothing rewrites or alters it; last: {why}"
            )
        self.logger.warning("%s; it is read on in a new snapshot", why)
        self._stale.add(table.name)

    def _renew(self) -> None:
        """Look up what changed while it was read, now that no snapshot is held that would hide it."""
        for name in self._stale:
            self.tables[name] = self.lookup.again(self.tables[name], self.drain.progress.tables[name])
            self.changes.forget(name)
        self._stale.clear()

    def _wait_for(self, transactions: int) -> None:
        if self._waiting is None:
            self._waiting = self.clock()
        if self.clock() - self._waiting >= PATIENCE_SECONDS:
            raise SourceError(
                f"{transactions} transactions that the log shows as committed are not visible to queries after"
                f" {PATIENCE_SECONDS:.0f} s; nothing of them is lost. Run again once their COMMIT has returned: it may"
                " wait for a synchronous standby that does not answer"
            )
        self.sleep(self._wait)
        self._wait = min(2 * self._wait, _LONGEST_WAIT)


class _Bounds:
    """When a leg ends: after some time, or when the server holds that much more of its log.

    Where it holds much already, such as that of the leg before, the leg may add less, but always a quarter.
    """

    def __init__(self, log: ChangeLog, clock: Callable[[], float], seconds: float, most: int) -> None:
        self._log, self._clock = log, clock
        self._until = clock() + seconds
        self._held = log.state().held_bytes
        self._most = max(most // 4, min(most, 2 * most - (self._held or 0)))
        self._looked = clock()

    @property
    def reached(self) -> bool:
        now = self._clock()
        if now >= self._until:
            return True
        if self._held is None or now - self._looked < _LOOK_SECONDS:
            return False
        self._looked, held = now, self._log.state().held_bytes
        return held is not None and held - self._held >= self._most


def _moved(before: Any, after: Any) -> bool:
    """Whether storage was replaced; added storage, such as a new partition, holds no row that is missing."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return any(after.get(name) != place for name, place in before.items())
    return bool(before != after)
