"""Locks of streams, taken away from their holders."""

from __future__ import annotations

from pathlib import Path

from airflow_legacy_events.core import names
from tests.support.legacy import Legacy


def lose(legacy: Legacy, stream: str = "s") -> None:
    """Take the only lock away as a person does: end its session, remove its row or its file."""
    match legacy.dialect:
        case "sqlite":
            for file in Path(str(legacy.url.database)).parent.glob("*.lock"):
                file.unlink()
        case "firebird":
            legacy.execute("DELETE FROM legacy_events_locks")
        case "postgresql":
            locks = "SELECT pid FROM pg_locks JOIN pg_database d ON d.oid = database WHERE locktype = 'advisory'"
            [(pid,)] = legacy.execute(f"{locks} AND datname = current_database()")
            legacy.execute(f"SELECT pg_terminate_backend({pid}, 5000)")
        case _:
            [(pid,)] = legacy.execute("SELECT IS_USED_LOCK(%s)", named_lock(legacy, stream))
            legacy.execute(f"KILL {pid}")


def named_lock(legacy: Legacy, stream: str = "s") -> str:
    """The name of a stream's lock in MySQL and MariaDB."""
    return f"legacy-events-{names.digest(f'{legacy.url.database}' + chr(0) + stream, 40)}"
