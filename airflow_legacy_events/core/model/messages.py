"""Messages of one batch, column by column, and those refused by a broker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Self, TypeAlias, TypeVar

from airflow_legacy_events.core.errors import EnvelopeError
from airflow_legacy_events.core.extent import Extent, Measured, extent_of
from airflow_legacy_events.core.model.batch import Batch
from airflow_legacy_events.core.rejection import Rejection

Headers: TypeAlias = tuple[tuple[str, str], ...]
AnyHeaders: TypeAlias = tuple[tuple[str, str | bytes | None], ...]
"""Headers as they may come with a message that is passed on."""

_T = TypeVar("_T")


@dataclass(slots=True)
class Messages:
    """Messages of one batch, column by column and in the batch's order.

    Attributes:
        topic: where they go, unless `topics` is set.
        keys: texts, or bytes of messages that are passed on; None only where the topic's messages have no key.
        values: texts in the message's final form, or bytes; None is a tombstone.
        headers: the same for every message.
        each: further headers, one entry a message; None if there are none.
        timestamps: of the messages, in milliseconds since 1970-01-01 UTC, above 0; None, as a whole or for one
            message, means the time of sending.
        topics: of the messages, one entry a message; None: all go to `topic`.
        partitions: of the messages, one entry a message; None, as a whole or for one message, means the partition
            derived from its key.
        rows: of each message, the place of its row in the batch; None: one message for each row, in order.
        merged: places of rows without a message of their own, since that of another row of the batch stands for both;
            only with `rows`.
        everywhere: whether every message goes to each partition of its topic.
        refused: messages that the envelope forbids on their topic; their keys and values are kept for the dead-letter
            topic.
        measured: size of these keys and values if the envelope knows it; else they are measured when needed.
    """

    topic: str
    keys: Sequence[str | bytes | None]
    values: Sequence[str | bytes | None]
    headers: Headers = ()
    each: Sequence[AnyHeaders] | None = None
    timestamps: Sequence[int | None] | None = None
    measured: Measured | None = field(default=None, compare=False, repr=False)
    topics: Sequence[str] | None = None
    partitions: Sequence[int | None] | None = None
    refused: Sequence[Rejection] = ()
    rows: Sequence[int] | None = None
    merged: AbstractSet[int] = frozenset()
    everywhere: bool = False

    @property
    def alike(self) -> bool:
        """Whether the messages differ only in key and value."""
        return self.each is None and self.timestamps is None and self.topics is None and self.partitions is None

    @property
    def extent(self) -> Extent:
        """Bytes of all messages and of the longest one, without headers."""
        if self.measured is None or not self.measured.is_of(self.keys, self.values):
            self.measured = Measured.of(self.keys, self.values)
        return self.measured.extent

    @property
    def longest(self) -> int:
        """See `Payload.longest`."""
        return self.extent.longest

    def checked(self, batch: Batch) -> Self:
        """See `Payload.checked`: an envelope gives one message for each row, in order, or names the row of each."""
        keys, values, rows = len(self.keys), len(self.values), self.rows
        if rows is None and keys == values == batch.count:
            return self
        if rows is not None and keys == values == len(rows):
            expected = [at for at in range(batch.count) if at not in self.merged]
            if list(dict.fromkeys(rows)) == expected and expected:
                return self
        places = "" if rows is None else f" at {len(set(rows))} places"
        raise EnvelopeError(
            f"the envelope gave {keys} keys and {values} values for a batch of {batch.count} rows{places}; no message"
            " of it was sent. An envelope must give one message for each row, in its order, or name the row of each"
            " message"
        )

    def repeated(self, mode: str) -> None:
        """See `Payload.repeated`: a header of every message."""
        self.headers = (*self.headers, ("mode", mode))

    def headers_of(self, at: int) -> AnyHeaders:
        """Return all headers of one message."""
        return self.headers if self.each is None else (*self.headers, *self.each[at])

    def timestamp_of(self, at: int) -> int | None:
        """Return the timestamp of one message; None means the time of sending."""
        return None if self.timestamps is None else self.timestamps[at]

    def topic_of(self, at: int) -> str:
        """Return the topic of one message."""
        return self.topic if self.topics is None else self.topics[at]

    def partition_of(self, at: int) -> int | None:
        """Return the partition of one message; None means the one derived from its key."""
        return None if self.partitions is None else self.partitions[at]

    def row_of(self, at: int) -> int:
        """Return the place of one message's row in the batch."""
        return at if self.rows is None else self.rows[at]

    def places_of(self, rows: AbstractSet[int]) -> AbstractSet[int]:
        """Return the places of all messages of the rows at the places `rows`."""
        if self.rows is None or not rows:
            return rows
        return {at for at, row in enumerate(self.rows) if row in rows}

    def by_topic(self, without: AbstractSet[int] = frozenset()) -> dict[str, int]:
        """Count the rows of each topic, leaving out those at the places `without`."""
        if self.topics is None:
            count = len(self.values) if self.rows is None else len(set(self.rows)) + len(self.merged)
            return {self.topic: count - len(without)}
        if self.rows is None and not without:
            return dict(Counter(self.topics))
        by_row = {self.row_of(at): topic for at, topic in enumerate(self.topics)}
        return dict(Counter(topic for row, topic in by_row.items() if row not in without))

    def spread(self, partitions: Callable[[str], int]) -> Messages:
        """Return these messages once for each partition of their topic.

        Args:
            partitions: number of partitions of a topic; of an unknown one the message remains as it is.
        """
        counts = {topic: partitions(topic) for topic in dict.fromkeys(self.topics or (self.topic,))}
        targets = [
            (at, number) for at in range(len(self.values)) for number in range(counts[self.topic_of(at)]) or (None,)
        ]

        def of(column: Sequence[_T]) -> list[_T]:
            return [column[at] for at, _ in targets]

        return replace(
            self,
            keys=of(self.keys),
            values=of(self.values),
            each=None if self.each is None else of(self.each),
            timestamps=None if self.timestamps is None else of(self.timestamps),
            topics=None if self.topics is None else of(self.topics),
            partitions=[number for _, number in targets],
            rows=[self.row_of(at) for at, _ in targets],
            everywhere=False,
        )

    def size(self, without: AbstractSet[int] = frozenset()) -> int:
        """Return the bytes of all keys and values in UTF-8, leaving out the messages at the places `without`."""
        left_out = (extent_of([self.keys[at]], [self.values[at]]).total for at in without)
        return self.extent.total - sum(left_out)
