"""Clock check: a watermark ahead of the database's clock would hide all rows written until then."""

from __future__ import annotations

import datetime as dt

from airflow_legacy_events.core.columns import Column, Kind
from airflow_legacy_events.core.commands import command
from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.core.zones import zone_named
from airflow_legacy_events.sources.folds import folds
from airflow_legacy_events.sources.place import Values
from airflow_legacy_events.sources.rows import Rows

_SLACK = dt.timedelta(seconds=60)
"""Tolerance: clocks of servers that replace each other differ slightly."""

_DAY = dt.timedelta(days=1)


def refuse_future(rows: Rows, values: Values) -> None:
    """Check that a watermark is not more than a minute above the database's now.

    The two are compared in UTC. The check is skipped during a change of the local clock, and for a text that is not a
    time.

    Raises:
        WatermarkError: names both.
    """
    column = rows.selection.columns[0]
    now = rows.database.now()
    moment = moment_of(values[0], column, zone_named(rows.timezone), now)
    slack = _SLACK + _DAY if column.kind is Kind.DATE else _SLACK  # a day may begin a day earlier elsewhere
    if moment is None or moment <= now + slack:
        return
    raise WatermarkError(
        f"the watermark of stream {rows.stream!r} is {_utc(moment)} in UTC, and the database's clock shows {_utc(now)}:"
        " rows that are written until then lie below it and would never be read; nothing was read. Correct the"
        " database's clock, or source_timezone= if the column is written in another zone; or read again from an"
        f" earlier time with {command('rewind', rows.stream, '--to', 'TIME')}"
    )


def refuse_future_mark(rows: Rows, mark: dt.datetime, *, begun: bool) -> None:
    """Check that a mark kept with a watermark is not more than a minute above the database's now.

    Args:
        rows: of the run.
        mark: of a time column, in UTC.
        begun: whether the watermark has values, which can be moved back.

    Raises:
        WatermarkError: names both. It is not raised during a change of the local clock that naive times follow.
    """
    column, now = rows.selection.columns[0], rows.database.now()
    if mark <= now + _SLACK or (column.kind is not Kind.INSTANT and _changes(zone_named(rows.timezone), now)):
        return
    again = command("rewind", rows.stream, "--to", "TIME") if begun else command("forget", rows.stream)
    raise WatermarkError(
        f"the horizon of stream {rows.stream!r} is {_utc(mark)} in UTC, and the database's clock shows {_utc(now)}:"
        " rows that are written until then would count as final too early; nothing was read. Correct the database's"
        " clock; or"
        f" {'read again from an earlier time' if begun else 'start over'} with {again}"
    )


def is_earlier(one: str, other: str) -> bool:
    """Whether a time that sorts below another is really earlier: it may be the same time in another format."""
    try:
        return dt.datetime.fromisoformat(one) != dt.datetime.fromisoformat(other)
    except ValueError:
        return True


def moment_of(text: str, column: Column, zone: dt.tzinfo, now: dt.datetime) -> dt.datetime | None:
    """Return the point in time of a watermark's text; None if it is undetermined.

    That is the case for a text that is not a time, and for a naive time during a change of the local clock.

    Args:
        text: of the watermark.
        column: of the value; a date stands for its midnight.
        zone: of a naive time.
        now: the database's current time.
    """
    try:
        moment = dt.datetime.fromisoformat(text)
        if moment.tzinfo is None and column.kind is Kind.INSTANT:
            return moment.replace(tzinfo=dt.UTC)
        if moment.tzinfo is None and _changes(zone, now):
            return None
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)).astimezone(dt.UTC)
    except (ValueError, OverflowError):  # the last hours of the year 9999 may be out of range in UTC
        return None


def _changes(zone: dt.tzinfo, now: dt.datetime) -> bool:
    return any(fold.begin - _DAY <= now.replace(tzinfo=None) <= fold.end + _DAY for fold in folds(zone, now))


def _utc(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="seconds")
