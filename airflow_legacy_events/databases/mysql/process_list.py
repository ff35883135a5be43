"""Process list of a server, also while a session runs a statement that the usual list can't show.

MySQL from 8.0 on converts the statement of every session to utf8mb3 for `information_schema.processlist`. One that
holds an emoji, or bytes in a literal, makes each query of that list an error, by any user and of any column.
"""

from __future__ import annotations

from typing import Any

import MySQLdb

from airflow_legacy_events.databases.mysql.session import Session, code_of

NOT_CONVERTED = 3854
"""Error of a view of `information_schema` that can't show a session's statement."""

_USUAL, _UNCONVERTED = "information_schema.processlist", "performance_schema.processlist"


def listed(session: Session, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """Return the rows of a statement that may read `information_schema.processlist`.

    If that can't show a session, the list of `performance_schema` is read instead, unless the server keeps none.

    Raises:
        MySQLdb.Error: the statement failed.
    """
    try:
        return session.rows(statement, *parameters)
    except MySQLdb.Error as error:
        if code_of(error) != NOT_CONVERTED or session.rows("SELECT @@performance_schema") != [("1",)]:
            raise
    return session.rows(statement.replace(_USUAL, _UNCONVERTED), *parameters)
