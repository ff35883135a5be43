"""Plain JSON: only the row as one object; the event id is a header."""

from __future__ import annotations

from collections.abc import Callable

from airflow_legacy_events.core.columns import Shape
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.made import made_by
from airflow_legacy_events.core.model import Batch, Messages, Stream
from airflow_legacy_events.envelopes.compiler import compile_plan
from airflow_legacy_events.envelopes.plan import Deletes, Member, Plan, Slot
from airflow_legacy_events.envelopes.planning import make_plan, without_rows

CONTENT_TYPE = ("content-type", "application/json")


class PlainEnvelope:
    """Every row as a JSON object of its columns, with the headers `id` and `content-type`.

    Messages of a change log also have the headers `op` and, where an update left columns out, `unchanged` with their
    names as a JSON array. A deleted row is a tombstone: its key without a value. A truncated table is the JSON `null`
    without a key.
    """

    def __repr__(self) -> str:
        """See `core.made.made_by`."""
        return made_by(type(self))

    def plan(self, shape: Shape, stream: Stream) -> Plan:
        """Return the encoding plan of one shape as plain data.

        Raises:
            EnvelopeError: a column is not supported, or names collide.
            ConfigurationError: tombstones are not wanted.
        """
        if stream.tombstones is False:
            raise ConfigurationError(
                "envelope='plain' with tombstones=False can't send a delete: leave tombstones= out, or use"
                " envelope='cloudevents'. A plain message holds the row alone, so only a tombstone says that it is gone"
            )
        each = [("id", Slot.ID)]
        each += [("op", Slot.OP)] if shape.table is not None else []
        each += [("unchanged", Slot.UNCHANGED)] if shape.unchanged is not None else []
        return make_plan(
            shape,
            without_rows(shape, stream),
            message=(Member("", Slot.DATA, ""),),
            headers=(CONTENT_TYPE,),
            each=tuple(each),
            deletes=Deletes.TOMBSTONE,
        )

    def compile(self, shape: Shape, stream: Stream) -> Callable[[Batch], Messages]:
        """See `core.ports.Envelope`."""
        return compile_plan(self.plan(shape, stream))
