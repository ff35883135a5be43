"""What a change log is given by the database that it belongs to."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from airflow_legacy_events.databases.mysql.session import Session


class Access(NamedTuple):
    """Ways into the server.

    Attributes:
        conn_id: Airflow's name of the connection, for messages.
        database: that the connection names; empty if it names none.
        connect: opens a plain session.
        options: returns mysqlclient's options of a connection.
        hold: begins a snapshot on the session that reads rows.
        look: runs a statement on that session; the first argument says what for.
        timeout_seconds: of a statement.
        max_row_bytes: raw bytes of a row of the log.
        log: of the task.
    """

    conn_id: str
    database: str
    connect: Callable[[], Session]
    options: Callable[[], Mapping[str, Any]]
    hold: Callable[[], AbstractContextManager[None]]
    look: Callable[[str, str], list[tuple[Any, ...]]]
    timeout_seconds: float
    max_row_bytes: int
    log: logging.Logger
