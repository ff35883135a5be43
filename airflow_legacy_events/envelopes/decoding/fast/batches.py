"""What of a batch is written in the usual way, by table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from airflow_legacy_events.core.model.changes import Received
from airflow_legacy_events.core.ports.decoder import Decoder, NotUnderstoodError
from airflow_legacy_events.envelopes.decoding.assembling import TableAssembler
from airflow_legacy_events.envelopes.decoding.fast.events import Events
from airflow_legacy_events.envelopes.decoding.fast.finders import finder_of
from airflow_legacy_events.envelopes.decoding.fast.rows import TableRows
from airflow_legacy_events.envelopes.decoding.routes import Routes


class Upserts(NamedTuple):
    """Upserts of one table that were decoded.

    Attributes:
        places: of their messages, in order.
        rows: as `TableChanges` has them.
        shown: place of each that shows something of snapshots, with the name of the one that read its row, None of a
            change; None if all are changes.
    """

    places: Sequence[int]
    rows: Sequence[tuple[Any, ...]]
    shown: Sequence[tuple[int, str | None]] | None


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
        events = None if self._finder is None else self._finder.find(received, places)
        if events is None or not events.places:
            return {}
        found = {}
        for name, positions in self._by_table(events, received).items():
            some = events if len(positions) == len(events.places) else events.picked(positions)
            upserts = self._upserts(name, some, received)
            if upserts.places:
                found[name] = upserts
        return found

    def _by_table(self, events: Events, received: Received) -> dict[str, Sequence[int]]:
        """Return the positions of the events of each table that is known."""
        if self._routes.by_topic and len(set(received.topics)) == 1:
            name = self._routes.of(received.topics[0], events.tables()[0])
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
        places = [events.places[at] for at in found.events]
        if "r" not in events.said:
            return Upserts(places, found.rows, None)
        said, snapshots = events.said, events.lazily("snapshots")
        shown = [(at, snapshots[at]) for at in found.events if said[at] != "r" or snapshots[at] is not None]
        return Upserts(places, found.rows, [(events.places[at], snapshot) for at, snapshot in shown])
