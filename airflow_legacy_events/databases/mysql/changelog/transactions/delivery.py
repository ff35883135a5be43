"""Delivers the changes of one transaction: they are numbered, and those that were delivered before are dropped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from airflow_legacy_events.core.model.log import (
    LogChunk,
    LogEvent,
    LogForm,
    LogGap,
    LogPosition,
    LogTransaction,
    LogTruncate,
)
from airflow_legacy_events.databases.mysql.changelog.model import Effect, Event
from airflow_legacy_events.databases.mysql.changelog.places import text_of
from airflow_legacy_events.databases.mysql.changelog.transactions.collecting import Collector
from airflow_legacy_events.databases.mysql.changelog.transactions.reading import Part
from airflow_legacy_events.databases.mysql.changelog.transactions.rows import Rows
from airflow_legacy_events.databases.mysql.changelog.transactions.times import time_of
from airflow_legacy_events.databases.mysql.changelog.transactions.transaction import Transaction


class Delivery:
    """Numbers the changes of a transaction, and adds them to the chunks.

    Args:
        one: the transaction.
        delivered: how many of its changes were delivered before.
        found: collects the chunks.
        facts: returns those of a chunk that ends before the transaction, or inside of it.

    Attributes:
        name: of the transaction.
        number: of its last change so far.
    """

    def __init__(
        self, one: Transaction, delivered: int, found: Collector, facts: Callable[[LogPosition], Mapping[str, Any]]
    ) -> None:
        self._one, self._delivered, self._found, self._facts = one, delivered, found, facts
        self._place = text_of(one.place)
        self.name = name_of(one)
        self._behind = (time_of(one.seconds, one.micros), None)
        self.number = 0
        self._events: list[LogEvent] = []

    def chunks(self, parts: Iterable[Part]) -> Iterator[LogChunk]:
        """Yield the chunks that are full while there are more changes, and each change that is a chunk of its own."""
        for part in parts:
            if isinstance(part.found, Rows):
                yield from self._add(part.found, part.event)
            else:
                yield from self._alone(part.found)

    def end(self) -> None:
        """Note that all changes were added."""
        if self._events:
            self._note(self.number)
        if self.number:
            self._found.committed += 1

    def _add(self, rows: Rows, event: Event | None) -> Iterator[LogChunk]:
        count = len(rows.rows)
        if self.number + count <= self._delivered:
            self.number += count
            return
        at = max(0, self._delivered - self.number)
        self.number += at
        while at < count:
            if self._found.full:
                yield self._full()
            first = self.number - at + 1
            if event is not None:
                self._events.append(LogEvent(first, f"{event.file}:{event.start}", f"{event.file}:{event.end}"))
            added = self._found.add(rows, at, self.number + 1, (self.name, *self._behind))
            at += added
            self.number += added

    def _alone(self, effect: Effect) -> Iterator[LogChunk]:
        if self._found.rows and self.number + 1 > self._delivered:
            yield self._full()
        self.number += 1
        if self.number > self._delivered:
            hidden = (self.name, self.number, *self._behind)
            end = LogPosition(self._place, self.number)
            yield self._found.alone(_made(effect, hidden), end, self._facts(end))

    def _full(self) -> LogChunk:
        """Return what was collected up to the last change."""
        if self._events:
            self._note(None)
            self._events.clear()
        end = LogPosition(self._place, self.number)
        return self._found.chunk(end, self._facts(end))

    def _note(self, changes: int | None) -> None:
        one = self._one
        self._found.transactions[self.name] = LogTransaction(
            self._place,
            one.number,
            one.gtid,
            one.server_id,
            one.thread,
            one.seconds,
            text_of(one.end),
            changes,
            tuple(self._events),
            one.changed,
        )


def name_of(one: Transaction) -> str:
    """Return the name of a transaction in `HIDDEN`: its GTID, or its place where it has none."""
    return one.gtid or text_of(one.place)


def _made(effect: Effect, hidden: tuple[Any, ...]) -> LogTruncate | LogGap:
    if effect.kind == "truncate":
        return LogTruncate(LogForm(effect.table, (), ()), hidden, effect.partial)
    lost = effect.kind == "lost"
    return LogGap(effect.table, hidden, effect.why, lost=lost, removed=effect.removed or lost)
