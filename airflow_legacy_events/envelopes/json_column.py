"""JSON of one column's values, for messages that are put together row by row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from airflow_legacy_events.core.columns import ABSENT, Column
from airflow_legacy_events.envelopes.column_codec import Codec
from airflow_legacy_events.envelopes.column_encoder import NULL, encode_column
from airflow_legacy_events.envelopes.plan import Field

Forms: TypeAlias = Sequence[str | None]
"""JSON of a column's values; None where the row has no value."""


class JsonColumn:
    """Writes one column.

    Args:
        column: whose values they are.
        codec: of them.
    """

    def __init__(self, column: Column, codec: Codec) -> None:
        self._field = Field(0, column.name, column.kind, column.type, column.elements)
        self._codec = codec

    def of(self, values: Sequence[object]) -> Forms:
        """Return the JSON of each value; None where there is none.

        Raises:
            EnvelopeError: a value is not of the column's kind, or can't be carried.
        """
        found = encode_column(self._field, self._codec, values)
        if found.regular:
            return [f'"{one}"' for one in found.forms] if self._codec.wrapped else found.forms
        if self._codec.wrapped:
            return [None if one is ABSENT else NULL if one is None else f'"{one}"' for one in found.forms]
        return [None if one is ABSENT else one for one in found.forms]
