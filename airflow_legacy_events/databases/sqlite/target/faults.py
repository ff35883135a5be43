"""What errors of SQLite mean.

Source: https://sqlite.org/rescode.html
"""

from __future__ import annotations

import sqlite3

from airflow_legacy_events.databases.applying.faults import Fault, Meaning
from airflow_legacy_events.databases.sqlite.writing import reason_without_values

_PRIMARY = 0xFF
_VALUES = frozenset({sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH})
_UNIQUE = frozenset(
    {sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID}
)
_PASSING = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL})
_REMEDIES = {
    sqlite3.SQLITE_READONLY: "Let the user of the tasks write to the file and to its folder",
    sqlite3.SQLITE_BUSY: "Another session held the file for longer than the statement timeout",
}


def fault_of(error: BaseException, seconds: float) -> Fault:
    """Return what an error means.

    Args:
        error: of the driver, or of SQLAlchemy alone.
        seconds: time limit of a statement.
    """
    if not isinstance(error, sqlite3.Error):
        return Fault(Meaning.OTHER, "", type(error).__name__)
    code = getattr(error, "sqlite_errorcode", 0)
    name, primary = getattr(error, "sqlite_errorname", ""), code & _PRIMARY
    if name in ("", "unknown"):  # Python knows no name of it
        name = str(code or "")
    if primary == sqlite3.SQLITE_INTERRUPT:
        reason = f"cancelled after the statement timeout of {seconds:g} s, or by a stop request"
        return Fault(Meaning.OTHER, name, reason, retry_helps=True)
    is_of_values = primary in _VALUES and code != sqlite3.SQLITE_CONSTRAINT_TRIGGER
    return Fault(
        Meaning.OBJECTION if is_of_values else Meaning.OTHER,
        name,
        reason_without_values(error),
        remedy=_REMEDIES.get(primary, ""),
        retry_helps=primary in _PASSING,
        of_unique=code in _UNIQUE,
    )
