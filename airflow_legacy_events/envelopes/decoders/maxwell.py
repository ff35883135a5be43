"""Messages of Maxwell, and of `MaxwellEnvelope`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence

import msgspec

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.model.batch import STARTED
from airflow_legacy_events.core.model.changes import DELETE, UPSERT, Received, TargetColumn
from airflow_legacy_events.core.model.meaning import Fields, Form, Meaning, TableOf, Wire
from airflow_legacy_events.core.ports.decoder import NotUnderstoodError
from airflow_legacy_events.envelopes.decoders import objects
from airflow_legacy_events.envelopes.decoders.values import UnfitError
from airflow_legacy_events.envelopes.decoders.wire import is_json

_OPS: Mapping[str, tuple[str, str]] = {
    "insert": (UPSERT, "c"),
    "bootstrap-insert": (UPSERT, "r"),
    "update": (UPSERT, "u"),
    "delete": (DELETE, "d"),
}
_LOADED, _LOADS = "bootstrap-insert", "bootstrap-start"
SNAPSHOT = "bootstrap"
_KEY = "pk."
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_LONGEST_SECONDS = 11


class MaxwellDecoder:
    """Reads Maxwell's messages, https://maxwells-daemon.io/dataformat/.

    Statements on tables and databases, and the marks around a bootstrap, say nothing about rows. A changed key has its
    former value in `old`.
    """

    def read(self, received: Received, at: int) -> Meaning | None:
        """See `Decoder.read`."""
        value = received.values[at]
        if value is None:
            return Meaning(DELETE, {}, _table_of_key(received.keys[at]))
        found = objects.members(value, "the message")
        kind = objects.text_of(found, "type")
        if kind is None or (kind not in _OPS and "database" not in found):  # a CloudEvent has a type, too
            lacking = "type" if kind is None else "database"
            raise NotUnderstoodError("NOT_JSON", f"it is no message of Maxwell: it has no {lacking}")
        table = TableOf(objects.text_of(found, "table"), database=objects.text_of(found, "database"))
        if kind == _LOADS:
            return Meaning(STARTED, {}, table, snapshot=SNAPSHOT, begins=True)
        if kind not in _OPS:
            return None
        if "data" not in found:
            raise NotUnderstoodError("NOT_JSON", "it is no message of Maxwell: it has no data")
        row = objects.fields(found["data"], "the data")
        old = objects.optional_fields(found["old"], "the member old") if kind == "update" and "old" in found else None
        op, said = _OPS[kind]
        snapshot = SNAPSHOT if kind == _LOADED else None
        return Meaning(
            *(op, row, table),
            old=old,
            id=id_of(found),
            time=time_of(found),
            said=said,
            snapshot=snapshot,
            typed=is_of_mysql(found.get("gtid")),
        )

    def reading(self, column: TargetColumn, _types: object) -> Callable[[Wire], Wire] | None:
        """Return what reads the values of a column in messages that MySQL may not have written.

        JSON of MySQL is embedded, and that of MariaDB is a text.
        """
        return _document if column.kind is Kind.JSON else None

    def key(self, key: bytes, names: Sequence[str]) -> Fields:
        """See `Decoder.key`: `{"database":…,"table":…,"pk.id":…}`, in which names of columns are in lower case."""
        found = objects.fields(key, "the key")
        known = {name.lower(): name for name in names}
        named = {name.removeprefix(_KEY): one for name, one in found.items() if name.startswith(_KEY)}
        return {known.get(name.lower(), name): one for name, one in named.items()}


def _table_of_key(key: bytes | None) -> TableOf:
    try:
        found = {} if key is None else objects.members(key, "the key")
    except NotUnderstoodError:
        return TableOf()
    return TableOf(objects.text_of(found, "table"), database=objects.text_of(found, "database"))


def is_of_mysql(gtid: bytes | msgspec.Raw | None) -> bool:
    """Return whether a message's GTID is one of MySQL, such as `6b0a16dd-e75a-11f1-b222-02fc00000001:20`."""
    return gtid is not None and b":" in bytes(gtid)


def _document(found: Wire) -> Wire:
    if found.form is not Form.TEXT or not is_json(found.text):  # a text that is no JSON is a string of MySQL
        return found
    if found.text.lstrip()[:1] not in "{[":
        raise UnfitError(
            "it may be JSON of MariaDB or a string of MySQL, and only a gtid of MySQL says which: run Maxwell with"
            " gtid_mode=true and output_gtid_position=true"
        )
    return Wire(Form.DOCUMENT, found.text)


def id_of(found: objects.Members) -> str | None:
    """Return place and number of a change in its transaction; the last one has `commit` in place of its number."""
    place = objects.text_of(found, "gtid") or objects.text_of(found, "position")
    number = bytes(found["xoffset"]).decode() if "xoffset" in found else "commit" if "commit" in found else None
    return None if place is None or number is None else f"{place}/{number}"


def time_of(found: objects.Members) -> str | None:
    """Return the second of a change, which is a number since 1970-01-01 UTC."""
    written = bytes(found["ts"]) if "ts" in found else b""
    if not written.isdigit() or len(written) > _LONGEST_SECONDS:
        return None
    return (_EPOCH + dt.timedelta(seconds=int(written))).isoformat()
