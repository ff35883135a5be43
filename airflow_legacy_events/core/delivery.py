"""Delivery of each batch, always in one order: publish and confirm, save, acknowledge.

A batch without a watermark is published only; it is confirmed, saved and acknowledged together with the next one.

At-least-once: nothing is saved before it is confirmed, and nothing is acknowledged before it is saved. A crash between
two steps therefore loses nothing. It repeats what was published since the last save, with equal ids.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from airflow_legacy_events.core.commands import command
from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.core.lease import FencedBroker, ProvedLease
from airflow_legacy_events.core.model import PLACED, Batch, Delivered, Messages, MetTopics, Watermark
from airflow_legacy_events.core.ports import Broker, Lease, Observer, Source, WatermarkStore
from airflow_legacy_events.core.publishing import Publisher
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
        self._name, self._source, self._lease = name, source, ProvedLease(lease)
        self._broker, self._topics = FencedBroker(broker, self._lease), WrittenTopics(broker, name, clock)
        self._store, self._observers, self._clock = store, tuple(observers), clock
        self._publisher = Publisher(
            source,
            self._broker,
            stream=stream,
            dead_letter_topic=dead_letter_topic,
            log=log or logging.getLogger(__name__),
        )
        self._facts: dict[str, Any] = {}
        self._receipt_bytes = 0
        self._saved: Watermark | None = None
        self._confirmed: Watermark | None = None
        self._acknowledged = self._wrote = False
        self._last_save = float("-inf")

    @property
    def delivered(self) -> Delivered:
        """See `Delivery.delivered`."""
        return self._publisher.delivered

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

    def require(self, topics: Sequence[str]) -> MetTopics:
        """See `Delivery.require`."""
        self._broker.require(topics)
        ids = {name: found for name in topics if (found := self._broker.topic_id(name)) is not None}
        return MetTopics(tuple(self._broker.compacted(topics)), ids)

    def begin(self, facts: Mapping[str, Any]) -> None:
        """See `Delivery.begin`; this save does not delay the next one."""
        self._facts = dict(facts)
        if self._saved is None:
            self._write(Watermark(None, None, self._facts))

    def acknowledge(self, mark: Watermark) -> None:
        """See `Delivery.acknowledge`."""
        self._acknowledge(mark, again=True)

    def deliver(self, batch: Batch, messages: Messages | None) -> None:
        """See `Delivery.deliver`; a batch without rows is saved at once, since it exists for the sake of its save."""
        if messages is not None:
            self._publisher.publish(batch, messages)
        if batch.after is None:
            return
        self._note(self._publisher.confirm(batch))
        due = self._clock() - self._last_save >= SAVE_SECONDS or self._receipt_bytes > RECEIPT_BYTES
        if due or not batch.count:
            self._check_topics()
            self._save()
        if self._publisher.left.full:
            self._publisher.left.check()

    def check(self) -> None:
        """See `Delivery.check`."""
        self._publisher.left.check()

    def close(self) -> None:
        """See `Delivery.close`; reading back detects a store that is hidden or overwritten."""
        self._check_topics(last=True)
        self.rescue()
        if self._wrote and self._store.load(self._name) != self._saved:
            raise WatermarkError(
                f"the watermark of stream {self._name!r} was saved but reads back differently: another writer moved it,"
                " or a secrets backend or environment variable shadows the store. Every message up to it is delivered;"
                f" look at it with {command('show', self._name)}"
            )

    def rescue(self) -> None:
        """See `Delivery.rescue`."""
        self._save()
        if self._acknowledged and self._saved is not None and self._saved.receipt is not None:
            self._write(self._saved._replace(receipt=None))

    def forget(self) -> None:
        """See `Delivery.forget`."""
        self._store.forget(self._name)

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
            observer.saving(new, self.delivered)
        self._store.save(self._name, new, expected=self._saved)
        self._saved, self._acknowledged, self._wrote = new, False, True
        for observer in self._observers:
            observer.saved(new)
