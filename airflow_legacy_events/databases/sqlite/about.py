"""Facts about a SQLite file and the current user."""

from __future__ import annotations

import getpass
import os
import sqlite3

from airflow_legacy_events.core.about import About
from airflow_legacy_events.databases.sqlite.database import SqliteDatabase


def about(database: SqliteDatabase) -> About:
    """Return the known facts. The file is opened, and must be a SQLite database.

    Raises:
        SourceError: the file doesn't exist or is not a SQLite database.
    """
    path = database.identity()["path"]
    return About(f"SQLite {sqlite3.sqlite_version}", repr(path), "UTC", repr(_user()), os.access(path, os.W_OK))


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container user without a name
        return str(os.getuid())
