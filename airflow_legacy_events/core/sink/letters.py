"""Dead letters of a sink: messages that can't be applied, as they are."""

from __future__ import annotations

import json
from collections.abc import Sequence

from airflow_legacy_events.core.dead_letters import timeless
from airflow_legacy_events.core.errors import DeliveryError
from airflow_legacy_events.core.model import AnyHeaders, Messages
from airflow_legacy_events.core.model.changes import Changes, Poison, Received
from airflow_legacy_events.core.ports import Broker


class BrokerLetters:
    """Sends messages that can't be applied to a dead-letter topic; see `delivery.DeadLetters`.

    Key, value, headers and timestamp are those of the message. The headers `legacy-events-stream`, `-error`, `-reason`
    and `-position` (topic, partition and offset as a JSON array) come behind its own.

    Args:
        broker: already open.
        topic: where they go.
        stream: named in each.
    """

    def __init__(self, broker: Broker, topic: str, stream: str) -> None:
        self._broker, self._topic, self._stream = broker, topic, stream

    def send(self, changes: Changes, poison: Sequence[Poison]) -> None:
        """See `delivery.DeadLetters.send`."""
        letters = self._letters(changes.received, poison)
        refused = list(self._broker.refused(letters))
        letters = timeless(letters, refused)
        self._broker.publish(letters)
        if rejected := self._broker.confirm():
            first = rejected[0]
            raise DeliveryError(
                f"dead-letter topic {self._topic!r} refused message"
                f" {changes.received.name_of(poison[first.index].place)}: {first.error}, {first.reason}. Nothing of its"
                " batch was applied, and the position stays below it. Let the topic take such messages, or name another"
                " dead_letter_topic",
                rejected=rejected,
            )

    def _letters(self, received: Received, poison: Sequence[Poison]) -> Messages:
        at = [one.place for one in poison]
        return Messages(
            self._topic,
            keys=[received.keys[place] for place in at],
            values=[received.values[place] for place in at],
            each=[self._headers(received, one) for one in poison],
            timestamps=[received.timestamps[place] or None for place in at],
        )

    def _headers(self, received: Received, one: Poison) -> AnyHeaders:
        at = one.place
        position = [received.topics[at], received.partitions[at], received.offsets[at]]
        return (
            *received.headers[at],
            ("legacy-events-stream", self._stream),
            ("legacy-events-error", one.error),
            ("legacy-events-reason", one.reason),
            ("legacy-events-position", json.dumps(position, ensure_ascii=False)),
        )
