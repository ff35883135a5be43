"""Rewinding: lowers a watermark's first value by an amount, or to a value."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal, InvalidOperation
from typing import TypeAlias

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model import Watermark

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_AMOUNT = re.compile(r"(\d+)([smhdw])")

Value: TypeAlias = Decimal | dt.datetime


def rewound(stream: str, mark: Watermark | None, to: str | None, by: str | None) -> Watermark:
    """Return the watermark moved back; the next run begins at its value, inclusive.

    Args:
        stream: for the error.
        mark: the current watermark.
        to: value of the first watermark column; used only if `by` is None.
        by: a number, or a time such as `90s`, `30m`, `2h`, `7d`, `1w`.

    Raises:
        ConfigurationError: it can't be moved that way, or the new value is not lower.
    """
    if mark is None or not mark.values:
        raise ConfigurationError(f"stream {stream!r} has no watermark to move back")
    at = _value(mark.values[0])
    if at is None:
        raise ConfigurationError(
            f"the first watermark column of stream {stream!r} is neither a number nor a time; use `set` with the value"
        )
    try:
        back = _lower(at, by) if by is not None else _given(at, str(to))
    except (ArithmeticError, ValueError):  # the result is out of range for a number or time
        raise ConfigurationError(f"--by {by!r} was given, which leads below every {_noun(at)}; use `set`") from None
    if not back < at:  # type: ignore[operator]
        raise ConfigurationError(
            f"that is not backwards: stream {stream!r} is at the value that `show` prints, and rows above it were not"
            " sent. To skip rows, use `set`"
        )
    text = str(back) if isinstance(back, Decimal) else back.isoformat(sep=" ")
    facts = {name: fact for name, fact in mark.facts.items() if name != "horizon"}  # the next run takes a new one
    return Watermark((text,), None, {**facts, "included": True})


def _value(text: str) -> Value | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        pass
    else:
        return number if number.is_finite() else None
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return None


def _lower(at: Value, by: str) -> Value:
    amount = _AMOUNT.fullmatch(by)
    if isinstance(at, dt.datetime) and amount is not None:
        return at - dt.timedelta(seconds=int(amount[1]) * _SECONDS[amount[2]])
    number = _value(by)
    if isinstance(at, Decimal) and isinstance(number, Decimal) and number > 0:
        return at - number
    wanted = "a time such as 90s, 30m, 2h, 7d or 1w" if isinstance(at, dt.datetime) else "a number above 0"
    raise ConfigurationError(f"--by {by!r} was given, but this watermark goes back by {wanted}")


def _given(at: Value, to: str) -> Value:
    found = _value(to)
    if isinstance(at, dt.datetime) and isinstance(found, dt.datetime):
        if (found.tzinfo is None) != (at.tzinfo is None):
            how = "with an offset" if at.tzinfo is not None else "without an offset, as the column holds it"
            raise ConfigurationError(f"--to {to!r} was given; write this column's times {how}")
        return found
    if isinstance(at, Decimal) and isinstance(found, Decimal):
        return found
    raise ConfigurationError(f"--to {to!r} is not a {_noun(at)}")


def _noun(at: Value) -> str:
    return "time" if isinstance(at, dt.datetime) else "number"
