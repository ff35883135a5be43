"""PostgreSQL as the target of a topic."""

from airflow_legacy_events.databases.postgres.target.target import PostgresTarget

__all__ = ["PostgresTarget"]
