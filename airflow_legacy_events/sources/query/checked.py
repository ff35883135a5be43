"""Arguments of a query source, checked against the database."""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.model import Span, Window
from airflow_legacy_events.core.ports import Database, Reflection, RowVersions
from airflow_legacy_events.core.problems import Problems
from airflow_legacy_events.core.zones import OF_DATABASE
from airflow_legacy_events.sources.first_value import zone_of
from airflow_legacy_events.sources.order import check_order
from airflow_legacy_events.sources.query.by_version.checks import refuse_ordered, wanted, with_versions
from airflow_legacy_events.sources.query.checks import begin_of, check_lag, check_options, check_overlap
from airflow_legacy_events.sources.query.keyless.checks import check_keyless, check_window_column
from airflow_legacy_events.sources.query.zone import NaiveColumns, find_zone
from airflow_legacy_events.sources.selection import ColumnRequest, Selection, by_window, select_columns
from airflow_legacy_events.sources.window import window_column


class CheckedQuery(NamedTuple):
    """A table or query with checked arguments.

    Attributes:
        found: its catalog facts.
        selection: its columns.
        timezone: name of the zone of naive times.
        begin: text of the value at which a first run begins; None: at the beginning.
        versions: row versions to read by; None where the watermark columns are ordinary ones.
    """

    found: Reflection
    selection: Selection
    timezone: str = "UTC"
    begin: str | None = None
    versions: RowVersions | None = None


