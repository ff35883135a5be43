"""What deleting or updating rows of a table of SQLite meets, from its schema."""

from __future__ import annotations

import sqlite3

from airflow_legacy_events.core.ports import TableWrites
from airflow_legacy_events.databases.reflection import not_a_table
from airflow_legacy_events.databases.sqlite.catalog import find_table

_TABLE = "table"


def table_writes(session: sqlite3.Connection, table: str) -> TableWrites:
    """Return what deleting or updating rows of a table meets; SQLite compares names without case.

    Raises:
        ConfigurationError: there is none of that name, or it is no table.
    """
    name, kind = find_table(session, table)
    if kind != _TABLE:
        raise not_a_table(table, f"a {kind}")
    return TableWrites(name)
