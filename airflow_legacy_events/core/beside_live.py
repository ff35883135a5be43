"""Repeats into the topic of the live stream: rows that changed meanwhile are sent again after each batch."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, TypeAlias

from airflow_legacy_events.core.model import Batch, Payload, Watermark
from airflow_legacy_events.core.ports import Delivery, Source
from airflow_legacy_events.core.stop import Stop

Deliver: TypeAlias = Callable[[Batch, Any], None]


class BesideLive:
    """Delivers the batches of a repeat, each followed by newer versions that the live stream may have sent earlier.

    The progress moves past a batch only once none of its rows is overtaken. If a try dies before that, the next one
    sends the batch again.

    Args:
        delivery: of the run.
        source: of the batches.
        encode: makes the messages of rows that were read again; called only in this thread.
        stop: ends the run between two batches; the batch is then left to the next try.
        begun: the progress that was loaded; None if there was none.
    """

    def __init__(
        self,
        delivery: Delivery,
        source: Source,
        encode: Callable[[Batch], Payload],
        stop: Stop,
        begun: Watermark | None,
    ) -> None:
        self._delivery, self._source, self._encode, self._stop = delivery, source, encode, stop
        self._before = Watermark(None if begun is None else begun.values, None, {})

    def deliver(self, batch: Batch, messages: Payload | None) -> None:
        """Deliver a batch, then the rows of it that changed since they were read, until there are none.

        Raises:
            LegacyEventsError: as `Delivery.deliver` and `Source.overtaken`.
        """
        if messages is not None:
            self._send(batch, messages)
            for more in self._source.overtaken(batch):
                if self._stop.requested:
                    return
                self._send(more, self._encode(more))
        self._delivery.deliver(batch, None)
        self._before = batch.watermark

    def _send(self, batch: Batch, messages: Payload) -> None:
        self._delivery.deliver(dataclasses.replace(batch, after=self._before), messages)