@dataclass(kw_only=True)
class QueryArguments:
    """Arguments of a query source.

    Attributes:
        database: where the rows are.
        stream: name of the stream, for messages.
        source: name of the connection, kept with the watermark.
        table: as written by the user, `schema.table` or `table`.
        sql: a SELECT instead of a table.
        watermark_columns: of any ordered type; empty for bulk.
        key_columns: `()`: rows have no key. None: the primary key, else a unique index over NOT NULL columns.
        columns: of `data`; None: all.
        exclude_columns: left out of `data`.
        message_columns: columns that messages need besides their data, for headers and the like.
        first_run: `all`, `now`, or a value of the first watermark column at which to begin, inclusive.
        lag: rows younger than this wait for a later run; needs a temporal first watermark column.
        overlap: rows so far below the watermark are read again; needs a temporal first watermark column and a key.
        limits: `batch_rows`, `rows_per_second` and `max_rows` limit the pages.
        source_timezone: name of the zone of naive times, or `database`: the server's own. None: UTC, and an error
            if a deciding column is naive and the server's zone differs.
        time_columns: further columns with a row's time.
        naive_times: whether naive times are sent as the database writes them.
        sql_as_written: `sql` before its template was rendered; it identifies the query to later runs. None: `sql`.
        null_watermark: handling of rows with a NULL in a watermark column: `fail` before anything is read, `skip`
            them, or send them after the others: in the `first_run_only`, or `always`, with every run.
        on_query_change: if the query or table differs from the watermark's: `fail`, `keep` the watermark, or
            `reset`: start again as a first run.
        on_schema_change: if columns were added, removed or changed: `evolve` or `fail`. A changed type of a watermark
            or key column always fails.
        on_reset: if the table was reset below the watermark: `fail`, `restart` from its beginning, or `keep`.
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
    message_columns: tuple[str, ...] = ()
    first_run: Any = "all"
    lag: dt.timedelta = dt.timedelta(0)
    overlap: dt.timedelta = dt.timedelta(0)
    limits: Limits = field(default_factory=Limits)
    source_timezone: str | None = None
    time_columns: tuple[str, ...] = ()
    naive_times: bool = False
    sql_as_written: str | None = None
    null_watermark: str = "fail"
    on_query_change: str = "fail"
    on_schema_change: str = "evolve"
    on_reset: str = "fail"
    log: logging.Logger = field(default_factory=lambda: logging.getLogger(__name__))

    def check(self, window: Window | Span | None = None) -> CheckedQuery:
        """Check what needs neither a watermark nor a row; every fault is reported, not only the first.

        Raises:
            LegacyEventsError: the only fault, or a list of all.
        """
        problems = Problems()
        found = checked = None
        with problems.collect():
            if self.source_timezone not in (None, OF_DATABASE):
                zone_of(str(self.source_timezone))
        with problems.collect():
            check_options(self.lag, self.overlap, {} if self.watermark_columns else self._incremental_options)
        with problems.collect():
            found = self.database.reflect(self.table, self.sql)
        if found is not None:
            versions = wanted(self.database, self.table, self.watermark_columns, found)
            if versions is not None:
                return self._check_versions(found, versions, window, problems)
            with problems.collect():
                checked = CheckedQuery(found, self._select(found, window if isinstance(window, Window) else None))
        if checked is not None:
            with problems.collect():
                checked = checked._replace(timezone=self._find_zone(checked, isinstance(window, Window)))
            with problems.collect():
                check_order(self.database, self._what, checked.found.selectable, checked.selection)
        if checked is not None and not checked.selection.shape.key:
            with problems.collect():
                self._check_keyless(checked.selection, window)
        if checked is not None and self.watermark_columns and not isinstance(window, Window):
            with problems.collect():
                check_lag(self.lag, checked.selection.columns[0])
            with problems.collect():
                check_overlap(self.overlap, checked.selection)
            with problems.collect():
                checked = checked._replace(
                    begin=begin_of(self.first_run, checked.selection.columns[0], checked.timezone)
                )
        problems.raise_found()
        return checked

    def _check_versions(
        self, found: Reflection, versions: RowVersions, window: Window | Span | None, problems: Problems
    ) -> CheckedQuery:
        """Check what a stream that is read by row versions needs; nothing of it has an order."""
        with problems.collect():
            options = {"null_watermark": (self.null_watermark, "fail"), "on_reset": (self.on_reset, "fail")}
            keyless = self.key_columns == ()
            refuse_ordered(
                window, lag=self.lag, overlap=self.overlap, first_run=self.first_run, options=options, keyless=keyless
            )
        checked = None
        with problems.collect():
            known = with_versions(found, versions)
            selection = self._select(known, None, versions.place.name)
            selection = replace(selection, position=selection.shape.watermark)
            checked = CheckedQuery(known, selection, versions=versions)
            checked = checked._replace(timezone=self._find_zone(checked, in_window=False))
        problems.raise_found()
        assert checked is not None  # noqa: S101
        return checked

    def _check_keyless(self, selection: Selection, window: Window | Span | None) -> None:
        if isinstance(window, Window):
            check_window_column(self._what, selection)
        limits = self.limits if window is None else Limits()
        bulk, nulls = not self.watermark_columns, self.null_watermark
        check_keyless(self._what, selection, limits=limits, null_watermark=nulls, bulk=bulk)

    def _find_zone(self, checked: CheckedQuery, in_window: bool) -> str:  # noqa: FBT001
        names = (*self.watermark_columns, checked.selection.columns[0].name) if in_window else self.watermark_columns
        sent = not self.naive_times
        naive = NaiveColumns.of(checked.found.columns, checked.selection, names, self.time_columns, sent=sent)
        return find_zone(self.source_timezone, self.database, self._what, naive, self.log)

    @property
    def _what(self) -> str:
        return f"table {self.table!r}" if self.table is not None else "the query"

    @property
    def _written(self) -> str:
        return self.sql_as_written or self.sql or str(self.table)

    def _select(self, found: Reflection, window: Window | None, *system: str) -> Selection:
        column = None if window is None else window_column(window, self.watermark_columns, found.columns)
        request = ColumnRequest(
            self._what,
            self.watermark_columns,
            self.key_columns,
            self.columns,
            self.exclude_columns,
            (*self.message_columns, *system),
            column,
        )
        selection = select_columns(request, found)
        return selection if column is None else by_window(selection, column)

    @property
    def _incremental_options(self) -> dict[str, bool]:
        return {
            "lag": bool(self.lag),
            "overlap": bool(self.overlap),
            "max_rows": self.limits.max_rows is not None,
            "first_run": self.first_run != "all",
            "null_watermark": self.null_watermark != "fail",
            "on_reset": self.on_reset != "fail",
        }
