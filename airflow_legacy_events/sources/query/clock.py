"""A watermark in time is compared with the database's clock: above it no row would be read until then."""

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
"""Clocks of servers that take over from one another differ a little."""

_DAY = dt.timedelta(days=1)


def refuse_future(rows: Rows, values: Values) -> None:
    """Check that a watermark is not more than a minute above the database's now.

    The two are compared in UTC. While a change of the local clock is under way nothing is compared, nor is a text that
    is no time.

    Raises:
        WatermarkError: naming both.
    """
    column = rows.selection.columns[0]
    now = rows.database.now()
    moment = moment_of(values[0], column, zone_named(rows.timezone), now)
    slack = _SLACK + _DAY if column.kind is Kind.DATE else _SLACK  # the day may have begun a day earlier elsewhere
    if moment is None or moment <= now + slack:
        return
    raise WatermarkError(
        f"the watermark of stream {rows.stream!r} is {_utc(moment)} in UTC, and the database's clock shows {_utc(now)}:"
        " rows that are written until then lie below it and would never be read; nothing was read. Correct the"
        " database's clock, or source_timezone= if the column is written in another zone; or read again from an"
        f" earlier time with {command('rewind', rows.stream, '--to', 'TIME')}"
    )


def is_earlier(one: str, other: str) -> bool:
    """Whether a time that sorts below another is really earlier: it may be the same one, spelled otherwise."""
    try:
        return dt.datetime.fromisoformat(one) != dt.datetime.fromisoformat(other)
    except ValueError:
        return True


def moment_of(text: str, column: Column, zone: dt.tzinfo, now: dt.datetime) -> dt.datetime | None:
    """Return the point in time that a watermark's text means; None where it can't be told.

    It can't of a text that is no time, nor of a naive one while a change of the local clock is under way.

    Args:
        text: of the watermark.
        column: that it is a value of; a date means its midnight.
        zone: of a naive one.
        now: the database's.
    """
    try:
        moment = dt.datetime.fromisoformat(text)
        if moment.tzinfo is None and column.kind is Kind.INSTANT:
            return moment.replace(tzinfo=dt.UTC)
        if moment.tzinfo is None and _changes(zone, now):
            return None
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)).astimezone(dt.UTC)
    except (ValueError, OverflowError):  # the last hours of the year 9999 are none in UTC
        return None


def _changes(zone: dt.tzinfo, now: dt.datetime) -> bool:
    return any(fold.begin - _DAY <= now.replace(tzinfo=None) <= fold.end + _DAY for fold in folds(zone, now))


def _utc(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="seconds")
