"""Open transaction of a MySQL or MariaDB target: the last states of a table's rows, written and counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from airflow_legacy_events.core.columns import ABSENT
from airflow_legacy_events.core.model.changes import TargetShape
from airflow_legacy_events.core.ports.target import Counts, RowState, TableStates
from airflow_legacy_events.databases.applying.unit import SqlUnit
from airflow_legacy_events.databases.mysql.target import writing
from airflow_legacy_events.databases.mysql.target.deleting import delete, empty
from airflow_legacy_events.databases.mysql.target.looking import Table
from airflow_legacy_events.databases.mysql.target.moving import move
from airflow_legacy_events.databases.mysql.target.rows import key_of
from airflow_legacy_events.databases.mysql.target.sending import Sender
from airflow_legacy_events.databases.mysql.target.staging import Staging


class MysqlUnit(SqlUnit):
    """See `core.ports.target.Unit`."""

    sending: Callable[[Any], Sender]
    """Returns what runs statements on a driver's connection; set by the target."""

    @cached_property
    def _sender(self) -> Sender:
        return self.sending(self.connection.connection.driver_connection)

    @cached_property
    def _staging(self) -> Staging:
        return Staging()

    @cached_property
    def _tables(self) -> dict[TargetShape, Table]:
        return {}

    def apply(self, states: TableStates) -> Counts:
        """See `core.ports.target.Unit.apply`; rows are deleted first, so that what they held is free."""
        with self.session.doing(f"applying changes to table {states.shape.table!r}"):
            return self._apply(self._table(states.shape), states)

    def holds_one(self, shape: TargetShape, keys: Sequence[Sequence[Any]]) -> bool:
        """See `SqlUnit.holds_one`."""
        with self.session.doing(f"looking for rows of table {shape.table!r}"):
            return bool(self._table(shape).there(keys))

    def _table(self, shape: TargetShape) -> Table:
        if shape not in self._tables:
            self._tables[shape] = Table(self._sender, shape)
        return self._tables[shape]

    def _apply(self, table: Table, states: TableStates) -> Counts:
        if states.truncated:
            empty(table)
        if not table.shape.key:
            return _append(table, states.rows)
        found, rest = move(table, [one for one in states.rows if one.former is not None])
        rest += [one for one in states.rows if one.former is None]
        return found.plus(self._write(table, rest)) if rest else found

    def _write(self, table: Table, rows: list[RowState]) -> Counts:
        keys = [key_of(table.shape, one.row) for one in rows]
        there = table.there(keys) if _looks(table, rows) else None
        newer = table.newer(rows, keys)
        kept = [one for one in rows if table.identity(one) not in newer] if newer else rows
        deleted = [one for one in kept if one.deleted]
        written = [one for one in kept if not one.deleted]
        delete(table, deleted, there)
        writing.upsert(table, self._staging, written, there)
        return Counts(len(written), len(deleted), len(rows) - len(kept))


def _append(table: Table, rows: Sequence[RowState]) -> Counts:
    new = rows if not table.shape.repeats else _without_repeats(table, rows)
    writing.insert(table, new)
    return Counts(len(new), 0, len(rows) - len(new))


def _without_repeats(table: Table, rows: Sequence[RowState]) -> list[RowState]:
    named = [one for one in rows if all(isinstance(part, str) for part in key_of(table.shape, one.row))]
    known = set(table.there([key_of(table.shape, one.row) for one in named])) if named else set()
    unnamed = {id(one) for one in rows} - {id(one) for one in named}
    new = []
    for one in rows:
        if id(one) not in unnamed:
            name = table.identity(one)
            if name in known:
                continue
            known.add(name)
        new.append(one)
    return new


def _looks(table: Table, rows: Sequence[RowState]) -> bool:
    """Return whether rows that are there must be looked up: INSERT would object to what an UPDATE may leave out."""
    if table.facts.looks:
        return True
    needed = _needed(table.shape)
    return any(
        one.whole or one.partial or any(one.row[at] is ABSENT for at in needed) for one in rows if not one.deleted
    )


def _needed(shape: TargetShape) -> list[int]:
    return [
        at
        for at, one in enumerate(shape.columns)
        if one.written and at != shape.deleted and (one.numbered or not one.has_default)
    ]
