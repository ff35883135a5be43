"""Transactions that write through a SQLAlchemy dialect, with a lock or without one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from airflow_legacy_events.core.ports import Answer
from airflow_legacy_events.databases.errors import one_line
from airflow_legacy_events.databases.generic.values import exact
from airflow_legacy_events.databases.writing import not_written, retried


class Unlocked:
    """The lease of a source without locks: it can't be lost.

    Args:
        session: that may write; for one thread at a time.
        name: of the stream.
    """

    def __init__(self, session: sa.Connection, name: str) -> None:
        self._session, self._name = session, name

    def check(self) -> None:
        """See `core.ports.Lease.check`."""

    def execute(self, statements: Sequence[Any]) -> list[Answer]:
        """See `core.ports.Lease.execute`; no lock is there to be ours."""

        def transaction() -> list[Answer]:
            with self._session.begin():
                return [answer_of(self._session.execute(statement)) for statement in statements]

        return written(self._name, transaction)


def written(name: str, transaction: Callable[[], list[Answer]]) -> list[Answer]:
    """Return what a transaction gives; dialects share no name for a deadlock, so errors of operation are retried."""
    try:
        return retried(transaction, lambda error: isinstance(error, sa.exc.OperationalError))
    except sa.exc.SQLAlchemyError as error:
        raise not_written(name, one_line(error)) from error


def answer_of(result: Any) -> Answer:
    """Return what a statement gave, values in a form that `core.columns.Kind` names."""
    if not result.returns_rows:
        return Answer([], result.rowcount)
    rows = exact(result.fetchall(), list(result.keys()))
    return Answer(rows, len(rows))
