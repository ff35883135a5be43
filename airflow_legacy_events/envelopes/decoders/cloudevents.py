"""Messages of `CloudEventsEnvelope`: structured, or binary with the attributes as headers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import unquote

import msgspec

from airflow_legacy_events.core.model.changes import DELETE, TRUNCATE, UPSERT, Received
from airflow_legacy_events.core.model.meaning import Fields, Meaning, TableOf
from airflow_legacy_events.core.ports.decoder import NotUnderstoodError
from airflow_legacy_events.envelopes.decoders import objects
from airflow_legacy_events.envelopes.decoders.images import row_of

OPS = {"c": UPSERT, "u": UPSERT, "r": UPSERT, "d": DELETE, "t": TRUNCATE}

_ATTRIBUTES = ("op", "unchanged", "id", "time", "source")
_READ = "r"
_SNAPSHOT = re.compile(r"@:[0-9a-f]{8}((?::[0-9]+)*(?::g[0-9]+)?)", re.ASCII)
"""End of the id of a row that a snapshot or full load read; its number names it."""


class CloudEventsDecoder:
    """Reads CloudEvents in JSON, https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md.

    An event without the attribute `op` is an upsert of its data. A null value is the tombstone of its key. The last
    part of `source` names the table, with its schema before a dot.
    """

    truncates_everywhere = True
    """Whether a truncate comes on every partition of its topic."""

    def read(self, received: Received, at: int) -> Meaning | None:
        """See `Decoder.read`."""
        value = received.values[at]
        if value is None:
            return Meaning(DELETE, {}, id=objects.header(received, at, "ce_id"))
        if objects.header(received, at, "ce_specversion") is not None:
            return _binary(received, at, value)
        return _structured(value)

    def key(self, key: bytes, names: Sequence[str]) -> Fields:
        """See `Decoder.key`."""
        return objects.key_of_texts(key, names)


def _structured(value: bytes) -> Meaning:
    event = objects.members(value, "the event")
    if "specversion" not in event:
        raise NotUnderstoodError("NOT_JSON", "it is no CloudEvent: it has neither specversion nor headers ce_*")
    data = event.get("data")
    return _meaning(data, *(objects.text_of(event, name) for name in _ATTRIBUTES))


def _binary(received: Received, at: int, value: bytes) -> Meaning:
    return _meaning(value, *(objects.header(received, at, f"ce_{name}") for name in _ATTRIBUTES))


def _meaning(
    data: bytes | msgspec.Raw | None,
    op: str | None,
    unchanged: str | None,
    id_: str | None,
    time: str | None,
    source: str | None,
) -> Meaning:
    if op is not None and op not in OPS:
        raise NotUnderstoodError("VALUE", "the attribute op is none of c, u, r, d and t")
    meant, table = UPSERT if op is None else OPS[op], table_of(source)
    kept = objects.names_in(unchanged, "the attribute unchanged")
    if meant == TRUNCATE:
        return Meaning(TRUNCATE, {}, table, id=id_, time=time, said=op)
    found = None if data is None or _is_null(data) else row_of(objects.members(data, "data"), deleted=meant == DELETE)
    if found is None and meant == UPSERT:
        raise NotUnderstoodError("NOT_JSON", "the event has no data")
    snapshot = snapshot_of(id_) if op == _READ else None
    return Meaning(meant, found or {}, table, unchanged=kept, id=id_, time=time, said=op, snapshot=snapshot)


def snapshot_of(id_: str | None) -> str:
    """Return the name of the snapshot that read a row, by the event's id; "" if the id has none."""
    found = None if id_ is None else _SNAPSHOT.search(id_, max(0, id_.rfind("@:")))
    return "" if found is None else f"#{found[1]}"


def table_of(source: str | None) -> TableOf:
    """Return the table that a source names, such as `/crm/public.orders`."""
    if source is None:
        return TableOf()
    schema, _, name = unquote(source.rpartition("/")[2]).rpartition(".")
    return TableOf(name or None, schema or None)


def _is_null(data: bytes | msgspec.Raw) -> bool:
    return bytes(data).strip() == b"null"
