"""Dates and times: of any zone, written for the column, with every digit of a second."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.model.changes import TargetColumn
from airflow_legacy_events.core.model.meaning import Form, Wire
from airflow_legacy_events.envelopes.decoders.values.unfit import UnfitError

_DATE = r"(?P<date>\d{4}-\d{2}-\d{2})"
_CLOCK = r"(?P<clock>\d{2}:\d{2}(?::\d{2})?)(?:[.,](?P<fraction>\d+))?"
_ZONE = r"(?P<zone>Z|z|[+-]\d{2}(?::?\d{2}(?::\d{2})?)?)?"
_TIMESTAMP = re.compile(rf"{_DATE}(?:[T ]{_CLOCK}\s?{_ZONE})?", re.ASCII)
_DAY = re.compile(rf"{_DATE}(?:Z|[T ]00:00(?::00(?:\.0+)?)?Z?)?", re.ASCII)
_TIME = re.compile(
    rf"(?P<sign>-?)(?P<hours>\d{{2,3}}):(?P<rest>[0-5]\d(?::[0-5]\d)?)(?:[.,](?P<fraction>\d+))?{_ZONE}", re.ASCII
)
_FAR = re.compile(
    rf"\d{{4,7}}-\d\d-\d\d(?P<clock>[T ]\d\d:\d\d:\d\d(?:\.(?P<fraction>\d+))?{_ZONE})?(?P<era> BC)?", re.ASCII
)
"""A time beyond the years 1 to 9999, which our own envelopes leave as PostgreSQL writes it; the server judges it."""

_EXPANDED = re.compile(r"(?P<year>[+-]\d{4,7})(?P<rest>-\d\d-\d\d(?!\d).*)", re.ASCII)
"""A time beyond those years as ISO 8601 and Debezium write it; -0001 is 2 BC, and 0000 may be a day without year."""

_INCOMPLETE = re.compile(
    rf"(?P<date>0000-\d\d-\d\d|\d{{4}}-00-\d\d|\d{{4}}-\d\d-00)(?:[T ]{_CLOCK}(?:Z|\+00(?::?00)?)?)?", re.ASCII
)
"""A day without its year, month or day, which MySQL can hold; no clock is turned there, and the server judges it."""

_HOURS = 24
_INFINITE = {"infinity": "infinity", "-infinity": "-infinity", "+infinity": "infinity"}


def moment(
    column: TargetColumn, zone: dt.tzinfo, *, rounds: bool, infinite: bool, incomplete: bool = False
) -> Callable[[Wire], str]:
    """Return the converter of a column of dates with times: in UTC with `+00`, or naive in `zone`.

    Args:
        column: of kind INSTANT or TIMESTAMP.
        zone: of naive columns, and of naive texts.
        rounds: whether a fraction that is too fine is rounded down rather than refused.
        infinite: whether the type has infinities, and years beyond those of ISO 8601.
        incomplete: whether it has days without year, month or day.
    """
    instant, scale = column.kind is Kind.INSTANT, column.scale
    suffix = "+00" if instant else ""

    def convert(found: Wire) -> str:
        text = _text(found, "a time", expanded=infinite)
        if text.lower() in _INFINITE and infinite:
            return _INFINITE[text.lower()]
        if incomplete and (day := _INCOMPLETE.fullmatch(text)) is not None:
            return _incomplete(day, scale, rounds=rounds) + suffix
        parts = _TIMESTAMP.fullmatch(text)
        if parts is None and infinite and (far := _FAR.fullmatch(text)) is not None:
            return _far(text, far, scale, zoned=instant)
        if parts is None:
            raise UnfitError("it is no time as ISO 8601 writes it")
        whole = _turned(_moment(parts["date"], parts["clock"], parts["zone"]), zone, instant=instant)
        written = whole.replace(tzinfo=None).isoformat(sep=" ", timespec="seconds")
        return f"{written}{_fraction(parts['fraction'], scale, rounds=rounds)}{suffix}"

    return convert


def date(_column: TargetColumn, *, infinite: bool, incomplete: bool = False) -> Callable[[Wire], str]:
    """Return the converter of a date column; a time of day other than midnight is refused."""

    def convert(found: Wire) -> str:
        text = _text(found, "a date", expanded=infinite)
        if text.lower() in _INFINITE and infinite:
            return _INFINITE[text.lower()]
        if incomplete and (day := _INCOMPLETE.fullmatch(text)) is not None and not day["clock"]:
            return text
        parts = _DAY.fullmatch(text)
        if parts is None and infinite and (far := _FAR.fullmatch(text)) is not None and not far["clock"]:
            return text
        if parts is None:
            raise UnfitError("it is no date as ISO 8601 writes it, or has a time of day")
        _moment(parts["date"], None, None)
        return parts["date"]

    return convert


def time(column: TargetColumn, *, rounds: bool) -> Callable[[Wire], str]:
    """Return the converter of a column of times of day; an offset stays only where the type has one.

    The column's `high` is the most hours of a type that holds spans of time, also negative ones.
    """
    scale, zoned = column.scale, "with time zone" in column.type or column.type == "timetz"

    def convert(found: Wire) -> str:
        parts = _TIME.fullmatch(_text(found, "a time of day"))
        if parts is None:
            raise UnfitError("it is no time of day as ISO 8601 writes it")
        _refuse_outside(parts, column.high)
        offset = parts["zone"] or ""
        if offset.upper() == "Z":
            offset = "+00"
        if offset and not zoned:
            if offset.strip("+-:0"):
                raise UnfitError("it has an offset, and the type has none")
            offset = ""
        clock = f"{parts['sign']}{parts['hours']}:{parts['rest']}"
        return f"{clock}{_fraction(parts['fraction'], scale, rounds=rounds)}{offset}"

    return convert


def _turned(whole: dt.datetime, zone: dt.tzinfo, *, instant: bool) -> dt.datetime:
    """Return a time in UTC if the column has a zone, else as the clocks of `zone` show it."""
    try:
        if instant:
            return (whole if whole.tzinfo else whole.replace(tzinfo=zone)).astimezone(dt.UTC)
        return whole if whole.tzinfo is None else whole.astimezone(zone)
    except OverflowError:
        raise UnfitError("there is no such time in its zone") from None


def _incomplete(parts: re.Match[str], scale: int | None, *, rounds: bool) -> str:
    return f"{parts['date']} {parts['clock'] or '00:00:00'}{_fraction(parts['fraction'], scale, rounds=rounds)}"


def _far(text: str, parts: re.Match[str], scale: int | None, *, zoned: bool) -> str:
    """Return a time of another age, whose zone must be that of the column: no clock is turned there."""
    if not parts["clock"] or bool(parts["zone"]) != zoned:
        raise UnfitError("it is no time as ISO 8601 writes it")
    _fraction(parts["fraction"], scale, rounds=False)
    return text


def _refuse_outside(parts: re.Match[str], most_hours: int | None) -> None:
    hours = int(parts["hours"])
    rest = bool(re.sub("[:0]", "", parts["rest"])) or bool((parts["fraction"] or "").strip("0"))
    outside = (hours, rest) > (most_hours, True) if most_hours is not None else (hours, rest) > (_HOURS, False)
    if outside or (parts["sign"] and most_hours is None):
        raise UnfitError("there is no such time of day")


def _text(found: Wire, what: str, *, expanded: bool = False) -> str:
    """Return the text of a time; an expanded year as PostgreSQL writes it, if the database has such years."""
    if found.form is not Form.TEXT:
        raise UnfitError(f"it is a {found.form.value}, not {what} as ISO 8601 writes it")
    text = found.text.strip()
    if not expanded or (parts := _EXPANDED.fullmatch(text)) is None:
        return text
    year = int(parts["year"])
    return f"{year:04}{parts['rest']}" if year > 0 else f"{1 - year:04}{parts['rest']} BC"


def _moment(day: str, clock: str | None, offset: str | None) -> dt.datetime:
    try:
        return dt.datetime.fromisoformat(f"{day}T{clock or '00:00'}{(offset or '').upper()}")
    except ValueError:
        raise UnfitError("there is no such time") from None


def _fraction(digits: str | None, scale: int | None, *, rounds: bool) -> str:
    if digits is None:
        return ""
    kept = digits if scale is None else digits[:scale]
    if digits[len(kept) :].strip("0") and not rounds:
        raise UnfitError(f"it has more than {scale} digits of a second")
    return f".{kept}" if kept else ""
