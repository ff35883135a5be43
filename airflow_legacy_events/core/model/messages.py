"""Messages of one batch, column by column, and those that a broker refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import TypeAlias

from airflow_legacy_events.core.extent import Extent, Measured, extent_of

Headers: TypeAlias = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Messages:
    """Messages of one batch, column by column and in the batch's order.

    Attributes:
        topic: where they go, unless `topics` says so.
        keys: texts; None only where the topic's messages have no key.
        values: texts in the message's final form, or bytes; None is a tombstone.
        headers: the same for every message.
        each: further headers, one entry a message; None when there are none.
        timestamps: of the messages, in milliseconds since 1970-01-01 UTC, above 0; None, as a whole or for one
            message, is the time at which it is sent.
        topics: of the messages, one entry a message; None: all go to `topic`.
        partitions: of the messages, one entry a message; None, as a whole or for one message, is the partition that
            follows from its key.
        refused: those that must not be sent to their topic, as the envelope judges; what they are made of is kept, for
            the dead-letter topic.
        measured: how long these keys and values are, from an envelope that knows; else they are measured when needed.
    """

    topic: str
    keys: Sequence[str | None]
    values: Sequence[str | bytes | None]
    headers: Headers = ()
    each: Sequence[Headers] | None = None
    timestamps: Sequence[int | None] | None = None
    measured: Measured | None = field(default=None, compare=False, repr=False)
    topics: Sequence[str] | None = None
    partitions: Sequence[int | None] | None = None
    refused: Sequence[Rejection] = ()

    @property
    def alike(self) -> bool:
        """Whether the messages differ in nothing but key and value."""
        return self.each is None and self.timestamps is None and self.topics is None and self.partitions is None

    @property
    def extent(self) -> Extent:
        """Bytes of all messages and of the longest one, without headers."""
        if self.measured is None or not self.measured.is_of(self.keys, self.values):
            self.measured = Measured.of(self.keys, self.values)
        return self.measured.extent

    def headers_of(self, at: int) -> Headers:
        """All headers of one message."""
        return self.headers if self.each is None else (*self.headers, *self.each[at])

    def timestamp_of(self, at: int) -> int | None:
        """The timestamp of one message; None is the time at which it is sent."""
        return None if self.timestamps is None else self.timestamps[at]

    def topic_of(self, at: int) -> str:
        """The topic of one message."""
        return self.topic if self.topics is None else self.topics[at]

    def partition_of(self, at: int) -> int | None:
        """The partition of one message; None is the one that follows from its key."""
        return None if self.partitions is None else self.partitions[at]

    def by_topic(self, without: AbstractSet[int] = frozenset()) -> dict[str, int]:
        """How many messages go to each topic, leaving out those at the places `without`."""
        if self.topics is None:
            return {self.topic: len(self.values) - len(without)}
        if not without:
            return dict(Counter(self.topics))
        return dict(Counter(topic for at, topic in enumerate(self.topics) if at not in without))

    def size(self, without: AbstractSet[int] = frozenset()) -> int:
        """Bytes of all keys and values in UTF-8, leaving out the messages at the places `without`."""
        left_out = (extent_of([self.keys[at]], [self.values[at]]).total for at in without)
        return self.extent.total - sum(left_out)


@dataclass(frozen=True, slots=True)
class Rejection:
    """A message that was refused for good, by its envelope or the broker.

    Attributes:
        index: its place in the messages that were published since the last confirmation.
        error: name of the error, as the broker has it such as `MSG_SIZE_TOO_LARGE`.
        reason: a sentence without the message's content.
    """

    index: int
    error: str
    reason: str
