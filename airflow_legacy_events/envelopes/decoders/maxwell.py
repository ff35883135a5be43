"""Messages of Maxwell, and of `MaxwellEnvelope`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from airflow_legacy_events.core.model.changes import DELETE, UPSERT, Received
from airflow_legacy_events.core.model.meaning import Fields, Meaning, TableOf
from airflow_legacy_events.core.ports.decoder import NotUnderstoodError
from airflow_legacy_events.envelopes.decoders import objects

_OPS: Mapping[str, str] = {"insert": UPSERT, "bootstrap-insert": UPSERT, "update": UPSERT, "delete": DELETE}
_KEY = "pk."


class MaxwellDecoder:
    """Reads Maxwell's messages, https://maxwells-daemon.io/dataformat/.

    Statements on tables and databases, and the marks around a bootstrap, say nothing about rows. A changed key has its
    former value in `old`.
    """

    def read(self, received: Received, at: int) -> Meaning | None:
        """See `Decoder.read`."""
        value = received.values[at]
        if value is None:
            return Meaning(DELETE, {})
        found = objects.members(value, "the message")
        kind = objects.text_of(found, "type")
        if kind is None:
            raise NotUnderstoodError("NOT_JSON", "it is no message of Maxwell: it has no type")
        if kind not in _OPS:
            return None
        table = TableOf(objects.text_of(found, "table"), database=objects.text_of(found, "database"))
        if "data" not in found:
            raise NotUnderstoodError("NOT_JSON", "it is no message of Maxwell: it has no data")
        row = objects.fields(found["data"], "the data")
        old = objects.optional_fields(found["old"], "the member old") if kind == "update" and "old" in found else None
        place = objects.text_of(found, "gtid") or objects.text_of(found, "position")
        return Meaning(_OPS[kind], row, table, old=old, id=place)

    def key(self, key: bytes, names: Sequence[str]) -> Fields:  # noqa: ARG002  the key has them
        """See `Decoder.key`: `{"database":…,"table":…,"pk.id":…}`."""
        found = objects.fields(key, "the key")
        return {name.removeprefix(_KEY): one for name, one in found.items() if name.startswith(_KEY)}
