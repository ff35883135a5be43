"""Any database with a SQLAlchemy dialect as a target: UPDATE, then INSERT of what is missing."""

from __future__ import annotations

import datetime as dt
import logging
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.columns import Kind
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model.changes import TargetColumn, TargetShape
from airflow_legacy_events.core.ports.target import NewColumn, Wanted
from airflow_legacy_events.databases.applying.facts import TableFacts
from airflow_legacy_events.databases.applying.faults import Fault
from airflow_legacy_events.databases.applying.keys import Reflected, Roles
from airflow_legacy_events.databases.applying.relations import parents_of, warnings_of
from airflow_legacy_events.databases.applying.shaping import shape_of, typed_table
from airflow_legacy_events.databases.applying.target import SqlTarget
from airflow_legacy_events.databases.applying.values import BINDS
from airflow_legacy_events.databases.generic.catalog import seek_table
from airflow_legacy_events.databases.generic.dialects import limit, traits_of
from airflow_legacy_events.databases.generic.session import shut
from airflow_legacy_events.databases.generic.target.catalog import Table, fold_of, foreign_keys, read_table
from airflow_legacy_events.databases.generic.target.columns import is_firebird, type_of
from airflow_legacy_events.databases.generic.target.faults import fault_of
from airflow_legacy_events.databases.generic.target.unit import GenericUnit
from airflow_legacy_events.databases.table_names import TableName

_RELATION_ID = sa.text("SELECT rdb$relation_id FROM rdb$relations WHERE rdb$relation_name = :stored")


class GenericTarget(SqlTarget):
    """A database that is known only through its SQLAlchemy dialect."""

    unit = GenericUnit
    adds = "ADD"  # the word COLUMN is not understood everywhere
    adds_one_at_a_time = True
    interrupts = True
    trusts_commit = False

    def __init__(
        self, conn_id: str, url: sa.URL, *, statement_timeout: dt.timedelta, log: logging.Logger | None = None
    ) -> None:
        self._traits = traits_of(url.get_backend_name())
        super().__init__(conn_id, url, statement_timeout=statement_timeout, log=log)

    def make_engine(self) -> sa.Engine:
        """See `SqlTarget.make_engine`."""
        backend = self.url.get_backend_name()
        url = self.url.update_query_dict({k: v for k, v in self._traits.query.items() if k not in self.url.query})
        try:
            engine = sa.create_engine(url, poolclass=sa.NullPool, hide_parameters=True)
        except sa.exc.ArgumentError:  # its text contains the URL
            raise ConfigurationError(f"connection {self.conn_id!r}: its URL is not a {backend} URL") from None
        sa.event.listen(engine, "connect", self._prepare)
        return engine

    def _prepare(self, driver: Any, _: Any) -> None:
        limit(driver, self.seconds)
        self._traits.writing(driver)

    def fault(self, error: BaseException) -> Fault:
        """See `SqlTarget.fault`."""
        return fault_of(error, self.url.username)

    def interrupt(self, driver: Any) -> None:
        """See `SqlTarget.interrupt`."""
        self._traits.interrupt(driver)

    def cut(self, driver: Any) -> object:
        """See `SqlTarget.cut`; some drivers don't show their socket."""
        return shut(driver)

    def find(self, connection: sa.Connection, table: str) -> TableName | None:
        """See `SqlTarget.find`."""
        return seek_table(sa.inspect(connection), table)

    def identity(self, table: str) -> str | None:
        """See `core.ports.target.Target.identity`; Firebird numbers its tables, of others nothing is known."""
        with self.asking(f"looking for table {table!r}") as connection:
            if not is_firebird(connection.dialect) or (name := self.find(connection, table)) is None:
                return None
            stored = str(connection.dialect.denormalize_name(name.name))
            found = connection.execute(_RELATION_ID, {"stored": stored}).scalar()
            return None if found is None else str(found)

    def type_of(self, column: NewColumn, *, in_key: bool) -> str:
        """See `SqlTarget.type_of`."""
        if self.engine.dialect.server_version_info is None:  # some dialects choose types by the release
            with self.asking("asking for the release") as connection:
                return type_of(column, connection.dialect, in_key=in_key)
        return type_of(column, self.engine.dialect, in_key=in_key)

    def reflect(self, table: str, wanted: Wanted) -> TargetShape | None:
        """See `core.ports.target.Target.reflect`."""
        with self.asking(f"looking for table {table!r}") as connection:
            name = self.find(connection, table)
            if name is None:
                return None
            found = read_table(connection, name)
            others = {one: self.find(connection, one) for one in wanted.others}
            keys = [] if found.is_view else foreign_keys(connection, name.schema)
            folds = {one.name: fold_of(connection, name, one) for one in found.columns if one.kind is Kind.TEXT}
            triggers = self._traits.triggers(connection, name.name) or []
        here = TableName(name.schema, str(name.name))
        return shape_of(
            Reflected(table, found.columns, found.primary, found.unique),
            wanted,
            lambda roles: _facts(found, roles, folds, ", ".join(f"trigger {one}" for one, _ in triggers)),
            problems=["name a table; this is a view"] if found.is_view else [],
            parents=parents_of(
                [one for one in keys if one.table == here],
                {one: other and TableName(other.schema, str(other.name)) for one, other in others.items()},
                here,
            ),
            warnings=warnings_of([one for one in keys if one.parent == here], table),
        )


def _facts(found: Table, roles: Roles, folds: dict[str, Any], keeps_out: str) -> TableFacts:
    by = [found.columns[at] for at in roles.key or roles.repeats]
    chosen = [folds.get(one.name, (_itself, "")) for one in by]
    said = sorted({words for _, words in chosen if words})
    return TableFacts(
        typed_table(
            found.name, found.columns, [_type_of(*one) for one in zip(found.columns, found.types, strict=True)]
        ),
        tuple(None if one.kind is Kind.JSON else BINDS.get(one.kind) for one in found.columns),
        folds=tuple(fold for fold, _ in chosen),
        defaults=tuple(sa.null() if one is None else sa.literal_column(one) for one in found.defaults),
        keeps_out=keeps_out,
        how_compared=f" ({', '.join(said)})" if said else "",
    )


def _type_of(column: TargetColumn, type_: Any) -> Any:
    """Return the type that values are bound by.

    JSON goes as its text, whose digits Python would lose. The dialect of Firebird would cast numbers of eight bytes to
    four, and fails for bytes that are NULL; its driver takes both as they are.
    """
    if column.kind is Kind.JSON:
        return sa.Text()
    is_of_firebird = type(type_).__module__.startswith("sqlalchemy_firebird")
    return sa.types.NullType() if is_of_firebird and column.kind in (Kind.BYTES, Kind.INTEGER) else type_


def _itself(value: Any) -> Any:
    return value
