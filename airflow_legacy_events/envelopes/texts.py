"""Texts: their codec, and the one of values passed through as the database's text."""

from __future__ import annotations

from collections.abc import Sequence
from json.encoder import encode_basestring as quoted
from typing import Any

from airflow_legacy_events.envelopes.column_codec import Codec, Forms, InvalidValueError

_BETWEEN = b"\x1f"
_PLAIN = bytes(set(range(0x20, 0x100)) - set(b'"\\'))


def _texts(values: Sequence[Any]) -> Forms | None:
    # Scanning all texts at once costs a tenth of quoting each. An unpaired surrogate raises a ValueError.
    marks = _BETWEEN.decode().join(values).encode().translate(None, _PLAIN)
    if marks == _BETWEEN * (len(values) - 1):
        return values, values
    marked = zip(values, marks.split(_BETWEEN), strict=True)  # a ValueError if a text contains the separator
    return values, [quoted(value)[1:-1] if mark else value for value, mark in marked]


def _text(value: Any) -> tuple[str, str]:
    if not isinstance(value, str):
        raise InvalidValueError
    value.encode()
    return value, quoted(value)[1:-1]


def written(values: Sequence[Any]) -> Forms | None:
    """Return texts guaranteed by the database both as texts and as JSON forms; a TypeError if one is not a text."""
    "".join(values)  # a quarter of the cost of checking each type
    return values, values


TEXT = Codec(_texts, _text, wrapped=True, plain=False, never_empty=False)
WRITTEN = TEXT._replace(block=written)
"""Texts that need no escapes, such as dates, as guaranteed by the database."""
