"""What is known of a SQLite file and of who asks."""

from __future__ import annotations

import getpass
import os
import sqlite3

from airflow_legacy_events.core.about import About
from airflow_legacy_events.databases.sqlite.database import SqliteDatabase


def about(database: SqliteDatabase) -> About:
    """Return what is known; the file is opened, and has to be one of SQLite.

    Raises:
        SourceError: there is no such file, or it is none of SQLite.
    """
    path = database.identity()["path"]
    return About(f"SQLite {sqlite3.sqlite_version}", repr(path), "UTC", repr(_user()), os.access(path, os.W_OK))


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return str(os.getuid())
