"""Envelope of a change log: rows of tables by one envelope, outbox events that it holds as messages by another."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from airflow_legacy_events.core import templates
from airflow_legacy_events.core.columns import Shape
from airflow_legacy_events.core.made import made_by
from airflow_legacy_events.core.model import Batch, Messages, Rejection, Stream
from airflow_legacy_events.core.ports import Envelope
from airflow_legacy_events.envelopes.outbox.payload import PayloadEnvelope
from airflow_legacy_events.envelopes.outbox.routing import RoutedEnvelope

_PREFIX, _CONTENT, _FAULT = "prefix", "content", "fault"


class LoggedEnvelope:
    """Outbox events from logical messages as `PayloadEnvelope` makes them, routed; everything else by another envelope.

    Args:
        tables: makes the messages of rows.
    """

    def __init__(self, tables: Envelope) -> None:
        self._tables, self._messages = tables, RoutedEnvelope(PayloadEnvelope())

    def __repr__(self) -> str:
        """See `core.made.made_by`."""
        return made_by(type(self), tables=self._tables)

    def compile(self, shape: Shape, stream: Stream) -> Callable[[Batch], Messages]:
        """See `core.ports.Envelope`."""
        if _PREFIX not in shape.roles:
            return self._tables.compile(shape, stream)
        if _FAULT in shape.roles:
            return lambda batch: _refused(shape, batch)
        encode = self._messages.compile(shape, _of_messages(shape, stream))
        return lambda batch: _placed(shape, batch, encode(batch))


def _of_messages(shape: Shape, stream: Stream) -> Stream:
    """Return the stream without headers that name a column of tables."""
    there = {*shape.roles, *shape.named(range(len(shape.columns)))}
    headers = [
        (name, text)
        for name, text in stream.headers
        if there.issuperset(templates.columns_of(templates.parse(text, f"the header {name!r}")))
    ]
    return stream._replace(headers=tuple(headers))


def _placed(shape: Shape, batch: Batch, messages: Messages) -> Messages:
    """Return messages whose rejections name prefix and place."""
    if not messages.refused:
        return messages
    found = [
        dataclasses.replace(one, reason=f"{_named(shape, batch, one.index)}: {one.reason}") for one in messages.refused
    ]
    return dataclasses.replace(messages, refused=found)


def _refused(shape: Shape, batch: Batch) -> Messages:
    """Return messages that hold what is no outbox event, each refused."""
    contents, faults = _column(batch, shape.roles[_CONTENT]), _column(batch, shape.roles[_FAULT])
    found = [
        Rejection(at, "INVALID_MESSAGE", f"{_named(shape, batch, at)} is no outbox event: {fault}")
        for at, fault in enumerate(faults)
    ]
    return Messages("", [None] * batch.count, contents, topics=[""] * batch.count, refused=found)


def _named(shape: Shape, batch: Batch, at: int) -> str:
    row = batch.rows[at]
    place, number = (row[one] for one in shape.watermark)
    return f"the logical message with prefix {row[shape.roles[_PREFIX]]!r} at {place} of the log, number {number} there"


def _column(batch: Batch, at: int) -> Sequence[str]:
    return [row[at] for row in batch.rows]
