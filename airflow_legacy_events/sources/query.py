"""A table or query as a source: what the user asked for, checked against what is there."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from airflow_legacy_events.core import guard
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.model import (
    TEMPORAL,
    Batch,
    Column,
    Horizon,
    Pending,
    Receipt,
    Span,
    Watermark,
    Window,
)
from airflow_legacy_events.core.ports import Database, Reflection
from airflow_legacy_events.sources.beginning import first_value, zone_of
from airflow_legacy_events.sources.bulk import BulkRun
from airflow_legacy_events.sources.facts import source_facts
from airflow_legacy_events.sources.incremental import IncrementalRun
from airflow_legacy_events.sources.repeat import ReplayRun, RerunRun
from airflow_legacy_events.sources.rows import Rows
from airflow_legacy_events.sources.selection import Selection, Wanted, by_window, select_columns
from airflow_legacy_events.sources.window import bounds, window_column


@dataclass(kw_only=True)
class QuerySource:
    """Reads by keyset, page by page; each page is a short read-only transaction of its own.

    The lower bound is exclusive on (watermark columns, key columns), so no batch grows with a tie. The upper
    bound is the highest such tuple at or below the database's now less `lag`. Without watermark columns every
    run is a full load in key order from one snapshot; a load that did not finish is finished first. With a window
    the order is (its column, key columns) instead.

    Attributes:
        database: where the rows are.
        stream: name of the stream, for messages.
        source: name of the connection, kept with the watermark.
        table: as written by the user, `schema.table` or `table`.
        sql: a SELECT instead of a table.
        watermark_columns: of any ordered type; empty for bulk.
        key_columns: None: the primary key, else a unique index over NOT NULL columns.
        columns: what `data` holds; None: all.
        exclude_columns: what `data` does not hold.
        first_run: `all`, `now`, or a value of the first watermark column to begin with, itself included.
        lag: rows younger than that wait for a later run; needs a temporal first watermark column.
        limits: `batch_rows`, `rows_per_second` and `max_rows` cut the pages.
        source_timezone: IANA name of the zone of naive times.
    """

    database: Database
    stream: str
    source: str
    table: str | None = None
    sql: str | None = None
    watermark_columns: tuple[str, ...] = ()
    key_columns: tuple[str, ...] | None = None
    columns: tuple[str, ...] | None = None
    exclude_columns: tuple[str, ...] = ()
    first_run: Any = "all"
    lag: dt.timedelta = dt.timedelta(0)
    limits: Limits = field(default_factory=Limits)
    source_timezone: str = "UTC"
    log: logging.Logger = field(default_factory=lambda: logging.getLogger(__name__))
    _looked: tuple[Rows, dict[str, Any]] | None = field(default=None, init=False, repr=False)

    def open(self, at: Watermark | None, window: Window | Span | None = None) -> Horizon:
        """See `core.ports.Source.open`."""
        rows, facts = self._look(window if isinstance(window, Window) else None)
        if at is not None:
            guard.check(self.stream, at.facts, facts)
        self._run = self._make_run(rows, at) if window is None else self._make_repeat(rows, at, window)
        horizon = self._run.open()
        return horizon._replace(facts={**facts, **horizon.facts})

    def batches(self) -> Iterator[Batch]:
        """See `core.ports.Source.batches`."""
        return self._run.batches()

    def pending(self, at: Watermark | None) -> Pending:
        """See `core.ports.Source.pending`; a full load has always all rows pending, and says so."""
        if self._looked is None:
            self._looked = self._look(advise=False)
        rows, facts = self._looked
        if at is not None:
            guard.check(self.stream, at.facts, facts)
        run = self._make_run(rows, at)
        if isinstance(run, BulkRun):
            raise ConfigurationError(
                "watermark_columns=[] was given: a full load has no watermark, so every row is always pending; nothing"
                " was read. Name watermark_columns, or start the load by a schedule"
            )
        return run.pending()

    def acknowledge(self, receipt: Receipt) -> None:
        """A query leaves nothing to acknowledge at its source."""

    def _look(self, window: Window | None = None, *, advise: bool = True) -> tuple[Rows, dict[str, Any]]:
        """What is read, and the facts by which a watermark of it is known."""
        what = f"table {self.table!r}" if self.table is not None else "the query"
        found = self.database.reflect(self.table, self.sql)
        self._zone = zone_of(self.source_timezone)
        selection = self._select(what, found, window)
        facts = source_facts(self.database, self.source, self.sql or str(self.table), selection)
        facts["table"] = self.table
        if advise:
            self._advise(what, selection, found)
        return Rows(self.database, what, found.selectable, selection, self.source_timezone), facts

    def _select(self, what: str, found: Reflection, window: Window | None) -> Selection:
        column = None if window is None else window_column(window, self.watermark_columns, found.columns)
        wanted = Wanted(what, self.watermark_columns, self.key_columns, self.columns, self.exclude_columns, column)
        selection = select_columns(wanted, found)
        return selection if column is None else by_window(selection, column)

    def _make_repeat(self, rows: Rows, at: Watermark | None, window: Window | Span) -> ReplayRun | RerunRun:
        first = rows.selection.columns[0]
        if isinstance(window, Window):
            return ReplayRun(rows, at, self.limits, bounds(window, first, self._zone))
        return RerunRun(rows, at, self.limits, window, self._begin(first), self.first_run == "now")

    def _begin(self, first: Column) -> str | None:
        return None if self.first_run in ("all", "now") else first_value(self.first_run, first, self._zone)

    def _make_run(self, rows: Rows, at: Watermark | None) -> BulkRun | IncrementalRun:
        if not self.watermark_columns:
            self._refuse_on_bulk()
            return BulkRun(rows, at, self.limits)
        first = rows.selection.columns[0]
        self._refuse_lag(first)
        begin = self._begin(first)
        lag_seconds = self.lag.total_seconds() if first.kind in TEMPORAL else None
        return IncrementalRun(rows, at, begin, self.first_run == "now", lag_seconds, self.limits)

    def _refuse_lag(self, first: Column) -> None:
        if self.lag < dt.timedelta(0):
            raise ConfigurationError(
                f"lag={self.lag} is negative: it only holds back; nothing was read. Give 0 or more"
            )
        if self.lag and first.kind not in TEMPORAL:
            raise ConfigurationError(
                f"lag={self.lag} was asked for, but the first watermark column {first.name!r} is {first.type}, no time;"
                " nothing was read. Leave lag= out or watermark by a time column"
            )

    def _refuse_on_bulk(self) -> None:
        asked = {"lag": self.lag, "max_rows": self.limits.max_rows, "first_run": self.first_run != "all"}
        for name, value in asked.items():
            if value:
                raise ConfigurationError(
                    f"{name}= was given with watermark_columns=[]: a full load has no watermark to hold back, cut or"
                    " begin at; nothing was read. Leave it out, or name watermark_columns"
                )

    def _advise(self, what: str, selection: Selection, found: Reflection) -> None:
        names = tuple(column.name for column in selection.columns)
        if (
            (self.watermark_columns or selection.op == "r")
            and found.indexes is not None
            and not any(names[:1] == index[:1] for index in found.indexes)
        ):
            self.log.warning(
                "no index of %s begins with %r: every page reads and sorts the whole table. CREATE INDEX ON %s (%s)",
                what,
                names[0],
                self.table,
                ", ".join(names),
            )
