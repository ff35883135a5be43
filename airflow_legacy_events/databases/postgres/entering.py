"""The right to enter a database of PostgreSQL, named where it is missing."""

from __future__ import annotations

import re

import psycopg

_DENIED = re.compile(r'permission denied for database "(?P<name>.*)"$', re.MULTILINE)


def not_entered(error: psycopg.Error, user: str | None) -> list[str]:
    """Return the GRANT without which a user may not enter a database; empty for any other error.

    Args:
        error: of connecting. The server's own words are all that there is: no session has told a SQLSTATE.
        user: that the connection names; None where libpq chose it.
    """
    found = _DENIED.search(str(error))
    if found is None or not user:
        return []
    return [f"GRANT CONNECT ON DATABASE {_quoted(found['name'])} TO {_quoted(user)}"]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
