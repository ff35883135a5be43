"""CloudEvents with an outbox payload as `data`.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import replace
from json.encoder import encode_basestring as quoted

import msgspec

from airflow_legacy_events.core.columns import Kind, Shape
from airflow_legacy_events.core.made import made_by
from airflow_legacy_events.core.model import Batch, Headers, Messages, Stream
from airflow_legacy_events.core.uris import reference
from airflow_legacy_events.envelopes.attributes import cleaned_each
from airflow_legacy_events.envelopes.cloudevents import CONTENT_TYPE, DATA_CONTENT_TYPE
from airflow_legacy_events.envelopes.column_encoder import Values
from airflow_legacy_events.envelopes.outbox.payload import payloads
from airflow_legacy_events.envelopes.outbox.row_texts import INVALID_VALUE, Columns, Refused, RowTexts
from airflow_legacy_events.envelopes.rendering import header_rows

_check_json = msgspec.json.Decoder(msgspec.Raw).decode
_TEXT, _BYTES = ("content-type", "text/plain; charset=utf-8"), ("content-type", "application/octet-stream")
_Attributes = list[tuple[str, Values]]


class OutboxCloudEvents:
    """Every row as a CloudEvent whose `data` is the unchanged payload; NULL is a tombstone.

    `id` is the row's id, `type` its event type, `subject` the aggregate's id, `time` the row's time. A binary payload
    that is not JSON becomes `data_base64`; text must be JSON.

    Args:
        binary: whether the value is only the payload, of any content type, and the attributes are `ce_` headers.
    """

    def __init__(self, *, binary: bool = False) -> None:
        self._binary = binary

    def __repr__(self) -> str:
        """See `core.made.made_by`."""
        return made_by(type(self), binary=self._binary)

    def compile(self, shape: Shape, stream: Stream) -> Callable[[Batch], Messages]:
        """See `core.ports.Envelope`."""
        texts, (key,), (payload,) = RowTexts(shape, stream), shape.key, shape.data
        source = reference(stream.source)

        def encode(batch: Batch) -> Messages:
            columns, refused = Columns(batch), Refused()
            keys = texts.of(key, columns[key], refused)
            values = payloads(shape, texts, payload, columns[payload], refused)
            attributes: _Attributes = [
                ("id", cleaned_each(texts.of(shape.roles["id"], columns[shape.roles["id"]], refused))),
                ("source", [source] * batch.count),
                ("type", cleaned_each(self._types(shape, stream, texts, columns, refused, batch.count))),
                ("subject", cleaned_each(keys)),
            ]
            if shape.time is not None:
                moments = texts.moments(shape.time, columns[shape.time], refused)
                attributes.append(("time", [moment or None for moment in moments]))
            json = shape.columns[payload].kind is Kind.JSON and shape.columns[payload].checked
            if self._binary:
                return replace(_binary(stream, keys, values, attributes, json=json), refused=refused.rows)
            written = _structured(values, attributes, refused, json=json)
            return Messages(stream.topic, keys, written, (CONTENT_TYPE,), refused=refused.rows)

        return encode

    @staticmethod
    def _types(shape: Shape, stream: Stream, texts: RowTexts, columns: Columns, refused: Refused, count: int) -> Values:
        at = shape.roles.get("event_type")
        if at is None:
            return [stream.type] * count
        found = texts.of(at, columns[at], refused)
        for place, text in enumerate(found):
            if not text:
                refused.add(
                    place, INVALID_VALUE, f"column {shape.columns[at].name!r}, the event type, is NULL or empty"
                )
        return found


def _binary(
    stream: Stream, keys: Values, values: Sequence[str | bytes | None], attributes: _Attributes, *, json: bool
) -> Messages:
    each = header_rows([(f"ce_{name}", found) for name, found in attributes])
    headers: Headers = (("ce_specversion", "1.0"),)
    if json or all(value is None or _is_json(value) for value in values):
        headers = (DATA_CONTENT_TYPE, *headers)
    else:
        each = [(_content_type(value), *row) for value, row in zip(values, each, strict=True)]
    return Messages(stream.topic, keys, values, headers, each)


def _content_type(value: str | bytes | None) -> tuple[str, str]:
    if value is None or _is_json(value):
        return DATA_CONTENT_TYPE
    return _TEXT if isinstance(value, str) else _BYTES


def _is_json(value: str | bytes) -> bool:
    try:
        _check_json(value if isinstance(value, str) else value.decode())  # for bytes msgspec would not validate texts
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return False
    return True


def _structured(
    values: Sequence[str | bytes | None], attributes: _Attributes, refused: Refused, *, json: bool
) -> list[str | None]:
    parts: list[list[str]] = [
        ["" if text is None else f',"{name}":{quoted(text)}' for text in found] for name, found in attributes
    ]
    members = map("".join, zip(*parts, strict=True))
    return [
        None if value is None else f'{{"specversion":"1.0"{member}{_data(place, value, refused, known=json)}}}'
        for place, (value, member) in enumerate(zip(values, members, strict=True))
    ]


def _data(place: int, value: str | bytes, refused: Refused, *, known: bool) -> str:
    if known or _is_json(value):
        text = value if isinstance(value, str) else value.decode()
        return f',"datacontenttype":"application/json","data":{text}'
    if isinstance(value, bytes):
        return f',"data_base64":"{b64encode(value).decode()}"'
    refused.add(place, INVALID_VALUE, "the payload is not JSON, but a CloudEvent holds it as data")
    return ""
