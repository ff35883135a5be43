"""Beginnings and ends of a log's transactions, as Debezium writes them.

https://debezium.io/documentation/reference/stable/connectors/postgresql.html#postgresql-transaction-metadata
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

from airflow_legacy_events.core import templates
from airflow_legacy_events.core.columns import Shape
from airflow_legacy_events.core.made import made_by
from airflow_legacy_events.core.model import Batch, Headers, Messages, Stream
from airflow_legacy_events.core.ports import Envelope
from airflow_legacy_events.envelopes.planning import names_transaction

_FIELDS = ("status", "id", "event_count", "data_collections", "ts_ms")


class TransactionsEnvelope:
    """Transactions as JSON objects keyed by their id; everything else by another envelope.

    Each event of a table has the header `transactionid`.

    Args:
        events: makes the messages of everything else.
    """

    def __init__(self, events: Envelope) -> None:
        self._events = events

    def __repr__(self) -> str:
        """See `core.made.made_by`."""
        return made_by(type(self), events=self._events)

    def compile(self, shape: Shape, stream: Stream) -> Callable[[Batch], Messages]:
        """See `core.ports.Envelope`."""
        if "transaction" not in shape.roles:
            encode_events = self._events.compile(shape, stream)
            if shape.table is None or not names_transaction(shape, stream):
                return encode_events
            return lambda batch: _naming(shape, batch, encode_events(batch))
        names, headers = shape.named(range(len(shape.columns))), _constant(stream.headers)

        def encode(batch: Batch) -> Messages:
            found = [dict(zip(names, row, strict=True)) for row in batch.rows]
            keys = [_json({"id": one["id"]}) for one in found]
            return Messages(
                stream.topic, keys, [_json({name: one[name] for name in _FIELDS}) for one in found], headers
            )

        return encode


def _naming(shape: Shape, batch: Batch, messages: Messages) -> Messages:
    """Return events with a header that names their transaction."""
    place, each = shape.watermark[0], messages.each or [()] * len(messages.values)
    named = [(*own, ("transactionid", str(batch.rows[messages.row_of(at)][place]))) for at, own in enumerate(each)]
    return dataclasses.replace(messages, each=named)


def _constant(headers: Headers) -> Headers:
    """Return the headers that name no column."""
    parsed = [(name, templates.parse(text, f"the header {name!r}")) for name, text in headers]
    return tuple((name, "".join(map(str, parts))) for name, parts in parsed if not templates.columns_of(parts))


def _json(found: dict[str, Any]) -> str:
    return json.dumps(found, ensure_ascii=False, separators=(",", ":"))
