"""Transaction of SQLite, which has the file for itself."""

from __future__ import annotations

from airflow_legacy_events.databases.applying.unit import SqlUnit


class SqliteUnit(SqlUnit):
    """See `SqlUnit`."""

    rechecks_inserts = False
