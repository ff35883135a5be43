"""Columns of a target table of PostgreSQL: the kind of each, and what fits into it."""

from __future__ import annotations

import re

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.model.changes import TargetColumn
from airflow_legacy_events.databases.postgres.target.catalog import Attribute
from airflow_legacy_events.databases.postgres.target.facts import Field
from airflow_legacy_events.databases.postgres.target.identities import folds_of
from airflow_legacy_events.databases.postgres.types import Type

_INTEGERS = {
    "int2": (-(1 << 15), (1 << 15) - 1),
    "int4": (-(1 << 31), (1 << 31) - 1),
    "int8": (-(1 << 63), (1 << 63) - 1),
    "oid": (0, (1 << 32) - 1),
    "xid": (0, (1 << 32) - 1),
    "cid": (0, (1 << 32) - 1),
    "xid8": (0, (1 << 64) - 1),
}
_CHARACTERS = frozenset({"varchar", "bpchar"})
_BITS = frozenset({"bit", "varbit"})
_TIMES = frozenset({"time", "timetz", "timestamp", "timestamptz"})
_CUT = {"name": 63, "char": 1}
"""Types that cut what is too long without an error, with what they hold."""

_HEADER = 4
_SCALE_BITS, _SCALE_SIGN = 0x7FF, 0x400
_MICROSECONDS = 6
_NUMBERED = re.compile(r"\bnextval\(")
_ALWAYS = "a"
_INTERVAL = "interval"


def column_of(found: Attribute, type_: Type, *, in_key: bool) -> TargetColumn:
    """Return a column as changes need to know it.

    Args:
        found: in the catalog.
        type_: of its values.
        in_key: whether it is part of the key; another column that is an identity ALWAYS can't be updated.
    """
    low, high = _INTEGERS.get(found.base, (None, None))
    precision, scale = _digits(found)
    return TargetColumn(
        found.name,
        _kind(found, type_),
        found.type,
        nullable=not found.required,
        has_default=found.default is not None or bool(found.identity or found.generated),
        written=type_.kind is not None and not found.generated and (in_key or found.identity != _ALWAYS),
        numbered=is_numbered(found),
        low=low,
        high=high,
        precision=precision,
        scale=scale,
        length=_length(found),
        elements=type_.elements,
    )


def is_numbered(found: Attribute) -> bool:
    """Return whether the database numbers new rows by a column."""
    return bool(found.identity) or _NUMBERED.search(found.default or "") is not None


def field_of(found: Attribute) -> Field:
    """Return a column as statements name it."""
    return Field(
        found.quoted,
        found.type,
        found.open_type,
        always=found.identity == _ALWAYS,
        lossy=found.base == _INTERVAL and found.typmod >= 0,
        converted=found.converted,
        collation=found.collation_name or "",
        folds=folds_of(found),
    )


def _kind(found: Attribute, type_: Type) -> Kind:
    if type_.kind is Kind.FLOAT and found.base == "float4":
        return Kind.SINGLE
    return Kind.TEXT if type_.kind is None else type_.kind


def _digits(found: Attribute) -> tuple[int | None, int | None]:
    """Return precision and scale, as the modifier of the type holds them."""
    if found.base in _TIMES:
        return None, found.typmod if found.typmod >= 0 else _MICROSECONDS
    if found.base != "numeric" or found.typmod < _HEADER:
        return None, None
    packed = found.typmod - _HEADER
    scale = ((packed & _SCALE_BITS) ^ _SCALE_SIGN) - _SCALE_SIGN
    return packed >> 16 & 0xFFFF, scale


def _length(found: Attribute) -> int | None:
    if found.base in _CHARACTERS and found.typmod >= _HEADER:
        return found.typmod - _HEADER
    if found.base in _BITS and found.typmod > 0:
        return found.typmod
    return _CUT.get(found.base)
