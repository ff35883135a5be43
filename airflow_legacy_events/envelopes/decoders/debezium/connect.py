"""Messages of Connect's JSON converter: alone, or as the payload beside their schema."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_legacy_events.core.model.meaning import Fields
from airflow_legacy_events.core.ports.decoder import NotUnderstoodError
from airflow_legacy_events.core.ports.target import NewColumn
from airflow_legacy_events.envelopes.decoders import objects
from airflow_legacy_events.envelopes.decoders.debezium.schemas import Schemas, Semantics

NO_SEMANTICS: Semantics = {}

_WRAPPED = frozenset({"schema", "payload"})


class Connect:
    """Takes messages out of their wrapping, and knows the schemas that it has seen."""

    def __init__(self) -> None:
        self._schemas = Schemas()

    def unwrapped(self, value: bytes, what: str) -> tuple[objects.Members, Semantics]:
        """Return the payload, and the semantics of its rows if the message has a schema.

        Raises:
            NotUnderstoodError: it is no JSON object, or its schema is none.
        """
        found = objects.members(value, what)
        if found.keys() != _WRAPPED:
            return found, NO_SEMANTICS
        payload, schema = found["payload"], found["schema"]
        if bytes(schema) == b"null":
            return objects.members(payload, what), NO_SEMANTICS
        if not bytes(schema).startswith(b"{"):  # a row whose columns have these names
            return found, NO_SEMANTICS
        return objects.members(payload, what), self._schemas.of_row(schema).semantics

    def columns(self, value: bytes | None) -> Mapping[str, NewColumn]:
        """Return the columns that the schema of a message describes, by field; {} if it has none."""
        found = {} if value is None else objects.members(value, "the message")
        if found.keys() != _WRAPPED or not bytes(found["schema"]).startswith(b"{"):
            return {}
        return self._schemas.of_row(found["schema"]).columns


def meant(row: Fields, semantics: Semantics) -> Fields:
    """Return a row whose values are what its schema says.

    Raises:
        NotUnderstoodError: a value is not what its schema says; the reason names the field.
    """
    if not semantics:
        return row
    found = dict(row)
    for name, semantic in semantics.items():
        value = row.get(name)
        if value is not None:
            try:
                found[name] = semantic(value)
            except NotUnderstoodError as error:
                raise NotUnderstoodError(error.error, f"field {name!r}: {error}") from None
    return found
