"""Missing rights on the watermark table, as the GRANTs to run."""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa

_STATES, _CODES = frozenset({"42501"}), frozenset({1044, 1142, 1143})
"""SQLSTATE of PostgreSQL, and error numbers of MySQL and MariaDB, for a missing right."""

_SENTENCES = re.compile(r"no permission for|permission was denied|ORA-01031", re.IGNORECASE)
_NOT_ENTERED = re.compile(r"permission denied for database ")  # PostgreSQL gives no SQLSTATE before a session exists
_ACCOUNT = re.compile(r"'[^']*'@'[^']*'")
_HIDDEN = sa.text(
    "SELECT pg_catalog.quote_ident(nspname) FROM pg_catalog.pg_class AS c"
    " JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) relnamespace"
    " WHERE relname OPERATOR(pg_catalog.=) CAST(:name AS pg_catalog.name)"
    " AND NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE')"
    " AND nspname::pg_catalog.text OPERATOR(pg_catalog.=) ANY (pg_catalog.regexp_split_to_array("
    "pg_catalog.current_setting('search_path'), '[\"[:space:]]*,[\"[:space:]]*'))"
)


def missing(engine: sa.Engine, table: str, error: Exception) -> str:
    """Return a line break and the GRANT that a refused statement needs; empty for any other error."""
    cause: Any = getattr(error, "orig", None) or error
    text = str(cause)
    if _NOT_ENTERED.search(text):
        return _grant(engine, f"CONNECT ON DATABASE {_quoted(engine, engine.url.database)}", text)
    if not (
        getattr(cause, "sqlstate", None) in _STATES
        or next(iter(getattr(cause, "args", ())), None) in _CODES
        or _SENTENCES.search(text)
    ):
        return ""
    schema = f"{_quoted(engine, engine.url.database)}." if engine.dialect.name in ("mysql", "mariadb") else ""
    return _grant(engine, f"SELECT, INSERT, UPDATE, DELETE ON {schema}{table}", text)


def hidden(connection: sa.Connection, table: str) -> str:
    """Return the GRANT for a table of PostgreSQL in a schema that this user may not use; empty if there is none.

    Such a table looks like one that does not exist.
    """
    if connection.dialect.name != "postgresql":
        return ""
    schemas = connection.execute(_HIDDEN, {"name": table}).scalars().all()
    return _grant(connection.engine, f"USAGE ON SCHEMA {schemas[0]}", "") if schemas else ""


def _grant(engine: sa.Engine, what: str, text: str) -> str:
    account = _ACCOUNT.search(text)
    user = account[0] if account else _quoted(engine, engine.url.username) or "the user of this connection"
    return f". Run the GRANT below:\nGRANT {what} TO {user}"


def _quoted(engine: sa.Engine, name: str | None) -> str:
    return engine.dialect.identifier_preparer.quote(name) if name else ""
