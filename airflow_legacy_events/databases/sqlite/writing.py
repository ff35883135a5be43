"""Write statements in SQLite, and failure reasons without row values."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from typing import Any

from airflow_legacy_events.core.ports import Answer
from airflow_legacy_events.databases.errors import one_line

_PASSING = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_IOERR})
_PRIMARY = 0xFF


def answer_of(cursor: sqlite3.Cursor) -> Answer:
    """Return the answer of a statement."""
    rows = cursor.fetchall()
    return Answer(rows, len(rows) if cursor.description else cursor.rowcount)


def reason_without_values(error: sqlite3.Error) -> str:
    """Return why a statement failed. The reason never contains row values."""
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_CONSTRAINT_TRIGGER:
        return "a trigger raised an exception"
    return one_line(error)


def refusal(connect: Callable[[], sqlite3.Connection], text: str, parameters: Any) -> str | None:
    """Return why a statement may not run; None if it may.

    Args:
        connect: opens the session, which is closed afterwards.
        text: of the statement; it is rolled back.
        parameters: of the statement.

    Raises:
        sqlite3.Error: it failed for a transient reason, such as another writer.
    """
    with contextlib.closing(connect()) as session:
        try:
            session.execute("BEGIN IMMEDIATE")
            session.execute(text, parameters).fetchall()
            session.execute("ROLLBACK")
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) & _PRIMARY in _PASSING:
                raise
            return reason_without_values(error)
    return None
