"""Decoder of Debezium's messages."""

from __future__ import annotations

import binascii
from collections.abc import Mapping, Sequence

from airflow_legacy_events.core.model.changes import DELETE, TRUNCATE, UPSERT, Received
from airflow_legacy_events.core.model.meaning import Fields, Form, Meaning, TableOf, Wire
from airflow_legacy_events.core.ports.decoder import NotUnderstoodError
from airflow_legacy_events.envelopes.decoders import objects
from airflow_legacy_events.envelopes.decoders.debezium.schemas import Schemas, Semantics

UNAVAILABLE = "__debezium_unavailable_value"
"""Debezium's default of `unavailable.value.placeholder`, for a value that the log left out."""

_OPS: Mapping[str, str] = {"c": UPSERT, "u": UPSERT, "r": UPSERT, "d": DELETE, "t": TRUNCATE}
_MESSAGE = "m"
_OLD_KEY = "__debezium.oldkey"
_WRAPPED = frozenset({"schema", "payload"})
_NO_SEMANTICS: Semantics = {}


class DebeziumDecoder:
    """Reads change events, https://debezium.io/documentation/reference/stable/connectors/postgresql.html.

    Heartbeats, transaction marks, statements and logical messages say nothing about rows.

    Args:
        unavailable: placeholder of values that the source left out.
    """

    def __init__(self, unavailable: str = UNAVAILABLE) -> None:
        self._schemas = Schemas()
        encoded = binascii.b2a_base64(unavailable.encode(), newline=False).decode()
        self._unavailable = {Wire(Form.TEXT, unavailable), Wire(Form.TEXT, encoded)}
        self._unavailable |= {Wire(Form.DOCUMENT, f'["{one}"]') for one in (unavailable, encoded)}

    def read(self, received: Received, at: int) -> Meaning | None:
        """See `Decoder.read`."""
        value = received.values[at]
        if value is None:
            return Meaning(DELETE, {})
        event, semantics = self._unwrapped(value, "the message")
        op = objects.text_of(event, "op")
        if op is None and "after" in event:
            raise NotUnderstoodError("NOT_JSON", "it is no change event of Debezium: it has no op")
        if op is None or op == _MESSAGE:
            return None
        if op not in _OPS:
            raise NotUnderstoodError("VALUE", "the member op is none of c, u, r, d, t and m")
        table = _table(event)
        if _OPS[op] == TRUNCATE:
            return Meaning(TRUNCATE, {}, table)
        image = event.get("before" if op == "d" else "after")
        row = None if image is None else objects.optional_fields(image, "the image of the row")
        if row is None and op != "d":
            raise NotUnderstoodError("NOT_JSON", "the event has no image of the row as it is now")
        fields, unchanged = self._available(row or {}, semantics)
        return Meaning(_OPS[op], fields, table, unchanged, self._old_key(received, at))

    def key(self, key: bytes, names: Sequence[str]) -> Fields:
        """See `Decoder.key`; a key that is no object is its one value."""
        if not key.startswith(b"{"):
            return objects.key_of_texts(key.strip(b'"'), names)
        found, semantics = self._unwrapped(key, "the key")
        return _meant(objects.wires(found, "the key"), semantics)

    def _unwrapped(self, value: bytes, what: str) -> tuple[objects.Members, Semantics]:
        """Return the payload, and the semantics of its rows if the message has a schema."""
        found = objects.members(value, what)
        if found.keys() != _WRAPPED:
            return found, _NO_SEMANTICS
        payload = objects.members(found["payload"], what)
        schema = found["schema"]
        return payload, _NO_SEMANTICS if bytes(schema) == b"null" else self._schemas.of_row(schema)

    def _available(self, row: Fields, semantics: Semantics) -> tuple[Fields, Sequence[str]]:
        missing = [name for name, one in row.items() if one in self._unavailable]
        there = {name: one for name, one in row.items() if name not in missing} if missing else row
        return _meant(there, semantics), missing

    def _old_key(self, received: Received, at: int) -> Fields | None:
        found = objects.header(received, at, _OLD_KEY)
        return None if found is None else self.key(found.encode(), ())


def _meant(row: Fields, semantics: Semantics) -> Fields:
    if not semantics:
        return row
    return {
        name: one if one is None or (semantic := semantics.get(name)) is None else semantic(one)
        for name, one in row.items()
    }


def _table(event: objects.Members) -> TableOf:
    source = event.get("source")
    if source is None:
        return TableOf()
    found = objects.members(source, "the member source")
    return TableOf(*(objects.text_of(found, name) for name in ("table", "schema", "db")))
