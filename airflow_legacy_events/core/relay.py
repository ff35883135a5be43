"""Relay: the main loop. Publishing, saving and acknowledging a batch is in `core.delivery`.

    lock -> load -> open (guard, checks, horizon) -> acknowledge again -> for each batch of a bounded read-ahead:
        encode -> deliver: publish and confirm -> save -> acknowledge

The source is opened before a receipt is acknowledged again. A connection that now points to another database is
therefore detected before anything is deleted or advanced there.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

from airflow_legacy_events.core import guard, topic_identity, waiting_rows
from airflow_legacy_events.core.beside_live import BesideLive, Deliver
from airflow_legacy_events.core.collector import SWEEP_BATCHES, rare_collections, sweep
from airflow_legacy_events.core.columns import Shape
from airflow_legacy_events.core.completeness import LEVELS, require
from airflow_legacy_events.core.errors import EnvelopeError, SourceError, StoppedError
from airflow_legacy_events.core.limits import Limits, Pace
from airflow_legacy_events.core.model import Batch, Horizon, Payload, Repeat, Stream, Watermark, listed
from airflow_legacy_events.core.ports import Delivery, Envelope, KeepsRows, Lease, LogSource, MakeDelivery, Source
from airflow_legacy_events.core.progress import Progress
from airflow_legacy_events.core.read_ahead import ReadAhead
from airflow_legacy_events.core.report import Report
from airflow_legacy_events.core.stop import Stop

LARGE_BYTES = 2 * 2**20
"""No batch is read ahead during one with a larger message: message and row may each take four bytes a character."""

Encoders: TypeAlias = dict[Shape, Callable[[Batch], Payload]]


@dataclass(kw_only=True)
class Relay:
    """Moves the batches of one source to one topic, once.

    Attributes:
        stream: name, topic and formats.
        source: opened, read and acknowledged only by this relay.
        envelope: compiled once per shape.
        delivery: factory of the delivery, which publishes, saves and acknowledges one batch at a time.
        lock: returns the stream's lease as a context.
        facts: of the run, kept with every watermark: topic, cluster, dag, task, run.
        remedies: for facts that differ from the watermark's, where the source knows better ones; see `guard.check`.
        limits: budgets of the run.
        repeat: what is sent again instead of new rows. Its progress is separate from the stream's watermark, which is
            neither read nor moved, and is removed when all of it is delivered. None: a live run.
        completeness: the least that is accepted; a run that reaches less fails before it reads.
        max_horizon_age: how long rows may wait for open transactions; a live run whose rows have waited longer delivers
            what it may, and fails then. None: any time.
        stop: ends the run between two batches once requested.
        clock: monotonic seconds, for budgets and durations.
        report: filled during the run; valid also after a failure.
    """

    stream: Stream
    source: Source
    envelope: Envelope
    delivery: MakeDelivery
    lock: Callable[[], AbstractContextManager[Lease]]
    facts: Mapping[str, Any] = field(default_factory=dict)
    remedies: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    repeat: Repeat | None = None
    completeness: str = LEVELS[0]
    max_horizon_age: dt.timedelta | None = None
    stop: Stop = field(default_factory=Stop)
    clock: Callable[[], float] = time.monotonic
    log: logging.Logger = field(default_factory=lambda: logging.getLogger(__name__))

    def __post_init__(self) -> None:
        self.report = Report(self.stream.name)
        self._encoders: Encoders = {}
        if self.repeat is not None:
            self.report.mode, self.report.window = self.repeat.mode, self.repeat.window
            self.max_horizon_age = None

    def run(self) -> Report:
        """Deliver all rows above the watermark up to a target fixed at the start.

        Raises:
            LegacyEventsError: the run failed or was stopped. Everything confirmed is saved, unless the lease was lost
                or the store failed; `report` shows how far the run came.
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
        delivery = self.delivery(name, self.source, lease)
        at = self._own(delivery.load())
        horizon, batches = self.source.open(at, None if self.repeat is None else self.repeat.what)
        if horizon.timezone is not None:
            self.stream = self.stream._replace(source_timezone=horizon.timezone)
        if horizon.shape is not None:
            self._encoder(self._encoders, horizon.shape)
        facts = {**self.facts, **topic_identity.kept(at, self.facts), **horizon.facts}
        if at is not None and self.repeat is None:
            guard.check_alone(name, at.facts, facts)
        self._announce(at, horizon)
        require(name, self.completeness, horizon.completeness, horizon.reason)
        waiting_rows.refuse_unseen(self.stream.name, horizon, self.max_horizon_age)
        if horizon.topics:
            found = delivery.require(horizon.topics)
            facts.update({} if horizon.met is None else horizon.met(found))
        delivery.begin(facts)
        pace = Pace(self.limits, self.stop, self.clock)
        try:
            if at is not None:
                delivery.acknowledge(at)
            self._drain(delivery, batches, pace, self._deliver(delivery, at))
        except BaseException as error:
            _rescue(delivery, error)
            raise
        else:
            self._close(delivery, lease, pace)
            self._count_left(horizon, delivery)
            waiting_rows.refuse_old(self.stream.name, horizon, self.max_horizon_age)
        finally:
            self.report.watermark_to = listed(delivery.values)
            self._describe_log()

    def _describe_log(self) -> None:
        """Add the state of a change log to the report. A run that was delivered does not fail by it."""
        if isinstance(self.source, LogSource):
            if (lowered := self.source.lowered()) is not None:
                self.report.completeness, self.report.completeness_reason = lowered
            try:
                self.report.log = dict(self.source.report())
            except SourceError as error:
                self.log.warning("the state of the change log could not be read: %s", error)

    def _close(self, delivery: Delivery, lease: Lease, pace: Pace) -> None:
        delivery.close()
        try:
            if self.repeat is None:
                if isinstance(self.source, KeepsRows):
                    self.source.reached(delivery.values)
                backlog = self.source.finish(lease, lambda: pace.over or self.stop.requested)
                self.report.backlog = None if backlog is None else backlog._asdict()
            elif self.report.target_reached:
                delivery.forget()
        finally:
            delivery.check()

    def _own(self, stored: Watermark | None) -> Watermark | None:
        """Return the loaded watermark after checking that it is this run's; progress of another repeat is ignored."""
        if stored is None or (self.repeat is not None and not self._same(stored.facts)):
            return None
        self.report.watermark_from = self.report.watermark_to = listed(stored.values)
        guard.check(self.stream.name, stored.facts, self.facts, self.remedies)
        guard.warn_of_others(self.log, self.stream.name, stored.facts, self.facts)
        return topic_identity.owned(self.stream.name, stored, self.facts, self.log)

    def _same(self, stored: Mapping[str, Any]) -> bool:
        return guard.same(stored, self.facts) and topic_identity.same(stored, self.facts)

    def _announce(self, stored: Watermark | None, horizon: Horizon) -> None:
        report = self.report
        report.horizon = report.watermark_from if horizon.target is None else list(horizon.target)
        report.completeness, report.completeness_reason = horizon.completeness, horizon.reason
        report.table_reset = None if horizon.table_reset is None else dict(horizon.table_reset)
        self.log.info(
            "%s: from %s to %s",
            self.stream.name,
            "the beginning" if stored is None or stored.values is None else "the stored watermark",
            "a target above it" if horizon.target is not None else "nothing new",
        )
        if (held := horizon.held_back) is not None:
            report.held_back = held._asdict()
            waiting_rows.announce(self.log, self.stream.name, held)

    def _count_left(self, horizon: Horizon, delivery: Delivery) -> None:
        """Count the rows that a budget left, for the report. All is saved by then, so a failure is only logged."""
        if self.repeat is None and not self.report.target_reached and horizon.left is not None and delivery.values:
            try:
                self.report.rows_left = horizon.left(delivery.values)
            except SourceError as error:
                self.log.warning("the rows that are left could not be counted: %s", error)

    def _deliver(self, delivery: Delivery, at: Watermark | None) -> Deliver:
        """Return the function that delivers a batch: the plain one, or the one beside the live stream."""
        if self.repeat is None or not self.repeat.beside_live:
            return delivery.deliver
        encoders: Encoders = {}  # separate: an encoder may keep state, and `_encoders` belongs to the read-ahead thread
        return BesideLive(delivery, self.source, partial(self._encode, encoders), self.stop, at).deliver

    def _drain(self, delivery: Delivery, batches: Iterator[Batch], pace: Pace, deliver: Deliver) -> None:
        report = self.report
        progress = Progress(self.log, self.stream.name)
        reached = whole = True
        number = 0
        with ReadAhead(self._encoded(batches), self.stop, alone=_is_large) as blocks:
            for batch, messages in blocks:
                number += 1
                try:
                    deliver(batch, messages)
                finally:
                    report.count(delivery.delivered)
                if number % SWEEP_BATCHES == 0:
                    sweep()
                reached, whole = batch.final, batch.after is not None
                progress.show(report.rows, batch.share)
                if not reached and pace.over and whole and not batch.split:
                    break
                del batch, messages
                if not reached:
                    pace.keep(report.rows)
        if self.stop.requested:
            raise StoppedError(
                f"stream {self.stream.name!r} was stopped after {report.rows} rows; they are delivered and saved, and"
                " the next run continues from there"
            )
        if not whole:
            raise SourceError(
                f"the source of stream {self.stream.name!r} ended with a batch that has no watermark, so its rows are"
                " not confirmed; the next run sends them again. A source must end with a batch that has one"
            )
        report.target_reached = reached

    def _encoded(self, batches: Iterator[Batch]) -> Generator[tuple[Batch, Payload | None], None, None]:
        for batch in batches:
            messages = self._encode(self._encoders, batch) if batch.count else None
            yield batch, messages
            del batch, messages  # free memory: they may be large, and the next ones are read now

    def _encode(self, encoders: Encoders, batch: Batch) -> Payload:
        try:
            messages = self._encoder(encoders, batch.shape)(batch).checked(batch)
        except EnvelopeError as error:
            if batch.shape.table is None:
                raise
            raise EnvelopeError(f"table {batch.shape.table!r}: {error}") from None
        if self.repeat is not None:
            messages.repeated(self.repeat.mode)
        return messages

    def _encoder(self, encoders: Encoders, shape: Shape) -> Callable[[Batch], Payload]:
        if shape not in encoders:
            encoders[shape] = self.envelope.compile(shape, self.stream._replace(**dict[str, Any](shape.stream)))
        return encoders[shape]


def _is_large(item: tuple[Batch, Payload | None]) -> bool:
    """Whether a batch takes so much memory that no other may be read meanwhile."""
    return item[1] is not None and item[1].longest > LARGE_BYTES


def _rescue(delivery: Delivery, error: BaseException) -> None:
    try:
        delivery.rescue()
    except Exception as second:  # noqa: BLE001  a custom store may raise anything; the first error is re-raised
        error.add_note(f"and what was confirmed could not be saved: {second}")
