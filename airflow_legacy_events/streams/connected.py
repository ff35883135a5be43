"""Databases behind source connectors, opened from an Airflow connection for a few statements."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.ports import ConnectedDatabase
from airflow_legacy_events.hooks.database import LegacyDatabaseHook

T = TypeVar("T")

STATEMENT_TIMEOUT = dt.timedelta(seconds=30)


@contextmanager
def connected(conn_id: str, statement_timeout: dt.timedelta = STATEMENT_TIMEOUT) -> Iterator[ConnectedDatabase]:
    """Yield the database of a connection as the source of a connector; its session ends with the context.

    Args:
        conn_id: the Airflow connection.
        statement_timeout: time limit of a statement, enforced by the database.

    Raises:
        ConfigurationError: the connection is missing, or leads to another kind of database.
    """
    database = LegacyDatabaseHook(conn_id).get_database(statement_timeout=statement_timeout)
    make = getattr(database, "connected", None)
    if make is None:
        raise ConfigurationError(
            f"connection {conn_id!r} must lead to PostgreSQL, MariaDB or MySQL: the log of no other database is"
            " compared with a connector's offset"
        )
    found: ConnectedDatabase = make()
    try:
        yield found
    finally:
        found.close()
        database.close()


def using(conn_id: str) -> Callable[[Callable[[ConnectedDatabase], T]], T]:
    """Return a function that calls another one with the database of a connection."""
    return partial(_use, conn_id)


def _use(conn_id: str, work: Callable[[ConnectedDatabase], T]) -> T:
    with connected(conn_id) as database:
        return work(database)
