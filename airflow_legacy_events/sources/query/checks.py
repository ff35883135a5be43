"""Checks before the first read, in addition to those of column names: options, order, index."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from airflow_legacy_events.core.columns import TEMPORAL, Column, Kind
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.sources.first_value import first_value, zone_of
from airflow_legacy_events.sources.selection import Selection


def check_options(lag: dt.timedelta, overlap: dt.timedelta, in_bulk: Mapping[str, bool]) -> None:
    """Check that neither lag nor overlap is negative, and that a full load has no options of incremental runs.

    Args:
        lag: as the user gave it.
        overlap: as the user gave it.
        in_bulk: options without meaning in a full load, true if given; empty if there are watermark columns.

    Raises:
        ConfigurationError: names each option.
    """
    if lag < dt.timedelta(0):
        raise ConfigurationError(f"lag={lag} is negative: it only holds back; nothing was read. Give 0 or more")
    if overlap < dt.timedelta(0):
        raise ConfigurationError(f"overlap={overlap} is negative: it reads again; nothing was read. Give 0 or more")
    if names := [name for name, value in in_bulk.items() if value]:
        raise ConfigurationError(
            f"{'= and '.join(names)}= was given with watermark_columns=[]: a full load has no watermark to hold back,"
            " cut, begin or read again at; nothing was read. Leave it out, or name watermark_columns"
        )


def check_lag(lag: dt.timedelta, first: Column) -> None:
    """Check that a lag is given only with a time column.

    Raises:
        ConfigurationError: naming the column.
    """
    if lag > dt.timedelta(0) and first.kind not in TEMPORAL:
        raise ConfigurationError(
            f"lag={lag} was given, but the first watermark column {first.name!r} is {first.type}, not a time; nothing"
            " was read. Leave lag= out or watermark by a time column"
        )


def check_overlap(overlap: dt.timedelta, selection: Selection) -> None:
    """Check that an overlap is given only with a time column and a key.

    Raises:
        ConfigurationError: naming the column, or the argument.
    """
    if not overlap:
        return
    first = selection.columns[0]
    if first.kind not in TEMPORAL:
        raise ConfigurationError(
            f"overlap={overlap} was given, but the first watermark column {first.name!r} is {first.type}, not a time;"
            " nothing was read. Leave overlap= out, since a run waits for lower ids, or watermark by a time column"
        )
    if not selection.shape.key:
        raise ConfigurationError(
            f"overlap={overlap} needs a key, by which a row that was sent is recognized, and key_columns=[] was given;"
            " nothing was read.\nLeave overlap= out, or name key_columns=[...]"
        )


def refuse_endless(what: str, first: Column, text: str) -> None:
    """Check that a watermark is not infinite or NaN: no later row would sort above it, so the stream would stall.

    Raises:
        ConfigurationError: naming the column.
    """
    if first.kind in (Kind.FLOAT, Kind.SINGLE, Kind.DECIMAL) and text.lower() in ("nan", "inf", "infinity"):
        raise ConfigurationError(
            f"watermark column {first.name!r} of {what} is infinite or NaN in at least one row, and no later row could"
            " lie above that; nothing was read. Correct that row, leave it out with sql= and a WHERE, or choose another"
            " column"
        )


def begin_of(first_run: Any, first: Column, timezone: str) -> str | None:
    """Return the text of the first watermark column's value at which a first run begins; None: at the beginning.

    Raises:
        ConfigurationError: it is not a value of that column.
    """
    if first_run in ("all", "now"):
        return None
    try:
        zone = zone_of(timezone)
    except ConfigurationError:  # reported already
        return None
    return first_value(first_run, first, zone)
