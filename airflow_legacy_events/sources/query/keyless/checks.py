"""Checks of a stream without a key, before anything is read."""

from __future__ import annotations

from airflow_legacy_events.core.errors import ConfigurationError
from airflow_legacy_events.core.limits import Limits
from airflow_legacy_events.core.problems import Problems
from airflow_legacy_events.sources.selection import Selection


def check_keyless(what: str, selection: Selection, *, limits: Limits, null_watermark: str, bulk: bool) -> None:
    """Check that no argument of a stream with key_columns=[] needs a key.

    Args:
        what: the table or query.
        selection: its columns.
        limits: of the run.
        null_watermark: see `QuerySource`.
        bulk: whether it is a full load.

    Raises:
        ConfigurationError: naming each.
    """
    problems = Problems()
    with problems.collect():
        if not selection.shape.data:
            raise ConfigurationError(
                f"no column of {what} is left for data, and rows without a key are identified by nothing else; nothing"
                " was read. Exclude fewer columns"
            )
    with problems.collect():
        if null_watermark not in ("fail", "skip"):
            raise ConfigurationError(
                f"null_watermark={null_watermark!r} needs a key, by which rows without a watermark are ordered, and"
                " key_columns=[] was given; nothing was read. Use 'skip' or 'fail', or name key_columns=[...]"
            )
    with problems.collect():
        if bulk and limits.max_seconds is not None:
            raise ConfigurationError(
                f"max_seconds={limits.max_seconds} would stop each load before its end, and without a key the next run"
                " starts it over; nothing was read. Leave max_seconds= out, or name key_columns=[...]"
            )
    problems.raise_found()


def check_window_column(what: str, selection: Selection) -> None:
    """Check that the replay window's column is part of the data or the watermark.

    Otherwise equal rows of different times, which the live stream numbers apart, would get one event id.

    Raises:
        ConfigurationError: naming the column.
    """
    first, shape = selection.position[0], selection.shape
    if first in shape.data or first in shape.watermark:
        return
    raise ConfigurationError(
        f"column {shape.columns[first].name!r} of {what} cuts a replay but is not part of data, so equal rows of"
        " different times would get one event id without a key; nothing was read. Name a time_column= that data holds"
    )
