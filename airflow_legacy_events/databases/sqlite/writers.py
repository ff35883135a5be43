"""Writers of a SQLite file: one at a time, so ids appear in their order; see `core.ports.RowWriters`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from typing import Any

from airflow_legacy_events.core import clock_margin
from airflow_legacy_events.core.columns import TEMPORAL, Kind
from airflow_legacy_events.core.ports import Blocker, WritersLook, Written
from airflow_legacy_events.core.zones import canonical
from airflow_legacy_events.databases.sqlite.written import Writing, is_local
from airflow_legacy_events.databases.verdict import BOUNDED, Judged, Verdict, gap

_UTC = "UTC"
_AT_ONCE = "commits within a second of the statement"


class SqliteRowWriters(Judged):
    """No writer is waited for: the next one begins to write when the last one has committed.

    Args:
        of: the rows.
        now: returns the clock of this process, which is SQLite's.
    """

    def __init__(self, of: Written, now: Callable[[], dt.datetime]) -> None:
        self._of, self._now = of, now

    def _judgement(self) -> Verdict:
        return judged(self._of)

    @property
    def tick(self) -> dt.timedelta:
        """See `core.ports.RowWriters.tick`; SQLite's own clock gives whole seconds, and finer texts lie above them."""
        if not self._timed:
            return dt.timedelta()
        return dt.timedelta(days=1) if self._of.column.kind is Kind.DATE else dt.timedelta(seconds=1)

    @property
    def _timed(self) -> bool:
        return self._of.column.kind in TEMPORAL

    def look(self) -> WritersLook:
        """See `core.ports.RowWriters.look`."""
        now = self._now()
        return WritersLook(now - clock_margin.CLOCK_MARGIN if self._timed else None, {}, None, now)

    def remaining(self, ids: Collection[str], server: Mapping[str, Any]) -> Mapping[str, Blocker]:  # noqa: ARG002
        """See `core.ports.RowWriters.remaining`."""
        return {}


def judged(of: Written) -> Verdict:
    """Return completeness and reason; see `core.ports.RowWriters`."""
    facts: Writing | None = of.state.writing
    name = of.column.name
    if of.table is None or facts is None:
        return gap(f"the catalog does not say which table's column gives {name!r}", "Read the table itself by table=")
    return _judged_times(of, facts) if of.column.kind in TEMPORAL else _judged_ids(of, facts)


def _judged_ids(of: Written, facts: Writing) -> Verdict:
    name = of.column.name
    if facts.counted == name:
        return Verdict(
            BOUNDED, f"each row takes its {name!r} from AUTOINCREMENT; those set by hand may come below others"
        )
    why = f"without AUTOINCREMENT the values of column {name!r} may be given again, or come in any order"
    return gap(why, f"Make the table with {name} INTEGER PRIMARY KEY AUTOINCREMENT, and copy its rows into it")


def _judged_times(of: Written, facts: Writing) -> Verdict:
    name, clock = of.column.name, facts.clock(of.column.name)
    if clock is None:
        why = f"no default or trigger gives column {name!r} the current time: older times may come later"
        return gap(why, f"Make the column with DEFAULT CURRENT_TIMESTAMP, and set {name} in a trigger AFTER UPDATE")
    reason = f"each writer leaves column {name!r} to {clock}, and {_AT_ONCE}"
    if of.column.kind is Kind.INSTANT:
        return Verdict(BOUNDED, reason)
    if is_local(clock):
        return Verdict(BOUNDED, f"{reason}; all writers use one time zone, {of.timezone}")
    if canonical(of.timezone) != _UTC:
        why = f"{clock} gives column {name!r} times in UTC, and they are read as {of.timezone}"
        return gap(why, "Give source_timezone='UTC'")
    return Verdict(BOUNDED, reason)
