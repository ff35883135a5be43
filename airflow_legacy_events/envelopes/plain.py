"""Plain JSON: only the row as one object; the event id is a header."""

from __future__ import annotations

from collections.abc import Callable

from airflow_legacy_events.core.columns import Shape
from airflow_legacy_events.core.made import made_by
from airflow_legacy_events.core.model import Batch, Messages, Stream
from airflow_legacy_events.envelopes.compiler import compile_plan
from airflow_legacy_events.envelopes.plan import Member, Plan, Slot
from airflow_legacy_events.envelopes.planning import make_plan

CONTENT_TYPE = ("content-type", "application/json")


class PlainEnvelope:
    """Every row as a JSON object of its columns, with the headers `id` and `content-type`."""

    def __repr__(self) -> str:
        """See `core.made.made_by`."""
        return made_by(type(self))

    def plan(self, shape: Shape, stream: Stream) -> Plan:
        """Return the encoding plan of one shape as plain data.

        Raises:
            EnvelopeError: a column is not supported, or names collide.
        """
        message = (Member("", Slot.DATA, ""),)
        return make_plan(shape, stream, message=message, headers=(CONTENT_TYPE,), each=(("id", Slot.ID),))

    def compile(self, shape: Shape, stream: Stream) -> Callable[[Batch], Messages]:
        """See `core.ports.Envelope`."""
        return compile_plan(self.plan(shape, stream))
