"""PostgreSQL as a target."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import sqlalchemy as sa

from airflow_legacy_events.core.errors import TargetError
from airflow_legacy_events.core.model.changes import TargetShape
from airflow_legacy_events.core.ports import Answer
from airflow_legacy_events.core.ports.target import Counts, NewColumn, TableStates, TransactionLostError, Wanted
from airflow_legacy_events.databases.applying.faults import Fault
from airflow_legacy_events.databases.applying.target import SqlTarget
from airflow_legacy_events.databases.applying.unit import SqlUnit
from airflow_legacy_events.databases.postgres.ours import named
from airflow_legacy_events.databases.postgres.session import WIRE, cut
from airflow_legacy_events.databases.postgres.target import failures, types
from airflow_legacy_events.databases.postgres.target.applying import Applying
from airflow_legacy_events.databases.postgres.target.catalog import find_oid
from airflow_legacy_events.databases.postgres.target.identities import identity_of
from airflow_legacy_events.databases.postgres.target.reflecting import reflect
from airflow_legacy_events.databases.postgres.target.settings import settings
from airflow_legacy_events.databases.postgres.target.statements import facts_of

POSITIONS = "legacy_events_watermarks"
"""Table of positions."""


class PostgresUnit(SqlUnit):
    """Transaction whose rows go through COPY and statements over all of them."""

    @property
    def driver(self) -> psycopg.Connection[Any]:
        """The driver's connection."""
        return driver_of(self.connection)

    def apply(self, states: TableStates) -> Counts:
        """See `core.ports.target.Unit.apply`."""
        with self._within(f"applying changes to table {states.shape.table!r}"):
            try:
                return Applying(self.driver, states.shape).apply(states)
            except (psycopg.Error, UnicodeEncodeError) as error:
                found = None if self.driver.closed else failures.raised(error, states.shape)
                if found is None:
                    raise
                raise found from None

    def settle(self) -> None:
        """See `core.ports.target.Unit.settle`; what may be deferred is, in all of a transaction."""
        with self._within("checking deferred constraints"):
            psycopg.Cursor(self.driver).execute(b"SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """See `core.ports.target.Unit.savepoint`."""
        with self._lost_with_session(), super().savepoint():
            yield

    def holds(self, shape: TargetShape) -> bool:
        """See `core.ports.target.Unit.holds`."""
        facts = facts_of(shape)
        with self._within(f"looking for a row of table {shape.table!r}"):
            statement = f"SELECT EXISTS (SELECT FROM {facts.only}{facts.name})"
            found = psycopg.Cursor(self.driver).execute(statement.encode()).fetchone()
        return found is not None and bool(found[0])

    def execute(self, statement: Any) -> Answer:
        """See `core.ports.target.Unit.execute`."""
        with self._lost_with_session():
            return super().execute(statement)

    @contextmanager
    def _within(self, doing: str) -> Iterator[None]:
        with self._lost_with_session(), self.session.doing(doing):
            yield

    @contextmanager
    def _lost_with_session(self) -> Iterator[None]:
        """A transaction is rolled back with its session, and begun again on another one."""
        try:
            yield
        except TargetError as error:
            if self.session.is_lost():
                raise TransactionLostError(str(error)) from None
            raise


class PostgresTarget(SqlTarget):
    """See `core.ports.target.Target`: PostgreSQL 12 and later."""

    unit = PostgresUnit

    def make_engine(self) -> sa.Engine:
        """See `SqlTarget.make_engine`."""
        options = {**WIRE, **named(self.url.query), "prepare_threshold": None}
        return sa.create_engine(self.url, poolclass=sa.NullPool, hide_parameters=True, connect_args=options)

    def fault(self, error: BaseException) -> Fault:
        """See `SqlTarget.fault`."""
        return failures.fault_of(error)

    def begin(self, connection: sa.Connection) -> None:
        """Begin a transaction with settings that end with it, so that a pooler can't lose or leak them."""
        connection.begin()
        psycopg.Cursor(driver_of(connection)).execute(settings(driver_of(connection), self.seconds))

    def reflect(self, table: str, wanted: Wanted) -> TargetShape | None:
        """See `core.ports.target.Target.reflect`."""
        with self.asking(f"looking at table {table!r}") as connection:
            return reflect(self._limited(connection), table, wanted, POSITIONS)

    def identity(self, table: str) -> str | None:
        """See `core.ports.target.Target.identity`: its OID."""
        with self.asking(f"looking for table {table!r}") as connection:
            oid = find_oid(self._limited(connection), table)
        return None if oid is None else str(oid)

    def type_of(self, column: NewColumn, *, in_key: bool) -> str:  # noqa: ARG002  any type may be a key
        """See `SqlTarget.type_of`."""
        return types.type_of(column)

    identity_of = staticmethod(identity_of)
    """See `core.ports.target.Target.identity_of`; it is called for each key."""

    def interrupt(self, driver: Any) -> None:
        """See `SqlTarget.interrupt`."""
        driver.cancel_safe(timeout=1)

    def cut(self, driver: Any) -> None:
        """See `SqlTarget.cut`."""
        cut(driver)

    def _limited(self, connection: sa.Connection) -> psycopg.Connection[Any]:
        driver = driver_of(connection)
        psycopg.Cursor(driver).execute(settings(driver, self.seconds))
        return driver


def driver_of(connection: sa.Connection) -> psycopg.Connection[Any]:
    """Return the driver's connection behind SQLAlchemy's."""
    driver: Any = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection), "not a connection of psycopg"  # noqa: S101
    return driver
