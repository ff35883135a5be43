"""PostgreSQL: which open transactions may still commit rows below a position."""

from airflow_legacy_events.databases.postgres.writers.row_writers import PostgresRowWriters

__all__ = ["PostgresRowWriters"]
