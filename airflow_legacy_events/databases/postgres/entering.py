"""CONNECT right on a PostgreSQL database: the GRANT to suggest when it is missing."""

from __future__ import annotations

import re

import psycopg

_DENIED = re.compile(r'permission denied for database "(?P<name>.*)"$', re.MULTILINE)


def not_entered(error: psycopg.Error, user: str | None) -> list[str]:
    """Return the GRANT that a user needs to connect to a database; empty for any other error.

    Args:
        error: of connecting. Only its message text is available: before a session exists there is no SQLSTATE.
        user: named by the connection; None if libpq chose it.
    """
    found = _DENIED.search(str(error))
    if found is None or not user:
        return []
    return [f"GRANT CONNECT ON DATABASE {_quoted(found['name'])} TO {_quoted(user)}"]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
