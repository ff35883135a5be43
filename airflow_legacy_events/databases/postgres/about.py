"""Facts that a PostgreSQL server reports about itself and the current user."""

from __future__ import annotations

from airflow_legacy_events.core.about import About
from airflow_legacy_events.databases.expressions import values_of
from airflow_legacy_events.databases.postgres.database import PostgresDatabase

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
_EXPRESSIONS = (
    "pg_catalog.current_setting('server_version')",
    "pg_catalog.current_database()::pg_catalog.text",
    "CURRENT_USER::pg_catalog.text",
    f"({_WRITES})::pg_catalog.text",
    "pg_catalog.pg_is_in_recovery()::pg_catalog.text",
)


def about(database: PostgresDatabase) -> About:
    """Return the server's facts, with one statement.

    Raises:
        SourceError: the server can't be reached or refused the statement.
    """
    version, name, role, writes, standby = values_of(database, _EXPRESSIONS)
    zone = database.zone().said
    return About(f"PostgreSQL {version}", repr(name), zone, repr(role), writes == "true", standby == "true")
