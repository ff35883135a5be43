"""Tables that come, go or are made again between two runs, and those whose key was changed."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from airflow_legacy_events.core.errors import WatermarkError
from airflow_legacy_events.sources.changelog.checks import reading_anew
from airflow_legacy_events.sources.changelog.leg_state import TABLES, Gap, Progress, TableProgress
from airflow_legacy_events.sources.changelog.tables import LoggedTable


def joined(
    stream: str, progress: Progress, tables: Mapping[str, LoggedTable], snapshot: Sequence[str], log: logging.Logger
) -> list[str]:
    """Have the progress of a stream hold its tables of today; return those that must join its log.

    A table that is gone is forgotten with a warning. One that is new is unread. One that comes back is read again,
    since rows of it that were sent may be gone.

    Args:
        stream: name of the stream, for messages.
        progress: of the stream.
        tables: of today.
        snapshot: tables that are read again.
        log: of the task.

    Raises:
        WatermarkError: the key of a table was changed, and the table is not read again.
    """
    for name in [*progress.tables]:
        if name not in tables:
            if not (left := progress.tables.pop(name)).silent:
                progress.gone[name] = left.generation
            log.warning(
                "table %r of stream %s is gone, or tables= names it no more; it is read no further", name, stream
            )
    new = [name for name in tables if name not in progress.tables]
    for name, table in tables.items():
        known = progress.tables.get(name)
        if known is None:
            progress.tables[name] = _new(progress, table)
        elif known.key_columns != table.entry.key:
            _take_key(stream, progress, table, known, allowed=name in snapshot)
        progress.tables[name].excluded.update(table.numbers)
    return new if progress.position is not None else []


def _new(progress: Progress, table: LoggedTable) -> TableProgress:
    last = progress.gone.pop(table.name, None)
    if last is None or progress.position is None:
        return TableProgress(table.entry.key)
    gap = Gap("it was not read for a time", progress.position.place, 0, True, last)
    return TableProgress(table.entry.key, generation=last + 1, anew=True, gaps=[gap])


def _take_key(stream: str, progress: Progress, table: LoggedTable, known: TableProgress, *, allowed: bool) -> None:
    before, now = (", ".join(one) for one in (known.key_columns, table.entry.key))
    if not allowed:
        raise WatermarkError(
            f"the key of {table.what} was ({before}) when stream {stream!r} was moved last, now it is ({now}); nothing"
            f" was read. Restore it, or name the former with key_columns=.\nTo read the table again under its new key,"
            f" run with the configuration {reading_anew(table.name)}"
        )
    place = "" if progress.position is None else progress.position.place
    known.key_columns = table.entry.key
    known.gaps.append(Gap("its key was changed", place, 0, True, known.generation))


def note_exchanged(
    progress: Progress, names: Sequence[str], stored: Mapping[str, Any], found: Mapping[str, Any]
) -> None:
    """Note that rows of tables may have gone whose facts in the log changed, such as those of a table made again.

    Only a table that is read again may have changed so; for every other one, the log's guard has failed.

    Args:
        progress: of the stream.
        names: tables that are read again.
        stored: facts of the log in the watermark.
        found: the same now.
    """
    place = "" if progress.position is None else progress.position.place
    for name in names:
        known = progress.tables[name]
        before, now = (list(_named({**facts, TABLES: None}, name)) for facts in (stored, found))
        if before and before != now:
            known.gaps.append(Gap("it was exchanged, or left the log for a time", place, 0, True, known.generation))


def _named(facts: Any, name: str) -> Iterator[Any]:
    """Yield what facts hold under the name of a table, at any depth."""
    if isinstance(facts, Mapping):
        for key, one in facts.items():
            if key == name:
                yield one
            else:
                yield from _named(one, name)
