"""Debezium's change events without a schema."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from airflow_legacy_events.core.model.changes import Received
from airflow_legacy_events.core.model.meaning import TableOf
from airflow_legacy_events.envelopes.decoders.debezium.decoder import BESIDE, FIRST, NEW_KEY, OLD_KEY, time_of
from airflow_legacy_events.envelopes.decoding.fast.events import Events
from airflow_legacy_events.envelopes.decoding.fast.layout import Layout
from airflow_legacy_events.envelopes.decoding.fast.members import REPEATED, Members, is_there, usual, values_at

_OPS = {b'"c"': "c", b'"u"': "u", b'"r"': "r"}
_SPECIAL = frozenset({OLD_KEY, NEW_KEY, REPEATED})


class DebeziumEvents:
    """Finds events of inserts and updates, and of rows that a snapshot read.

    Args:
        unavailable: texts that stand for values which the source left out.
    """

    def __init__(self, unavailable: Collection[str]) -> None:
        names = ("before", "after", "source", "transaction", "op", "ts_ms", "ts_us", "ts_ns")
        self._layout = Layout(names, lambda _: True)
        self._source = Layout(("snapshot", "db", "schema", "table", "ts_ms"), lambda _: True)
        self._marks = [msgspec.json.encode(one)[1:-1] for one in unavailable]

    def find(self, received: Received, places: Sequence[int]) -> Events | None:
        """See `FindsEvents.find`."""
        some = usual(received, places, _SPECIAL)
        found = Members.of(self._layout, values_at(received, some))
        if not found.positions:
            return None
        found = found.where("op", _OPS.__contains__)
        found = found.picked(self._whole(found["after"], found["source"]))
        source = Members.of(self._source, found["source"])
        found = found.picked(source.positions)
        shown = [_OPS[bytes(one)] for one in found["op"]]
        kept = _not_first(shown, source)
        found, source, said = found.picked(kept), source.picked(kept), [shown[at] for at in kept]
        return Events(
            [some[at] for at in found.positions],
            found["after"],
            said,
            tables=lambda: list(map(TableOf, source.texts("table"), source.texts("schema"), source.texts("db"))),
            ids=lambda: [None] * len(said),
            times=lambda: [time_of({} if one is msgspec.UNSET else {"ts_ms": one}) for one in source["ts_ms"]],
            snapshots=lambda: [
                None if op != "r" or text is None or text in BESIDE else ""
                for op, text in zip(said, source.texts("snapshot"), strict=True)
            ],
            typed=False,
        )

    def _whole(self, afters: Sequence[msgspec.Raw], sources: Sequence[msgspec.Raw]) -> list[int]:
        """Return the positions of events that have both members, and no value that the source left out."""
        there = [at for at, pair in enumerate(zip(afters, sources, strict=True)) if all(map(is_there, pair))]
        joined = b"".join([afters[at] for at in there])
        if not any(mark in joined for mark in self._marks):
            return there
        return [at for at in there if not any(mark in bytes(afters[at]) for mark in self._marks)]


def _not_first(said: Sequence[str], source: Members) -> list[int]:
    """Return the positions of events with which no snapshot begins."""
    if "r" not in said:
        return list(range(len(said)))
    texts = source.texts("snapshot")
    return [at for at, op in enumerate(said) if op != "r" or not (texts[at] or "").startswith(FIRST)]
