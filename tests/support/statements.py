"""Statements that the session of a source sends to its server."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import Any

_SENT = (b"\tQuery\t", b"\tExecute\t")


def statements(database: Any, act: Callable[[], Any]) -> int:
    """Return how many statements the open session of a database sends while `act` runs; on PostgreSQL messages."""
    session = database._session
    if hasattr(session, "rows"):
        question = "SHOW SESSION STATUS LIKE 'Questions'"
        [(_, before)] = session.rows(question)
        act()
        [(_, after)] = session.rows(question)
        return int(after) - int(before) - 1
    with tempfile.TemporaryFile() as file:
        session.connection.pgconn.trace(file.fileno())
        act()
        session.connection.pgconn.untrace()
        file.seek(0)
        return sum(b"\tF\t" in line and any(kind in line for kind in _SENT) for line in file)
