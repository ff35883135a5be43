"""Encoder of one column: converts the driver's values to the texts that the generated code joins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

from airflow_legacy_events.core.columns import ABSENT, Absent, Kind
from airflow_legacy_events.core.errors import EnvelopeError
from airflow_legacy_events.envelopes.column_codec import Codec, InvalidValueError
from airflow_legacy_events.envelopes.plan import Field

_DOUBTS = (InvalidValueError, KeyError, TypeError, ValueError, RecursionError)
NULL = "null"
_IN_MYSQL = {"TEXT": "AS CHAR", "BLOB": "AS BINARY"}

Values: TypeAlias = Sequence[str | None]


class EncodedColumn(NamedTuple):
    """A column's values in both forms.

    Attributes:
        texts: None for NULL, and where there is no value.
        forms: JSON, `null` for NULL; if the codec wraps, the part between the quotes, None for NULL. `ABSENT` where
            there is no value.
        regular: whether there is no NULL and the codec's block function validated all.
        absent: whether there is no value in some row.
    """

    texts: Values
    forms: Sequence[Any]
    regular: bool
    absent: bool = False


def encode_column(field: Field, codec: Codec, values: Sequence[Any]) -> EncodedColumn:
    """Return the column's texts and JSON forms.

    Raises:
        EnvelopeError: a value is not of the column's kind.
    """
    try:
        if (block := codec.block(values)) is not None:
            return EncodedColumn(*block, regular=True)
    except _DOUBTS:
        pass
    present = [value for value in values if value is not None]
    if not present:
        return EncodedColumn([None] * len(values), [None if codec.wrapped else NULL] * len(values), regular=False)
    if len(present) == len(values):
        if Absent in set(map(type, values)):
            return _partly(field, codec, values)
        pairs = [_one(field, codec, value) for value in values]
        return EncodedColumn([text for text, _ in pairs], [form for _, form in pairs], regular=False)
    found = encode_column(field, codec, present)
    texts = values if found.texts is present else _spread(found.texts, values, None, None)
    if found.forms is found.texts and codec.wrapped:
        return EncodedColumn(texts, texts, regular=False)
    forms = _spread(found.forms, values, None, None if codec.wrapped else NULL)
    return EncodedColumn(texts, forms, regular=False, absent=found.absent)


def _partly(field: Field, codec: Codec, values: Sequence[Any]) -> EncodedColumn:
    """Return a column that has no value in some rows."""
    held = [value for value in values if value is not ABSENT]
    found = encode_column(field, codec, held) if held else EncodedColumn((), (), regular=False)
    texts, forms = _spread(found.texts, values, ABSENT, None), _spread(found.forms, values, ABSENT, ABSENT)
    return EncodedColumn(texts, forms, regular=False, absent=True)


def _spread(found: Sequence[Any], values: Sequence[Any], missing: Any, gap: Any) -> Sequence[Any]:
    """Return `found`, which lacks the `missing` ones of `values`, with `gap` in their places."""
    rest = iter(found)
    return [gap if value is missing else next(rest) for value in values]


def _one(field: Field, codec: Codec, value: Any) -> tuple[str, str]:
    try:
        return codec.one(value)
    except _DOUBTS:
        found = "other text" if isinstance(value, str) else f"a Python {type(value).__name__}"
        target = "BLOB" if field.kind is Kind.BYTES else "TEXT"
        raise EnvelopeError(
            f"column {field.name!r} is declared {field.type!r} and read as {field.kind}, but a row holds {found}; no"
            f" row of its batch was sent. Fix such rows, or carry every row as it is with sql= and CAST({field.name} AS"
            f" {target}) AS {field.name} ({_IN_MYSQL[target]} in MySQL and MariaDB)"
        ) from None  # the original error holds the value
