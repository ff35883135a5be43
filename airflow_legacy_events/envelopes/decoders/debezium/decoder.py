"""Decoder of Debezium's messages."""

from __future__ import annotations

import binascii
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from airflow_legacy_events.core.model.changes import DELETE, TRUNCATE, UPSERT, Received
from airflow_legacy_events.core.model.meaning import Fields, Form, Meaning, TableOf, Wire
from airflow_legacy_events.core.ports.decoder import NotUnderstoodError
from airflow_legacy_events.core.ports.target import NewColumn
from airflow_legacy_events.envelopes.decoders import objects
from airflow_legacy_events.envelopes.decoders.debezium.connect import NO_SEMANTICS, Connect, meant
from airflow_legacy_events.envelopes.decoders.debezium.schemas import Semantics

UNAVAILABLE = "__debezium_unavailable_value"
"""Debezium's default of `unavailable.value.placeholder`, for a value that the log left out."""

_OPS: Mapping[str, str] = {"c": UPSERT, "u": UPSERT, "r": UPSERT, "d": DELETE, "t": TRUNCATE}
_MESSAGE = "m"
OLD_KEY, NEW_KEY = "__debezium.oldkey", "__debezium.newkey"
BESIDE = frozenset({"incremental", "false"})
"""Values of `source.snapshot` of rows that are read beside the log, whose connector streams all changes meanwhile."""

FIRST = "first"

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_LONGEST_MILLISECONDS = 14


class DebeziumDecoder:
    """Reads change events, https://debezium.io/documentation/reference/stable/connectors/postgresql.html.

    Heartbeats, transaction marks, statements and logical messages say nothing about rows.

    Args:
        unavailable: placeholder of values that the source left out.

    Attributes:
        unavailable: texts that stand for such values.
    """

    schemaless = True
    """Whether a number may stand for a time, and base64 for a decimal."""

    def __init__(self, unavailable: str = UNAVAILABLE) -> None:
        self._connect = Connect()
        encoded = binascii.b2a_base64(unavailable.encode(), newline=False).decode()
        self.unavailable = (unavailable, encoded)
        self._unavailable = {Wire(Form.TEXT, unavailable), Wire(Form.TEXT, encoded)}
        self._unavailable |= {Wire(Form.DOCUMENT, f'["{one}"]') for one in (unavailable, encoded)}

    def read(self, received: Received, at: int) -> Meaning | None:
        """See `Decoder.read`."""
        value = received.values[at]
        if value is None:
            return Meaning(DELETE, {}, typed=False)
        event, semantics = self._connect.unwrapped(value, "the message")
        op = objects.text_of(event, "op")
        if op is None and not _is_mark(event):
            raise NotUnderstoodError("NOT_JSON", "it is no change event of Debezium: it has no op")
        if op is None or op == _MESSAGE:
            return None
        if op not in _OPS:
            raise NotUnderstoodError("VALUE", "the member op is none of c, u, r, d, t and m")
        source = objects.members(event["source"], "the member source") if "source" in event else {}
        table = TableOf(*(objects.text_of(source, name) for name in ("table", "schema", "db")))
        if _OPS[op] == TRUNCATE:
            return Meaning(TRUNCATE, {}, table, said=op)
        fields, unchanged = self._row(event, op, semantics)
        moved = {} if not received.headers[at] else self._moved(received, at, op)
        snapshot = objects.text_of(source, "snapshot") if op == "r" else None
        return Meaning(
            _OPS[op],
            fields,
            table,
            unchanged,
            time=time_of(source),
            said=op,
            snapshot=None if snapshot is None or snapshot in BESIDE else "",
            begins=snapshot is not None and snapshot.startswith(FIRST),
            typed=semantics is not NO_SEMANTICS,
            **moved,
        )

    def key(self, key: bytes, names: Sequence[str]) -> Fields:
        """See `Decoder.key`; a key that is no object is its one value."""
        if not key.startswith(b"{"):
            return objects.key_of_texts(key.strip(b'"'), names)
        found, semantics = self._connect.unwrapped(key, "the key")
        return meant(objects.wires(found, "the key"), semantics)

    def columns(self, received: Received, at: int) -> Mapping[str, NewColumn]:
        """Return the columns that the schema of a message describes, by field; {} if it has none."""
        return self._connect.columns(received.values[at])

    def _row(self, event: objects.Members, op: str, semantics: Semantics) -> tuple[Fields, Sequence[str]]:
        """Return the image that counts, and the names of what the source left out of it."""
        image = event.get("before" if op == "d" else "after")
        row = None if image is None else objects.optional_fields(image, "the image of the row")
        if row is None and op != "d":
            raise NotUnderstoodError("NOT_JSON", "the event has no image of the row as it is now")
        found = row or {}
        missing = [name for name, one in found.items() if one in self._unavailable]
        there = {name: one for name, one in found.items() if name not in missing} if missing else found
        return meant(there, semantics), missing

    def _moved(self, received: Received, at: int, op: str) -> dict[str, Any]:
        """Return the other key of a row whose key changes: a delete and an insert."""
        if op == "d" and (new := self._other_key(received, at, NEW_KEY)):
            return {"new": new}
        if op == "c" and (old := self._other_key(received, at, OLD_KEY)):
            return {"old": old, "second": True}
        return {}

    def _other_key(self, received: Received, at: int, name: str) -> Fields | None:
        found = objects.header(received, at, name)
        return None if found is None or not found.startswith("{") else self.key(found.encode(), ())


def _is_mark(event: objects.Members) -> bool:
    """Return whether a message is one of those beside changes: a heartbeat, DDL, transaction or notification.

    https://debezium.io/documentation/reference/stable/connectors/postgresql.html#postgresql-transaction-metadata
    """
    if event.keys() <= {"ts_ms"} or "ddl" in event or "tableChanges" in event:
        return True
    if "aggregate_type" in event and "additional_data" in event:
        return True
    return "id" in event and objects.text_of(event, "status") in ("BEGIN", "END")


def time_of(source: objects.Members) -> str | None:
    """Return the moment of a change at its source."""
    written = bytes(source["ts_ms"]) if "ts_ms" in source else b""
    if not written.isdigit() or len(written) > _LONGEST_MILLISECONDS:
        return None
    moment = _EPOCH + dt.timedelta(milliseconds=int(written))
    return moment.isoformat(timespec="milliseconds")
