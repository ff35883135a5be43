"""Questions to PostgreSQL, in one message and a transaction that is undone: nothing that they set outlives them."""

from __future__ import annotations

import contextlib
from typing import Any

import psycopg
from psycopg import Connection, Cursor, sql
from psycopg.pq import TransactionStatus

from airflow_legacy_events.databases.postgres.session import BEGIN, END

_SAVEPOINT = "SAVEPOINT legacy_events_question"
_BACK = ("ROLLBACK TO SAVEPOINT legacy_events_question", "RELEASE SAVEPOINT legacy_events_question")


def around(session: Connection[Any]) -> tuple[str, tuple[str, ...]]:
    """Return the command that begins what is undone, and those that undo it.

    Inside a transaction it is a savepoint, and what was seen or locked before stays.
    """
    if session.info.transaction_status == TransactionStatus.IDLE:
        return BEGIN.decode(), (END.decode(),)
    return _SAVEPOINT, _BACK


def ask(session: Connection[Any], *statements: str | sql.Composable) -> list[list[Any]]:
    """Return the rows of each statement that gives some, in order; settings and locks of all are undone.

    Raises:
        psycopg.Error: one failed; the session is as it was before.
    """
    begin, end = around(session)
    parts = [one if isinstance(one, sql.Composable) else sql.SQL(one) for one in (begin, *statements, *end)]
    try:
        cursor = Cursor(session).execute(sql.SQL(";").join(parts).as_bytes(session))
    except psycopg.Error:
        with contextlib.suppress(psycopg.Error):
            Cursor(session).execute("; ".join(end).encode())
        raise
    answers = []
    while True:
        if cursor.description:
            answers.append(cursor.fetchall())
        if not cursor.nextset():
            return answers
