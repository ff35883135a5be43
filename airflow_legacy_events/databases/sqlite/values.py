"""SQLite values: the meaning of a declared type, and the text of values in a watermark."""

from __future__ import annotations

import re
from typing import Any

from airflow_legacy_events.core.columns import TEMPORAL, Column, Kind
from airflow_legacy_events.core.errors import SourceError
from airflow_legacy_events.databases.sqlite.spelling import spelling_of

# The first row whose word occurs in the declared type determines the kind; SQLite stores any value in any column.
_DECLARED = (
    (Kind.BOOLEAN, ("BOOL",)),
    (Kind.INTEGER, ("INT",)),
    (Kind.DECIMAL, ("DEC", "NUMERIC", "MONEY")),
    (Kind.FLOAT, ("REAL", "FLOA", "DOUB")),
    (Kind.INSTANT, ("TIMESTAMPTZ", "WITH TIME ZONE")),
    (Kind.TIMESTAMP, ("TIMESTAMP", "DATETIME")),
    (Kind.DATE, ("DATE",)),
    (Kind.TIME, ("TIME",)),
    (Kind.UUID, ("UUID", "GUID")),
    (Kind.JSON, ("JSON",)),
    (Kind.TEXT, ("CHAR", "CLOB", "TEXT", "STRING")),
    (Kind.BYTES, ("BLOB", "BINARY", "BYTEA")),
)
_NUMBERS = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT, Kind.BOOLEAN})
REMEDY = "as bytes with sql= and CAST({name} AS BLOB) AS {name}"
"""How to read text that is not valid UTF-8, which SQLite stores unchecked: the `remedy` of `errors.unreadable`."""

_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def kind_of(declared: str) -> Kind:
    """Return the kind of a declared type."""
    upper = declared.upper()
    return next((kind for kind, words in _DECLARED if any(word in upper for word in words)), Kind.ANY)


def text(value: Any, column: Column) -> str:
    """Return numbers in their shortest exact form, blobs in hex, text unchanged; without a type, SQL literals.

    Raises:
        SourceError: the value is not of the column's declared type, so it can't be compared with its other values.
    """
    if column.kind is Kind.ANY:
        return _literal(value, column)
    wanted = (int, float) if column.kind in _NUMBERS else (bytes,) if column.kind is Kind.BYTES else (str,)
    if not isinstance(value, wanted) or (column.kind in TEMPORAL and not _DATE.match(str(value))):
        raise _unfit(value, column)
    return value.hex() if isinstance(value, bytes) else value if isinstance(value, str) else repr(value)


def bind(text: str, column: Column) -> Any:
    """Return the value that `text` was created from.

    Raises:
        ValueError: the text is not a value of the column's type.
    """
    if column.kind is Kind.BYTES:
        return bytes.fromhex(text)
    if column.kind in _NUMBERS:
        return _number(text)
    if column.kind is not Kind.ANY:
        return text
    if text.startswith("'"):
        return text[1:-1]
    if text.startswith("x'"):
        return bytes.fromhex(text[2:-1])
    return text if spelling_of(text) else _number(text)  # a time, as a person enters it


def _literal(value: Any, column: Column) -> str:
    if isinstance(value, str):
        return f"'{value}'"
    if value is None:
        raise _unfit(value, column)
    return f"x'{value.hex()}'" if isinstance(value, bytes) else repr(value)


def _number(text: str) -> int | float:
    try:
        number = int(text)
    except ValueError:
        return float(text)
    if not -(2**63) <= number < 2**63:
        raise ValueError("no integer of SQLite")
    return number


def _unfit(value: Any, column: Column) -> SourceError:
    return SourceError(
        f"column {column.name!r} is declared {column.type!r} but a row holds {_NAMES[type(value)]}; SQLite orders"
        " numbers before all texts and texts before all blobs, so it can't be a watermark or key as it is: use sql="
        " with a CAST, or with datetime(…) for times that are stored as numbers"
    )


_NAMES = {int: "a whole number", float: "a number", str: "a text of another form", bytes: "a blob", type(None): "NULL"}
