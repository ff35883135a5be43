"""Statements over rows of one table, and what it means if they change fewer than they must."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import psycopg

from airflow_legacy_events.core.errors import TargetError
from airflow_legacy_events.core.model.changes import TargetShape
from airflow_legacy_events.core.ports.target import Counts, TransactionLostError
from airflow_legacy_events.databases.postgres.target import statements
from airflow_legacy_events.databases.postgres.target.grouping import Row, by_version
from airflow_legacy_events.databases.postgres.target.staging import Source, stage
from airflow_legacy_events.databases.postgres.target.statements import Positions


class Changing:
    """Changes rows of one table.

    Args:
        session: in a transaction.
        shape: of the table.
    """

    def __init__(self, session: psycopg.Connection[Any], shape: TargetShape) -> None:
        self.session, self.shape, self.facts = session, shape, statements.facts_of(shape)

    def delete(self, rows: Sequence[Row]) -> Counts:
        """Delete the rows with the keys of some rows, or mark them as deleted, unless they are newer.

        Raises:
            TargetError: a row is there afterwards.
        """
        counts = Counts()
        for given, some in by_version(self.shape, rows):
            counts = counts.plus(self._delete(given, some))
        return counts

    def run(self, statement: str, source: Source | None = None) -> int:
        """Run a statement over a source; return how many rows it changed."""
        cursor = psycopg.RawCursor(self.session)
        return cursor.execute(statement.encode(), None if source is None else source.parameters or None).rowcount

    def ask(self, statement: str, source: Source) -> int:
        """Return the number that a statement over a source answers."""
        cursor = psycopg.RawCursor(self.session).execute(statement.encode(), source.parameters or None)
        found = cursor.fetchone()
        return 0 if found is None else int(found[0])

    def differ(self, what: str) -> NoReturn:
        """Report that a count is not what it must be.

        Raises:
            TargetError: something on the table keeps rows out.
            TransactionLostError: nothing does, so it was another session.
        """
        if not self.facts.triggers:
            raise TransactionLostError(f"another session wrote to table {self.shape.table!r} meanwhile")
        raise TargetError(
            f"table {self.shape.table!r} did not take all rows: {what}. Look at what decides about its rows, triggers"
            f" {', '.join(self.facts.triggers)}; nothing of the batch was applied"
        )

    def _delete(self, given: Positions, rows: Sequence[Row]) -> Counts:
        source = stage(self.session, self.shape, given, rows)
        newer = 0
        if self.run(statements.delete(self.shape, given, source.text), source) < source.size:
            newer = self.ask(statements.count_newer(self.shape, given, source.text), source)
            soft = self.shape.deleted is not None
            left = (statements.count_unmarked if soft else statements.count)(self.shape, source.text)
            if self.ask(left, source) > newer:
                self.differ("a row is there although it was deleted")
        return Counts(0, source.size - newer, newer)
