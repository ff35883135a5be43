"""Facts that a PostgreSQL server reports about itself and the current user."""

from __future__ import annotations

import sqlalchemy as sa

from airflow_legacy_events.core.about import About
from airflow_legacy_events.databases.postgres.database import PostgresDatabase

# The session's initial values: our session has already set its own zone.
_ZONE = "(SELECT reset_val FROM pg_catalog.pg_settings WHERE name OPERATOR(pg_catalog.=) 'TimeZone')"
_WRITES = """
(SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) CURRENT_USER)
OR EXISTS (
    SELECT FROM pg_catalog.pg_class AS one JOIN pg_catalog.pg_namespace AS space ON space.oid = one.relnamespace
     WHERE one.relkind IN ('r', 'p') AND space.nspname NOT IN ('pg_catalog', 'information_schema')
       AND pg_catalog.has_schema_privilege(space.oid, 'USAGE')
       AND (pg_catalog.has_any_column_privilege(one.oid, 'INSERT, UPDATE')
            OR pg_catalog.has_table_privilege(one.oid, 'DELETE, TRUNCATE'))
)
"""
_ASKED = (
    "pg_catalog.current_setting('server_version')",
    "pg_catalog.current_database()::pg_catalog.text",
    _ZONE,
    "CURRENT_USER::pg_catalog.text",
    f"({_WRITES})::pg_catalog.text",
    "pg_catalog.pg_is_in_recovery()::pg_catalog.text",
)


def about(database: PostgresDatabase) -> About:
    """Return the server's facts, with one statement.

    Raises:
        SourceError: the server can't be reached or refused the statement.
    """
    columns: list[sa.Label[str]] = [sa.literal_column(text).label(f"c{at}") for at, text in enumerate(_ASKED)]
    [(version, name, zone, role, writes, standby)] = database.read(sa.select(*columns))
    return About(f"PostgreSQL {version}", repr(name), zone, repr(role), writes == "true", standby == "true")
