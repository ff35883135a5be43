"""Which messages must be sent once more, one at a time, before one of them is called rejected."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from airflow_legacy_events.brokers.kafka.verdicts import Failure
from airflow_legacy_events.core.model import Messages


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message is: in everything that was published, and in its own `Messages`."""

    index: int
    messages: Messages
    at: int

    @property
    def key(self) -> tuple[str, str | None]:
        """What orders it: its topic and its key."""
        return self.messages.topic, self.messages.keys[self.at]

    @property
    def fingerprint(self) -> tuple[str, bytes | None, bytes | None]:
        """What a delivery report knows of it."""
        topic, key = self.key
        return topic, _bytes(key), _bytes(self.messages.values[self.at])


def places(published: Sequence[Messages]) -> Iterator[Place]:
    """All messages in the order in which they were published."""
    index = 0
    for messages in published:
        for at in range(len(messages.values)):
            yield Place(index, messages, at)
            index += 1


def again(published: Sequence[Messages], failures: Collection[Failure], without: AbstractSet[int]) -> list[Place]:
    """Return what failed and every later message of its key, in order.

    A later message that was taken is sent again too, else the topic would end with the earlier one. Messages alike
    in topic, key and value can't be told apart and all count as failed.

    Args:
        published: since the last confirmation.
        failures: delivery reports of rejected record batches.
        without: places of messages that were never sent.
    """
    failed = {(failure.topic, failure.key, failure.value) for failure in failures}
    late: dict[tuple[str, str | None], bool] = defaultdict(bool)
    found = []
    for place in places(published):
        if place.index in without:
            continue
        hit = place.fingerprint in failed
        if hit and place.key[1] is not None:
            late[place.key] = True
        if hit or late[place.key]:
            found.append(place)
    return found


def _bytes(part: str | bytes | None) -> bytes | None:
    return part.encode() if isinstance(part, str) else part
