"""Row-level security of PostgreSQL: a policy that hides rows without being meant is an error, never a row less.

With `row_security` off the server refuses each statement that a policy would change, also for a view, whose owner's
rights count, and for the owner of a table with FORCE ROW LEVEL SECURITY. Owners else, superusers and roles with
BYPASSRLS see all rows either way.
"""

from __future__ import annotations

import contextlib
import re
from typing import Any

import psycopg
from psycopg import Connection, Cursor

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.ports import TableState
from airflow_legacy_events.core.row_security import APPLY
from airflow_legacy_events.databases.postgres.undone import around

HIDDEN = "which rows a policy of row-level security hides: row_security='apply' was given"
"""What is not known where a policy is meant, for the completeness of a run."""

_RAISES = "check_enable_rls"
_NAMED = re.compile(r"""["„«“](.+)["“»”]""")


def row_security(asked: str) -> str:
    """Return the SET of a session, whatever its role has; see `core.row_security`."""
    return f"SET row_security = {'on' if asked == APPLY else 'off'}"


def is_policy(error: Exception) -> bool:
    """Whether a statement was refused since a policy would change what it does."""
    return isinstance(error, psycopg.errors.InsufficientPrivilege) and error.diag.source_function == _RAISES


def policy_refused(conn_id: str, user: str, error: psycopg.Error) -> ConfigurationError:
    """Return the error for a statement that a policy would change."""
    told = error.diag.message_primary or ""
    table = found[1] if (found := _NAMED.search(told)) else told
    return ConfigurationError(
        f"connection {conn_id!r}: a policy of row-level security may hide rows of table {table!r}, as if there were"
        " none; nothing of this read was sent"
        f"\nLet the database user see all rows: ALTER ROLE {user} BYPASSRLS (of a view: its owner)"
        "\nOr, where the policy is meant, give row_security='apply': what it shows is what is sent"
    )


def hides_rows(session: Connection[Any], query: str) -> bool:
    """Return whether a policy changes what a query reads, in one round trip.

    Args:
        session: that is asked.
        query: one SELECT; it goes to the server alone, so that it can't be more than that.

    Raises:
        psycopg.OperationalError: the session was lost.
    """
    begin, end = around(session)
    texts = (begin, "SET LOCAL row_security = off", f"EXPLAIN (COSTS OFF) {query}", *end)
    try:
        with session.pipeline():
            for text in texts:
                Cursor(session).execute(text.encode())
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        with contextlib.suppress(psycopg.Error):
            Cursor(session).execute("; ".join(end).encode())
        return is_policy(error)
    return False


def told(session: Connection[Any], query: str, state: TableState) -> TableState:
    """Return the state of what a query reads, with what a policy that is meant leaves unknown."""
    return state._replace(unknown=(*state.unknown, HIDDEN)) if hides_rows(session, query) else state
