"""Repeats into the topic of the live stream: what has changed meanwhile is sent again behind each batch."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TypeAlias

from airflow_legacy_events.core.model import Batch, Messages, Watermark
from airflow_legacy_events.core.ports import Delivery, Source
from airflow_legacy_events.core.stop import Stop

Deliver: TypeAlias = Callable[[Batch, Messages | None], None]


class BesideLive:
    """Delivers batches of a repeat, each followed by what the live stream may have sent before it.

    The progress passes a batch only once none of its rows is overtaken: a try that dies before sends the batch again.

    Args:
        delivery: of the run.
        source: that gave the batches.
        encode: makes the messages of rows that were read again; called in this thread alone.
        stop: ends the run between two batches; then the batch is the next try's.
        begun: the progress that was loaded; None where there was none.
    """

    def __init__(
        self,
        delivery: Delivery,
        source: Source,
        encode: Callable[[Batch], Messages],
        stop: Stop,
        begun: Watermark | None,
    ) -> None:
        self._delivery, self._source, self._encode, self._stop = delivery, source, encode, stop
        self._before = Watermark(None if begun is None else begun.values, None, {})

    def deliver(self, batch: Batch, messages: Messages | None) -> None:
        """Deliver a batch, then its rows that have changed since they were read, until none has.

        Raises:
            LegacyEventsError: as `Delivery.deliver` and `Source.overtaken`.
        """
        if messages is not None:
            self._send(batch, messages)
            for more in self._source.overtaken(batch):
                if self._stop.requested:
                    return
                self._send(more, self._encode(more))
        self._delivery.deliver(dataclasses.replace(batch, rows=[], count=0), None)
        self._before = batch.after

    def _send(self, batch: Batch, messages: Messages) -> None:
        self._delivery.deliver(dataclasses.replace(batch, after=self._before), messages)
