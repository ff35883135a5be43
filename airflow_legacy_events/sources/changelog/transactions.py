"""Transactions of a log: a BEGIN before and an END behind the changes of each, with their counts, on a topic."""

from __future__ import annotations

import datetime as dt
import functools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

from airflow_legacy_events.core.columns import Column, Kind, Shape
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model import Batch, LogNotes, LogPosition
from airflow_legacy_events.core.ports import ChangeLog
from airflow_legacy_events.sources.changelog.leg_state import OpenTransaction, Progress

_COLUMNS = (
    Column("id", Kind.TEXT, "text", nullable=False, checked=True),
    Column("status", Kind.TEXT, "text", nullable=False),
    Column("event_count", Kind.INTEGER, "integer"),
    Column("data_collections", Kind.ANY, "json"),
    Column("ts_ms", Kind.INTEGER, "integer"),
)
_MILLISECOND = dt.timedelta(milliseconds=1)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Transactions:
    """Makes the marks of transactions that have events of tables.

    A transaction may be cut by a chunk, or by the end of a process: what was counted of it is part of the progress.

    Args:
        topic: of the marks; None: there are none.
        log: compares places.
        progress: of the stream.
    """

    def __init__(self, topic: str | None, log: ChangeLog, progress: Progress) -> None:
        self._log, self._progress = log, progress
        self._shape = None if topic is None else _shape(topic)
        position, known = progress.position, progress.transaction
        inside = position.place if position is not None and position.changes else None
        if topic is None or (known is not None and known.place != inside):
            known = progress.transaction = None
        self._passed = inside if known is None else None
        """Transaction that began before marks were wanted."""

    def marks(self, found: Sequence[Batch], end: LogPosition) -> list[Batch]:
        """Return the marks of a chunk, to follow its batches; they are confirmed and saved together.

        Args:
            found: batches of the chunk.
            end: position after it.
        """
        if self._shape is None:
            return []
        rows = [*self._begun(_counted(found)), *self._ended(end.place)]
        if end.changes and self._progress.transaction is None and end.place != self._passed:
            self._progress.transaction = OpenTransaction(end.place)
        return [Batch(self._shape, rows, len(rows), None, "c")] if rows else []

    def _begun(self, counted: Mapping[str, _Counts]) -> Iterator[tuple[Any, ...]]:
        for place in sorted(counted, key=functools.cmp_to_key(self._log.compare)):
            if place == self._passed:
                continue
            yield from self._ended(place)
            found = counted[place]
            one = self._progress.transaction = self._progress.transaction or OpenTransaction(place)
            if not one.counts:
                one.name, one.time = found.name, found.time
                yield (one.id, "BEGIN", None, None, _milliseconds(one.time))
            for table, count in found.items():
                one.counts[table] = one.counts.get(table, 0) + count

    def _ended(self, place: str) -> Iterator[tuple[Any, ...]]:
        """Yield the end of the open transaction if it lies before a place."""
        one = self._progress.transaction
        if one is None or self._log.compare(one.place, place) >= 0:
            return
        self._progress.transaction = None
        if one.counts:
            tables = [{"data_collection": table, "event_count": count} for table, count in one.counts.items()]
            yield (one.id, "END", sum(one.counts.values()), tables, _milliseconds(one.time))


class _Counts(Counter[str]):
    """Number of events of a transaction by table.

    Attributes:
        name: of the transaction.
        time: of the commit, as text.
    """

    name: str = ""
    time: str | None = None


def refuse_shared(topic: str | None, tables: Mapping[str, str], beside: Sequence[str]) -> None:
    """Check that no table and no message has the topic of transactions.

    Args:
        topic: of the transactions.
        tables: topic of each table.
        beside: topics of messages.

    Raises:
        ConfigurationError: one has.
    """
    shared = next((f"table {name!r}" for name, one in tables.items() if one == topic), None)
    if shared is None and topic in beside:
        shared = "message_topics="
    if topic is not None and shared is not None:
        raise ConfigurationError(
            f"transaction_topic={topic!r} is the topic of {shared} too; nothing was read. Give transactions a topic of"
            " their own"
        )


def _shape(topic: str) -> Shape:
    return Shape(
        _COLUMNS,
        data=tuple(range(len(_COLUMNS))),
        key=(0,),
        watermark=(0,),
        numbered=True,
        roles={"transaction": 0},
        stream={"topic": topic},
    )


def _counted(found: Sequence[Batch]) -> dict[str, _Counts]:
    """Return the counts of each transaction by its place."""
    counted: dict[str, _Counts] = {}
    for batch in found:
        shape, notes = batch.shape, batch.notes or LogNotes()
        if shape.table is None or not shape.watermark:
            continue
        at, time = shape.watermark[0], shape.time
        moments = {} if time is None else {row[at]: row[time] for row in batch.rows}
        for name, count in Counter(map(itemgetter(at), batch.rows)).items():
            known = notes.transactions.get(name)
            one = counted.setdefault(name if known is None else known.place, _Counts())
            one[shape.table] += count
            one.name, one.time = name, moments.get(name, one.time)
    return counted


def _milliseconds(time: str | None) -> int | None:
    return None if time is None else (dt.datetime.fromisoformat(time) - _EPOCH) // _MILLISECOND
