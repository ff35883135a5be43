"""Write transactions through a SQLAlchemy dialect, with or without a lock."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import sqlalchemy as sa

from airflow_legacy_events.core.ports import Answer
from airflow_legacy_events.databases.generic.rights import missing
from airflow_legacy_events.databases.generic.values import exact
from airflow_legacy_events.databases.writing import Right, in_order, not_written, retried

Work: TypeAlias = Callable[[sa.Connection], list[Answer]]

_CONFLICTS = frozenset({"40001", "40P01"})
_IN_CONFLICT = ("deadlock", "update conflict", "lock conflict", "conflicts with concurrent")
_LACKS = re.compile(
    r"no permission for (?:DELETE|UPDATE) access|(?:DELETE|UPDATE) permission was denied", re.IGNORECASE
)
_STATE, _ORACLE = re.compile(r"[0-9A-Z]{5}"), re.compile(r"ORA-\d+")
_WITHOUT_VALUES = re.compile(
    r"no permission for [A-Z/]+ access to [A-Z ]+ \S+|violation of [A-Z ]+ constraint \"[^\"]+\" on table \"[^\"]+\""
    r"|deadlock|lock conflict on no wait transaction|lock time-out on wait transaction|Table unknown|Column unknown"
    r"|attempted update of read-only \w+|attempted update during read-only transaction",
    re.IGNORECASE,
)


class Unlocked:
    """Lease of a source without locks: it can't be lost.

    Args:
        in_transaction: runs a function of the connection in one transaction, and returns its result.
        name: of the stream.
    """

    def __init__(self, in_transaction: Callable[[Work], list[Answer]], name: str) -> None:
        self._in_transaction, self._name = in_transaction, name

    def check(self) -> None:
        """See `core.ports.Lease.check`."""

    def execute(self, statements: Sequence[Any]) -> list[Answer]:
        """See `core.ports.Lease.execute`; there is no lock to check."""

        def transaction(session: sa.Connection) -> list[Answer]:
            return in_order(statements, lambda one: answer_of(session.execute(one)))

        return written(self._name, lambda: self._in_transaction(transaction))


def written(name: str, transaction: Callable[[], list[Answer]]) -> list[Answer]:
    """Return the result of a transaction.

    Raises:
        SourceError: it failed; deadlocks are retried first.
    """
    try:
        return retried(transaction, _is_conflict)
    except sa.exc.SQLAlchemyError as error:
        raise not_written(name, reason_without_values(error)) from None  # the driver's text may contain values


def _is_conflict(error: Exception) -> bool:
    """Return whether a transaction lost a deadlock or conflict, from its error code or its driver's text."""
    if not isinstance(error, sa.exc.DBAPIError) or error.connection_invalidated:
        return False
    return is_conflict(error.orig)


def is_conflict(cause: Any) -> bool:
    """Return the same for an error of the driver."""
    text = str(cause).lower()
    return state_of(cause) in _CONFLICTS or any(words in text for words in _IN_CONFLICT)


def reason_without_values(error: Exception) -> str:
    """Return why a statement failed: the error class, its codes, and the value-free part of the driver's text."""
    if isinstance(error, sa.exc.DBAPIError) and error.orig is not None:
        return reason_of_driver(error.orig)
    return type(error).__name__


def reason_of_driver(cause: BaseException) -> str:
    """Return the same for an error of the driver."""
    state, code = state_of(cause), _code(cause)
    known = _WITHOUT_VALUES.search(" ".join(str(cause).split()))
    parts = [known[0] if known else type(cause).__name__, state and f"SQLSTATE {state}", code and f"code {code}"]
    return ", ".join(part for part in parts if part)


def state_of(cause: Any) -> str:
    """Return the SQLSTATE of an error of the driver; empty if it has none."""
    first = cause.args[0] if getattr(cause, "args", ()) else None
    found = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None) or first
    return found if isinstance(found, str) and _STATE.fullmatch(found) else ""


def _code(cause: Any) -> str:
    first = cause.args[0] if getattr(cause, "args", ()) else None
    found = getattr(cause, "sqlcode", None) or getattr(first, "full_code", None) or first
    return str(found) if isinstance(found, int) or _ORACLE.fullmatch(str(found)) else ""


def answer_of(result: Any) -> Answer:
    """Return a statement's answer, with values in a form of `core.columns.Kind`."""
    if not result.returns_rows:
        return Answer([], result.rowcount)
    rows = exact(result.fetchall(), list(result.keys()))
    return Answer(rows, len(rows))


def refusal(session: sa.Connection, statement: Any, user: str | None) -> str | None:
    """Return why a statement may not run, with the missing GRANT if it is known; None if it may. It is rolled back.

    Raises:
        SQLAlchemyError: it failed for a transient reason, such as a lost connection.
    """
    try:
        session.execute(statement)
    except sa.exc.DBAPIError as error:
        if error.connection_invalidated or _is_conflict(error):
            raise
        return ". ".join([reason_without_values(error), *_grants(session.dialect, error, statement, user)])
    finally:
        session.rollback()
    return None


def _grants(dialect: sa.Dialect, error: sa.exc.DBAPIError, statement: Any, user: str | None) -> list[str]:
    """Return the GRANT that a refused statement lacks, in a sentence; empty if the server names no right."""
    if not _LACKS.search(str(error.orig)):
        return [f"Run the GRANT below:\n{one}" for one in missing(error, user)]
    right, quote = Right.of(statement), dialect.identifier_preparer.quote
    on = ".".join(quote(part) for part in (right.schema, right.table) if part is not None)
    return [right.grant(on, quote(user) if user else "the user of this connection", quote)]


def literal(value: Any) -> Any:
    """Return a number or text as a SQL literal, and any other value unchanged."""
    if type(value) is int:
        return sa.literal_column(str(value))
    return sa.literal(value, sa.Unicode(), literal_execute=True) if type(value) is str else value
