"""QUERY: a statement; EXECUTE_LOAD_QUERY: a `LOAD DATA` that was logged as one.

Fixed part: thread (4 bytes), seconds it took (4), length of the default database's name (1), error code (2), size of
the status variables (2); EXECUTE_LOAD_QUERY has 13 bytes more for its file. Then the status variables, the database, a
zero, and the statement. Source: `Query_event` of MySQL, `Query_log_event` of MariaDB.
"""

from __future__ import annotations

from typing import NamedTuple

from airflow_legacy_events.databases.mysql.changelog.binlog.bytes import Bytes
from airflow_legacy_events.databases.mysql.changelog.binlog.codes import EXECUTE_LOAD_QUERY
from airflow_legacy_events.databases.mysql.changelog.binlog.status_variables import StatusVariables, status_variables

_LOAD_BYTES = 13


class Query(NamedTuple):
    """A statement of the log.

    Attributes:
        thread: number of the session that ran it.
        database: the session's default database; empty if it had none.
        statement: its bytes, in the character set of `variables.client_collation`.
        error: the server's error code, if it failed after it had changed something.
        variables: of the session.
    """

    thread: int
    database: str
    statement: bytes
    error: int
    variables: StatusVariables

    @property
    def text(self) -> str:
        """The statement as text: read as UTF-8, which keywords and ASCII names are in any character set of a client.

        Bytes that are no UTF-8 are kept as lone surrogates.
        """
        return self.statement.decode("utf-8", "surrogateescape")


def query(kind: int, body: bytes) -> Query:
    """Return what a QUERY or EXECUTE_LOAD_QUERY says.

    Args:
        kind: its type code, one of `codes.STATEMENTS`.
        body: of the event.

    Raises:
        ValueError: it is damaged.
    """
    data = Bytes(body)
    thread, _, length, error, size = (data.number(bytes_) for bytes_ in (4, 4, 1, 2, 2))
    if kind == EXECUTE_LOAD_QUERY:
        data.take(_LOAD_BYTES)
    variables = status_variables(data.take(size))
    database = data.take(length).decode("utf-8", "surrogateescape")
    data.take(1)
    return Query(thread, database, data.rest(), error, variables)
