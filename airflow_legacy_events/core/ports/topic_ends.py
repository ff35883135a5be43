"""Port of the ends of topics: where a consumer stands in relation to them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple, Protocol


class Partition(NamedTuple):
    """A partition of a topic."""

    topic: str
    number: int


class Bounds(NamedTuple):
    """First and last of what a partition holds.

    Attributes:
        start: offset of the first record that was not deleted.
        end: offset behind the last record, which may be of a transaction that is open.
    """

    start: int
    end: int


class TopicEnds(Protocol):
    """What is on topics, as far as a consumer's offsets are concerned; nothing is committed."""

    def cluster_id(self) -> str | None:
        """Return the identity of the Kafka cluster; None if it reports none.

        Raises:
            DeliveryError: the cluster does not answer.
        """

    def topics(self) -> Collection[str]:
        """Return the names of all topics that this user may see.

        Raises:
            DeliveryError: the cluster does not answer.
        """

    def bounds(self, topics: Collection[str]) -> dict[Partition, Bounds]:
        """Return the bounds of each partition; a topic that is not there has none.

        Raises:
            ConfigurationError: the user may not see a topic; the message holds the remedy.
            DeliveryError: the cluster does not answer.
        """

    def unread(self, spans: Mapping[Partition, Bounds]) -> frozenset[Partition]:
        """Return the partitions that hold a record between two offsets, or whose records can't be read to the second.

        Control records and those of aborted transactions don't count: no consumer of committed records gets them.

        Args:
            spans: for each partition the offset of a consumer, and the offset up to which it should have read.

        Raises:
            ConfigurationError: the user may not read a topic; the message holds the remedy.
            DeliveryError: the cluster does not answer.
        """

    def close(self) -> None:
        """End the connection; may be called again."""
