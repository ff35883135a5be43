"""Bounds on a column that stores times as text: written like its values, if these sort chronologically as text."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from airflow_legacy_events.core.columns import TEMPORAL, Column, Kind
from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.databases.errors import without_retry
from airflow_legacy_events.databases.sqlite.spelling import Spelling, pattern_of, respelled, shortest, spelling_of

Ask: TypeAlias = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]

_KINDS = frozenset({*TEMPORAL, Kind.TEXT, Kind.ANY})
_MOST_KEPT = 256
_ROWS_BELOW, _ROWS_BELOW_WITH_OFFSET = 250, 20_000
_DAY_CHARS = 10
_BY_INDEX = """
SELECT (SELECT min({0}) FROM {1} WHERE {0} >= ? AND {0} < ?), (SELECT max({0}) FROM {1} WHERE {0} >= ? AND {0} < ?),
 (SELECT {0} FROM {1} WHERE {0} = ? LIMIT 1),
 (SELECT t FROM (SELECT {0} AS t FROM {1} WHERE {0} >= ? AND {0} < ? ORDER BY {0} DESC LIMIT ?) WHERE {2} LIMIT 1)
"""
_IN_ONE_SCAN = """
SELECT min(t), max(t), max(CASE WHEN t = ? THEN t END), max(CASE WHEN t < ? AND ({2}) THEN t END)
 FROM (SELECT {0} AS t FROM {1} WHERE {0} >= ? AND {0} < ?)
