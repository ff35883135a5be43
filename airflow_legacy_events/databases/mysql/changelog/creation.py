"""When files of the binlog were made: that alone tells a log from one that was begun again, and has grown as long."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from airflow_legacy_events.databases.mysql.changelog.binlog.codes import FORMAT_DESCRIPTION
from airflow_legacy_events.databases.mysql.changelog.model import BinlogPlace, Dump
from airflow_legacy_events.databases.mysql.changelog.places import FIRST_EVENT

FILE = "file"
"""Fact of a watermark: `name` of the file of its place, and when that was `created`, in seconds since 1970."""


def noted(open_: Callable[[], Dump], file: str, stored: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the fact for a file; nothing if it is stored already.

    Args:
        open_: opens a session that streams the log.
        file: its name.
        stored: facts of the watermark.
    """
    if (stored.get(FILE) or {}).get("name") == file:
        return {}
    return {FILE: {"name": file, "created": created(open_, file)}}


def created(open_: Callable[[], Dump], file: str) -> int | None:
    """Return when a file was made, in seconds since 1970; None if it does not say so.

    Raises:
        SourceError: it can't be read.
    """
    with contextlib.closing(open_()) as dump:
        first = next(iter(dump.events(BinlogPlace(file, FIRST_EVENT))), None)
    return first.time if first is not None and first.kind == FORMAT_DESCRIPTION else None
