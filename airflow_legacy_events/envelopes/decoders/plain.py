"""Messages of `PlainEnvelope`: the row alone; also Debezium's flattened ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from airflow_legacy_events.core.model.changes import DELETE, TRUNCATE, UPSERT, Received
from airflow_legacy_events.core.model.meaning import Fields, Form, Meaning, TableOf
from airflow_legacy_events.core.ports.decoder import NotUnderstoodError
from airflow_legacy_events.core.ports.target import NewColumn
from airflow_legacy_events.envelopes.decoders import objects
from airflow_legacy_events.envelopes.decoders.cloudevents import OPS, snapshot_of
from airflow_legacy_events.envelopes.decoders.debezium.connect import NO_SEMANTICS, Connect, meant
from airflow_legacy_events.envelopes.decoders.images import row_of

_DELETED, _OP = "__deleted", "__op"
_FLATTENED = "__"
_OF_TABLE = ("__source_table", "__source_schema", "__source_db")
_PLACES = ("__table", "__schema", "__db")
_READ = "r"


class PlainDecoder:
    """Reads rows as JSON objects. A null value is a delete, and so is one whose `__deleted` is true.

    Members that begin with `__` are those that Debezium adds when it flattens a message; they are no columns. A row
    with the schema of Connect's JSON converter is read by it.
    https://debezium.io/documentation/reference/stable/transformations/event-flattening.html
    """

    schemaless = True
    """Whether a number may stand for a time, and base64 for a decimal, where the user says so."""

    truncates_everywhere = True
    """Whether a truncate comes on every partition of its topic."""

    def __init__(self) -> None:
        self._connect = Connect()

    def read(self, received: Received, at: int) -> Meaning | None:
        """See `Decoder.read`."""
        value, id_ = received.values[at], objects.header(received, at, "id")
        op = objects.header(received, at, "op")
        if op is not None and OPS.get(op) == TRUNCATE:
            return Meaning(TRUNCATE, {}, id=id_, said=op)
        if value is None:
            return Meaning(DELETE, {}, id=id_, said=op)
        found, semantics = self._connect.unwrapped(value, "the message")
        row = meant(row_of(found, deleted=op == "d"), semantics)
        said = op or _said(row)
        kept = objects.names_in(objects.header(received, at, "unchanged"), "the header unchanged")
        fields = {name: one for name, one in row.items() if not name.startswith(_FLATTENED)}
        flattened = len(fields) < len(row)
        return Meaning(
            DELETE if said == "d" else UPSERT,
            fields,
            TableOf(*(_text(row, *names) for names in zip(_OF_TABLE, _PLACES, strict=True))),
            unchanged=kept,
            id=id_,
            said=said,
            snapshot=snapshot_of(id_) if said == _READ else None,
            typed=not flattened or semantics is not NO_SEMANTICS,
        )

    def columns(self, received: Received, at: int) -> Mapping[str, NewColumn]:
        """Return the columns that the schema of a message describes, by field; {} if it has none."""
        return self._connect.columns(received.values[at])

    def key(self, key: bytes, names: Sequence[str]) -> Fields:
        """See `Decoder.key`; Debezium's keys are JSON objects."""
        if key.startswith(b"{"):
            try:
                found, semantics = self._connect.unwrapped(key, "the key")
                return meant(objects.wires(found, "the key"), semantics)
            except NotUnderstoodError:
                pass  # a text that begins like one
        return objects.key_of_texts(key, names)


def _said(row: Fields) -> str | None:
    """Return the operation that Debezium's flattened row names."""
    deleted = row.get(_DELETED)
    if deleted is not None and deleted.text == "true" and deleted.form in (Form.TEXT, Form.BOOLEAN):
        return "d"
    said = _text(row, _OP)
    return said if said in OPS else None


def _text(row: Fields, *names: str) -> str | None:
    """Return the text of the first field that there is."""
    found = next((row[name] for name in names if name in row), None)
    return found.text if found is not None and found.form is Form.TEXT else None
