"""Messages of `PlainEnvelope`: the row alone; also Debezium's flattened ones."""

from __future__ import annotations

from collections.abc import Sequence

from airflow_legacy_events.core.model.changes import DELETE, TRUNCATE, UPSERT, Received
from airflow_legacy_events.core.model.meaning import Fields, Form, Meaning, Wire
from airflow_legacy_events.core.ports.decoder import NotUnderstoodError
from airflow_legacy_events.envelopes.decoders import objects
from airflow_legacy_events.envelopes.decoders.cloudevents import OPS
from airflow_legacy_events.envelopes.decoders.images import row_of

_DELETED, _OP = "__deleted", "__op"
_FLATTENED = "__"


class PlainDecoder:
    """Reads rows as JSON objects. A null value is a delete, and so is one whose `__deleted` is true.

    Members that begin with `__` are those that Debezium adds when it flattens a message; they are no columns.
    https://debezium.io/documentation/reference/stable/transformations/event-flattening.html
    """

    def read(self, received: Received, at: int) -> Meaning | None:
        """See `Decoder.read`."""
        value, id_ = received.values[at], objects.header(received, at, "id")
        op = objects.header(received, at, "op")
        if op is not None and OPS.get(op) == TRUNCATE:
            return Meaning(TRUNCATE, {}, id=id_)
        if value is None:
            return Meaning(DELETE, {}, id=id_)
        found = objects.members(value, "the message")
        deleted = op == "d"
        row = row_of(found, deleted=deleted)
        deleted = deleted or _is_true(row.get(_DELETED)) or _is_text(row.get(_OP), "d")
        kept = objects.names_in(objects.header(received, at, "unchanged"), "the header unchanged")
        fields = {name: one for name, one in row.items() if not name.startswith(_FLATTENED)}
        return Meaning(DELETE if deleted else UPSERT, fields, unchanged=kept, id=id_)

    def key(self, key: bytes, names: Sequence[str]) -> Fields:
        """See `Decoder.key`; Debezium's keys are JSON objects."""
        if key.startswith(b"{"):
            try:
                return objects.fields(key, "the key")
            except NotUnderstoodError:
                pass  # a text that begins like one
        return objects.key_of_texts(key, names)


def _is_true(found: Wire | None) -> bool:
    return found is not None and found.text == "true" and found.form in (Form.TEXT, Form.BOOLEAN)


def _is_text(found: Wire | None, text: str) -> bool:
    return found is not None and found == Wire(Form.TEXT, text)
