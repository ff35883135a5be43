"""The one loop. Delivery semantics live here and nowhere else.

    lock -> load -> re-acknowledge -> open -> for each batch of a bounded read-ahead:
        encode -> publish and confirm -> save -> acknowledge

At-least-once: a crash between two steps repeats what was published since the last save, with equal ids, and
loses nothing, since nothing is saved before it is confirmed and nothing acknowledged before it is saved.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from airflow_legacy_events.core import guard
from airflow_legacy_events.core.collector import SWEEP_BATCHES, rare_collections, sweep
from airflow_legacy_events.core.columns import Shape
from airflow_legacy_events.core.dead_letters import dead_letters
from airflow_legacy_events.core.errors import DeliveryError, EnvelopeError, StoppedError
from airflow_legacy_events.core.ledger import Ledger
from airflow_legacy_events.core.limits import Limits, Pace
from airflow_legacy_events.core.model import Batch, Horizon, Messages, Rejection, Repeat, Stream, Watermark, listed
from airflow_legacy_events.core.ports import Broker, Envelope, Lease, Source, WatermarkStore
from airflow_legacy_events.core.progress import Progress
from airflow_legacy_events.core.read_ahead import ReadAhead
from airflow_legacy_events.core.report import Report
from airflow_legacy_events.core.stop import Stop


@dataclass(kw_only=True)
class Relay:
    """Moves the batches of one source to one topic, once.

    Attributes:
        stream: what is moved, where to.
        source: opened, read and acknowledged by this relay alone.
        envelope: compiled once per shape.
        broker: already open; the relay publishes one batch at a time and waits for its fate.
        store: where the watermark lies.
        lock: gives the stream's lease as a context.
        facts: of the run, kept with every watermark: topic, cluster, dag, task, run.
        dead_letter_topic: where rejected messages go; None: a rejection fails the run.
        limits: budgets of the run.
        repeat: what is sent again instead of what is new; its progress is kept apart from the stream's watermark,
            which is neither read nor moved, and removed when all of it is delivered. None: a live run.
        stop: ends the run at a batch border once requested.
        clock: seconds that only grow; of what is due and what is over.
        report: filled while the run works; true also after a failure.
    """

    stream: Stream
    source: Source
    envelope: Envelope
    broker: Broker
    store: WatermarkStore
    lock: Callable[[], AbstractContextManager[Lease]]
    facts: Mapping[str, Any] = field(default_factory=dict)
    dead_letter_topic: str | None = None
    limits: Limits = field(default_factory=Limits)
    repeat: Repeat | None = None
    stop: Stop = field(default_factory=Stop)
    clock: Callable[[], float] = time.monotonic
    log: logging.Logger = field(default_factory=lambda: logging.getLogger(__name__))

    def __post_init__(self) -> None:
        self.report = Report(self.stream.name)
        self._encoders: dict[Shape, Callable[[Batch], Messages]] = {}
        if self.repeat is not None:
            self.report.mode, self.report.window = self.repeat.mode, self.repeat.window

    def run(self) -> Report:
        """Deliver everything above the watermark up to a target fixed at the start.

        Raises:
            LegacyEventsError: the run failed or was stopped; everything confirmed is saved, unless the lease was
                lost or the store failed, and `report` says how far it came.
        """
        started = self.clock()
        try:
            with rare_collections(), self.lock() as lease:
                self._run(lease)
        finally:
            self.report.seconds = round(self.clock() - started, 6)
        return self.report

    def _run(self, lease: Lease) -> None:
        name = self.stream.name if self.repeat is None else self.repeat.progress
        stored = self.store.load(name)
        at = self._own(stored)
        if at is not None and at.receipt is not None:
            lease.check()
            self.source.acknowledge(at.receipt)
        horizon = self.source.open(at, None if self.repeat is None else self.repeat.what)
        if horizon.shape is not None:
            self._encoder(horizon.shape)
        self._announce(at, horizon)
        facts = {**self.facts, **horizon.facts}
        ledger = Ledger(
            name, store=self.store, source=self.source, lease=lease, facts=facts, saved=stored, clock=self.clock
        )
        if stored is None:
            ledger.begin()
        try:
            self._drain(ledger)
        except BaseException as error:
            self._rescue(ledger, error)
            raise
        else:
            ledger.close()
            if self.repeat is not None and self.report.target_reached:
                self.store.forget(name)
        finally:
            self.report.watermark_to = listed(ledger.values)

    def _own(self, stored: Watermark | None) -> Watermark | None:
        """The watermark that was loaded, once it is this run's to go on from; another's progress counts for nothing."""
        if stored is None or (self.repeat is not None and not guard.same(stored.facts, self.facts)):
            return None
        self.report.watermark_from = self.report.watermark_to = listed(stored.values)
        guard.check(self.stream.name, stored.facts, self.facts)
        guard.warn_of_others(self.log, self.stream.name, stored.facts, self.facts)
        return stored

    def _announce(self, stored: Watermark | None, horizon: Horizon) -> None:
        report = self.report
        report.horizon = report.watermark_from if horizon.target is None else list(horizon.target)
        report.completeness, report.completeness_reason = horizon.completeness, horizon.reason
        self.log.info(
            "%s: from %s to %s, %s (%s)",
            self.stream.name,
            "the beginning" if stored is None or stored.values is None else "the stored watermark",
            "a target above it" if horizon.target is not None else "nothing new",
            horizon.completeness,
            horizon.reason,
        )

    def _drain(self, ledger: Ledger) -> None:
        report, pace = self.report, Pace(self.limits, self.stop, self.clock)
        progress = Progress(self.log, self.stream.name)
        reached = True
        with ReadAhead(self._encoded(), self.stop) as blocks:
            for number, (batch, messages) in enumerate(blocks, 1):
                if messages is not None:
                    self._publish(batch, messages)
                ledger.confirmed(batch.after)
                if number % SWEEP_BATCHES == 0:
                    sweep()
                reached = batch.final
                progress.show(report.rows, batch.share)
                if not reached and pace.over:
                    break
                if not reached:
                    pace.keep(report.rows)
        if self.stop.requested:
            raise StoppedError(
                f"stream {self.stream.name!r} was stopped after {report.rows} rows; they are delivered and saved,"
                " the next run goes on from there"
            )
        report.target_reached = reached

    def _encoded(self) -> Generator[tuple[Batch, Messages | None], None, None]:
        for batch in self.source.batches():
            if not batch.count:
                yield batch, None
                continue
            messages = _complete(self._encoder(batch.shape)(batch), batch)
            if self.repeat is not None:
                messages.headers = (*messages.headers, ("mode", self.repeat.mode))
            yield batch, messages

    def _encoder(self, shape: Shape) -> Callable[[Batch], Messages]:
        if shape not in self._encoders:
            self._encoders[shape] = self.envelope.compile(shape, self.stream)
        return self._encoders[shape]

    def _publish(self, batch: Batch, messages: Messages) -> None:
        self.broker.publish(messages)
        rejections = self.broker.confirm()
        report, events = self.report, batch.count - len(rejections)
        refused = {rejection.index for rejection in rejections}
        report.rows += events
        report.events += events
        report.bytes += messages.size(refused)
        report.topics[messages.topic] = report.topics.get(messages.topic, 0) + events
        if rejections:
            self._bury(batch, messages, rejections)
            report.rows += len(rejections)
            report.rejected += len(rejections)
        report.batches += 1

    def _bury(self, batch: Batch, messages: Messages, rejections: Sequence[Rejection]) -> None:
        first, count = rejections[0], len(rejections)
        found = (
            f"{count} of {batch.count} messages were rejected by topic {messages.topic!r}; first: message"
            f" {first.index} of the batch, {first.error}: {first.reason}"
        )
        if self.dead_letter_topic is None:
            raise DeliveryError(
                f"{found}. Nothing was skipped and the watermark stays below them: raise the topic's limit, leave the"
                " column out with exclude_columns=, or name a dead_letter_topic=",
                rejected=rejections,
            )
        self.log.warning("%s; sending them to %s", found, self.dead_letter_topic)
        letters = dead_letters(self.dead_letter_topic, self.stream.name, batch, messages, rejections)
        self.broker.publish(letters)
        if refused := self.broker.confirm():
            raise DeliveryError(
                f"{found}. The dead-letter topic {self.dead_letter_topic!r} rejected {len(refused)} of them too:"
                f" {refused[0].error}: {refused[0].reason}. Raise its max.message.bytes",
                rejected=refused,
            )

    def _rescue(self, ledger: Ledger, error: BaseException) -> None:
        try:
            ledger.settle()
        except Exception as second:  # noqa: BLE001  a store is anybody's; the first error goes on
            error.add_note(f"and what was confirmed could not be saved: {second}")


def _complete(messages: Messages, batch: Batch) -> Messages:
    keys, values = len(messages.keys), len(messages.values)
    if keys == values == batch.count:
        return messages
    raise EnvelopeError(
        f"the envelope gave {keys} keys and {values} values for a batch of {batch.count} rows; nothing of it was sent."
        " An envelope must give one message for each row, in its order"
    )
