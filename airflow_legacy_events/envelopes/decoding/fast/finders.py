"""Finders of the events of each envelope."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from airflow_legacy_events.core.model.changes import Received
from airflow_legacy_events.core.model.meaning import TableOf
from airflow_legacy_events.core.model.packed import at_places
from airflow_legacy_events.core.ports.decoder import Decoder
from airflow_legacy_events.envelopes.decoders.cloudevents import CloudEventsDecoder, snapshot_of, table_of
from airflow_legacy_events.envelopes.decoders.debezium import DebeziumDecoder
from airflow_legacy_events.envelopes.decoders.maxwell import MaxwellDecoder
from airflow_legacy_events.envelopes.decoders.plain import PlainDecoder
from airflow_legacy_events.envelopes.decoding.fast.debezium import DebeziumEvents
from airflow_legacy_events.envelopes.decoding.fast.events import Events, FindsEvents
from airflow_legacy_events.envelopes.decoding.fast.layout import Layout
from airflow_legacy_events.envelopes.decoding.fast.maxwell import MaxwellEvents
from airflow_legacy_events.envelopes.decoding.fast.members import REPEATED, Members, usual, values_at

_OPS: Mapping[bytes | None, str | None] = {b"c": "c", b"u": "u", b"r": "r", None: None}
_QUOTED = {None if one is None else b'"%b"' % one: said for one, said in _OPS.items()}
_TEXTS = frozenset({"specversion", "id", "source", "type", "subject", "time", "datacontenttype"})
_SPECIAL = frozenset({REPEATED})
_STRANGE = frozenset({REPEATED, "ce_specversion"})


class CloudEvents:
    """Finds structured events; of a batch without any, binary ones."""

    def __init__(self) -> None:
        names = ("specversion", "id", "source", "type", "subject", "time", "datacontenttype", "op", "unchanged", "data")
        self._layout = Layout(names, lambda _: True, _TEXTS)

    def find(self, received: Received, places: Sequence[int]) -> Events | None:
        """See `FindsEvents.find`."""
        some = usual(received, places, _STRANGE)
        return self._structured(received, some) if some else _binary(received, usual(received, places, _SPECIAL))

    def _structured(self, received: Received, places: Sequence[int]) -> Events | None:
        found = Members.of(self._layout, values_at(received, places))
        if not found.positions:
            return None
        found = found.where("op", _QUOTED.__contains__).where("unchanged", _is_absent)
        found = found.picked(_there(found["specversion"], found["data"]))
        said = [_QUOTED[one] for one in found.written("op")]
        return Events(
            at_places(places, found.positions),
            found["data"],
            said,
            tables=lambda: _each(table_of, found.texts("source")),
            ids=lambda: found.texts("id"),
            times=lambda: found.texts("time"),
            snapshots=lambda: [
                snapshot_of(one) if op == "r" else None for op, one in zip(said, found.texts("id"), strict=True)
            ],
        )


class PlainRows:
    """Finds rows without an envelope; what is known of them are headers."""

    def find(self, received: Received, places: Sequence[int]) -> Events | None:
        """See `FindsEvents.find`."""
        return _headed(received, usual(received, places, _SPECIAL), "", lambda _: TableOf())


def finder_of(decoder: Decoder) -> FindsEvents | None:
    """Return what finds events of an envelope, for a decoder of our own."""
    made: Mapping[type, Callable[[], FindsEvents]] = {
        CloudEventsDecoder: CloudEvents,
        PlainDecoder: PlainRows,
        MaxwellDecoder: MaxwellEvents,
    }
    if isinstance(decoder, DebeziumDecoder) and type(decoder) is DebeziumDecoder:
        return DebeziumEvents(decoder.unavailable)
    make = made.get(type(decoder))
    return None if make is None else make()


def _binary(received: Received, places: Sequence[int]) -> Events | None:
    return _headed(received, places, "ce_", table_of)


def _headed(
    received: Received, places: Sequence[int], prefix: str, table: Callable[[str | None], TableOf]
) -> Events | None:
    """Return events whose attributes are headers."""
    heads, found = [], []
    for at in places:
        head = dict(received.headers[at])
        if head.get(f"{prefix}op") in _OPS and f"{prefix}unchanged" not in head:
            heads.append(head)
            found.append(at)
    if not found:
        return None
    said = [_OPS[head.get(f"{prefix}op")] for head in heads]

    def texts(name: str) -> list[str | None]:
        return [_decoded(head.get(f"{prefix}{name}")) for head in heads]

    return Events(
        found,
        values_at(received, found),
        said,
        tables=lambda: _each(table, texts("source")),
        ids=lambda: texts("id"),
        times=lambda: texts("time") if prefix else [None] * len(found),
        snapshots=lambda: [snapshot_of(one) if op == "r" else None for op, one in zip(said, texts("id"), strict=True)],
    )


def _decoded(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return None


def _each(convert: Callable[[str | None], TableOf], texts: Sequence[str | None]) -> list[TableOf]:
    known = {one: convert(one) for one in set(texts)}
    return [known[one] for one in texts]


def _there(*columns: Sequence[Any]) -> Sequence[int]:
    """Return the positions at which every column has a value."""
    if not any(msgspec.UNSET in one for one in columns):
        return range(len(columns[0]))
    return [at for at, row in enumerate(zip(*columns, strict=True)) if msgspec.UNSET not in row]


def _is_absent(written: bytes | None) -> bool:
    return written is None
