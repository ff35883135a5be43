"""Arguments of a kept outbox, checked against the database."""

from __future__ import annotations

from dataclasses import dataclass, replace

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.completeness import LEVELS
from airflow_legacy_events.core.model import Horizon, Span, Window
from airflow_legacy_events.core.ports import TableWrites
from airflow_legacy_events.core.problems import Problems
from airflow_legacy_events.core.zones import OF_DATABASE
from airflow_legacy_events.sources.first_value import zone_of
from airflow_legacy_events.sources.kept_outbox.clocked import refuse_clock
from airflow_legacy_events.sources.kept_outbox.retention import check_retention
from airflow_legacy_events.sources.order import check_order
from airflow_legacy_events.sources.outbox import checks
from airflow_legacy_events.sources.outbox.arguments import OutboxArguments
from airflow_legacy_events.sources.outbox.table import OutboxTable
from airflow_legacy_events.sources.query.zone import NaiveColumns, find_zone

_BY_POSITION = "a row that is written below the position of rows that were read is not seen, nor is a change of a row"
_WHERE = "a row that meets where= only after the position has passed it is not seen"


@dataclass(frozen=True)
class CheckedKept:
    """A kept outbox with checked arguments.

    Attributes:
        table: the outbox table.
        timezone: name of the zone of naive times.
        writes: effects of deleting its rows.
    """

    table: OutboxTable
    timezone: str
    writes: TableWrites


@dataclass(kw_only=True)
class KeptArguments(OutboxArguments):
    """Arguments of a kept outbox."""

    def check(self, window: Window | Span | None = None) -> CheckedKept:
        """Check what needs neither a watermark nor a row; every fault is reported, not only the first.

        Raises:
            LegacyEventsError: the only fault, or a list of all.
        """
        problems = Problems()
        table = writes = None
        timezone = "UTC"
        with problems.collect():
            if self.source_timezone not in (None, OF_DATABASE):
                zone_of(str(self.source_timezone))
        with problems.collect():
            writes = self.database.writes(self.table)
        with problems.collect():
            table = self.kept_table()
        if table is not None:
            with problems.collect():
                timezone = self.zone(table)
            with problems.collect():
                check_order(self.database, table.what, table.found.selectable, table.selection)
            if window is not None:
                with problems.collect():
                    checks.check_replayable(table)
        if table is not None and writes is not None and self.retention is not None and window is None:
            with problems.collect():
                check_retention(table, writes)
        problems.raise_found()
        assert table is not None  # noqa: S101  else a problem was raised
        assert writes is not None  # noqa: S101
        return CheckedKept(table, timezone, writes)

    def kept_table(self) -> OutboxTable:
        """Return the table, with the uniqueness that the catalog proves of its rows.

        Raises:
            ConfigurationError: all faults are in one error.
        """
        refuse_clock(self.where, self.database.sql_dialect)
        table = self.find()
        return replace(table, selection=replace(table.selection, unique=table.found.state.distinct))

    def zone(self, table: OutboxTable) -> str:
        """Return the name of the zone of naive times.

        Raises:
            ConfigurationError: see `sources.query.zone.find_zone`.
        """
        shape, time = table.selection.shape, table.column("timestamp")
        times = () if time is None else (time.name,)
        naive = NaiveColumns.of(table.found.columns, table.selection, shape.named(shape.watermark), times, sent=False)
        return find_zone(self.source_timezone, self.database, table.what, naive, self.log)

    def judged(self, horizon: Horizon, table: OutboxTable) -> Horizon:
        """Return the horizon of a run with the completeness that reading by position has at most."""
        reasons = [horizon.reason, _BY_POSITION]
        first, id_ = table.selection.columns[0], table.column("id")
        if first == table.column("timestamp") and first.kind is Kind.INTEGER:
            by_id = f"; order_columns=[{id_.name!r}] orders by ids" if id_ and id_.kind is Kind.INTEGER else ""
            reasons.append(f"the timestamp {first.name!r} is a number that its writer chooses{by_id}")
        if table.condition is not None:
            reasons.append(_WHERE)
        level = LEVELS[min(LEVELS.index(horizon.completeness), LEVELS.index("bounded"))]
        return horizon._replace(completeness=level, reason="; ".join(reasons))
