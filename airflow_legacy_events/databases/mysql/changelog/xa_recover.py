"""XA transactions that are prepared at the server."""

from __future__ import annotations

from typing import Any

from airflow_legacy_events.databases.mysql.changelog.session import LogSession


def prepared(session: LogSession) -> set[str] | None:
    """Return the XA transactions that are prepared, as the log names them; None if this user may not see them."""
    rows = session.try_to("looking for prepared transactions", "XA RECOVER")
    return None if rows is None else {_named(*row) for row in rows}


def _named(format_id: Any, global_bytes: Any, branch_bytes: Any, data: Any) -> str:
    raw = data if isinstance(data, bytes) else str(data).encode("latin-1", "replace")
    name, branch = raw[: int(global_bytes)], raw[int(global_bytes) : int(global_bytes) + int(branch_bytes)]
    return f"X'{name.hex()}',X'{branch.hex()}',{int(format_id)}"
