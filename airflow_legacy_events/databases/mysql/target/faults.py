"""Errors of MySQL and MariaDB: about values, about the transaction, or of the run."""

from __future__ import annotations

import re
from typing import NamedTuple

import MySQLdb

from airflow_legacy_events.databases.applying.faults import Fault, Meaning
from airflow_legacy_events.databases.mysql.grants import account, quoted
from airflow_legacy_events.databases.mysql.session import INTERRUPTED, code_of, is_lost, reason
from airflow_legacy_events.databases.mysql.writing import reason_without_values

DUPLICATES = frozenset({1062, 1169, 1586, 1859})
"""Errors of a unique index."""

_OBJECTIONS = DUPLICATES | frozenset(
    {
        *(1048, 1263, 1364, 1138),  # NULL, or no value, where there must be one
        *(1216, 1217, 1451, 1452, 1557, 1761, 1762),  # foreign keys
        *(
            1264,
            1265,
            1292,
            1300,
            1365,
            1366,
            1367,
            1406,
            1411,
            1416,
            1441,
            1690,
            1918,
        ),  # values that a type can't hold
        1118,  # more bytes than a row holds
        *(3819, 4025),  # CHECK constraints
        *(3140, 3150, 3156, 3157, 3158),  # JSON
        *(3643, 6136, 6138),  # spatial reference system, vectors
    }
)
"""Errors about the values of a row, by number: several have a SQLSTATE that says nothing."""

_LOST = frozenset({1020, 1205, 1213, 1614, 3101})
"""Errors after which the whole transaction must be begun again.

1205 undoes only its statement, but leaves a transaction that must not be committed.
"""

ENDED = frozenset({1053, 1152, 1927, 4031})
"""Errors of a session that the server ended, beside those of the client."""

_NAMES_ONLY = frozenset({1048, 1364, 1451, 1452, 3819, 4025})
"""Those whose text names columns and constraints alone."""

_INDEX = re.compile(r"'(?:[^']*\.)?([^'.]+)'\Z")
_NOT_VALUES = frozenset({1526, 1591, 1748, 1836, 1290})
_DENIED, _READ_ONLY = frozenset({1142, 1143}), frozenset({1290, 1792, 1836})
_DATA, _CONSTRAINT = "22", "23"
_VERB = re.compile(r"\A([A-Z]+) command denied")
_TABLE = re.compile(r"for table [`']?(?:(?P<schema>[^`']+)`\.`)?(?P<name>[^`']+)[`']?\Z")
_COLUMN = re.compile(r"for column '([^']+)'")


class Account(NamedTuple):
    """Who writes, for the GRANT in an error.

    Attributes:
        user: as `CURRENT_USER()` has it; empty while nothing is connected.
        database: default one of the session.
    """

    user: str = ""
    database: str = ""


def fault_of(error: BaseException, state: str, of: Account, seconds: float) -> Fault:
    """Return what an error means; a reason never contains values of rows.

    Args:
        error: of the driver.
        state: SQLSTATE of the connection's last statement; empty if it is not known.
        of: the user who writes.
        seconds: time limit of a statement.
    """
    code = code_of(error)
    if not isinstance(error, MySQLdb.Error):
        return Fault(Meaning.OTHER, "", reason_without_values(error))
    if code in _LOST:
        return Fault(Meaning.LOST, str(code), reason_without_values(error))
    if is_objection(code, state):
        return Fault(Meaning.OBJECTION, str(code), _objection(error), of_unique=code in DUPLICATES)
    if code in INTERRUPTED:
        limit = f"cancelled after the statement timeout of {seconds:g} s, or by a stop request"
        return Fault(Meaning.OTHER, str(code), limit, retry_helps=True)
    why = reason(error) if code in range(2000, 3000) else reason_without_values(error)
    return Fault(Meaning.OTHER, str(code), why, _remedy(error, of), retry_helps=is_lost(error) or code in ENDED)


def is_objection(code: int, state: str) -> bool:
    """Return whether an error is about values of rows."""
    return code in _OBJECTIONS or (state[:2] in (_DATA, _CONSTRAINT) and code not in _NOT_VALUES)


def duplicated_in(error: MySQLdb.Error) -> str | None:
    """Return the name of the unique index that objects; None for any other error."""
    found = _INDEX.search(str(error.args[-1])) if code_of(error) in DUPLICATES else None
    return found[1] if found else None


def _objection(error: MySQLdb.Error) -> str:
    if index := duplicated_in(error):
        return f"unique index {index!r} has a row of that value already (error {code_of(error)})"
    return reason(error) if code_of(error) in _NAMES_ONLY else reason_without_values(error)


def _remedy(error: MySQLdb.Error, of: Account) -> str:
    code, text = code_of(error), str(error.args[-1])
    if code in _READ_ONLY:
        return "Name a connection of the primary, which takes writes"
    verb, table = _VERB.match(text), _TABLE.search(text)
    if code not in _DENIED or verb is None or table is None or not of.user:
        return ""
    column = _COLUMN.search(text)
    columns = f" ({quoted(column[1])})" if column else ""
    on = f"{quoted(table['schema'] or of.database)}.{quoted(table['name'])}"
    return f"Run the GRANT below:\nGRANT {verb[1]}{columns} ON {on} TO {account(of.user)}"
