"""Capture: turns a person's request into triggers, based on the catalog."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from airflow_legacy_events.cli.outbox.ddl import COLUMNS
from airflow_legacy_events.cli.outbox.model import Capture, Dialect, Outbox, Request
from airflow_legacy_events.core.columns import Column
from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.ports import Reflection
from airflow_legacy_events.databases.generic import GenericDatabase
from airflow_legacy_events.databases.table_names import readings, split_name
from airflow_legacy_events.hooks.database import LegacyDatabaseHook

_LONGEST_TYPE, _LONGEST_CHANNEL = 255, 63


class Looked(NamedTuple):
    """Result of reading the catalog.

    Attributes:
        capture: the triggers to be written.
        missing: requested columns that do not exist.
        outbox_columns: None if this user can see no outbox.
    """

    capture: Capture
    missing: tuple[str, ...]
    outbox_columns: frozenset[str] | None

    def outbox_faults(self) -> list[str]:
        """Return what is wrong with the outbox, as sentences."""
        name = ".".join(part for part in self.capture.outbox if part)
        if self.outbox_columns is None:
            return [
                f"there is no outbox {name!r} that this user can see: without it every write fails; see `outbox ddl`"
            ]
        lacks = [one for one in COLUMNS if one not in self.outbox_columns]
        return [f"the outbox {name!r} has no column {one!r}, so every write fails" for one in lacks]


@contextmanager
def dialect_of(conn_id: str) -> Iterator[Dialect]:
    """Yield the dialect of a connection's database, which is closed afterwards.

    Raises:
        ConfigurationError: the connection is missing, or triggers of its database are not supported.
    """
    database: Any = LegacyDatabaseHook(conn_id).get_database()
    backend = database.url.get_backend_name()
    try:
        if isinstance(database, GenericDatabase):
            raise ConfigurationError(
                f"connection {conn_id!r} leads to {backend!r}; triggers are written for connections of the types"
                " postgres, mysql and sqlite"
            )
        yield _dialect(backend)(database)
    finally:
        database.close()


def _dialect(backend: str) -> type[Dialect]:
    if backend == "postgresql":
        from airflow_legacy_events.cli.outbox.postgres import Postgres  # noqa: PLC0415

        return Postgres
    if backend == "sqlite":
        from airflow_legacy_events.cli.outbox.sqlite import Sqlite  # noqa: PLC0415

        return Sqlite
    from airflow_legacy_events.cli.outbox.mysql import Mysql  # noqa: PLC0415

    return Mysql


def look(request: Request, dialect: Dialect) -> Looked:
    """Return the triggers for the request.

    Raises:
        ConfigurationError: there is no such table or column, or no trigger can serve the request.
    """
    _refuse_options(request, dialect)
    found = dialect.database.reflect(request.table, None)
    place = dialect.place(found)
    outbox = _outbox(request, dialect)
    if outbox.name == place.name:
        raise ConfigurationError(
            f"table {request.table!r} is the outbox itself: each of its rows would create another, without end"
        )
    if place.refusal is not None:
        raise ConfigurationError(f"table {request.table!r} can't have such triggers: {place.refusal}")
    columns, missing = _chosen(request.columns, found)
    key = _key(request, found)
    for column in (*columns, *key):
        if (reason := dialect.refused_column(place.name, column)) is not None:
            raise ConfigurationError(f"column {column.name!r} of table {request.table!r} {reason}: leave it out")
    capture = Capture(
        place.name,
        outbox.name,
        columns,
        key,
        place.name.name if request.aggregate_type is None else request.aggregate_type,
        request.always,
        request.notify,
        place.notes,
    )
    return Looked(capture, missing, outbox.columns)


def _outbox(request: Request, dialect: Dialect) -> Outbox:
    """Return the outbox of that name, else the place where it would be created."""
    found = (dialect.outbox(*one) for one in readings(request.outbox, dialect.quotes))
    there = next((one for one in found if one.columns is not None), None)
    return there or dialect.outbox(*split_name(request.outbox, dialect.quotes))


def _refuse_options(request: Request, dialect: Dialect) -> None:
    for option, given in (("--always", request.always), ("--notify", request.notify is not None)):
        if given and not dialect.only_here:
            raise ConfigurationError(f"{option} is for PostgreSQL only, and this connection leads to another database")
    if request.notify is not None and not 0 < len(request.notify.encode()) <= _LONGEST_CHANNEL:
        raise ConfigurationError(f"--notify {request.notify!r}: a channel has 1 to {_LONGEST_CHANNEL} bytes")
    if request.aggregate_type is not None and not 0 < len(request.aggregate_type) <= _LONGEST_TYPE:
        raise ConfigurationError(f"--aggregate-type takes 1 to {_LONGEST_TYPE} characters")


def _names(found: Reflection) -> list[str]:
    return [*(one.name for one in found.columns), *found.refused]


def _chosen(names: Sequence[str], found: Reflection) -> tuple[tuple[Column, ...], tuple[str, ...]]:
    """Return the columns of these names, each once, and the names without a column."""
    columns, missing = {}, []
    for name in names:
        if (column := _find(name, found.columns)) is not None:
            columns[column.name] = column
        elif name in found.refused:
            raise ConfigurationError(
                f"column {name!r} is of type {found.refused[name]}, whose values can't be carried: leave it out"
            )
        else:
            missing.append(name)
    return tuple(columns.values()), tuple(missing)


def _find(name: str, columns: Sequence[Column]) -> Column | None:
    """Return the column of that exact name, else the only one that matches regardless of case."""
    exact = [one for one in columns if one.name == name]
    alike = exact or [one for one in columns if one.name.lower() == name.lower()]
    return alike[0] if len(alike) == 1 else None


def _key(request: Request, found: Reflection) -> tuple[Column, ...]:
    nullable = {one.name for one in found.columns if one.nullable}
    unique = next((one for one in found.unique if not nullable.intersection(one)), ())
    names = request.key or found.primary_key or unique
    if not names:
        raise ConfigurationError(
            f"table {request.table!r} has neither a primary key nor a unique index over columns that are NOT NULL, so"
            " nothing identifies the row of an event: name the key columns with --key"
        )
    key, missing = _chosen(names, found)
    if missing:
        raise unknown_columns(request, missing, found)
    for column in key:
        if column.nullable and column.name not in found.primary_key:
            raise ConfigurationError(
                f"column {column.name!r} of the key may be NULL, and such a row could no longer be written: make it NOT"
                " NULL, or name other columns with --key"
            )
    return key


def unknown_columns(request: Request, missing: Sequence[str], found: Reflection) -> ConfigurationError:
    """Return the error for columns that a table does not have."""
    return ConfigurationError(
        f"table {request.table!r} has no column {', '.join(map(repr, missing))}; it has {', '.join(_names(found))}"
    )
