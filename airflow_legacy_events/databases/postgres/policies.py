"""PostgreSQL row-level security: a policy that hides rows unintentionally is an error, never a silently missing row.

With `row_security` off, the server refuses each statement that a policy would affect. This includes views, where the
owner's rights count, and owners of tables with FORCE ROW LEVEL SECURITY. Other owners, superusers and roles with
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
"""Unknown of a run's completeness where a policy is intended."""

_RAISES = "check_enable_rls"
_NAMED = re.compile(r"""["„«“](.+)["“»”]""")


def row_security(policy: str) -> str:
    """Return the session's SET, which overrides the role's setting; see `core.row_security`."""
    return f"SET row_security = {'on' if policy == APPLY else 'off'}"


def is_policy(error: Exception) -> bool:
    """Whether a statement was refused because a policy would affect it."""
    return isinstance(error, psycopg.errors.InsufficientPrivilege) and error.diag.source_function == _RAISES


def policy_refused(conn_id: str, user: str, error: psycopg.Error) -> ConfigurationError:
    """Return the error for a statement that a policy would affect."""
    message = error.diag.message_primary or ""
    table = found[1] if (found := _NAMED.search(message)) else message
    return ConfigurationError(
        f"connection {conn_id!r}: a policy of row-level security may hide rows of table {table!r}, as if there were"
        " none; no row of this read was sent"
        f"\nLet the database user see all rows: ALTER ROLE {user} BYPASSRLS (of a view: its owner)"
        "\nOr, if the policy is intended, give row_security='apply': then what it shows is sent"
    )


def hides_rows(session: Connection[Any], query: str) -> bool:
    """Return whether a policy affects what a query reads, in one round trip.

    Args:
        session: to query.
        query: one SELECT; it is sent as a message of its own, so that it can't be several statements.

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


def with_hidden(session: Connection[Any], query: str, state: TableState) -> TableState:
    """Return the state of a query's data; an intended policy adds `HIDDEN` to its unknowns."""
    return state._replace(unknown=(*state.unknown, HIDDEN)) if hides_rows(session, query) else state
