"""Reader port: topics that are read up to an end, without a consumer group."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from airflow_legacy_events.core.model.changes import Received
from airflow_legacy_events.core.ports.topic_ends import Partition


class ReadPosition(NamedTuple):
    """Where reading of a partition continues.

    Attributes:
        offset: of the next record.
        epoch: leader epoch of the record before it, by which a log that was cut and filled again is noticed; None if
            nothing was read yet, a person chose the offset, or the broker has no epochs.
    """

    offset: int
    epoch: int | None = None


class Extent(NamedTuple):
    """What a partition holds.

    Attributes:
        start: offset of the first record that was not deleted.
        end: last stable offset: all records below it are decided.
        high: offset behind the last record; between `end` and it lie those of open transactions.
    """

    start: int
    end: int
    high: int


class FoundTopic(NamedTuple):
    """A topic as the broker has it.

    Attributes:
        id: another one when the topic was made again; None if the broker has none.
        partitions: extent of each, by number.
        compacted: whether older records of a key may be removed; None if the user may not see it.
        tombstone_ms: how long a compacted topic keeps tombstones, in milliseconds; None if it is not compacted, or the
            user may not see it.
    """

    id: str | None
    partitions: Mapping[int, Extent]
    compacted: bool | None = False
    tombstone_ms: int | None = None


@dataclass(slots=True)
class Taken:
    """Messages that were taken from a reading.

    Attributes:
        received: those of a partition are in its order; may be empty where only gaps were passed.
        after: where each partition continues behind them; those without progress may be left out.
    """

    received: Received
    after: Mapping[Partition, ReadPosition]


class Reading(Protocol):
    """Partitions that are read to their ends. Used by one thread, but for `close`."""

    def take(self, most: int, most_bytes: int) -> Taken | None:
        """Return the next messages; None once each partition that is not held has reached its end.

        A partition has reached it when its position has: control records, and records that were aborted, compacted or
        deleted, leave gaps. Fewer than `most` are returned where ends are reached, or the broker is slow.

        Args:
            most: number of messages, at least 1.
            most_bytes: of keys and values, after which no further message is added; one message always fits.

        Raises:
            GapError: records were deleted before they were read; `hold` and `release` continue behind them.
            WatermarkError: a position is behind the log, its epoch is another log's, or the topic was made again.
            ConfigurationError: a topic was deleted, or the user may not read it.
            DeliveryError: the broker has not answered for 30 s.
            StoppedError: the reading was closed.
        """

    def hold(self, partition: Partition, at: ReadPosition) -> None:
        """Put a partition to a position, and don't read it until it is released; it may be held already."""

    def release(self, partition: Partition) -> None:
        """Read a partition that was held again, from the position that it was held at; does nothing for another."""

    def close(self) -> None:
        """End it; may be called from any thread, and again. A `take` that waits raises then."""


class Reader(Protocol):
    """Reads committed messages of topics. It connects on first use, joins no group, and commits nothing by itself."""

    @property
    def bootstrap(self) -> str:
        """Address of the broker, for messages and asset URIs."""

    def cluster_id(self) -> str | None:
        """Return the identity of the cluster; None if it reports none.

        Raises:
            DeliveryError: the cluster does not answer.
        """

    def find(self, topics: Sequence[str], *, settled: bool = True) -> Mapping[str, FoundTopic]:
        """Return the topics.

        Args:
            topics: their names.
            settled: whether the last stable offset is looked up again, for up to 10 s, until nothing is open behind it:
                it may lie behind a commit that has returned already. False: it is taken as it is, without a wait.

        Raises:
            ConfigurationError: one does not exist, or the user may not read it; the message holds the remedy.
            DeliveryError: the cluster does not answer.
        """

    def offsets_at(self, partitions: Collection[Partition], moment: int) -> Mapping[Partition, int | None]:
        """Return the first offset of each partition whose record is at or behind a moment; None if there is none.

        Args:
            partitions: to look at.
            moment: milliseconds since 1970-01-01 UTC.

        Raises:
            DeliveryError: the cluster does not answer.
        """

    def moments(self, at: Mapping[Partition, int]) -> Mapping[Partition, int | None]:
        """Return when the records at some offsets were written, even those of open transactions; best effort.

        It is for the age of what holds a partition back: the record at its last stable offset. The moment is in
        milliseconds since 1970-01-01 UTC; None if it can't be seen.
        """

    def read(self, at: Mapping[Partition, ReadPosition], ends: Mapping[Partition, int]) -> Reading:
        """Return a reading from some positions up to ends; both name the same partitions.

        Its `take` checks that topics are still those that `find` returned last.
        """

    def noted(self, group: str, at: Mapping[Partition, ReadPosition]) -> None:
        """Commit offsets of a group, for people's pages of lag; best effort, never read. Failures are only logged."""

    def close(self) -> None:
        """End all that is open; may be called again."""
