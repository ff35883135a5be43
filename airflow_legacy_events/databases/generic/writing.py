"""Transactions that write through a SQLAlchemy dialect, with a lock or without one."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import sqlalchemy as sa

from airflow_legacy_events.core.ports import Answer
from airflow_legacy_events.databases.generic.values import exact
from airflow_legacy_events.databases.writing import in_order, not_written, retried

Work: TypeAlias = Callable[[sa.Connection], list[Answer]]

_CONFLICTS = frozenset({"40001", "40P01"})
_IN_CONFLICT = ("deadlock", "update conflict", "lock conflict", "conflicts with concurrent")
_STATE, _ORACLE = re.compile(r"[0-9A-Z]{5}"), re.compile(r"ORA-\d+")
_WITHOUT_VALUES = re.compile(
    r"no permission for [A-Z/]+ access to [A-Z ]+ \S+|violation of [A-Z ]+ constraint \"[^\"]+\" on table \"[^\"]+\""
    r"|deadlock|lock conflict on no wait transaction|lock time-out on wait transaction|Table unknown|Column unknown"
    r"|attempted update of read-only \w+|attempted update during read-only transaction",
    re.IGNORECASE,
)


class Unlocked:
    """The lease of a source without locks: it can't be lost.

    Args:
        in_transaction: returns what a function of the connection returns, in one transaction.
        name: of the stream.
    """

    def __init__(self, in_transaction: Callable[[Work], list[Answer]], name: str) -> None:
        self._in_transaction, self._name = in_transaction, name

    def check(self) -> None:
        """See `core.ports.Lease.check`."""

    def execute(self, statements: Sequence[Any]) -> list[Answer]:
        """See `core.ports.Lease.execute`; no lock is there to be ours."""

        def transaction(session: sa.Connection) -> list[Answer]:
            return in_order(statements, lambda one: answer_of(session.execute(one)))

        return written(self._name, lambda: self._in_transaction(transaction))


def written(name: str, transaction: Callable[[], list[Answer]]) -> list[Answer]:
    """Return what a transaction gives.

    Raises:
        SourceError: it failed; a deadlock was tried again.
    """
    try:
        return retried(transaction, _is_conflict)
    except sa.exc.SQLAlchemyError as error:
        raise not_written(name, reason_without_values(error)) from None  # the driver's own text may hold values


def _is_conflict(error: Exception) -> bool:
    """Return whether the database sacrificed a transaction to another one: its code or its driver's text says so."""
    if not isinstance(error, sa.exc.DBAPIError) or error.connection_invalidated:
        return False
    text = str(error.orig).lower()
    return _state(error.orig) in _CONFLICTS or any(words in text for words in _IN_CONFLICT)


def reason_without_values(error: Exception) -> str:
    """Return why a statement failed: the kind of the error, its codes, and of the driver's text what holds no value."""
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    state, code = _state(cause), _code(cause)
    known = _WITHOUT_VALUES.search(" ".join(str(cause).split())) if cause is not error else None
    parts = [known[0] if known else type(cause).__name__, state and f"SQLSTATE {state}", code and f"code {code}"]
    return ", ".join(part for part in parts if part)


def _state(cause: Any) -> str:
    first = cause.args[0] if getattr(cause, "args", ()) else None
    found = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None) or first
    return found if isinstance(found, str) and _STATE.fullmatch(found) else ""


def _code(cause: Any) -> str:
    first = cause.args[0] if getattr(cause, "args", ()) else None
    found = getattr(cause, "sqlcode", None) or getattr(first, "full_code", None) or first
    return str(found) if isinstance(found, int) or _ORACLE.fullmatch(str(found)) else ""


def answer_of(result: Any) -> Answer:
    """Return what a statement gave, values in a form that `core.columns.Kind` names."""
    if not result.returns_rows:
        return Answer([], result.rowcount)
    rows = exact(result.fetchall(), list(result.keys()))
    return Answer(rows, len(rows))


def refusal(session: sa.Connection, statement: Any) -> str | None:
    """Return why a statement may not run; None where it may. It is rolled back.

    Raises:
        SQLAlchemyError: it failed for a reason that passes, such as a lost connection.
    """
    try:
        session.execute(statement)
    except sa.exc.DBAPIError as error:
        if error.connection_invalidated or _is_conflict(error):
            raise
        return reason_without_values(error)
    finally:
        session.rollback()
    return None


def literal(value: Any) -> Any:
    """Return a number or text as a literal of the statement, and any other value as it is."""
    if type(value) is int:
        return sa.literal_column(str(value))
    return sa.literal(value, sa.Unicode(), literal_execute=True) if type(value) is str else value
