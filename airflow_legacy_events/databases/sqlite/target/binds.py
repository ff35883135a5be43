"""Values for SQLite's columns: what a column's affinity would change is refused.

Sources: https://sqlite.org/datatype3.html, 3.1 "Determination Of Column Affinity", and 4.2.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.databases.applying.facts import Bind, Fold, UnfitError
from airflow_legacy_events.databases.applying.values import BINDS
from airflow_legacy_events.databases.sqlite.names import folded

NUMERIC, INTEGER, REAL, TEXT, NONE = "NUMERIC", "INTEGER", "REAL", "TEXT", "NONE"
_AFFINITIES = (
    (INTEGER, ("INT",)),
    (TEXT, ("CHAR", "CLOB", "TEXT")),
    (NONE, ("BLOB",)),
    (REAL, ("REAL", "FLOA", "DOUB")),
)
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)
_LOW, _HIGH = -(2**63), 2**63 - 1


def affinity_of(declared: str, *, strict: bool) -> str:
    """Return the affinity of a column by its declared type; in a STRICT table, ANY has none."""
    upper = declared.upper()
    if not upper or (strict and upper == "ANY"):
        return NONE
    return next((found for found, words in _AFFINITIES if any(one in upper for one in words)), NUMERIC)


def bind_of(kind: Kind, affinity: str) -> Bind:
    """Return what turns a text of a kind into the value that a column holds."""
    made: Callable[[str], Any] = _MAKERS.get(kind, _text)(affinity)

    def bind(value: Any) -> Any:
        try:
            return made(value) if isinstance(value, str) else _plain(value)
        except (ValueError, OverflowError):
            raise UnfitError(f"it is no {kind.value}") from None

    return bind


def fold_of(collation: str) -> Fold:
    """Return what makes values equal that a collation calls equal."""
    folds: dict[str, Callable[[str], str]] = {"NOCASE": folded, "RTRIM": lambda text: text.rstrip(" ")}
    fold = folds.get(collation)

    def folding(value: Any) -> Any:
        return fold(value) if fold is not None and isinstance(value, str) else value

    return folding


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, bool) else value


def _integer(_: str) -> Callable[[str], Any]:
    def made(text: str) -> int:
        number = int(text)
        if not _LOW <= number <= _HIGH:
            raise UnfitError("SQLite has integers of 64 bits")
        return number

    return made


def _decimal(affinity: str) -> Callable[[str], Any]:
    return str if affinity == TEXT else lambda text: _number(text, whole=affinity != REAL)


def _number(text: str, *, whole: bool) -> int | float:
    try:
        exact = Decimal(text)
    except InvalidOperation:
        raise UnfitError("it is no number") from None
    if not exact.is_finite():
        raise UnfitError("SQLite has no such number")
    if whole and _LOW <= exact <= _HIGH and exact == int(exact):
        return int(exact)
    rounded = float(exact)
    if Decimal(repr(rounded)) != exact:
        raise UnfitError("it has more digits than a number of SQLite, which has 8 bytes; declare the column as TEXT")
    return rounded


def _float(_: str) -> Callable[[str], Any]:
    def made(text: str) -> float:
        number = float(text)
        if number != number:  # noqa: PLR0124  only NaN differs from itself
            raise UnfitError("SQLite has no such number, and stores NULL")
        return number

    return made


def _boolean(_: str) -> Callable[[str], Any]:
    return lambda text: int(BINDS[Kind.BOOLEAN](text))


def _bytes(_: str) -> Callable[[str], Any]:
    return BINDS[Kind.BYTES]


def _instant(affinity: str) -> Callable[[str], Any]:
    made = _text(affinity)
    return lambda text: made(f"{text}:00" if text.endswith("+00") else text)


def _text(affinity: str) -> Callable[[str], Any]:
    if affinity in (TEXT, NONE):
        return str

    def made(text: str) -> Any:
        if _NUMBER.fullmatch(text) is None:
            return text
        try:
            number = _number(text, whole=affinity != REAL)
        except UnfitError:
            number = 0
        if str(number) != text:
            raise UnfitError(f"SQLite would keep a number of it by the affinity {affinity}; declare the column as TEXT")
        return number

    return made


_MAKERS: dict[Kind, Callable[[str], Callable[[str], Any]]] = {
    Kind.INTEGER: _integer,
    Kind.DECIMAL: _decimal,
    Kind.FLOAT: _float,
    Kind.SINGLE: _float,
    Kind.BOOLEAN: _boolean,
    Kind.BYTES: _bytes,
    Kind.INSTANT: _instant,
}
