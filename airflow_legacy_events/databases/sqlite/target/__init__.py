"""SQLite as a target."""

from airflow_legacy_events.databases.sqlite.target.target import SqliteTarget

__all__ = ["SqliteTarget"]
