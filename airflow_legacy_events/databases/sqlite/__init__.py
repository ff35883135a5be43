"""SQLite through Python's own driver."""

from airflow_legacy_events.databases.sqlite.database import SqliteDatabase

__all__ = ["SqliteDatabase"]
