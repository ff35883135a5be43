"""Settings of a transaction that writes: the meaning of texts, and how long it may take."""

from __future__ import annotations

from typing import Any

import psycopg

from airflow_legacy_events.databases.postgres.limits import without_limits
from airflow_legacy_events.databases.postgres.session import TEXT_FORMS
from airflow_legacy_events.databases.postgres.types import MONEY_FORM

IDLE_SECONDS = 30
"""Seconds after which the server ends a session that is idle in its transaction, as that of a stopped process is."""

_FIRST = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE; SET CONSTRAINTS ALL DEFERRED"
_SETTINGS = (
    "SET row_security = off; SET client_min_messages = error; SET jit = off; {limits};"
    " SET idle_in_transaction_session_timeout = {idle:d}; SET statement_timeout = {timeout:d}; "
)


def settings(session: psycopg.Connection[Any], seconds: float) -> bytes:
    """Return statements whose settings end with the transaction.

    Args:
        session: they are for.
        seconds: time limit of a statement.
    """
    limits = without_limits(session.info.server_version)
    own = _SETTINGS.format(limits=limits, idle=int(IDLE_SECONDS * 1000), timeout=max(1, int(seconds * 1000)))
    rest = f"{own}{TEXT_FORMS} {MONEY_FORM}".replace("SET ", "SET LOCAL ")
    return f"{_FIRST}; {rest}".encode()
