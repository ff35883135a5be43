"""Outbox payload byte for byte, keyed by the aggregate's id."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from airflow_legacy_events.core.columns import Kind, Shape
from airflow_legacy_events.core.made import made_by
from airflow_legacy_events.core.model import Batch, Messages, Stream
from airflow_legacy_events.envelopes.outbox.row_texts import INVALID_VALUE, Columns, Refused, RowTexts, unescaped

_AS_IT_IS = frozenset({Kind.TEXT, Kind.JSON, Kind.ANY})


class PayloadEnvelope:
    """Every row as its payload; NULL is a tombstone."""

    def __repr__(self) -> str:
        """See `core.made.made_by`."""
        return made_by(type(self))

    def compile(self, shape: Shape, stream: Stream) -> Callable[[Batch], Messages]:
        """See `core.ports.Envelope`."""
        texts, (key,), (payload,) = RowTexts(shape, stream), shape.key, shape.data

        def encode(batch: Batch) -> Messages:
            columns, refused = Columns(batch), Refused()
            keys = texts.of(key, columns[key], refused)
            values = payloads(shape, texts, payload, columns[payload], refused)
            return Messages(stream.topic, keys, values, refused=refused.rows)

        return encode


def payloads(
    shape: Shape, texts: RowTexts, at: int, values: Sequence[Any], refused: Refused
) -> Sequence[str | bytes | None]:
    """Return payloads as the application wrote them: text as text, binary as bytes, NULL as None."""
    kind, name = shape.columns[at].kind, shape.columns[at].name
    if kind is Kind.BYTES:
        return [_bytes(place, name, value, refused) for place, value in enumerate(values)]
    if kind in _AS_IT_IS and {*map(type, values)} <= {str, bytes, type(None)}:
        return values
    return texts.of(at, values, refused)


def _bytes(place: int, name: str, value: Any, refused: Refused) -> str | bytes | None:
    found: str | bytes | None = unescaped(value)
    if found is None or isinstance(found, (str, bytes)):
        return found
    refused.add(place, INVALID_VALUE, f"column {name!r} is binary, but the row holds a Python {type(value).__name__}")
    return None
