"""Checks of a stream that is read by row versions, before anything is read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.model import Span, Window
from airflow_legacy_events.core.ports import Database, Reflection, RowVersions
from airflow_legacy_events.core.problems import Problems

NAME = "xmin"
"""The system column of PostgreSQL; no table there can have a column of that name."""


def wanted(
    database: Database, table: str | None, watermark_columns: tuple[str, ...], found: Reflection
) -> RowVersions | None:
    """Return the row versions to read by; None if the watermark columns are ordinary ones.

    A view or query may have a column of that name.

    Raises:
        ConfigurationError: they are named for rows, or beside columns, that have none.
    """
    if NAME not in watermark_columns or NAME in {one.name for one in found.columns}:
        return None
    if (versions := database.row_versions(table or "pg_catalog.pg_class")) is None:
        return None
    if table is None:
        raise _refused("is for table=, since the rows of a query have no version of their own")
    if watermark_columns != (NAME,):
        raise _refused("stands alone: give watermark_columns=['xmin']")
    if (why := versions.refusal()) is not None:
        raise _refused(why)
    return versions


def refuse_ordered(
    window: Window | Span | None,
    *,
    lag: dt.timedelta,
    overlap: dt.timedelta,
    first_run: Any,
    options: Mapping[str, Any],
    keyless: bool,
) -> None:
    """Check that no argument needs an order of the versions.

    Args:
        window: of a replay; None for a live run.
        lag: see `QuerySource`.
        overlap: see `QuerySource`.
        first_run: see `QuerySource`.
        options: arguments that have no meaning here, by name: found and only possible value.
        keyless: whether rows have no key.

    Raises:
        ConfigurationError: naming each.
    """
    problems = Problems()
    with problems.collect():
        if window is not None:
            raise _refused(
                "has no replay, nor on_clear='repeat': versions lie in no order that a window could cut. Use another"
                " stream for it, with watermark_columns of a time"
            )
    with problems.collect():
        if lag:
            raise _refused(f"needs no lag, found lag={lag}: no transaction below its horizon is open. Leave lag= out")
    with problems.collect():
        if overlap:
            raise _refused(
                f"misses no row, found overlap={overlap}: there is nothing to read again. Leave overlap= out"
            )
    with problems.collect():
        if first_run not in ("all", "now"):
            raise _refused(f"begins with first_run='all' or 'now', found {first_run!r}: versions have no first value")
    with problems.collect():
        if keyless:
            raise _refused("needs a key: an update leaves another version of the same row. Name key_columns=[...]")
    for name, (found, only) in options.items():
        with problems.collect():
            if found != only:
                raise _refused(f"has no use for {name}={found!r}; leave {name}= out")
    problems.raise_found()


def with_versions(found: Reflection, versions: RowVersions) -> Reflection:
    """Return the catalog facts of a table with its system columns, which are never part of `data`."""
    system = (versions.version, versions.place)
    changed: Any = found
    with_system: Reflection = replace(
        changed, columns=(*found.columns, *system), unlisted=found.unlisted | {one.name for one in system}
    )
    return with_system


def refuse_pending() -> ConfigurationError:
    """Return the error for a look at pending rows."""
    return _refused(
        "can't be waited for: a look would read the whole table. Start the DAG by a schedule, or name watermark_columns"
        " that have an index"
    )


def _refused(why: str) -> ConfigurationError:
    return ConfigurationError(f"watermark_columns=['xmin'] {why}; nothing was read")
