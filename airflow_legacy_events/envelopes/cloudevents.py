"""CloudEvents 1.0 in JSON: structured (attributes and row in one object) or binary (attributes in headers).

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md
"""

from __future__ import annotations

from collections.abc import Callable

from airflow_legacy_events.core.columns import Shape
from airflow_legacy_events.core.made import made_by
from airflow_legacy_events.core.model import Batch, Messages, Stream
from airflow_legacy_events.envelopes.compiler import compile_plan
from airflow_legacy_events.envelopes.plan import Deletes, Member, Part, Plan, Slot
from airflow_legacy_events.envelopes.planning import constant, make_plan, names_transaction, text, without_rows

CONTENT_TYPE = ("content-type", "application/cloudevents+json; charset=utf-8")
DATA_CONTENT_TYPE = ("content-type", "application/json")


class CloudEventsEnvelope:
    """Every row as a CloudEvent.

    Of a change log, `data` lacks the columns that the log left out; the attribute `unchanged` names those that an
    update did not change, as a JSON array in a text. Where transactions have a topic, the attribute `transactionid`
    names that of the change. A truncated table is an event without subject whose `data` is null. With
    `tombstones=True` a deleted row's event is followed by a message with the same key and no value.

    Args:
        binary: whether the value is only the row and the attributes are `ce_` headers; each header costs about one
            CPU second per million messages.
        content_type_header: whether messages have the content type header, which the Kafka binding requires; without
            it publishing saves about one CPU second per million messages.
    """

    def __init__(self, *, binary: bool = False, content_type_header: bool = True) -> None:
        self._binary, self._content_type_header = binary, content_type_header

    def __repr__(self) -> str:
        """See `core.made.made_by`."""
        return made_by(type(self), binary=self._binary, content_type_header=self._content_type_header)

    def plan(self, shape: Shape, stream: Stream) -> Plan:
        """Return the encoding plan of one shape as plain data.

        Raises:
            EnvelopeError: a column is not supported, or names collide.
            ConfigurationError: a template can't be parsed.
        """
        stream = without_rows(shape, stream)
        return self._binary_plan(shape, stream) if self._binary else self._structured_plan(shape, stream)

    def compile(self, shape: Shape, stream: Stream) -> Callable[[Batch], Messages]:
        """See `core.ports.Envelope`."""
        return compile_plan(self.plan(shape, stream))

    def _structured_plan(self, shape: Shape, stream: Stream) -> Plan:
        message = (
            Member('{"specversion":"1.0","id":"', Slot.ID, '"'),
            _attribute(stream, Slot.SOURCE),
            _attribute(stream, Slot.TYPE),
            Member(',"subject":"', Slot.SUBJECT, '"'),
            Member(',"time":"', Slot.TIME, '"'),
            Member(',"datacontenttype":"application/json","op":"', Slot.OP, '"'),
            *((Member(',"unchanged":"', Slot.UNCHANGED, '"'),) if shape.unchanged is not None else ()),
            *((Member(',"transactionid":"', Slot.TRANSACTION, '"'),) if names_transaction(shape, stream) else ()),
            Member(',"data":', Slot.DATA, "}"),
        )
        headers = (CONTENT_TYPE,) if self._content_type_header else ()
        return make_plan(shape, stream, message=message, headers=headers, deletes=_deletes(stream))

    def _binary_plan(self, shape: Shape, stream: Stream) -> Plan:
        fixed = {slot: constant(stream, slot) for slot in (Slot.SOURCE, Slot.TYPE)}
        left_out = {Slot.DATA} if shape.unchanged is not None else {Slot.DATA, Slot.UNCHANGED}
        left_out |= set() if names_transaction(shape, stream) else {Slot.TRANSACTION}
        slots = [slot for slot in Slot if slot not in left_out and fixed.get(slot) is None]
        headers = [("ce_specversion", "1.0"), *((f"ce_{slot}", found) for slot, found in fixed.items() if found)]
        return make_plan(
            shape,
            stream,
            message=(Member("", Slot.DATA, ""),),
            headers=(*((DATA_CONTENT_TYPE,) if self._content_type_header else ()), *headers),
            each=tuple((f"ce_{slot}", slot) for slot in slots),
            deletes=_deletes(stream),
        )


def _deletes(stream: Stream) -> Deletes:
    return Deletes.BOTH if stream.tombstones else Deletes.ROW


def _attribute(stream: Stream, slot: Slot) -> Part:
    found = constant(stream, slot)
    return Member(f',"{slot}":"', slot, '"') if found is None else f',"{slot}":{text(found)}'
