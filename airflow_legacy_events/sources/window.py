"""Replay window: its bounds as texts of the column they are compared with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from airflow_legacy_events.core.columns import TEMPORAL, Column, Kind
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model import Window
from airflow_legacy_events.sources.first_value import first_value
from airflow_legacy_events.sources.folds import outer

_NUMERIC = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT, Kind.SINGLE})


class Bounds(NamedTuple):
    """Bounds `[low, high)` as texts of the first position column."""

    low: str
    high: str


def moment_of(text: str) -> dt.datetime | None:
    """Return the moment of an ISO 8601 text with an offset, None for any other text."""
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def window_column(window: Window, watermark_columns: Sequence[str], columns: Sequence[Column]) -> str:
    """Return the name of the column that a window filters by.

    Moments are compared with `window.column`, else with the first temporal watermark column. All other bounds are
    values of the first watermark column.

    Raises:
        ConfigurationError: there is no such column, or only one of `low` and `high` is a moment.
    """
    moments = [moment_of(text) is not None for text in (window.low, window.high)]
    if moments[0] != moments[1]:
        raise ConfigurationError(
            f"the window {window.shown} mixes a moment with something else; nothing was read. Give both"
            " as ISO 8601 with an offset, such as 2026-11-01T00:00:00+00:00, or both as values of the first watermark"
            " column"
        )
    kinds = {column.name: column for column in columns}
    if not moments[0]:
        return _value_column(window, watermark_columns, kinds)
    temporal = [name for name in watermark_columns if name in kinds and kinds[name].kind in TEMPORAL]
    name = window.column or (temporal[0] if temporal else None)
    if name is None:
        raise ConfigurationError(
            f"the window {window.shown} is a window of time, but no watermark column is a time; nothing was read. Name"
            " the column that holds a row's time with time_column=, or replay values of the first watermark column with"
            ' the run\'s configuration {"replay": {"from": ..., "to": ...}}'
        )
    if name in kinds and kinds[name].kind not in TEMPORAL:
        raise ConfigurationError(
            f"time_column={name!r} is {kinds[name].type}, not a time; nothing was read. Name a column of dates or"
            " times, or cast it with sql="
        )
    return name


def _value_column(window: Window, watermark_columns: Sequence[str], kinds: dict[str, Column]) -> str:
    if not watermark_columns:
        raise ConfigurationError(
            f"the window {window.shown} holds values of the first watermark column, and there is none;"
            " nothing was read. Give moments in ISO 8601 with an offset, and time_column="
        )
    first = kinds.get(watermark_columns[0])
    if first is not None and first.kind in TEMPORAL:
        raise ConfigurationError(
            f"the window {window.shown} is in the time column {first.name!r} but has no offset, so its time zone is"
            " ambiguous; nothing was read. Write moments as 2026-11-01T00:00:00+00:00"
        )
    return watermark_columns[0]


def bounds(window: Window, column: Column, zone: dt.tzinfo) -> Bounds:
    """Return the window as texts of `column`; naive columns are interpreted in `zone`.

    A date stands for its midnight, so a window shorter than a day includes the date whose midnight lies in it. A bound
    inside an hour that the zone's clock shows twice includes all of that hour.

    Raises:
        ConfigurationError: the window is empty, or its bounds are not values of the column.
    """
    low, high = moment_of(window.low), moment_of(window.high)
    if low is not None and high is not None:
        _refuse_empty(window, empty=not low < high)
        return Bounds(_moment(low, column, zone, high=False), _moment(high, column, zone, high=True))
    made = Bounds(*(first_value(text, column, zone, argument="replay") for text in (window.low, window.high)))
    if column.kind in _NUMERIC:
        _refuse_empty(window, empty=not Decimal(made.low) < Decimal(made.high))
    return made


def _moment(moment: dt.datetime, column: Column, zone: dt.tzinfo, *, high: bool) -> str:
    if column.kind is Kind.DATE:
        local = outer(moment.astimezone(zone).replace(tzinfo=None), zone, high=high)
        whole = local.time() == dt.time()
        return (local.date() if whole else local.date() + dt.timedelta(days=1)).isoformat()
    return first_value(moment, column, zone, argument="replay", high=high)


def _refuse_empty(window: Window, *, empty: bool) -> None:
    if empty:
        raise ConfigurationError(f"the window {window.shown} is empty: it must begin below its end; nothing was read")
