"""Broker port: where messages go."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple, Protocol, runtime_checkable

from airflow_legacy_events.core.model import Messages, Rejection


@runtime_checkable
class Broker(Protocol):
    """Where messages go."""

    def require(self, topics: Sequence[str]) -> None:
        """Find or create topics that messages will name, as `BrokerClient.open` does.

        Raises:
            ConfigurationError: topics are missing or can't be written to; the error lists all of them.
            DeliveryError: the broker does not answer.
            StoppedError: the run was stopped meanwhile and its grace has passed.
        """

    def compacted(self, topics: Sequence[str]) -> Sequence[str]:
        """Return which topics are compacted (they refuse messages without a key), as far as they were found."""

    def topic_id(self, topic: str) -> str | None:
        """Return the identity of a topic as found since `open`; a recreated topic has a new one.

        None if it was not looked up, or the broker reports none.
        """

    def partitions(self, topic: str) -> int:
        """Return how many partitions a topic has now, 0 for an unknown topic.

        Raises:
            DeliveryError: the broker does not answer.
            StoppedError: the run was stopped meanwhile and its grace has passed.
        """

    def refused(self, messages: Messages) -> Sequence[Rejection]:
        """Return the messages that the broker would refuse, as far as is known without sending.

        Their index is their place in `messages`. May be called any number of times. A topic named by a message may be
        looked up, or created.

        Raises:
            DeliveryError: the broker does not answer.
            StoppedError: the run was stopped meanwhile and its grace has passed.
        """

    def publish(self, messages: Messages, left_out: AbstractSet[int] = frozenset()) -> None:
        """Enqueue all messages in order; blocks while the broker's queue is full, never drops any.

        Args:
            messages: of one batch.
            left_out: places of messages that are not sent.

        Raises:
            DeliveryError: they can't be enqueued.
            StoppedError: the run was stopped meanwhile and its grace has passed.
        """

    def confirm(self) -> Sequence[Rejection]:
        """Wait for the outcome of all messages published since the last call; return the rejected ones.

        A message counts as rejected only after it was refused when sent alone. Empty means: all acknowledged. Messages
        left out are never among them, but their places count.

        Raises:
            DeliveryError: the fate of a message is unknown (timed out, purged), or the broker failed as a whole.
            StoppedError: the run was stopped meanwhile and its grace has passed.
        """

    def remade(self) -> Sequence[str]:
        """Return the topics of published messages that have since been deleted, or deleted and recreated.

        A topic without a known identity is not among them.
        """


class Position(NamedTuple):
    """Position of one message on its topic."""

    partition: int
    offset: int


@runtime_checkable
class BrokerClient(Broker, Protocol):
    """A broker with its connection, from the first call of `open` to `close`."""

    @property
    def cluster_id(self) -> str | None:
        """Identity of the cluster, distinct from every other one; None before `open`."""

    @property
    def bootstrap(self) -> str:
        """Address of the broker in asset URIs: one of the configured ones, known before `open`."""

    def open(self) -> None:
        """Connect to the cluster, and find or create every topic that the run may write to.

        Raises:
            ConfigurationError: a setting is refused, or a topic is missing.
            DeliveryError: the cluster does not answer.
            StoppedError: the run was stopped meanwhile and its grace has passed.
        """

    def close(self) -> None:
        """Drop unconfirmed messages and close the connection; returns at once, and may be called again."""

    def latest(self, topic: str) -> Position | None:
        """Return the position of the newest message of a topic, None if it has none; needs no `open`.

        Raises:
            DeliveryError: the cluster did not answer within a few seconds.
        """
