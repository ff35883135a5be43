"""Reads the changes out of the events of one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from airflow_legacy_events.core.model.log import TableName
from airflow_legacy_events.databases.mysql.changelog.binlog import codes
from airflow_legacy_events.databases.mysql.changelog.binlog.query import query
from airflow_legacy_events.databases.mysql.changelog.binlog.rows_event import rows_event
from airflow_legacy_events.databases.mysql.changelog.binlog.table_map import table_map, table_name
from airflow_legacy_events.databases.mysql.changelog.model import (
    BinlogPlace,
    Effect,
    Event,
    Forms,
    RowReader,
    RowsEvent,
    UnreadableValueError,
)
from airflow_legacy_events.databases.mysql.changelog.transactions import failures
from airflow_legacy_events.databases.mysql.changelog.transactions.controls import control
from airflow_legacy_events.databases.mysql.changelog.transactions.grouping import ID
from airflow_legacy_events.databases.mysql.changelog.transactions.rows import Changes, Rows, Unsent
from airflow_legacy_events.databases.mysql.changelog.transactions.selection import Selection
from airflow_legacy_events.databases.mysql.changelog.transactions.transaction import ROLLED_BACK, Transaction
from airflow_legacy_events.databases.mysql.changelog.unknown import UnknownColumnsError

_BEHIND_ID = slice(6, None)
_MOST_TABLES = 1000

Numbered: TypeAlias = Iterable[tuple[int, Event]]
"""Events of a transaction, with their numbers in it from 0."""


class Part(NamedTuple):
    """Changes of one event.

    Attributes:
        found: rows, or one change that can't be sent as such.
        event: that holds them; None if none does.
    """

    found: Rows | Effect
    event: Event | None


class _Table:
    """A table whose map was read; what its rows are like is looked up with the first of them."""

    def __init__(self, event: Event, name: TableName) -> None:
        self.event, self.name = event, name
        self.read: tuple[RowReader, Changes, int] | None = None


class TransactionReader:
    """Reads transactions one after the other; what it learned of tables is kept until a statement may change it.

    Args:
        forms: what is known of the tables.
        selection: which of them take part.
        conn_id: Airflow's name of the connection.
        max_row_bytes: raw bytes of a row.
        before: whether rows before a change are wanted.
    """

    def __init__(self, forms: Forms, selection: Selection, conn_id: str, max_row_bytes: int, *, before: bool) -> None:
        self._forms, self._selection, self._conn_id, self._most = forms, selection, conn_id, max_row_bytes
        self._before = before
        self._known: dict[bytes, _Table | None] = {}
        self._tables: dict[bytes, _Table | None] = {}
        self._mariadb = False

    def forget(self) -> None:
        """Forget what was learned of tables."""
        self._known.clear()

    def parts(self, one: Transaction, events: Numbered) -> Iterator[Part]:
        """Yield the changes of a transaction in their order, without those that were rolled back.

        What statements did is yielded even then: they are logged if they changed what can't be rolled back.

        Raises:
            SourceError: an event can't be read; names its place.
        """
        rows, undone = one.outcome != ROLLED_BACK, one.undone
        self._tables.clear()
        self._mariadb = one.mariadb
        for number, event in events:
            try:
                if event.kind == codes.TABLE_MAP:
                    self._map(event)
                elif event.kind not in codes.ROWS:
                    yield from self._other(one, event)
                elif rows and not (undone and _within(number, undone)):
                    yield from self._rows(event)
            except ValueError as error:
                place = BinlogPlace(event.file, event.start)
                raise failures.damaged(self._conn_id, place, str(error)) from None

    def lost(self, why: str, event: Event | None = None) -> Iterator[Part]:
        """Yield for each table that changes of it may be lost."""
        for table in self._selection.tables:
            if self._selection.counts(table):
                yield Part(Effect(table, "lost", why, removed=True), event)

    def _other(self, one: Transaction, event: Event) -> Iterator[Part]:
        if event.kind == codes.INCIDENT:
            yield from self.lost(failures.INCIDENT, event)
        elif event.kind in codes.STATEMENTS and one.alters is None:
            yield from self._statement(event)

    def _map(self, event: Event) -> None:
        body = event.body
        behind = body[_BEHIND_ID]
        if behind not in self._known:
            if len(self._known) >= _MOST_TABLES:
                self._known.clear()
            self._known[behind] = self._table(event)
        self._tables[body[ID]] = self._known[behind]

    def _table(self, event: Event) -> _Table | None:
        name = self._selection.of(*table_name(event.body))
        return None if name is None else _Table(event, name)

    def _rows(self, event: Event) -> Iterator[Part]:
        table = self._tables.get(event.body[ID])
        if table is None:
            return
        rows = rows_event(event.kind, event.body)
        if rows.partial:
            yield _lost(table, Unsent(failures.PARTIAL_JSON, rows.op), event)
            return
        for found in self._changes(table, rows):
            yield _lost(table, found, event) if isinstance(found, Unsent) else Part(found, event)

    def _changes(self, table: _Table, event: RowsEvent) -> Iterable[Rows | Unsent]:
        try:
            reader, changes, needed = table.read or self._looked_up(table)
            if not event.holds(needed):
                return (Unsent(failures.PARTIAL_IMAGE, event.op),)
            return changes.of_event(reader, event, before=self._before)
        except UnknownColumnsError as error:
            return (Unsent(error.why, event.op),)
        except UnreadableValueError as error:
            return (Unsent(str(error), event.op),)

    def _looked_up(self, table: _Table) -> tuple[RowReader, Changes, int]:
        event = table.event
        found = self._forms.of(table_map(event.body, mariadb=self._mariadb), BinlogPlace(event.file, event.start))
        table.read = found.reader, Changes(found, self._most), found.needed
        return table.read

    def _statement(self, event: Event) -> Iterator[Part]:
        found = query(event.kind, event.body)
        if event.kind == codes.QUERY and control(found.text) is not None:
            return
        self._known.clear()
        place = BinlogPlace(event.file, event.start)
        how = found.variables
        for effect in self._forms.effects(
            found.text, found.database, place, collation=how.client_collation, backslashes=how.backslashes
        ):
            if effect.kind in _REPORTED and self._selection.counts(effect.table):
                yield Part(effect, event)


_REPORTED = frozenset({"truncate", "gap", "lost"})


def _lost(table: _Table, unsent: Unsent, event: Event) -> Part:
    return Part(Effect(table.name, "lost", unsent.why, removed=unsent.op != "c"), event)


def _within(number: int, ranges: Sequence[tuple[int, int]]) -> bool:
    return any(first <= number <= last for first, last in ranges)
