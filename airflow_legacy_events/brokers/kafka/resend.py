"""Resend: selects messages to send again, one at a time, before any is reported as rejected."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from airflow_legacy_events.brokers.kafka.verdicts import Failure
from airflow_legacy_events.core.model import Messages


@dataclass(frozen=True, slots=True)
class PublishedMessage:
    """One of the messages published since the last confirmation.

    Attributes:
        index: its index among all of them.
        messages: the `Messages` that it came in.
        at: its index in those.
    """

    index: int
    messages: Messages
    at: int

    @property
    def key(self) -> tuple[str, str | bytes | None]:
        """Topic and key: messages equal in both are ordered."""
        return self.messages.topic_of(self.at), self.messages.keys[self.at]

    @property
    def fingerprint(self) -> tuple[str, bytes | None, bytes | None]:
        """Topic, key and value in bytes, as in a delivery report."""
        topic, key = self.key
        return topic, _bytes(key), _bytes(self.messages.values[self.at])


def to_resend(
    published: Sequence[Messages], failures: Collection[Failure], without: AbstractSet[int]
) -> list[PublishedMessage]:
    """Return the messages that failed and every later message of their keys, in order.

    Later messages that were accepted are sent again too, otherwise the topic would end with the earlier one. Messages
    equal in topic, key and value are indistinguishable and all count as failed.

    Args:
        published: since the last confirmation.
        failures: delivery reports of rejected record batches.
        without: indexes of messages that were never sent.
    """
    failed = {(failure.topic, failure.key, failure.value) for failure in failures}
    late: dict[tuple[str, str | bytes | None], bool] = defaultdict(bool)
    found = []
    for message in _in_order(published):
        if message.index in without:
            continue
        hit = message.fingerprint in failed
        if hit and message.key[1] is not None:
            late[message.key] = True
        if hit or late[message.key]:
            found.append(message)
    return found


def _in_order(published: Sequence[Messages]) -> Iterator[PublishedMessage]:
    index = 0
    for messages in published:
        for at in range(len(messages.values)):
            yield PublishedMessage(index, messages, at)
            index += 1


def _bytes(part: str | bytes | None) -> bytes | None:
    return part.encode() if isinstance(part, str) else part
