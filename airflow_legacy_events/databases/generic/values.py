"""Driver values: their exact text forms in rows, and their text in a watermark."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from airflow_legacy_events.core.columns import Column, Kind
from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.core.zones import zone_named
from airflow_legacy_events.databases.errors import became_null

_QUARTER = dt.timedelta(minutes=15)
_PLAIN = frozenset({type(None), bool, int, float, str, bytes})


def exact(rows: Sequence[Any], names: Sequence[str]) -> list[tuple[Any, ...]]:
    """Return the rows with each value in a form of `core.columns.Kind`.

    Raises:
        SourceError: a column holds values of a Python type that has no exact form.
    """
    if not rows:
        return []
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
    changed = False
    for at, values in enumerate(columns):
        if others := set(map(type, values)) - _PLAIN:
            columns[at], changed = _written(values, others, names[at]), True
    return list(zip(*columns, strict=True)) if changed else list(map(tuple, rows))


def _written(values: Sequence[Any], types: set[type], name: str) -> list[Any]:
    if unknown := types - _FORMS.keys():
        found = ", ".join(sorted(type_.__name__ for type_ in unknown))
        raise SourceError(
            f"column {name!r} holds values that the driver returns as {found}, which has no exact text; no row with"
            f" them was sent. Leave it out with exclude_columns=[...], or read it with sql= and CAST({name} AS"
            " VARCHAR(...))"
        )
    return [value if type(value) in _PLAIN else _FORMS[type(value)](value) for value in values]


def moment_of(found: Any, *, in_utc: bool) -> dt.datetime:
    """Return a database's time as an aware datetime in UTC.

    Unless `in_utc`, a time without a zone is in the server's zone, whose offset is a multiple of 15 minutes. This
    process's clock shows which multiple, even if it is minutes off.
    """
    moment = found if isinstance(found, dt.datetime) else dt.datetime.fromisoformat(str(found))
    if moment.tzinfo is not None:
        return moment.astimezone(dt.UTC)
    moment = moment.replace(tzinfo=dt.UTC)
    if in_utc:
        return moment
    return moment - _QUARTER * round((moment - dt.datetime.now(dt.UTC)) / _QUARTER)


def _decimal(value: Decimal) -> str:
    return f"{value:f}" if value.is_finite() else str(value)


def _moment(value: dt.datetime) -> str:
    if value.tzinfo is None:
        return value.isoformat(sep=" ")
    return f"{value.astimezone(dt.UTC).replace(tzinfo=None).isoformat(sep=' ')}+00"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


_FORMS: dict[type, Callable[[Any], Any]] = {
    Decimal: _decimal,
    dt.datetime: _moment,
    dt.date: dt.date.isoformat,
    dt.time: dt.time.isoformat,
    uuid.UUID: str,
    memoryview: bytes,
    bytearray: bytes,
    dict: _json,
    list: _json,
}


def text(value: Any, column: Column) -> str:
    """Return a result of `exact` as watermark text; bytes are written in hex.

    Raises:
        SourceError: the value is NULL, or a large object, which has no order.
    """
    if value is None:
        raise became_null(column)
    if "LOB" in column.type.upper():
        raise SourceError(
            f"column {column.name!r} is part of the watermark or key and is {column.type}, a large object that has no"
            f" order; nothing was sent. Use sql= with CAST({column.name} AS VARCHAR(...)), or another column"
        )
    return value.hex() if isinstance(value, bytes) else str(value)


def moment_for(kind: Kind, moment: dt.datetime) -> dt.datetime | dt.date | str:
    """Return a moment in UTC as a value of a temporal or textual column."""
    local = moment.replace(tzinfo=None)
    if kind is Kind.TEXT:
        return local.isoformat(sep=" ", timespec="microseconds")
    if kind is Kind.DATE:
        return local.date()
    return moment if kind is Kind.INSTANT else local


def moment_in(timezone: str, kind: Kind, moment: dt.datetime) -> dt.datetime | dt.date:
    """Return a moment as a value of a temporal column whose naive values are in the zone of that name."""
    if kind is Kind.INSTANT:
        return moment
    local = moment.astimezone(zone_named(timezone)).replace(tzinfo=None)
    return local.date() if kind is Kind.DATE else local


def bind(text: str, column: Column) -> Any:
    """Return the Python value of a watermark text.

    Raises:
        ValueError: the text is not a value of the column's kind.
    """
    try:
        return _VALUES.get(column.kind, str)(text)
    except InvalidOperation as error:
        raise ValueError(text) from error


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false", "1", "0"):
        raise ValueError(text)
    return text.lower() in ("true", "1")


_VALUES: dict[Kind, Callable[[str], Any]] = {
    Kind.INTEGER: int,
    Kind.DECIMAL: Decimal,
    Kind.FLOAT: float,
    Kind.BOOLEAN: _boolean,
    Kind.DATE: dt.date.fromisoformat,
    Kind.TIME: dt.time.fromisoformat,
    Kind.TIMESTAMP: dt.datetime.fromisoformat,
    Kind.INSTANT: dt.datetime.fromisoformat,
    Kind.UUID: uuid.UUID,
    Kind.BYTES: bytes.fromhex,
}
