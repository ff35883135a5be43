"""SQLite as a target: each transaction takes the write lock of the file when it begins."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.columns import Column, Kind
from airflow_legacy_events.core.model.changes import TargetShape
from airflow_legacy_events.core.ports.target import NewColumn, Wanted
from airflow_legacy_events.databases.applying.faults import Fault
from airflow_legacy_events.databases.applying.keys import Reflected, Roles
from airflow_legacy_events.databases.applying.relations import ForeignKey, parents_of, warnings_of
from airflow_legacy_events.databases.applying.shaping import shape_of, typed_table
from airflow_legacy_events.databases.applying.target import SqlTarget
from airflow_legacy_events.databases.sqlite.collations import collations
from airflow_legacy_events.databases.sqlite.names import folded
from airflow_legacy_events.databases.sqlite.session import open_session
from airflow_legacy_events.databases.sqlite.target.binds import bind_of, fold_of
from airflow_legacy_events.databases.sqlite.target.catalog import Table, foreign_keys, read_table
from airflow_legacy_events.databases.sqlite.target.deferred import SqliteFacts
from airflow_legacy_events.databases.sqlite.target.faults import fault_of
from airflow_legacy_events.databases.sqlite.target.unit import SqliteUnit
from airflow_legacy_events.databases.table_names import TableName

_LONGEST_VALUE = 1_000_000_000
_STEPS_BETWEEN_LOOKS = 100_000
_KNOWN = ("BINARY", "NOCASE", "RTRIM")
_TYPES = {
    Kind.INTEGER: "INTEGER",
    Kind.DECIMAL: "NUMERIC",
    Kind.FLOAT: "REAL",
    Kind.SINGLE: "REAL",
    Kind.BOOLEAN: "BOOLEAN",
    Kind.DATE: "DATE",
    Kind.TIME: "TIME",
    Kind.TIMESTAMP: "TIMESTAMP",
    Kind.INSTANT: "TIMESTAMPTZ",
    Kind.UUID: "UUID",
    Kind.JSON: "JSON",
    Kind.BYTES: "BLOB",
}


class SqliteTarget(SqlTarget):
    """A SQLite file that is there already."""

    unit = SqliteUnit
    adds_one_at_a_time = True

    def make_engine(self) -> sa.Engine:
        """See `SqlTarget.make_engine`; foreign keys are enforced."""
        engine = sa.create_engine("sqlite://", poolclass=sa.NullPool, hide_parameters=True, creator=self._open)
        sa.event.listen(engine, "before_cursor_execute", self._limit)
        return engine

    def _open(self) -> sqlite3.Connection:
        path = Path(self.url.database or "").resolve()
        if not path.is_file():
            raise sqlite3.OperationalError(f"the file {str(path)!r} does not exist; create the database first")
        session = open_session(path, self.seconds, _LONGEST_VALUE)
        session.execute("PRAGMA foreign_keys = ON")
        return session

    def _limit(self, connection: sa.Connection, *_: Any) -> None:
        """Give each statement its time."""
        driver: Any = connection.connection.driver_connection
        end = time.monotonic() + self.seconds
        driver.set_progress_handler(lambda: time.monotonic() > end, _STEPS_BETWEEN_LOOKS)

    def begin(self, connection: sa.Connection) -> None:
        """See `SqlTarget.begin`: with the write lock, since a transaction that read first can't always write."""
        connection.begin()
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def fault(self, error: BaseException) -> Fault:
        """See `SqlTarget.fault`."""
        return fault_of(error, self.seconds)

    def interrupt(self, driver: Any) -> None:
        """See `SqlTarget.interrupt`."""
        driver.interrupt()

    def cut(self, driver: Any) -> None:
        """See `SqlTarget.cut`; there is no peer that could be silent."""
        driver.interrupt()

    def identity(self, table: str) -> str | None:  # noqa: ARG002  SQLite numbers no table
        """See `core.ports.target.Target.identity`; a table of SQLite is known by its name alone."""
        return None

    def type_of(self, column: NewColumn, *, in_key: bool) -> str:  # noqa: ARG002  keys need no length
        """See `SqlTarget.type_of`."""
        return _TYPES.get(column.kind, "TEXT")

    def reflect(self, table: str, wanted: Wanted) -> TargetShape | None:
        """See `core.ports.target.Target.reflect`."""
        with self.asking(f"looking for table {table!r}") as connection:
            name = self.find(connection, table)
            if name is None:
                return None
            found = read_table(connection, name.name)
            keys = foreign_keys(connection)
            others = {one: self.find(connection, one) for one in wanted.others}
            compared = self._collations(connection, found)
        here = TableName(None, folded(found.name))
        children = [one for one in keys if one.parent == here]
        unique = tuple(tuple(one for one, _ in some) for some in found.unique if _is_key(some, compared))
        return shape_of(
            Reflected(table, found.columns, found.primary, unique),
            wanted,
            lambda roles: _facts(found, roles, compared, keys),
            problems=_problems(found, compared),
            parents=parents_of(
                (one for one in keys if one.table == here),
                {one: other and TableName(None, folded(other.name)) for one, other in others.items()},
                here,
            ),
            warnings=warnings_of(children, table),
        )

    def _collations(self, connection: sa.Connection, found: Table) -> dict[str, str]:
        """Return the collation of each column that may hold text."""
        driver: Any = connection.connection.driver_connection
        source = "`" + found.name.replace("`", "``") + "`"
        return collations(driver, source, [Column(one.name, one.kind, one.type) for one in found.columns])


def _problems(found: Table, compared: dict[str, str]) -> list[str]:
    if found.kind != "table":
        return [f"name a table; this is a {found.kind}{'' if found.kind == 'view' else ' table'}, and rows are updated"]
    strange = sorted({one for one in found.collations.values() if one not in _KNOWN})
    mixed = [one for one, collation in found.collations.items() if compared.get(one, collation) != collation]
    problems = []
    if strange:
        problems.append(
            f"use a collation of SQLite's own for the primary key; {', '.join(strange)} is the application's"
        )
    if mixed and not strange:
        problems.append(
            f"give the primary key the collation of its columns; {', '.join(mixed)} is compared by two collations"
        )
    return problems


def _is_key(some: tuple[tuple[str, str], ...], compared: dict[str, str]) -> bool:
    """Return whether an index calls the same values equal as a comparison of its columns does."""
    return all(collation in _KNOWN and compared.get(one, collation) == collation for one, collation in some)


def _facts(found: Table, roles: Roles, compared: dict[str, str], keys: Sequence[ForeignKey]) -> SqliteFacts:
    here, names = TableName(None, folded(found.name)), {found.columns[at].name for at in roles.key}
    deferred = [one for one in keys if one.deferred]
    by = [found.columns[at] for at in roles.key or roles.repeats]
    folding = sorted({compared.get(one.name, "BINARY") for one in by} - {"BINARY"})
    return SqliteFacts(
        typed_table(TableName(None, found.name), found.columns, [sa.types.NullType()] * len(found.columns)),
        tuple(bind_of(one.kind, affinity) for one, affinity in zip(found.columns, found.affinities, strict=True)),
        folds=tuple(fold_of(compared.get(one.name, "BINARY")) for one in by),
        defaults=tuple(sa.null() if one is None else sa.literal_column(f"({one})") for one in found.defaults),
        keeps_out=", ".join(f"trigger {one}" for one in found.triggers),
        conflicting="OR ABORT",
        how_compared=f" ({', '.join(folding)})" if folding else "",
        own=tuple(one for one in deferred if one.table == here),
        children=tuple(one for one in deferred if one.parent == here and set(one.to) == names),
    )
