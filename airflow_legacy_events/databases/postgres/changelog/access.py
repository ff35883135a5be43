"""What a change log is given by the database that it belongs to."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import psycopg


class Access(NamedTuple):
    """Ways into the database.

    Attributes:
        conn_id: Airflow's name of the connection, for messages.
        connect: opens a plain session.
        options: returns the driver's options of a connection.
        hold: begins a snapshot on the session that reads.
        look: runs a statement on that session; the first argument says what for.
        timeout_seconds: of a statement.
        max_row_bytes: raw bytes of a row of the log.
        log: of the task.
    """

    conn_id: str
    connect: Callable[[], psycopg.Connection[Any]]
    options: Callable[[], Mapping[str, Any]]
    hold: Callable[[], AbstractContextManager[None]]
    look: Callable[[str, str], list[tuple[Any, ...]]]
    timeout_seconds: float
    max_row_bytes: int
    log: logging.Logger
