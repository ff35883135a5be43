"""Broker port: where messages go."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple, Protocol, runtime_checkable

from airflow_legacy_events.core.model import Messages, Rejection


@runtime_checkable
class Broker(Protocol):
    """Where messages go."""

    def refused(self, messages: Messages) -> Sequence[Rejection]:
        """Return the messages that the broker would refuse, as far as that is known without sending any.

        Their index is their place in `messages`. It may be asked any number of times; a topic that a message names may
        be looked up, or made.

        Raises:
            DeliveryError: the broker does not answer.
            StoppedError: the run was stopped meanwhile and its grace has passed.
        """

    def publish(self, messages: Messages, left_out: AbstractSet[int] = frozenset()) -> None:
        """Hand all messages over, in order; blocks while the broker's queue is full, never drops.

        Args:
            messages: of one batch.
            left_out: places of messages that are not sent.

        Raises:
            DeliveryError: they can't be handed over.
            StoppedError: the run was stopped meanwhile and its grace has passed.
        """

    def confirm(self) -> Sequence[Rejection]:
        """Wait until everything handed over since the last call is decided; return what was rejected.

        A message is called rejected only after it was refused when sent singly. Empty means: all acknowledged. What
        was left out is not among them, and counts where places are counted.

        Raises:
            DeliveryError: the fate of a message is unknown (timed out, purged), or the broker failed as a whole.
            StoppedError: the run was stopped meanwhile and its grace has passed.
        """

    def remade(self) -> Sequence[str]:
        """Return which topics of published messages are gone, or others by now that were made under their names.

        One whose identity the broker does not tell is not among them.
        """


class Position(NamedTuple):
    """The place of one message on its topic."""

    partition: int
    offset: int


@runtime_checkable
class BrokerClient(Broker, Protocol):
    """A broker and the connection to it, from the first call of `open` to `close`."""

    @property
    def cluster_id(self) -> str | None:
        """Identity of the cluster, distinct from every other one; None before `open`."""

    @property
    def bootstrap(self) -> str:
        """The address by which assets name the broker, one of the configured ones; known before `open`."""

    def open(self) -> None:
        """Reach the cluster, and find or make every topic that the run may write to.

        Raises:
            ConfigurationError: a setting is refused, or a topic is missing.
            DeliveryError: the cluster does not answer.
            StoppedError: the run was stopped meanwhile and its grace has passed.
        """

    def topic_id(self, topic: str) -> str | None:
        """Return the identity of a topic as it was found since `open`; one that is made anew has another.

        None where it was not looked for, or the broker tells none.
        """

    def compacted(self, topics: Sequence[str]) -> Sequence[str]:
        """Return which topics take no message without a key, as far as that was found since `open`."""

    def close(self) -> None:
        """Drop what is not confirmed and end the connection; returns at once, and may be called again."""

    def latest(self, topic: str) -> Position | None:
        """Return where the newest message of a topic lies, None when it has none; needs no `open`.

        Raises:
            DeliveryError: the cluster did not say so within a few seconds.
        """
