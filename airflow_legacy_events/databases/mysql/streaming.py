"""Settings of a session of MySQL or MariaDB whose one statement is read as slowly as its reader likes."""

from __future__ import annotations

from airflow_legacy_events.databases.mysql.session import Session

_LONGEST_SECONDS = 86_400 * 365


def read_slowly(session: Session) -> None:
    """Let the server neither end a statement that lasts, nor a session that does not take its rows for a while."""
    settings = [f"net_write_timeout = {_LONGEST_SECONDS}"]
    if session.limits_time:
        settings.append("max_statement_time = 0" if session.mariadb else "max_execution_time = 0")
    session.rows(f"SET SESSION {', SESSION '.join(settings)}")
