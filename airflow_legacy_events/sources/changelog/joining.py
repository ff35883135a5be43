"""Tables that come and go between two runs, and those whose key was changed."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.sources.changelog.checks import reading_anew
from airflow_legacy_events.sources.changelog.leg_state import Gap, Progress, TableProgress
from airflow_legacy_events.sources.changelog.tables import LoggedTable


def joined(
    stream: str, progress: Progress, tables: Mapping[str, LoggedTable], snapshot: Sequence[str], log: logging.Logger
) -> list[str]:
    """Have the progress of a stream hold its tables of today; return those that must join its log.

    A table that is gone is forgotten with a warning. One that is new is unread.

    Args:
        stream: name of the stream, for messages.
        progress: of the stream.
        tables: of today.
        snapshot: tables that are read anew.
        log: of the task.

    Raises:
        WatermarkError: the key of a table was changed, and the table is not read anew.
    """
    for name in [*progress.tables]:
        if name not in tables:
            del progress.tables[name]
            log.warning(
                "table %r of stream %s is gone, or tables= names it no more; it is read no further", name, stream
            )
    new = [name for name in tables if name not in progress.tables]
    for name, table in tables.items():
        known = progress.tables.get(name)
        if known is None:
            progress.tables[name] = TableProgress(table.entry.key)
        elif known.key_columns != table.entry.key:
            _take_key(stream, progress, table, known, allowed=name in snapshot)
    return new if progress.position is not None else []


def _take_key(stream: str, progress: Progress, table: LoggedTable, known: TableProgress, *, allowed: bool) -> None:
    before, now = (", ".join(one) for one in (known.key_columns, table.entry.key))
    if not allowed:
        raise WatermarkError(
            f"the key of {table.what} was ({before}) when stream {stream!r} was moved last, now it is ({now}); nothing"
            f" was read. Restore it, or name the former with key_columns=.\nTo read the table anew under its new key,"
            f" run with the configuration {reading_anew(table.name)}"
        )
    place = "" if progress.position is None else progress.position.place
    known.key_columns = table.entry.key
    known.gaps.append(Gap("got another key", place, 0, True, known.generation))
