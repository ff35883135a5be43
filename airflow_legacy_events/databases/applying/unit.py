"""Open transaction of a target: changes by UPDATE and INSERT, savepoints, and statements of a position."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.model.changes import TargetShape
from airflow_legacy_events.core.ports import Answer
from airflow_legacy_events.core.ports.target import Counts, TableStates, TransactionLostError
from airflow_legacy_events.databases.applying.binding import bound_key
from airflow_legacy_events.databases.applying.looking import look
from airflow_legacy_events.databases.applying.rows import apply_rows
from airflow_legacy_events.databases.applying.session import WriteSession


class SqlUnit:
    """See `core.ports.target.Unit`. A database overrides what it does in a way of its own.

    Args:
        session: in a transaction.

    Attributes:
        over: whether the transaction is to be rolled back at its end.
        keys_per_statement: how many key values one statement names at most.
        rechecks_inserts: whether another writer may insert a key between our look and our INSERT.
    """

    keys_per_statement = 500
    rechecks_inserts = True

    def __init__(self, session: WriteSession) -> None:
        self.session, self.over = session, False

    @property
    def trusts_triggers(self) -> bool:
        """Whether no trigger of the database can keep a row out without an error."""
        return False

    @property
    def connection(self) -> sa.Connection:
        """The connection of the transaction; the driver's own is `connection.connection.driver_connection`."""
        return self.session.connection

    def apply(self, states: TableStates) -> Counts:
        """See `core.ports.target.Unit.apply`."""
        with self.session.translating(f"applying changes to table {states.shape.table!r}"):
            return apply_rows(self, states)

    def settle(self) -> None:
        """See `core.ports.target.Unit.settle`; without deferred constraints there is nothing to do."""

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """See `core.ports.target.Unit.savepoint`."""
        with self.session.doing("setting a savepoint"):
            point = self.connection.begin_nested()
        try:
            yield
        except TransactionLostError:  # the savepoint is lost with its transaction
            raise
        except BaseException:
            if not self.session.is_lost():
                with self.session.doing("rolling back to a savepoint"):
                    point.rollback()
            raise
        with self.session.doing("releasing a savepoint"):
            point.commit()

    def holds(self, shape: TargetShape) -> bool:
        """See `core.ports.target.Unit.holds`."""
        table = shape.facts.table
        with self.session.doing(f"looking for a row of table {shape.table!r}"):
            one: Any = sa.select(sa.literal_column("1")).select_from(table).limit(1)
            return self.connection.execute(one).first() is not None

    def holds_one(self, shape: TargetShape, keys: Sequence[Sequence[Any]]) -> bool:
        """Return whether the table has the row of one of these keys."""
        with self.session.doing(f"looking for rows of table {shape.table!r}"):
            return bool(look(self, shape, [bound_key(shape, one) for one in keys]))

    def roll_back(self) -> None:
        """See `core.ports.target.Unit.roll_back`."""
        self.over = True

    def execute(self, statement: Any) -> Answer:
        """See `core.ports.target.Unit.execute`; an ObjectionError is of the statement's own values."""
        with self.session.doing("saving the position"):
            result = self.connection.execute(statement, execution_options={"preserve_rowcount": True})
            if not result.returns_rows:
                return Answer([], result.rowcount)
            rows = [tuple(one) for one in result.fetchall()]
            return Answer(rows, len(rows))

    def end(self) -> None:
        """Roll the transaction back; a session that can't is discarded."""
        with contextlib.suppress(Exception):
            if (transaction := self.connection_if_open()) is not None:
                transaction.rollback()
                return
        self.session.discard()

    def connection_if_open(self) -> sa.RootTransaction | None:
        """Return the open transaction; None if its connection is gone."""
        return None if self.session.is_lost() else self.connection.get_transaction()
