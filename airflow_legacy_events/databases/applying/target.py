"""Base of the targets: a session that may write, transactions, reflection and DDL through SQLAlchemy."""

from __future__ import annotations

import datetime as dt
import logging
from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.errors import TargetError
from airflow_legacy_events.core.model.changes import TargetShape
from airflow_legacy_events.core.ports.target import (
    NewColumn,
    ObjectionError,
    OutcomeUnknownError,
    TransactionLostError,
    Wanted,
)
from airflow_legacy_events.databases.applying import ddl
from airflow_legacy_events.databases.applying.faults import Fault
from airflow_legacy_events.databases.applying.finding import find_table
from airflow_legacy_events.databases.applying.session import Driver, WriteSession
from airflow_legacy_events.databases.applying.unit import SqlUnit
from airflow_legacy_events.databases.pool_log import without_errors
from airflow_legacy_events.databases.quoting import quote_all
from airflow_legacy_events.databases.table_names import TableName


class SqlTarget(ABC):
    """See `core.ports.target.Target`.

    Args:
        conn_id: Airflow's name of the connection, for messages.
        url: SQLAlchemy URL.
        statement_timeout: time limit of a statement, enforced by the database.
        log: of the task.

    Attributes:
        unit: class of its transactions.
        made_with: words behind the columns of CREATE TABLE, such as the engine of MySQL.
        adds: words of ALTER TABLE before a new column.
        interrupts: whether statements are interrupted at their time limit from here, since the database has none.
        trusts_commit: whether an error of COMMIT that is no loss of the connection means that nothing was committed.
        adds_one_at_a_time: whether an ALTER TABLE takes one new column only.
        identity_moves: see `core.ports.target.Target.identity_moves`.
    """

    unit: type[SqlUnit] = SqlUnit
    made_with = ""
    adds = "ADD COLUMN"
    adds_one_at_a_time = False
    identity_moves = False
    interrupts = False
    trusts_commit = True

    def __init__(
        self, conn_id: str, url: sa.URL, *, statement_timeout: dt.timedelta, log: logging.Logger | None = None
    ) -> None:
        self.conn_id, self.url, self.log = conn_id, url, log or logging.getLogger(__name__)
        self.seconds = statement_timeout.total_seconds()
        self._session = self.new_session()
        self._asking: set[WriteSession] = set()

    @cached_property
    def engine(self) -> sa.Engine:
        """Engine of the writing sessions, without a pool; each connection is prepared as `make_engine` has it."""
        engine = without_errors(self.make_engine())
        quote_all(engine.dialect)
        return engine

    @abstractmethod
    def make_engine(self) -> sa.Engine:
        """Return an engine with NullPool and hide_parameters, whose sessions have the statement timeout."""

    @abstractmethod
    def fault(self, error: BaseException) -> Fault:
        """Return what an error of the driver, or of SQLAlchemy alone, means."""

    @abstractmethod
    def reflect(self, table: str, wanted: Wanted) -> TargetShape | None:
        """See `core.ports.target.Target.reflect`."""

    @abstractmethod
    def identity(self, table: str) -> str | None:
        """See `core.ports.target.Target.identity`."""

    @abstractmethod
    def type_of(self, column: NewColumn, *, in_key: bool) -> str:
        """Return the type of a new column, in the database's own words."""

    def find(self, connection: sa.Connection, table: str) -> TableName | None:
        """Return the catalog's name of a table or view; None if there is none."""
        return find_table(connection, table)

    def begin(self, connection: sa.Connection) -> None:
        """Begin a transaction with a round trip, so that a connection that was lost in between is noticed."""
        connection.begin()
        connection.dialect.do_ping(connection.connection.dbapi_connection)  # type: ignore[arg-type]

    @abstractmethod
    def interrupt(self, driver: Any) -> None:
        """Cancel the statement that runs on a driver's connection, from another thread."""

    @abstractmethod
    def cut(self, driver: Any) -> object:
        """End a driver's connection from another thread, so that a call that waits for an answer fails."""

    def identity_of(self, shape: TargetShape, key: Sequence[Any]) -> Hashable:
        """See `core.ports.target.Target.identity_of`."""
        return shape.table, shape.facts.identity_of(shape, key)

    def has_one(self, shape: TargetShape, keys: Sequence[Sequence[Any]]) -> bool:
        """See `core.ports.target.Target.has_one`."""
        with self.transaction() as unit:
            found = unit.holds_one(shape, keys) if keys else unit.holds(shape)
            unit.roll_back()
        return found

    @contextmanager
    def transaction(self) -> Iterator[SqlUnit]:
        """See `core.ports.target.Target.transaction`."""
        session = self._session
        with session.held():
            unit = self._begun(session)
            try:
                yield unit
            except BaseException:
                unit.end()
                raise
            if unit.over:
                unit.end()
            else:
                self._commit(session, unit)

    def make(self, table: str, columns: Sequence[NewColumn], key: Sequence[str]) -> None:
        """See `core.ports.target.Target.make`."""
        ddl.make(self, table, columns, key)

    def add(self, table: str, columns: Sequence[NewColumn]) -> None:
        """See `core.ports.target.Target.add`."""
        ddl.add(self, table, columns)

    def added(self, table: str, columns: Sequence[NewColumn]) -> str:
        """See `core.ports.target.Target.added`."""
        return ddl.added(self, table, columns)

    def close(self) -> None:
        """See `core.ports.target.Target.close`."""
        for one in (self._session, *list(self._asking)):
            one.close()

    def new_session(self) -> WriteSession:
        """Return a session that is not open yet."""
        return WriteSession(
            self.conn_id, self.engine, self.seconds, Driver(self.fault, self.interrupt, self.cut, self.interrupts)
        )

    @contextmanager
    def asking(self, doing: str) -> Iterator[sa.Connection]:
        """Yield a connection of its own in a transaction, for the catalog or DDL; may be used from any thread.

        Raises:
            ObjectionError, TransactionLostError, TargetError: as `WriteSession.doing`.
        """
        session = self.new_session()
        self._asking.add(session)
        try:
            with session.held():
                connection = session.connection
                with session.doing(doing), connection.begin():
                    yield connection
        finally:
            self._asking.discard(session)
            session.discard()

    def _begun(self, session: WriteSession) -> SqlUnit:
        for again in (True, False):
            connection = session.connection
            try:
                with session.doing("beginning a transaction"):
                    self.begin(connection)
                break
            except (TargetError, TransactionLostError):
                if not session.is_lost():
                    session.discard()
                    raise
                if not again:
                    raise
        return self.unit(session)

    def _commit(self, session: WriteSession, unit: SqlUnit) -> None:
        transaction = unit.connection_if_open()
        if transaction is None:
            raise TransactionLostError(f"connection {self.conn_id!r} was lost before COMMIT")
        try:
            with session.doing("committing"):
                transaction.commit()
        except (ObjectionError, TransactionLostError):
            session.discard()  # some databases leave the transaction open
            raise
        except TargetError as error:
            if session.is_lost() or not self.trusts_commit:
                session.discard()
                raise OutcomeUnknownError(str(error)) from None
            session.discard()
            raise
