"""Versions of rows, as a version column holds them: a message below another one's is passed over within a batch too."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.model.changes import TargetShape

IsOlder = Callable[[Sequence[Any], Sequence[Any]], bool]
"""Whether the version of a row is below that of another one; without one of the two it is not."""

_NUMBERS = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT, Kind.SINGLE})
_ZEROS = re.compile(r"(\.\d*?)0+(?!\d)")
_FRACTION = re.compile(r"\.(?!\d)")


def is_older(shape: TargetShape) -> IsOlder | None:
    """Return the comparison of a table's rows by their versions; None if it has no version column."""
    at = shape.version
    if at is None:
        return None
    value = _number if shape.columns[at].kind in _NUMBERS else _time

    def older(one: Sequence[Any], other: Sequence[Any]) -> bool:
        if not isinstance(one[at], str) or not isinstance(other[at], str):
            return False
        try:
            return bool(value(one[at]) < value(other[at]))
        except InvalidOperation:  # the database refuses it
            return False

    return older


def _number(text: str) -> Any:
    number = Decimal(text)
    return Decimal("Infinity") if number.is_nan() else number


def _time(text: str) -> str:
    """Return a time in UTC, or naive, in a form that is in order as a text."""
    return _FRACTION.sub("", _ZEROS.sub(r"\1", text))
