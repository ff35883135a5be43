"""Rolled-back queries: sent to PostgreSQL in one message and transaction, so that none of their settings persist."""

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
    """Return the command that begins the transaction, and those that roll it back.

    Inside a transaction it is a savepoint; the existing snapshot and locks are kept.
    """
    if session.info.transaction_status == TransactionStatus.IDLE:
        return BEGIN.decode(), (END.decode(),)
    return _SAVEPOINT, _BACK


def ask(session: Connection[Any], *statements: str | sql.Composable) -> list[list[Any]]:
    """Return the rows of each statement that returns rows, in order. Settings and locks of all are undone.

    Raises:
        psycopg.Error: a statement failed; the session is as it was before.
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
