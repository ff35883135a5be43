"""Messages of `CloudEventsEnvelope`: structured, or binary with the attributes as headers."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from airflow_legacy_events.core.model.changes import DELETE, TRUNCATE, UPSERT, Received
from airflow_legacy_events.core.model.meaning import Fields, Meaning
from airflow_legacy_events.core.ports.decoder import NotUnderstoodError
from airflow_legacy_events.envelopes.decoders import objects
from airflow_legacy_events.envelopes.decoders.images import row_of

OPS = {"c": UPSERT, "u": UPSERT, "r": UPSERT, "d": DELETE, "t": TRUNCATE}


class CloudEventsDecoder:
    """Reads CloudEvents in JSON, https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md.

    An event without the attribute `op` is an upsert of its data. A null value is the tombstone of its key.
    """

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
    attributes = (objects.text_of(event, name) for name in ("op", "unchanged", "id", "time"))
    return _meaning(data, *attributes)


def _binary(received: Received, at: int, value: bytes) -> Meaning:
    attributes = (objects.header(received, at, f"ce_{name}") for name in ("op", "unchanged", "id", "time"))
    return _meaning(value, *attributes)


def _meaning(
    data: bytes | msgspec.Raw | None, op: str | None, unchanged: str | None, id_: str | None, time: str | None
) -> Meaning:
    if op is not None and op not in OPS:
        raise NotUnderstoodError("VALUE", "the attribute op is none of c, u, r, d and t")
    meant = UPSERT if op is None else OPS[op]
    kept = objects.names_in(unchanged, "the attribute unchanged")
    if meant == TRUNCATE:
        return Meaning(TRUNCATE, {}, id=id_, time=time)
    found = None if data is None or _is_null(data) else row_of(objects.members(data, "data"), deleted=meant == DELETE)
    if found is None and meant == UPSERT:
        raise NotUnderstoodError("NOT_JSON", "the event has no data")
    return Meaning(meant, found or {}, unchanged=kept, id=id_, time=time)


def _is_null(data: bytes | msgspec.Raw) -> bool:
    return bytes(data).strip() == b"null"
