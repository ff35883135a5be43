"""Dates and times of MariaDB and MySQL as numbers and texts of `io.debezium.time`.

A date with a zero in it is no date: it becomes NULL, in a column that may not be NULL the beginning of 1970.
https://debezium.io/documentation/reference/stable/connectors/mysql.html#mysql-temporal-types
"""

from __future__ import annotations

import re
from collections.abc import Callable

from airflow_legacy_events.core.columns import Column, Kind
from airflow_legacy_events.envelopes.column_codec import Codec
from airflow_legacy_events.envelopes.data_code import NULL
from airflow_legacy_events.envelopes.debezium import times
from airflow_legacy_events.envelopes.debezium.mapping import mapped

_TIME = re.compile(r"(-?)([0-9]{2,3}):([0-5][0-9]):([0-5][0-9])(?:\.([0-9]{1,6}))?")
_WITH_ZERO = re.compile(r"0000-|[0-9]{4}-(?:00-|[0-9]{2}-00)")
_MILLISECONDS = 3
"""Digits up to which Debezium counts milliseconds, by its `time.precision.mode=adaptive_time_microseconds`."""


def temporal_codec(column: Column) -> Codec | None:
    """Return the codec of a date or time; None for other kinds."""
    if column.kind is Kind.DATE:
        return mapped(_dated(column, lambda text: str(times.days(text)), "0"))
    if column.kind is Kind.TIME:
        return mapped(lambda text: str(duration(text)))
    if column.kind is Kind.TIMESTAMP:
        return mapped(_dated(column, _since_1970, "0"))
    if column.kind is Kind.INSTANT:
        return mapped(_dated(column, _instant, '"1970-01-01T00:00:00Z"'))
    return None


def duration(text: str) -> int:
    """Return the microseconds of a time, which may be below zero and beyond a day.

    Raises:
        ValueError: it is no time.
    """
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError("no time")
    seconds = (int(found[2]) * 60 + int(found[3])) * 60 + int(found[4])
    micros = seconds * 1_000_000 + int(f"{found[5] or '':0<6}")
    return -micros if found[1] else micros


def _dated(column: Column, write: Callable[[str], str], beginning: str) -> Callable[[str], str]:
    """Return a function that writes dates, with Debezium's fallback for those that are none."""
    fallback = NULL if column.nullable else beginning
    return lambda text: fallback if _WITH_ZERO.match(text) else write(text)


def _since_1970(text: str) -> str:
    micros = times.micros(text)
    return str(micros // 1_000 if _digits(text) <= _MILLISECONDS else micros)


def _instant(text: str) -> str:
    return f'"{times.instant(text, _digits(text.removesuffix("+00")))}"'


def _digits(text: str) -> int:
    """Return the digits of the fraction of a second: the servers write as many as the type has."""
    return len(text.partition(".")[2])
