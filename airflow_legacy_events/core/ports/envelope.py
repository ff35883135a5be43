"""Envelope port: how rows become messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from airflow_legacy_events.core.columns import Shape
from airflow_legacy_events.core.model import Batch, Messages, Stream


@runtime_checkable
class Envelope(Protocol):
    """Turns rows into messages."""

    def compile(self, shape: Shape, stream: Stream) -> Callable[[Batch], Messages]:
        """Return the encoder of one shape; it is called for each batch of that shape, in the read-ahead thread.

        It must return one message for each row, in the batch's order, or more than one with `Messages.rows`, or none
        for those that `Messages.merged` names; otherwise the run fails and sends none.

        Raises:
            EnvelopeError: a column can't be encoded; the encoder raises it for a row.
        """
