"""Delivery of each batch, always in one order: publish and confirm, save, acknowledge.

At-least-once: nothing is saved before it is confirmed, and nothing is acknowledged before it is saved. A crash between
two steps therefore loses nothing. It repeats what was published since the last save, with equal ids.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from airflow_legacy_events.core.commands import command
from airflow_legacy_events.core.dead_letters import dead_letters, timeless
from airflow_legacy_events.core.errors import DeliveryError, WatermarkError
from airflow_legacy_events.core.lease import FencedBroker, ProvedLease
from airflow_legacy_events.core.left_behind import LeftBehind
from airflow_legacy_events.core.model import PLACED, Batch, Delivered, Messages, Rejection, Watermark
from airflow_legacy_events.core.ports import Broker, Lease, Observer, Source, WatermarkStore
from airflow_legacy_events.core.topic_identity import WrittenTopics

SAVE_SECONDS = 0.5
"""Minimum time between saves, except the first and the last: one to an Airflow Variable costs about 15 ms."""

RECEIPT_BYTES = 64 * 1024
"""A joined receipt larger than this is saved at once, which keeps watermarks small."""


class AtLeastOnce:
    """Saves the watermark after confirmed batches, at most twice a second.

    Between two saves the receipts of the confirmed batches are joined. An acknowledgement therefore always covers
    exactly the rows up to the saved watermark.

    Args:
        name: under which the store keeps the watermark: the stream, or the progress of a replay.
        source: acknowledged.
        lease: of the stream's lock, checked before every save and acknowledgement, and before a publish if the last
            check is more than 7 s old.
        stream: named in dead letters.
        broker: already open.
        store: holds the watermark.
        observers: called for every load and save.
        dead_letter_topic: where rejected messages go; None: a rejection fails the run.
        clock: monotonic seconds; decides when a save is due.
        log: of the task.
    """

    def __init__(  # noqa: PLR0913  the parts of a delivery
        self,
        name: str,
        source: Source,
        lease: Lease,
        *,
        stream: str,
        broker: Broker,
        store: WatermarkStore,
        observers: Sequence[Observer] = (),
        dead_letter_topic: str | None = None,
        clock: Callable[[], float] = time.monotonic,
        log: logging.Logger | None = None,
    ) -> None:
        self._name, self._source, self._lease, self._stream = name, source, ProvedLease(lease), stream
        self._broker, self._topics = FencedBroker(broker, self._lease), WrittenTopics(broker, name, clock)
        self._store, self._observers = store, tuple(observers)
        self._dead_letter_topic = dead_letter_topic
        self._clock, self._log = clock, log or logging.getLogger(__name__)
        self._facts: dict[str, Any] = {}
        self._delivered = Delivered()
        self._left = LeftBehind()
        self._receipt_bytes = 0
        self._saved: Watermark | None = None
        self._confirmed: Watermark | None = None
        self._acknowledged = self._wrote = False
        self._last_save = float("-inf")

    @property
    def delivered(self) -> Delivered:
        """See `Delivery.delivered`."""
        return self._delivered

    @property
    def values(self) -> tuple[str, ...] | None:
        """See `Delivery.values`."""
        return None if self._saved is None else self._saved.values

    def load(self) -> Watermark | None:
        """See `Delivery.load`."""
        self._saved = self._store.load(self._name)
        for observer in self._observers:
            observer.loaded(self._saved)
        return self._saved

    def begin(self, facts: Mapping[str, Any]) -> None:
        """See `Delivery.begin`; this save does not delay the next one."""
        self._facts = dict(facts)
        if self._saved is None:
            self._write(Watermark(None, None, self._facts))

    def acknowledge(self, mark: Watermark) -> None:
        """See `Delivery.acknowledge`."""
        self._acknowledge(mark, again=True)

    def deliver(self, batch: Batch, messages: Messages | None) -> None:
        """See `Delivery.deliver`."""
        self._note(batch.watermark if messages is None else self._publish(batch, messages))
        if self._clock() - self._last_save >= SAVE_SECONDS or self._receipt_bytes > RECEIPT_BYTES:
            self._check_topics()
            self._save()
        if self._left.full:
            self._left.check()

    def check(self) -> None:
        """See `Delivery.check`."""
        self._left.check()

    def close(self) -> None:
        """See `Delivery.close`; reading back detects a store that is hidden or overwritten."""
        self._check_topics(last=True)
        self.rescue()
        if self._wrote and self._store.load(self._name) != self._saved:
            raise WatermarkError(
                f"the watermark of stream {self._name!r} was saved but reads back differently: another writer moved"
                " it, or a secrets backend or environment variable stands in front of the store. Every message up to"
                f" it is delivered; look at it with {command('show', self._name)}"
            )

    def rescue(self) -> None:
        """See `Delivery.rescue`."""
        self._save()
        if self._acknowledged and self._saved is not None and self._saved.receipt is not None:
            self._write(self._saved._replace(receipt=None))

    def forget(self) -> None:
        """See `Delivery.forget`."""
        self._store.forget(self._name)

    def _publish(self, batch: Batch, messages: Messages) -> Watermark:
        """Deliver a batch, and return the watermark after its delivered rows."""
        by_place = {one.index: one for one in (*self._broker.refused(messages), *messages.refused)}
        refused = list(by_place.values())
        if self._dead_letter_topic is None and self._source.without(batch, frozenset()) is not None:
            return self._publish_but(batch, messages, refused)
        self._broker.publish(messages, {one.index for one in refused})
        rejections = sorted([*refused, *self._broker.confirm()], key=lambda one: one.index)
        self._count_events(messages, {one.index for one in rejections})
        if rejections:
            self._bury(batch, messages, rejections)
        self._count(Delivered(len(rejections), rejected=len(rejections), batches=1))
        return batch.watermark

    def _publish_but(self, batch: Batch, messages: Messages, refused: Sequence[Rejection]) -> Watermark:
        """Deliver a batch without its undeliverable rows and without the rows after them in their group.

        When the broker rejects a message, later messages of its group may already be on the topic. Their rows stay at
        the source too, and are sent again after it.
        """
        left = self._left.places(batch, refused)
        self._broker.publish(messages, left)
        left |= self._left.places(batch, self._broker.confirm())
        self._left.count(len(left))
        self._count_events(messages, left)
        self._count(Delivered(len(left), skipped=len(left), batches=1))
        return (self._source.without(batch, left) if left else None) or batch.watermark

    def _count_events(self, messages: Messages, without: AbstractSet[int]) -> None:
        events = len(messages.values) - len(without)
        self._count(Delivered(events, events, bytes=messages.size(without), topics=messages.by_topic(without)))

    def _count(self, more: Delivered) -> None:
        self._delivered = self._delivered.plus(more)

    def _bury(self, batch: Batch, messages: Messages, rejections: Sequence[Rejection]) -> None:
        first, count = rejections[0], len(rejections)
        where = f" by topic {messages.topic!r}" if messages.topics is None else ""  # row topics are row content
        found = (
            f"{count} of {batch.count} messages were rejected{where}; first: message"
            f" {first.index} of the batch, {first.error}: {first.reason}"
        )
        if self._dead_letter_topic is None:
            raise DeliveryError(
                f"{found}. Nothing was skipped and the watermark stays below them: raise the topic's limit, leave the"
                " column out with exclude_columns=, or name a dead_letter_topic=",
                rejected=rejections,
            )
        self._log.warning("%s; sending them to %s", found, self._dead_letter_topic)
        letters = dead_letters(self._dead_letter_topic, self._stream, batch, messages, rejections)
        self._broker.publish(timeless(letters, self._broker.refused(letters)))
        if refused := self._broker.confirm():
            raise DeliveryError(
                f"{found}. The dead-letter topic {self._dead_letter_topic!r} rejected {len(refused)} of them too:"
                f" {refused[0].error}: {refused[0].reason}. Raise its max.message.bytes",
                rejected=refused,
            )

    def _note(self, after: Watermark) -> None:
        """Keep the confirmed watermark until a save is due; receipts are joined."""
        receipt = after.receipt
        self._receipt_bytes += len(json.dumps(receipt)) if receipt else 0
        if self._confirmed is not None and self._confirmed.receipt is not None:
            receipt = self._confirmed.receipt + (receipt or ())
        placed = {PLACED: True} if after.values else {}
        self._confirmed = Watermark(after.values, receipt, {**self._facts, **after.facts, **placed})

    def _check_topics(self, *, last: bool = False) -> None:
        """Check that the topics written to still exist; if not, what was confirmed does not count as delivered."""
        try:
            self._topics.check(last=last)
        except WatermarkError:
            self._confirmed = None
            raise

    def _save(self) -> None:
        if self._confirmed is None:
            return
        saved = self._confirmed
        self._write(saved)
        self._confirmed = None
        self._receipt_bytes = 0
        self._last_save = self._clock()
        self._acknowledge(saved)

    def _acknowledge(self, mark: Watermark, *, again: bool = False) -> None:
        if mark.receipt is not None:
            self._lease.check()
            self._source.acknowledge(mark.receipt, self._lease, again=again)
            self._acknowledged = True

    def _write(self, new: Watermark) -> None:
        self._lease.check()
        for observer in self._observers:
            observer.saving(new, self._delivered)
        self._store.save(self._name, new, expected=self._saved)
        self._saved, self._acknowledged, self._wrote = new, False, True
        for observer in self._observers:
            observer.saved(new)
