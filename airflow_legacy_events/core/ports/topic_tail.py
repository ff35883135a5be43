"""Port of the end of a topic: what came to it since a moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol


class TailMessage(NamedTuple):
    """A message as it was read.

    Attributes:
        partition: of the topic.
        offset: in that partition.
        key: None for none.
        value: None for a tombstone.
        timestamp: milliseconds since 1970-01-01 UTC.
    """

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int


class TopicTail(Protocol):
    """Reads the end of topics, without a group."""

    def ends(self, topic: str, before: int = 0) -> dict[int, int]:
        """Return the offset at the end of each partition; empty if there is no such topic.

        Args:
            topic: its name.
            before: how many offsets before the end, at most down to the first one that is there.

        Raises:
            ConfigurationError: the user may not see it.
            DeliveryError: the cluster does not answer.
        """

    def read(self, topic: str, begins: Mapping[int, int]) -> Sequence[TailMessage]:
        """Return the committed messages from some offsets to the present end, those of a partition in order.

        Args:
            topic: its name.
            begins: first offset of each partition; of others everything is read.

        Raises:
            ConfigurationError: the user may not read it.
            DeliveryError: the cluster does not answer.
        """

    def close(self) -> None:
        """End the connection; may be called again."""
