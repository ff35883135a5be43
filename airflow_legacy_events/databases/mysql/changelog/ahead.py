"""Statements further on in the log."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from airflow_legacy_events.databases.mysql.changelog.binlog.codes import STATEMENTS
from airflow_legacy_events.databases.mysql.changelog.binlog.query import Query, query
from airflow_legacy_events.databases.mysql.changelog.model import BinlogAccess, BinlogPlace


def alters_ahead(access: BinlogAccess, where: BinlogPlace, alters: Callable[[Query], bool]) -> bool:
    """Return whether a statement behind a place changes the columns of a table once more.

    Reads the log up to its end, on a session of its own.

    Args:
        access: ways into the server.
        where: the place of an event.
        alters: whether a statement does.

    Raises:
        SourceError: the log can't be read.
    """
    with contextlib.closing(access.dump()) as dump:
        return any(alters(query(one.kind, one.body)) for one in dump.events(where) if one.kind in STATEMENTS)
