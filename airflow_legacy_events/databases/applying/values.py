r"""Values of a target as most drivers take them: Python objects, made from the texts of each kind.

The texts are those of `core.columns.Kind`, such as `\x` and hex for bytes, or a moment with `+00`.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.databases.applying.facts import UnfitError

_TRUE, _FALSE = frozenset({"true", "t", "1"}), frozenset({"false", "f", "0"})


def boolean(text: str) -> bool:
    """Return the value of a boolean's text."""
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise UnfitError("it is no boolean")


def data(text: str) -> bytes:
    r"""Return the bytes of `\x` and hex."""
    return bytes.fromhex(text.removeprefix("\\x"))


def moment(text: str) -> dt.datetime:
    """Return a time; one with an offset is aware."""
    return dt.datetime.fromisoformat(_microseconds(text))


def time_of_day(text: str) -> dt.time:
    """Return a time of day."""
    return dt.time.fromisoformat(_microseconds(text))


def date(text: str) -> dt.date:
    """Return a date."""
    return dt.date.fromisoformat(text)


def _microseconds(text: str) -> str:
    """Refuse a finer fraction than Python has, rather than cut it."""
    clock, point, rest = text.partition(".")
    digits = rest.split("+")[0].split("-")[0].rstrip("Z")
    if len(digits) > 6 and digits[6:].strip("0"):  # noqa: PLR2004  digits of a microsecond
        raise UnfitError("it has more than 6 digits of a second")
    return f"{clock}{point}{digits[:6]}{rest[len(digits) :]}"


def _refusing(made: Callable[[str], Any], what: str) -> Callable[[Any], Any]:
    def bind(text: Any) -> Any:
        if not isinstance(text, str):
            return text
        try:
            return made(text)
        except (ValueError, ArithmeticError):
            raise UnfitError(f"it is no {what}") from None

    return bind


BINDS: Mapping[Kind, Callable[[Any], Any]] = {
    Kind.INTEGER: _refusing(int, "integer"),
    Kind.DECIMAL: _refusing(Decimal, "number"),
    Kind.FLOAT: _refusing(float, "number"),
    Kind.SINGLE: _refusing(float, "number"),
    Kind.BOOLEAN: _refusing(boolean, "boolean"),
    Kind.DATE: _refusing(date, "date that the driver takes"),
    Kind.TIME: _refusing(time_of_day, "time of day that the driver takes"),
    Kind.TIMESTAMP: _refusing(moment, "time that the driver takes"),
    Kind.INSTANT: _refusing(moment, "time that the driver takes"),
    Kind.UUID: _refusing(uuid.UUID, "UUID"),
    Kind.BYTES: _refusing(data, "bytes"),
    Kind.JSON: _refusing(json.loads, "JSON"),
}
"""By kind; a kind that is missing keeps its text."""

TYPES: Mapping[Kind, Any] = {
    Kind.INTEGER: sa.BigInteger(),
    Kind.DECIMAL: sa.Numeric(),
    Kind.FLOAT: sa.Float(),
    Kind.SINGLE: sa.Float(),
    Kind.BOOLEAN: sa.Boolean(),
    Kind.DATE: sa.Date(),
    Kind.TIME: sa.Time(),
    Kind.TIMESTAMP: sa.DateTime(),
    Kind.INSTANT: sa.DateTime(timezone=True),
    Kind.UUID: sa.Uuid(),
    Kind.BYTES: sa.LargeBinary(),
    Kind.TEXT: sa.Unicode(),
}
"""Types that SQLAlchemy binds such values by, where none was reflected."""
