"""Hooks of connection types that are not our own, where Airflow has none for them; they test what a run would read."""

from __future__ import annotations

from airflow_legacy_events.hooks.database import LegacyDatabaseHook


class GenericConnectionHook(LegacyDatabaseHook):
    """Of type ``generic``, for which Airflow itself has none."""

    conn_type = "generic"
    hook_name = "Generic"


class PostgresConnectionHook(LegacyDatabaseHook):
    """Of type ``postgres``, where Airflow's provider of that type is not installed."""

    conn_type = "postgres"
    hook_name = "Postgres"


class MysqlConnectionHook(LegacyDatabaseHook):
    """Of type ``mysql``, where Airflow's provider of that type is not installed."""

    conn_type = "mysql"
    hook_name = "MySQL"


class SqliteConnectionHook(LegacyDatabaseHook):
    """Of type ``sqlite``, where Airflow's provider of that type is not installed."""

    conn_type = "sqlite"
    hook_name = "Sqlite"
