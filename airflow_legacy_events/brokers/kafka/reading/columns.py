"""Columns of messages, extracted at once: no Python code runs for a single message."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any

from confluent_kafka import Message

from airflow_legacy_events.core.model.changes import Received


class Columns:
    """Messages that were taken so far.

    Args:
        topic: of all of them; None if there are several.

    Attributes:
        received: the messages.
        bytes: of their keys and values.
        lumps: the same, as the client gave them.
    """

    def __init__(self, topic: str | None) -> None:
        self._topic = topic
        self.received = Received([], [], [], [], [], [], [])
        self.bytes = 0
        self.lumps: list[Sequence[Message]] = []

    @property
    def count(self) -> int:
        """Number of messages."""
        return len(self.received)

    def add(self, lump: Sequence[Message], most_bytes: int) -> Sequence[Message]:
        """Add messages until all of them have so many bytes; return those that were left."""
        sizes = list(map(len, lump))  # of the values
        keys: list[Any] = list(map(Message.key, lump))
        total = sum(sizes) + sum(map(len, filter(None, keys)))
        count = len(lump)
        if self.bytes + total > most_bytes:
            each = map(sum, zip(sizes, (len(key or b"") for key in keys), strict=True))
            sums = list(accumulate(each, initial=self.bytes))
            count = next((at for at, size in enumerate(sums) if at and size >= most_bytes), count)
            lump, rest, keys, total = lump[:count], lump[count:], keys[:count], sums[count] - self.bytes
        else:
            rest = ()
        self.bytes += total
        self._extend(lump, keys)
        self.lumps.append(lump)
        return rest

    def _extend(self, lump: Sequence[Message], keys: list[Any]) -> None:
        received: Any = self.received
        received.topics.extend(map(Message.topic, lump) if self._topic is None else [self._topic] * len(lump))
        received.partitions.extend(map(Message.partition, lump))
        received.offsets.extend(map(Message.offset, lump))
        received.keys.extend(keys)
        received.values.extend(map(Message.value, lump))
        received.headers.extend(_shared(list(map(Message.headers, lump))))
        kinds, moments = zip(*map(Message.timestamp, lump), strict=True)
        if 0 in kinds:
            moments = tuple(moment if kind else None for kind, moment in zip(kinds, moments, strict=True))
        received.timestamps.extend(moments)


def _shared(headers: Sequence[Any]) -> Iterable[Any]:
    """Return headers, those that are equal to the ones before as the same object."""
    if headers.count(headers[0]) == len(headers):
        return [headers[0] or ()] * len(headers)
    return _each_shared(headers)


def _each_shared(headers: Iterable[Any]) -> Iterator[Any]:
    last: Any = ()
    for one in headers:
        if one != last:
            last = one or ()
        yield last
