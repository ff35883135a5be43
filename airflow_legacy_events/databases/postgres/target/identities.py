"""Identity of keys: texts that PostgreSQL takes for one value, by the type of their column."""

from __future__ import annotations

import datetime as dt
import functools
import json
import re
import string
import struct
import unicodedata
import uuid
from collections.abc import Callable, Hashable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.model.changes import TargetShape
from airflow_legacy_events.databases.postgres.target.catalog import Attribute

Canonical = Callable[[str], Hashable]

_FORMS, _CASE, _ACCENTS, _CASE_OF_ASCII, _PADDING = "forms", "case", "accents", "case of ASCII", "padding"
_LEVELS = {"ks-level1": _ACCENTS, "ks-level2": _CASE}
_LOWER = {ord(one): one.lower() for one in string.ascii_uppercase}
_SINGLE = struct.Struct("f")
_TRUE = frozenset({"t", "tr", "tru", "true", "y", "ye", "yes", "on", "1"})
_FRACTION = re.compile(r"\.(\d*?)0*(?=$|[^\d])")
_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})?(?::?(\d{2}))?$")
_FALLIBLE = (ValueError, InvalidOperation, OverflowError)


def identity_of(shape: TargetShape, key: Sequence[Any]) -> Any:
    """Return a value that is equal for two keys only if their columns hold the same.

    Texts that a collation or type calls equal in a way that only the database knows are found by `spellings.refuse`.
    """
    each = _canonicals(shape)
    if len(each) == 1:
        return _one(each[0], key[0])
    return tuple(map(_one, each, key))


def folds_of(column: Attribute) -> str:
    """Return what the collation or type of a column ignores in a text; empty if nothing, or that is not known."""
    if column.base == "citext":
        return _CASE_OF_ASCII
    language, _, options = (column.locale or "").partition("-u-")
    if column.locale is None or language not in ("und", "root", ""):
        return _PADDING if column.type.startswith("character(") else ""
    return next((folds for level, folds in _LEVELS.items() if level in options), _FORMS)


@functools.lru_cache(maxsize=256)
def _canonicals(shape: TargetShape) -> tuple[Canonical | None, ...]:
    fields = shape.facts.fields
    return tuple(_CANONICAL.get(shape.columns[at].kind, FOLDS.get(fields[at].folds)) for at in shape.key)


def _one(canonical: Canonical | None, text: Any) -> Any:
    if canonical is None or text is None:
        return text
    try:
        return canonical(text)
    except _FALLIBLE:  # the database judges it
        return text


def _forms(text: str) -> str:
    return unicodedata.normalize("NFD", text)


def _case(text: str) -> str:
    return _forms(_forms(text).casefold())


def _accents(text: str) -> str:
    return "".join(one for one in _case(text) if not unicodedata.combining(one))


def _ascii(text: str) -> str:
    return text.translate(_LOWER)


def _decimal(text: str) -> Hashable:
    number = Decimal(text)
    return "NaN" if number.is_nan() else number


def _money(text: str) -> Hashable:
    return Decimal(text.replace("$", "").replace(",", ""))


def _float(text: str) -> Hashable:
    number = float(text)
    return "NaN" if number != number else number  # noqa: PLR0124  NaN alone differs from itself


def _single(text: str) -> Hashable:
    number = float(text)
    return "NaN" if number != number else _SINGLE.unpack(_SINGLE.pack(number))[0]  # noqa: PLR0124  likewise


def _boolean(text: str) -> Hashable:
    return text.strip().lower() in _TRUE


def _plain_time(text: str) -> str:
    """Return a time without zeros at the end of its fraction, and with its seconds."""
    found = _FRACTION.sub(lambda one: f".{one[1]}" if one[1] else "", text.replace("T", " ", 1).strip())
    clock = found.rpartition(" ")[2]
    return f"{found}:00" if clock.count(":") == 1 and clock.replace(":", "").isdigit() else found


def _time(text: str) -> Hashable:
    """Return a time of day; one with an offset is another one than the same moment with another offset."""
    offset = _OFFSET.search(text)
    if offset is None:
        return _plain_time(text)
    sign, *parts = offset.groups("0")
    hours, minutes, seconds = map(int, parts)
    return _plain_time(text[: offset.start()]), f"{sign}{hours * 3600 + minutes * 60 + seconds}".replace("-0", "+0")


def _instant(text: str) -> Hashable:
    return dt.datetime.fromisoformat(text.strip()).astimezone(dt.UTC)


def _document(text: str) -> Hashable:
    found = json.loads(text, parse_float=Decimal, parse_int=Decimal, parse_constant=str)
    return _frozen(found)


def _frozen(found: Any) -> Hashable:
    if isinstance(found, dict):
        return frozenset((name, _frozen(one)) for name, one in found.items())
    if isinstance(found, list):
        return tuple(map(_frozen, found))
    return type(found).__name__, found


_CANONICAL: dict[Kind, Canonical] = {
    Kind.INTEGER: int,
    Kind.DECIMAL: _decimal,
    Kind.MONEY: _money,
    Kind.FLOAT: _float,
    Kind.SINGLE: _single,
    Kind.BOOLEAN: _boolean,
    Kind.DATE: str.lower,
    Kind.TIME: _time,
    Kind.TIMESTAMP: _plain_time,
    Kind.INSTANT: _instant,
    Kind.UUID: uuid.UUID,
    Kind.JSON: _document,
    Kind.BYTES: str.lower,
}

FOLDS: dict[str, Canonical] = {
    _FORMS: _forms,
    _CASE: _case,
    _ACCENTS: _accents,
    _CASE_OF_ASCII: _ascii,
    _PADDING: lambda text: text.rstrip(" "),
}
"""Texts without what a column's collation or type ignores."""
