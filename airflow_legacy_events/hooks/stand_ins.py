"""Stand-in hooks: test connections of types for which Airflow has no hook, as a run would read them."""

from __future__ import annotations

from airflow_legacy_events.hooks.database import LegacyDatabaseHook


class GenericConnectionHook(LegacyDatabaseHook):
    """Hook of type ``generic``, for which Airflow itself has none."""

    conn_type = "generic"
    hook_name = "Generic"


class PostgresConnectionHook(LegacyDatabaseHook):
    """Hook of type ``postgres``, if Airflow's provider of that type is not installed."""

    conn_type = "postgres"
    hook_name = "Postgres"


class MysqlConnectionHook(LegacyDatabaseHook):
    """Hook of type ``mysql``, if Airflow's provider of that type is not installed."""

    conn_type = "mysql"
    hook_name = "MySQL"


class SqliteConnectionHook(LegacyDatabaseHook):
    """Hook of type ``sqlite``, if Airflow's provider of that type is not installed."""

    conn_type = "sqlite"
    hook_name = "Sqlite"
