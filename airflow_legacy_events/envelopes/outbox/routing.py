"""Outbox routing: topic, partition, time and headers of each row, and rows that must not be sent."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from airflow_legacy_events.core import templates
from airflow_legacy_events.core.columns import Column, Kind, Shape
from airflow_legacy_events.core.errors import EnvelopeError
from airflow_legacy_events.core.model import AnyHeaders, Batch, Headers, Messages, Stream
from airflow_legacy_events.core.ports import Envelope
from airflow_legacy_events.envelopes.attributes import HEADER, cleaned, header_texts
from airflow_legacy_events.envelopes.column_encoder import Values
from airflow_legacy_events.envelopes.outbox.row_texts import INVALID_VALUE, Columns, Refused, RowTexts, unescaped
from airflow_legacy_events.envelopes.outbox.schema import PayloadSchemas
from airflow_legacy_events.envelopes.plan import FieldTemplate
from airflow_legacy_events.envelopes.rendering import header_rows, render

_ID = "id"
_MOST_KNOWN = 10_000
_objects_of_texts = msgspec.json.Decoder(dict[str, str]).decode


class RoutedEnvelope:
    """An envelope whose messages are routed by their rows.

    Args:
        inner: makes keys and values.
        allowed_topics: names, or patterns with `*`, of the topics that a row may name; None: any.
        schemas: of the payloads; None: they are not checked.
    """

    def __init__(
        self, inner: Envelope, *, allowed_topics: Sequence[str] | None = None, schemas: PayloadSchemas | None = None
    ) -> None:
        self._inner, self._schemas = inner, schemas
        patterns = None if allowed_topics is None else map(_pattern, allowed_topics)
        self._allowed = None if patterns is None else re.compile("|".join(patterns))

    def compile(self, shape: Shape, stream: Stream) -> Callable[[Batch], Messages]:
        """See `core.ports.Envelope`.

        Raises:
            EnvelopeError: a template names a column that is not read.
        """
        route = _Route(shape, stream, self._allowed, self._schemas)
        encode = self._inner.compile(shape, stream)
        return lambda batch: route.applied(batch, encode(batch))


class _Route:
    """The routing of one shape."""

    def __init__(
        self, shape: Shape, stream: Stream, allowed: re.Pattern[str] | None, schemas: PayloadSchemas | None
    ) -> None:
        self._shape, self._allowed, self._schemas = shape, allowed, schemas
        self._texts = RowTexts(shape, stream)
        self._topic = _placed(shape, templates.parse(stream.topic, "topic="))
        parsed = [(name, templates.parse(text, f"the header {name!r}")) for name, text in stream.headers]
        self._headers = [(name, _placed(shape, parts)) for name, parts in parsed]
        used = [self._topic, *(template for _, template in self._headers)]
        named = [part for template in used for part in template if isinstance(part, int)]
        self._used = dict.fromkeys([shape.roles[_ID], *shape.group, *named])
        self._known: dict[str | None, str | None] = {}

    def applied(self, batch: Batch, messages: Messages) -> Messages:
        """Return the messages of a batch with topic, headers, timestamp and partition from their rows."""
        columns, refused = Columns(batch), Refused()
        refused.add_all(messages.refused)
        texts: list[Values] = [()] * len(self._shape.columns)
        for at in self._used:
            texts[at] = self._texts.of(at, columns[at], refused)
        self._refuse_nulls(texts, refused)
        topics = render(self._topic, texts, batch.count)
        self._refuse_topics(topics, refused)
        if self._schemas is not None:
            self._refuse_payloads(self._schemas, columns, refused)
        each: list[AnyHeaders] = list(
            self._each(columns, texts, batch.count, refused, {name for name, _ in messages.headers_of(0)})
        )
        if messages.each is not None:
            each = [(*inner, *own) for inner, own in zip(messages.each, each, strict=True)]
        return dataclasses.replace(
            messages,
            topics=["" if self._known[topic] else topic or "" for topic in topics],
            each=each,
            timestamps=self._role("timestamp", columns, refused, self._texts.milliseconds),
            partitions=self._role("partition", columns, refused, self._partitions),
            refused=refused.rows,
        )

    def _refuse_nulls(self, texts: Sequence[Values], refused: Refused) -> None:
        for at in self._shape.group:
            for place in _places_of_null(texts[at]):
                name = self._shape.columns[at].name
                refused.add(place, INVALID_VALUE, f"column {name!r}, which names the aggregate, is NULL")

    def _refuse_topics(self, topics: Values, refused: Refused) -> None:
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        for topic in {*topics}.difference(self._known):
            self._known[topic] = self._fault(topic)
        if any(self._known[topic] for topic in {*topics}):
            for place, topic in enumerate(topics):
                if fault := self._known[topic]:
                    refused.add(place, "TOPIC_NOT_ALLOWED", fault)

    def _fault(self, topic: str | None) -> str | None:
        if topic is None:
            names = [self._shape.columns[part].name for part in self._topic if isinstance(part, int)]
            return f"the topic is built from {', '.join(map(repr, names))}, one of which is NULL"
        if self._allowed is not None and not self._allowed.fullmatch(topic):
            return "the row's topic is not in allowed_topics="
        return None

    def _refuse_payloads(self, schemas: PayloadSchemas, columns: Columns, refused: Refused) -> None:
        type_at, (payload_at,) = self._shape.roles.get("event_type"), self._shape.data
        payloads = columns[payload_at]
        types: Values = [None] * len(payloads)
        if type_at is not None:
            types = self._texts.of(type_at, columns[type_at], refused)
        for place, (type_, payload) in enumerate(zip(types, payloads, strict=True)):
            fault = None if payload is None else schemas.fault(type_, _text(payload, self._shape.columns[payload_at]))
            if fault is not None:
                refused.add(place, "INVALID_SCHEMA", fault)

    def _each(
        self, columns: Columns, texts: Sequence[Values], count: int, refused: Refused, inner: set[str]
    ) -> list[Headers]:
        """Return the header `id`, those of templates, and those held by the row; the latter must not be in `inner`."""
        own = [(name, header_texts(name, render(template, texts, count))) for name, template in self._headers]
        rows = header_rows([(_ID, texts[self._shape.roles[_ID]]), *own])
        at = self._shape.roles.get("headers")
        if at is None:
            return rows
        taken = {_ID, *inner, *(name for name, _ in self._headers)}
        return [
            (*row, *self._held(place, _text(held, self._shape.columns[at]), taken, refused))
            if held is not None
            else row
            for place, (row, held) in enumerate(zip(rows, columns[at], strict=True))
        ]

    @staticmethod
    def _held(place: int, held: str | bytes, taken: set[str], refused: Refused) -> Headers:
        try:
            found = _objects_of_texts(held)
        except (msgspec.DecodeError, UnicodeError):
            refused.add(place, "INVALID_HEADERS", "the headers are not a JSON object of strings")
            return ()
        if any("\0" in name for name in found):  # Kafka's client would truncate it there
            refused.add(place, "INVALID_HEADERS", "the name of a header holds a NUL")
        if again := taken.intersection(found):
            refused.add(place, "INVALID_HEADERS", f"the headers hold {sorted(again)}, which the drain writes")
        return tuple((name, cleaned(text) if name.startswith(HEADER) else text) for name, text in found.items())

    def _role(
        self, role: str, columns: Columns, refused: Refused, make: Callable[..., list[int | None]]
    ) -> list[int | None] | None:
        at = self._shape.roles.get(role)
        return None if at is None else make(at, columns[at], refused)

    def _partitions(self, at: int, values: Sequence[Any], refused: Refused) -> list[int | None]:
        found: list[int | None] = []
        for place, text in enumerate(self._texts.of(at, values, refused)):
            number = int(text) if text is not None and text.isascii() and text.isdecimal() else None
            if text is not None and number is None:
                refused.add(place, "UNKNOWN_PARTITION", f"column {self._shape.columns[at].name!r} holds no partition")
            found.append(number)
        return found


def _placed(shape: Shape, template: templates.Template) -> FieldTemplate:
    """Return a template with each name replaced by a place: that of a role, else of a column."""
    names = shape.named(range(len(shape.columns)))
    found: list[str | int] = []
    for part in template:
        if isinstance(part, str):
            found.append(part)
        elif part.column in shape.roles:
            found.append(shape.roles[part.column])
        elif part.column in names:
            found.append(names.index(part.column))
        else:
            raise EnvelopeError(f"topic= or headers= name {part.column!r}, which is not read; there are {names}")
    return tuple(found)


def _pattern(name: str) -> str:
    return ".*".join(map(re.escape, name.split("*")))


def _places_of_null(texts: Values) -> list[int]:
    return [place for place, text in enumerate(texts) if text is None] if None in texts else []


def _text(value: Any, column: Column) -> str | bytes:
    found = unescaped(value) if column.kind is Kind.BYTES else value
    return found if isinstance(found, (str, bytes)) else str(found)
