"""What of a batch is written in the usual way, by table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

from airflow_legacy_events.core.model.changes import Received
from airflow_legacy_events.core.model.meaning import TableOf
from airflow_legacy_events.core.model.packed import PackedRows, at_places
from airflow_legacy_events.core.ports.decoder import Decoder, NotUnderstoodError
from airflow_legacy_events.envelopes.decoding.assembling import TableAssembler
from airflow_legacy_events.envelopes.decoding.fast.events import Events
from airflow_legacy_events.envelopes.decoding.fast.finders import finder_of
from airflow_legacy_events.envelopes.decoding.fast.rows import TableRows
from airflow_legacy_events.envelopes.decoding.routes import Routes

SLICE = 500
"""Messages that are decoded together: what they are made of stays in the processor's cache, which saves a third."""


class Upserts(NamedTuple):
    """Upserts of one table that were decoded.

    Attributes:
        places: of their messages, in order.
        rows: as `TableChanges` has them; packed if all of them are.
        shown: place of each that shows something of snapshots, with the name of the one that read its row, None of a
            change; None if all are changes.
        complete: whether it is known that all name every column that may be written.
    """

    places: Sequence[int]
    rows: Sequence[tuple[Any, ...]]
    shown: Sequence[tuple[int, str | None]] | None
    complete: bool = False

    @classmethod
    def joined(cls, parts: Sequence[Upserts]) -> Upserts:
        """Return those of several slices, in the order of these."""
        if len(parts) == 1:
            return parts[0]
        places = list(chain.from_iterable(one.places for one in parts))
        rows, complete = _joined([one.rows for one in parts]), all(one.complete for one in parts)
        if all(one.shown is None for one in parts):
            return cls(places, rows, None, complete)
        each = ([(at, None) for at in one.places] if one.shown is None else one.shown for one in parts)
        return cls(places, rows, list(chain.from_iterable(each)), complete)


class Batches:
    """Decodes what is usual in batches.

    Args:
        decoder: of the messages' envelope; nothing is usual for one that is not our own.
        routes: which table each message is for.
        tables: that are known so far, which may grow.
    """

    def __init__(self, decoder: Decoder, routes: Routes, tables: Mapping[str, TableAssembler]) -> None:
        self._finder, self._routes, self._tables = finder_of(decoder), routes, tables
        self._rows: dict[str, TableRows] = {}

    def decode(self, received: Received, places: Sequence[int]) -> dict[str, Upserts]:
        """Return what is usual among the messages at some places, by table."""
        found: dict[str, list[Upserts]] = {}
        topics = set(received.topics) if self._routes.by_topic else ()
        topic = received.topics[0] if len(topics) == 1 else None
        for first in range(0, len(places), SLICE):
            for name, upserts in self._slice(received, places[first : first + SLICE], topic).items():
                found.setdefault(name, []).append(upserts)
        return {name: Upserts.joined(parts) for name, parts in found.items()}

    def pack(self, name: str, *, on: bool) -> None:
        """Pack the next rows of a table, or do not: what looks at single rows wants them as they are."""
        if name in self._rows:
            self._rows[name].packs = on

    def _slice(self, received: Received, places: Sequence[int], topic: str | None) -> dict[str, Upserts]:
        events = None if self._finder is None else self._finder.find(received, places)
        if events is None or not events.places:
            return {}
        found = {}
        for name, positions in self._by_table(events, received, topic).items():
            some = events if len(positions) == len(events.places) else events.picked(positions)
            upserts = self._upserts(name, some, received)
            if upserts.places:
                found[name] = upserts
        return found

    def _by_table(self, events: Events, received: Received, topic: str | None) -> dict[str, Sequence[int]]:
        """Return the positions of the events of each table that is known.

        Args:
            events: of the messages.
            received: all messages.
            topic: of all of them, if it alone decides.
        """
        if topic is not None:
            name = self._routes.of(topic, TableOf())
            return {name: range(len(events.places))} if name in self._tables else {}  # type: ignore[dict-item]
        found: dict[str, list[int]] = {}
        for position, (at, table) in enumerate(zip(events.places, events.tables(), strict=True)):
            try:
                name = self._routes.of(received.topics[at], table)
            except NotUnderstoodError:
                continue
            if name is not None and name in self._tables:
                found.setdefault(name, []).append(position)
        return dict(found)

    def _upserts(self, name: str, events: Events, received: Received) -> Upserts:
        rows = self._rows.get(name)
        if rows is None or rows.assembler is not self._tables[name]:
            rows = self._rows[name] = TableRows(self._tables[name])
        found = rows.decode(events.texts, events, received)
        whole = len(found.events) == len(events.places)
        places = events.places if whole else at_places(events.places, found.events)
        if "r" not in events.said:
            return Upserts(places, found.rows, None, found.complete)
        said, snapshots = events.said, events.lazily("snapshots")
        shown = [(at, snapshots[at]) for at in found.events if said[at] != "r" or snapshots[at] is not None]
        sights = [(events.places[at], snapshot) for at, snapshot in shown]
        return Upserts(places, found.rows, sights, found.complete)


def _joined(parts: Sequence[Sequence[tuple[Any, ...]]]) -> Sequence[tuple[Any, ...]]:
    packed = [one for one in parts if isinstance(one, PackedRows)]
    return PackedRows.joined(packed) if len(packed) == len(parts) else list(chain.from_iterable(parts))
