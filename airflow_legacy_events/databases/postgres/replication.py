"""Logical replication: whether a PostgreSQL table's rows are written here or arrive from another server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import Connection, ProgrammingError, conninfo

_STANDBY = """
SELECT pg_catalog.pg_is_in_recovery(),
       (SELECT pg_catalog.concat_ws(':', sender_host, sender_port) FROM pg_catalog.pg_stat_wal_receiver),
       (SELECT setting FROM pg_catalog.pg_settings WHERE name OPERATOR(pg_catalog.=) 'primary_conninfo'),
       pg_catalog.quote_ident(current_user)
"""
_SUBSCRIPTIONS = """
SELECT s.oid::pg_catalog.int8, subname,
       pg_catalog.has_column_privilege('pg_catalog.pg_subscription', 'subconninfo', 'SELECT')
  FROM pg_catalog.pg_subscription_rel
  JOIN pg_catalog.pg_subscription AS s ON s.oid OPERATOR(pg_catalog.=) srsubid
 WHERE srrelid OPERATOR(pg_catalog.=) ANY (%s::pg_catalog.oid[]) ORDER BY subname LIMIT 1
"""
_PUBLISHER = """
SELECT subconninfo FROM pg_catalog.pg_subscription WHERE oid OPERATOR(pg_catalog.=) %s::pg_catalog.oid
"""


def written_elsewhere(session: Connection[Any], tree: Sequence[int]) -> tuple[str | None, tuple[str, ...]]:
    """Return why the rows must not be written here, None if they may be, and what could not be determined.

    Args:
        session: that reads the catalog.
        tree: oids of the table, its partitions and its children.
    """
    [(standby, sender, primary, user)] = session.execute(_STANDBY)
    if not standby:
        return _subscribed(session, tree), ()
    if host := sender or _host(primary):
        return f"this server is a standby, its primary is {host}", ()
    return "this server is a standby", (f"the host of its primary; GRANT pg_read_all_stats TO {user} shows it",)


def _subscribed(session: Connection[Any], tree: Sequence[int]) -> str | None:
    found = session.execute(_SUBSCRIPTIONS, (list(tree),)).fetchone()
    if found is None:
        return None
    oid, name, visible = found
    text = f"its rows arrive by the subscription {name}"
    if visible:
        [(publisher,)] = session.execute(_PUBLISHER, (oid,))
        text += f" from {_host(publisher) or 'the server itself'}"
    return f"{text}; they are written at the publisher"


def _host(connection: str | None) -> str:
    """Return only host and port of a connection string, since it also contains a password."""
    try:
        parts = conninfo.conninfo_to_dict(connection or "")
    except ProgrammingError:
        return ""
    return ":".join(str(parts[part]) for part in ("host", "port") if parts.get(part))
