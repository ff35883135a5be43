"""PostgreSQL through psycopg 3."""

from airflow_legacy_events.databases.postgres.database import PostgresDatabase

__all__ = ["PostgresDatabase"]
