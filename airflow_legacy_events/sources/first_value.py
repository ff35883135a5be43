"""Values given by a user for a column, converted to that column's text."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from airflow_legacy_events.core.columns import TEMPORAL, Column, Kind
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.zones import zone_named
from airflow_legacy_events.sources.folds import outer

_NUMBERS: dict[Kind, Callable[[str], Any]] = {
    Kind.INTEGER: int,
    Kind.DECIMAL: Decimal,
    **dict.fromkeys((Kind.FLOAT, Kind.SINGLE), float),
}


def zone_of(timezone: str) -> dt.tzinfo:
    """Return the zone of an IANA name or an offset.

    Raises:
        ConfigurationError: there is none.
    """
    try:
        return zone_named(timezone)
    except ValueError as error:
        raise ConfigurationError(
            f"source_timezone={timezone!r} is not a known time zone; nothing was read. Give an IANA name such as"
            " 'Europe/Berlin', or an offset such as '+05:30'"
        ) from error


def first_value(
    first_run: Any, column: Column, zone: dt.tzinfo, argument: str = "first_run", *, high: bool = False
) -> str:
    """Return the text of the start value; a moment is converted to the column's zone, for dates to its day.

    A naive time that the zone's clock shows twice is moved to the edge of its fold; see `folds.outer`.

    Args:
        first_run: the value.
        column: of the value.
        zone: of naive columns.
        argument: name of the argument, for the error.
        high: whether it is the exclusive end of a range rather than its beginning.

    Raises:
        ConfigurationError: it is not a value of the column's kind.
    """
    words = "'all', 'now' or " if argument == "first_run" else ""
    try:
        if column.kind in TEMPORAL:
            return _moment(first_run, column.kind, zone, high=high)
        if column.kind in _NUMBERS:
            return _number(first_run, column.kind)
    except (ValueError, InvalidOperation, OverflowError) as error:
        raise ConfigurationError(
            f"{argument}={first_run!r} was given, but the first watermark column {column.name!r} is {column.type};"
            f" nothing was read. Give {words}a value of that column"
        ) from error
    return str(first_run)


def _number(first_run: Any, kind: Kind) -> str:
    number = _NUMBERS[kind](str(first_run))
    if Decimal(number).is_nan():  # NaN compares with nothing
        raise ValueError(first_run)
    return str(number)


def _moment(first_run: Any, kind: Kind, zone: dt.tzinfo, *, high: bool) -> str:
    if isinstance(first_run, dt.date) and not isinstance(first_run, dt.datetime):
        first_run = dt.datetime.combine(first_run, dt.time())
    moment = first_run if isinstance(first_run, dt.datetime) else dt.datetime.fromisoformat(str(first_run))
    if kind is Kind.INSTANT:
        aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
        return aware.astimezone(dt.UTC).isoformat(sep=" ")
    local = moment if moment.tzinfo is None else moment.astimezone(zone).replace(tzinfo=None)
    bound = outer(local, zone, high=high)
    if kind is Kind.DATE:  # without a zone it is already the column's local day
        return (local if moment.tzinfo is None else bound).date().isoformat()
    if moment.tzinfo is None and isinstance(first_run, str) and bound == local:
        return first_run  # unchanged: the column's texts may have the same format
    return bound.isoformat(sep=" ")
