"""Write transactions in MySQL and MariaDB, and failure reasons without row values."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import MySQLdb

from airflow_legacy_events.core.errors import LegacyEventsError
from airflow_legacy_events.core.ports import Answer
from airflow_legacy_events.databases.mysql.grants import current_user, quoted
from airflow_legacy_events.databases.mysql.session import INTERRUPTED, Session, code_of, is_lost, reason
from airflow_legacy_events.databases.writing import Reading, Right, in_order, masked, not_written, retried

_DEADLOCKS = frozenset({1205, 1213})
_STATEMENTS_ARE_LOGGED = 1665
_NAMES_ONLY = frozenset(
    {1044, 1045, 1049, 1052, 1054, 1055, 1060, 1109, 1130, 1142, 1143, 1146, 1227, 1290, 1356, 1370, 1792, 1836, 3100}
)
"""Errors whose quoted text is always a catalog or option name, never a value."""
_SYNTAX = 1064
_OF_THE_CLIENT = range(2000, 3000)
_LACKS = frozenset({1142, 1143})
_RAISED, _NOT_THE_SERVERS = 1644, 10_000
# The socket is cut after 30 s of silence, but the server would keep waiting.
_PATIENCE = "SET SESSION innodb_lock_wait_timeout = 10, lock_wait_timeout = 10"
_ISOLATIONS = ("READ COMMITTED", "REPEATABLE READ")


class Writer:
    """Runs transactions on a separate session, which is opened for the first one.

    Under REPEATABLE READ, the server default, deleting a range would lock the gap into which writers insert. A server
    with statement-based logging refuses any lower isolation level.

    Args:
        connect: opens the session.
        reading: of the database.
        name: of the stream.
    """

    def __init__(self, connect: Callable[[], Session], reading: Reading, name: str) -> None:
        self._connect, self._reading, self._name = connect, reading, name
        self._session: Session | None = None
        self._isolation = _ISOLATIONS[0]

    def execute(self, statements: Sequence[Any], check: Callable[[], None]) -> list[Answer]:
        """See `core.ports.Lease.execute`; `check` is called right before the commit."""
        try:
            return self._retried(statements, check)
        except MySQLdb.Error as error:
            if code_of(error) != _STATEMENTS_ARE_LOGGED:
                raise self._failed(error) from None  # the server's text may contain row values
        except UnicodeDecodeError as error:
            raise self._failed(error) from None
        self._isolation = _ISOLATIONS[1]
        try:
            return self._retried(statements, check)
        except (MySQLdb.Error, UnicodeDecodeError) as error:
            raise self._failed(error) from None

    def _retried(self, statements: Sequence[Any], check: Callable[[], None]) -> list[Answer]:
        return retried(lambda: self._transaction(statements, check), _is_deadlock)

    def _transaction(self, statements: Sequence[Any], check: Callable[[], None]) -> list[Answer]:
        if self._session is None:
            self._session = self._connect()
            self._session.rows(_PATIENCE)
        session = self._session
        _begin(session, self._isolation)
        try:
            answers = in_order(statements, lambda one: session.answer(*self._reading.compiled(one)))
            check()
            session.rows("COMMIT")
        except BaseException:
            with contextlib.suppress(MySQLdb.Error):
                session.rows("ROLLBACK")
            raise
        return answers

    def _failed(self, error: MySQLdb.Error | UnicodeDecodeError) -> LegacyEventsError:
        session, self._session = self._session, None
        try:
            refused = None if session is None or is_lost(error) else self._reading.refused(error, session)
        finally:
            if session is not None:
                session.close()
        return refused or not_written(self._name, reason_without_values(error))

    def close(self) -> None:
        """Close the session."""
        if self._session is not None:
            self._session.close()
        self._session = None


def reason_without_values(error: BaseException) -> str:
    """Return why a statement failed. The reason never contains row values."""
    code = code_of(error)
    if isinstance(error, UnicodeDecodeError):
        return "a text can't be converted to Unicode"
    if code == _RAISED or code >= _NOT_THE_SERVERS:
        return f"a trigger or procedure raised an exception (error {code})"
    return reason(error) if code in _NAMES_ONLY else masked(reason(error))


def reason_of_read(error: BaseException) -> str:
    """Return why a read-only statement or the connection failed. The reason never contains row values."""
    return reason(error) if code_of(error) in _OF_THE_CLIENT else reason_without_values(error)


def reason_of_query(error: BaseException) -> str:
    """Return why a query was refused. A syntax error quotes only the query itself."""
    return reason(error) if code_of(error) == _SYNTAX else reason_of_read(error)


def refusal(connect: Callable[[], Session], text: str, parameters: Any, right: Right) -> str | None:
    """Return why a statement may not run; None if it may.

    Args:
        connect: opens the session, which is closed afterwards.
        text: of the statement; it is rolled back.
        parameters: of the statement.
        right: needed besides SELECT.

    Raises:
        MySQLdb.Error: it failed for a transient reason, such as a lost connection.
    """
    with contextlib.closing(connect()) as session:
        error = _tried(session, _ISOLATIONS[0], text, parameters)
        if code_of(error) == _STATEMENTS_ARE_LOGGED:
            error = _tried(session, _ISOLATIONS[1], text, parameters)
        grants = [] if error is None else _grants(session, error, right)
    return None if error is None else ". ".join([reason_without_values(error), *grants])


def _grants(session: Session, error: MySQLdb.Error, right: Right) -> list[str]:
    """Return the GRANT for a right that a statement lacked.

    The command's keyword is the same in every message language.
    """
    if code_of(error) not in _LACKS or right.verb not in str(error.args[-1]):
        return []
    [(database,)] = session.rows("SELECT DATABASE()")
    on = ".".join(map(quoted, (right.schema or str(database), right.table)))
    return [right.grant(on, current_user(session), quoted)]


def _tried(session: Session, isolation: str, text: str, parameters: Any) -> MySQLdb.Error | None:
    """Run a statement and roll it back; return its error, if it is not transient."""
    try:
        _begin(session, isolation)
        session.answer(text, parameters)
    except MySQLdb.Error as error:
        if is_lost(error) or code_of(error) in INTERRUPTED:
            raise
        return error
    finally:
        with contextlib.suppress(MySQLdb.Error):
            session.rows("ROLLBACK")
    return None


def _begin(session: Session, isolation: str) -> None:
    session.rows(f"SET TRANSACTION ISOLATION LEVEL {isolation}, READ WRITE")
    session.rows("START TRANSACTION")


def _is_deadlock(error: Exception) -> bool:
    return isinstance(error, MySQLdb.Error) and code_of(error) in _DEADLOCKS