"""
_PLAN = "EXPLAIN QUERY PLAN SELECT {0} FROM {1} WHERE {0} >= ? ORDER BY {0} LIMIT 1"


class Times:
    """Times of one column, stored as text.

    Values are checked only once `timed` is set. In a text or untyped column, only values that SQLite can parse as a
    time are checked.

    Args:
        column: its name, kind and type.
        source: the FROM element of the column, as SQL.
        ask: runs a statement and returns its rows.

    Attributes:
        timed: whether the column has time bounds.
    """

    def __init__(self, column: Column, source: str, ask: Ask) -> None:
        self._column, self._source, self._ask = column, source, ask
        self._strict = column.kind in TEMPORAL
        self._spelling: Spelling | None = None
        self._version: Any = None
        self._known: dict[str, str] = {}
        self._enters: bool | None = None
        self.timed = False

    @classmethod
    def of(cls, column: Column, source: str, ask: Ask) -> Times | None:
        """Return the times of a column; None if it can't contain times."""
        return cls(column, source, ask) if column.kind in _KINDS else None

    def bound(self, text: str) -> str:
        """Return a bound in the spelling of nearby values.

        Nearby rows are checked, and checked again whenever another session has written: a row with another spelling may
        be on the wrong side of the bound.

        Raises:
            SourceError: there is such a row, or bound and column can't be compared.
        """
        spelling = self._judged(text)
        if spelling is None:
            return text
        [(version,)] = self._ask("PRAGMA data_version", ())
        if version != self._version or len(self._known) > _MOST_KEPT:
            self._version, self._known, self._spelling = version, {}, None
        if text not in self._known:
            self._known[text] = self._near(text, spelling)
        return self._known[text]

    def check(self, values: Iterable[Any]) -> None:
        """Check the values of a page; rows with NULL have no position in the order.

        Raises:
            SourceError: a value is not a time, or its spelling differs from earlier ones.
        """
        matches = None if self._spelling is None else pattern_of(self._spelling).fullmatch
        for value in values:
            if value is not None and (matches is None or not isinstance(value, str) or not matches(value)):
                self._met(self._judged(value))
                matches = None if self._spelling is None else pattern_of(self._spelling).fullmatch

    def handed_out(self, value: Any) -> None:
        """Record a value that becomes part of a watermark; it is refused as in `check`."""
        self._met(self._judged(value))
        if isinstance(value, str):
            self._known[value] = value

    def _near(self, text: str, spelling: Spelling) -> str:
        rows = self._rows_near(text, spelling)
        found = [one for one in map(self._judged, rows) if one is not None]
        for one in found:
            if not one.sorts_with(found[0]):
                raise self._refused(found[0], one)
        if not found:
            return text
        self._spelling = max(found, key=lambda one: one.between is not None)
        if spelling.sorts_with(self._spelling):
            return text if text in rows else shortest(text, spelling)
        again = respelled(text, self._spelling, naive_is_utc=self._column.kind is Kind.INSTANT)
        if again is None and not self._strict:
            return text
        if again is None:
            raise self._refused(self._spelling, spelling)
        return self._near(again, spelling_of(again) or self._spelling)

    def _rows_near(self, text: str, spelling: Spelling) -> list[Any]:
        """Return the lowest and highest text of nearby days, the text itself, and one below it in another spelling.

        A time with an offset may be up to a day away from its text's position.
        """
        days = 1 if spelling.suffix or self._column.kind is Kind.INSTANT else 0
        low, high = f"{_day(text, -days)}\t", f"{_day(text, days)}U"
        name = f"`{self._column.name.replace('`', '``')}`"
        other, values = _other(spelling, text)
        if self._enters_index(name):
            most = _ROWS_BELOW_WITH_OFFSET if spelling.suffix else _ROWS_BELOW
            statement, parameters = _BY_INDEX, (low, high, low, high, text, low, text, most, *values)
        else:
            statement, parameters = _IN_ONE_SCAN, (text, text, *values, low, high)
        [rows] = self._ask(statement.format(name, self._source, other), parameters)
        return [one for one in rows if one is not None]

    def _enters_index(self, name: str) -> bool:
        """Whether an index serves a range from a bound on; otherwise a single full scan is cheapest."""
        if self._enters is None:
            plan = self._ask(_PLAN.format(name, self._source), ("",))
            self._enters = all(str(step[-1]).startswith("SEARCH") for step in plan)
        return self._enters

    def _judged(self, value: Any) -> Spelling | None:
        spelling = spelling_of(value)
        if spelling is None and self._strict:
            raise self._unreadable()
        return spelling

    def _met(self, spelling: Spelling | None) -> None:
        if spelling is None:
            return
        if self._spelling is not None and not spelling.sorts_with(self._spelling):
            raise self._refused(self._spelling, spelling)
        if self._spelling is None or self._spelling.between is None:
            self._spelling = spelling

    def _refused(self, one: Spelling, other: Spelling) -> SourceError:
        name = self._column.name
        return without_retry(
            f"column {name!r} stores times as text in more than one format, {str(one)!r} and {str(other)!r}, which do"
            " not sort by time: rows would be skipped, or were. No row of this page was sent. Convert them to one"
            f" format, or read them with sql= and strftime('%Y-%m-%d %H:%M:%f', {name}) AS {name}, WHERE"
            f" julianday({name}) <= julianday('now')"
        )

    def _unreadable(self) -> SourceError:
        name = self._column.name
        return without_retry(
            f"column {name!r} is declared {self._column.type!r} but a row holds a text of another form than a time that"
            " SQLite reads, such as 2026-01-31 09:15:02+01:00, or no text, so it can't be compared with the current"
            " time; no row of this page was sent. Fix such rows, or use sql= with strftime over the part that it reads,"
            f" such as strftime('%Y-%m-%d %H:%M:%f', substr({name}, 1, 19)) AS {name}, WHERE julianday(...) <="
            " julianday('now'), or with datetime(…) for times that are stored as numbers"
        )


def _day(text: str, days: int) -> str:
    """Return the date of a time, shifted by some days; at the calendar's limits, the date itself."""
    try:
        return (dt.date.fromisoformat(text[:_DAY_CHARS]) + dt.timedelta(days)).isoformat()
    except (ValueError, OverflowError):  # also 31 February, which SQLite accepts
        return text[:_DAY_CHARS]


def _other(spelling: Spelling, text: str) -> tuple[str, tuple[Any, ...]]:
    """Return the condition that a text `t` has another spelling, as far as SQL can determine, and its parameters."""
    if spelling.between is None:
        return "length(t) > 10 AND substr(t, 17) GLOB '*[-+Zz]*'", ()
    between = "substr(t, 11, ?) <> ?"
    values: tuple[Any, ...] = (len(spelling.between), spelling.between)
    if not spelling.suffix:
        return f"length(t) > 10 AND ({between} OR substr(t, 17) GLOB '*[-+Zz]*')", values
    values = (*values, -len(spelling.suffix), spelling.suffix)
    if spelling.clock:
        return f"{between} OR substr(t, ?) <> ? OR length(t) <> ?", (*values, len(text))
    return f"{between} OR substr(t, ?) <> ?", values
