"""Missing rights in other databases: the server's message names the right and the object."""

from __future__ import annotations

import re

from airflow_legacy_events.databases.errors import one_line

_SENTENCES = (
    # Firebird 3 and later, and before
    re.compile(r"no permission for (?:read/)?select access to (?:TABLE|VIEW) (?P<table>\S+)", re.IGNORECASE),
    # SQL Server
    re.compile(
        r"The SELECT permission was denied on the (?:column '(?P<column>[^']+)' of the )?object '(?P<table>[^']+)',"
        r" database '[^']+', schema '(?P<schema>[^']+)'"
    ),
    # Db2
    re.compile(r'operation "SELECT" on object "(?P<schema>[^".]+)\.(?P<table>[^"]+)"'),
    # PostgreSQL and its derivatives
    re.compile(r"permission denied for (?:table|relation|view) (?P<table>\S+)"),
    # MySQL and compatible servers
    re.compile(r"SELECT command denied to user .* for column '(?P<column>[^']+)' in table '(?P<table>[^']+)'"),
    re.compile(r"SELECT command denied to user .* for table '(?P<table>[^']+)'"),
)


def missing(error: object, user: str | None) -> list[str]:
    """Return the GRANT that a refused statement needs, if the server names the missing right; else nothing.

    Args:
        error: of the driver.
        user: of the connection; None: the server's default.
    """
    text = one_line(error)
    for sentence in _SENTENCES:
        if found := sentence.search(text):
            parts = found.groupdict()
            table = ".".join(part for part in (parts.get("schema"), parts["table"].strip("\"`'")) if part)
            column = f" ({parts['column']})" if parts.get("column") else ""
            return [f"GRANT SELECT{column} ON {table} TO {user or 'the user of this connection'}"]
    return []
