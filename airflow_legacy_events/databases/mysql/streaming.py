"""Settings of a MySQL or MariaDB session for one streamed statement that a reader may read slowly."""

from __future__ import annotations

from airflow_legacy_events.databases.mysql.session import Session

_LONGEST_SECONDS = 86_400 * 365


def read_slowly(session: Session) -> None:
    """Disable the server's timeouts for a long statement, and for a session that pauses reading its rows."""
    settings = [f"net_write_timeout = {_LONGEST_SECONDS}"]
    if session.limits_time:
        settings.append("max_statement_time = 0" if session.mariadb else "max_execution_time = 0")
    session.rows(f"SET SESSION {', SESSION '.join(settings)}")
