"""Questions to PostgreSQL, in one message and a transaction that is undone: nothing that they set outlives them."""

from __future__ import annotations

import contextlib
from typing import Any

import psycopg
from psycopg import Connection, Cursor, sql
from psycopg.pq import TransactionStatus

from airflow_legacy_events.databases.postgres.session import BEGIN, END

_SAVEPOINT, _BACK = (
    "SAVEPOINT legacy_events_question",
    "ROLLBACK TO SAVEPOINT legacy_events_question; RELEASE SAVEPOINT legacy_events_question",
)


def ask(session: Connection[Any], *statements: str | sql.Composable) -> list[list[Any]]:
    """Return the rows of each statement that gives some, in order; settings and locks of all are undone.

    Inside a transaction it is a savepoint that is undone, and what was seen or locked before stays.

    Raises:
        psycopg.Error: one failed; the session is as it was before.
    """
    within = session.info.transaction_status != TransactionStatus.IDLE
    begin, end = (_SAVEPOINT, _BACK) if within else (BEGIN.decode(), END.decode())
    parts = [one if isinstance(one, sql.Composable) else sql.SQL(one) for one in (begin, *statements, end)]
    try:
        cursor = Cursor(session).execute(sql.SQL(";").join(parts).as_bytes(session))
    except psycopg.Error:
        if not session.closed:
            with contextlib.suppress(psycopg.Error):
                Cursor(session).execute(end.encode())
        raise
    answers = []
    while True:
        if cursor.description:
            answers.append(cursor.fetchall())
        if not cursor.nextset():
            return answers
