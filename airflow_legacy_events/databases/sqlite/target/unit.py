"""Transaction of SQLite, which has the file for itself."""

from __future__ import annotations

from typing import Any

from airflow_legacy_events.core.model.changes import TargetShape
from airflow_legacy_events.core.ports.target import Counts, TableStates
from airflow_legacy_events.databases.applying.binding import bound_key
from airflow_legacy_events.databases.applying.session import WriteSession
from airflow_legacy_events.databases.applying.unit import SqlUnit
from airflow_legacy_events.databases.sqlite.target.deferred import SqliteFacts, refuse_broken


class SqliteUnit(SqlUnit):
    """See `SqlUnit`."""

    rechecks_inserts = False

    def __init__(self, session: WriteSession) -> None:
        super().__init__(session)
        self._written: list[tuple[TargetShape, list[tuple[Any, ...]]]] = []

    def apply(self, states: TableStates) -> Counts:
        """See `SqlUnit.apply`; keys are kept for `settle` where a foreign key is deferred."""
        found, shape = super().apply(states), states.shape
        facts: SqliteFacts = shape.facts
        if shape.key and (facts.own or facts.children):
            keys = [bound_key(shape, [one.row[at] for at in shape.key]) for one in states.rows]
            keys += [bound_key(shape, one.former) for one in states.rows if one.former is not None]
            self._written.append((shape, keys))
        return found

    def settle(self) -> None:
        """See `core.ports.target.Unit.settle`."""
        written, self._written = self._written, []
        for shape, keys in written:
            with self.session.doing(f"asking for foreign keys of table {shape.table!r}"):
                refuse_broken(self.connection, shape, keys, max(1, self.keys_per_statement // len(shape.key)))
