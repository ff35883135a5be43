"""Codecs that convert each text on its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from airflow_legacy_events.envelopes.column_codec import Codec, Forms, InvalidValueError, all_of_type


def mapped(write: Callable[[str], str], *, wrapped: bool = False) -> Codec:
    """Return the codec of a function.

    Args:
        write: returns the JSON of one text; raises ValueError if it is not of the kind.
        wrapped: whether the JSON is a string; `write` then returns the part between its quotes.
    """

    def one(value: Any) -> tuple[str, str]:
        if not isinstance(value, str):
            raise InvalidValueError
        return value, write(value)

    def block(values: Sequence[Any]) -> Forms | None:
        return (values, list(map(write, values))) if all_of_type(str, values) else None

    return Codec(block, one, wrapped=wrapped, plain=False, never_empty=False)
